"""What a command found or did, as a value: drift, check, apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.address import Address
from reconciler.model.changes import Change, Plan, Step
from reconciler.model.deployment import Deployed, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.schema.values import Body


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What changed behind the files' back, and what it was compared with."""

    org: OrgInfo
    findings: tuple[Finding, ...] = ()
    against: str = "baseline"
    """`baseline` or `desired`."""
    compared: tuple[Address, ...] = ()
    """The resources that were compared."""
    in_flight: tuple[Deployment, ...] = ()
    """Deployments that are under way: what they change is not drift."""
    notes: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read -> why, in the org's words. Neither fine nor gone: not judged."""
    resolved: tuple[str, ...] = ()
    """Addresses and fields of findings that an earlier report had and that are gone."""
    undeclared_apps: int | None = None
    """How many apps of the org are in no file; `None` if the files could not be read."""
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    """What the org has, for drawing it. Not shown otherwise."""
    created: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the rules say of the files, or of an org as it is."""

    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    checked: tuple[Address, ...] = ()
    """The resources that were looked at."""
    org: OrgInfo | None = None
    """`None` for files alone."""
    notes: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read -> why, in the org's words. Neither fine nor gone: not judged."""
    resolved: tuple[str, ...] = ()
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    created: str = ""
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of an apply, and what became of it."""

    step: Step
    landing: Landing
    deployed: Deployed | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What an apply did."""

    plan: Plan
    steps: tuple[StepResult, ...] = ()
    left: tuple[Change, ...] = ()
    """What the second plan still wants. Empty if all is well."""
    seconds: float = 0.0
    unread: str = ""
    """Why the org could not be read back after a step landed. The baseline then holds what was sent."""
    interrupted: bool = False
    """True if someone stopped it (Ctrl-C, SIGTERM)."""
    meanwhile: tuple[Finding, ...] = ()
    """Drift that came about while the apply was under way: what others changed, and what the org made of what was sent."""
    baseline_written: bool = False
    """True if the baseline is not what it was before."""
