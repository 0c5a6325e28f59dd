"""What an org says besides its metadata: its users, who may be given access, and who did what when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


def moment(text: str) -> datetime | None:
    """Read a date as an org spells it (`…000Z`, `…000+0000`) into UTC; `None` for what is no date."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


NOT_ASKED = "the org was not asked"
"""Why nothing is known of a topic that no one wanted to know of."""


@dataclass(frozen=True, slots=True)
class User:
    """What rules need to know of one user of the org."""

    username: str
    active: bool
    api_only: bool | None = None
    """Whether the user may only call APIs; `None` if the org did not tell."""
    profile: str = ""
    user_type: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules ask an org. A topic that could not be asked stands in `unknown`, and is then not judged."""

    users: Mapping[str, User] = field(default_factory=dict)
    """Those that were asked for and that exist, by username in small letters."""
    permission_sets: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict)
    """App's name -> when its consumer secret was made (ISO 8601). Only where the org tells: it keeps the date of staged
    and rotated credentials only."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """`users`, `api_only`, `permission_sets`, `profiles`, `secrets` -> why nothing is known, in the org's words."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the Setup audit trail."""

    by: str
    """The username."""
    by_id: str
    date: str
    """ISO 8601, UTC."""
    section: str
    display: str
    delegate: str = ""
    """The username of the person who had logged in as that user, if someone had."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment that the org knows of, ours or another."""

    id: str
    status: str
    by: str
    by_id: str
    started: str = ""
    """ISO 8601, UTC; empty while it waits."""
    completed: str = ""
    check_only: bool = False

    @property
    def in_flight(self) -> bool:
        """Whether the deployment is not over yet, and may still change the org."""
        return not self.check_only and self.status in ("Pending", "InProgress", "Canceling", "Finalizing")


@dataclass(frozen=True, slots=True)
class History:
    """Who changed what in an org, and its deployments. What could not be read stands in `unknown`."""

    entries: tuple[AuditEntry, ...] = ()
    """Newest first."""
    deployments: tuple[Deployment, ...] = ()
    enablements: Mapping[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    """(handler, app) -> username, user id and date of the last change of an enablement: its own, not its handler's."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """`audit`, `deployments`, `enablements` -> why nothing is known, in the org's words; or why not all of it is."""
