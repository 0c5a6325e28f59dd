"""A deployment as it was sent, and the org's last word on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import Complaint, Place
from reconciler.model.address import Address


class Landing(StrEnum):
    """Whether a step landed in the org, did not land, or whether that is unknown."""

    LANDED = "landed"
    NOT_LANDED = "not landed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ComponentFailure:
    """What the org said about one component of a failed deployment, verbatim."""

    kind: str
    record: str
    problem: str
    line: int = 0
    column: int = 0
    file_name: str = ""
    address: Address | None = None
    place: Place | None = None
    """The line in our files that caused it, as far as the org's text tells."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A deployment as it can be found again: by its id, or, if that never came, by what was known before it was sent."""

    id: str = ""
    components: tuple[tuple[str, str], ...] = ()
    """Kind and record of each, as the org names them when it is done."""
    check_only: bool = False
    known: tuple[str, ...] = ()
    """Ids of the newest deployments that the org listed just before."""
    since: str = ""
    """When the newest of those was made (ISO 8601, by the org's clock); empty if there was none."""
    listed: bool = False
    """False if the org did not list its deployments: then this one cannot be distinguished from others that look like it."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The org's last word on one deployment."""

    id: str
    success: bool
    status: str
    failures: tuple[ComponentFailure, ...] = ()
    error: str = ""
    warnings: tuple[str, ...] = ()
    why: tuple[Complaint, ...] = ()
    """What came between us and the org, with a mend; `error` then only sums it up, and is no word of Salesforce's."""
    ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The org's id of each record that landed, by kind and record, where the org gives one."""

    @property
    def landing(self) -> Landing:
        """Whether the deployment landed, by the org's word. One that failed while it was finalized may have, so it is
        unknown."""
        if self.success:
            return Landing.LANDED
        uncertain = self.status == "unknown" or self.status.startswith("Finalizing")
        return Landing.UNKNOWN if uncertain else Landing.NOT_LANDED
