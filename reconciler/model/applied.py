"""The baseline: what was last applied or adopted, per org and project, without secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.address import Address
from reconciler.model.live import Modified
from reconciler.schema.values import Body, Path


@dataclass(frozen=True, slots=True)
class Applied:
    """What we last applied or adopted for one resource."""

    body: Body
    """The whole record as it was read back, write-only values as salted digests."""
    record: str = ""
    declared: tuple[Path, ...] = ()
    """The fields that the files declared."""
    unseen: tuple[Path, ...] = ()
    """Fields that were sent and that the org does not give back: `body` holds what was sent."""
    protect: frozenset[str] = frozenset()
    watched: bool = False
    """True for what no file declares and is kept all the same, so that its drift is seen. We never delete it."""
    id: str = ""
    """The record's id in the org; empty where the org does not give one. Another id is another record of that name."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What we last applied, without secrets. Belongs to one org and one project."""

    org_id: str = ""
    project: str = ""
    serial: int = 0
    salt: str = ""
    api_version: str = ""
    resources: Mapping[Address, Applied] = field(default_factory=dict)
    unmanaged: frozenset[str] = frozenset()
    """Addresses of resources that are known by name only: no file declares them, and what they hold is not watched."""
    deployments: tuple[str, ...] = ()
    """Ids of our own latest deployments."""
    begun: str = ""
    """When we first applied anything (ISO 8601, UTC): what was done before is none of our business."""
    as_of: Mapping[Address, Modified] = field(default_factory=dict)
    """The last change of a record, without a name, that the baseline has seen: what differs was done later."""

    @property
    def exists(self) -> bool:
        return self.serial > 0

    @property
    def managed(self) -> frozenset[Address]:
        """The resources that we applied or adopted: only these are ever deleted. The others are only watched."""
        return frozenset(address for address, applied in self.resources.items() if not applied.watched)
