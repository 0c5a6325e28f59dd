"""A plan that was saved: what an apply has to know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What an apply has to know of a plan that was saved: enough to make it again and to see that it is the same.

    It holds no values to send. Those are read from the desired files once more, whose digest is here.
    """

    org_id: str
    targets: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    destroy: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    payload: str = ""
    desired: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digests of the files by name; empty in plans of 0.1.0."""
    record_ids: Mapping[str, str] = field(default_factory=dict)
    effects: frozenset[str] = frozenset()
    """What `effects` says of the plan."""
    baseline_serial: int = 0
    created: str = ""
