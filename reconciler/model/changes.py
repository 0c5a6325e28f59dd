"""A plan: the changes of resources, the steps they are sent in, and what keeps it from being applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.errors import Place
from reconciler.kinds import kind
from reconciler.model.address import Address
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import Modified, OrgInfo
from reconciler.schema.kind import Kind
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body, Path, Value


class Action(StrEnum):
    """What happens to one resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"


class Reason(StrEnum):
    """Why a change is planned. For people; decides nothing."""

    DECLARED = "declared, and the org does not have it"
    EDITED = "the files say something else than the org"
    REMOVED = "removed from the files"
    UNDECLARED = "not in its handler's list of enablements"
    ASKED = "asked for by --replace"
    DESTROY = "asked for by --destroy"
    WITH_OWNER = "goes with its app or handler"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs. `old` and `new` are in canonical form, `None` where absent."""

    path: Path
    old: Value
    new: Value
    direction: Direction = Direction.NEUTRAL
    severity: Severity = Severity.LOW
    conflict: bool = False
    """True where file and org both moved since the baseline; the file wins."""
    restores: bool = False
    """True where only the org moved: the change brings back what was last applied."""
    secret: bool = False
    place: Place | None = None

    @property
    def name(self) -> str:
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change of a resource: `before` is `None` if it is created, `after` is `None` if it is deleted."""

    address: Address
    before: Body | None
    after: Body | None
    """The whole record to be: live overlaid with desired."""
    reason: Reason
    fields: tuple[FieldChange, ...] = ()
    """What differs. Empty where a record is created or deleted: `after` or `before` is all that there is to say."""
    replace: bool = False
    record: str = ""
    place: Place | None = None
    modified: Modified = Modified()
    """Who last changed the live record."""

    @property
    def action(self) -> Action:
        if self.replace:
            return Action.REPLACE
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.UPDATE


@dataclass(frozen=True, slots=True)
class Component:
    """One file of a deployment: a whole record as it is to be, or its removal."""

    address: Address
    record: str
    body: Body | None
    """`None` removes it."""
    place: Place | None = None
    """Where its document begins."""
    create: bool = False

    @property
    def kind(self) -> type[Kind]:
        return kind(self.address.kind)


@dataclass(frozen=True, slots=True)
class Step:
    """One deployment of a plan: the org takes all of it or nothing."""

    changes: tuple[Change, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """A resource or field that the files no longer manage. It stays in the org as it is."""

    address: Address
    path: Path = ()
    """Empty: the whole resource."""

    def __str__(self) -> str:
        return f"{self.address}.{'.'.join(self.path)}" if self.path else str(self.address)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A guard's reason to refuse an apply, and the flag that lifts it (empty: nothing lifts it)."""

    guard: str
    address: Address | None
    message: str
    allow: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply would do, and what that is based on."""

    org: OrgInfo
    steps: tuple[Step, ...] = ()
    drift: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    released: tuple[Release, ...] = ()
    adopted: tuple[Address, ...] = ()
    """Declared resources that already are as declared, and that the baseline does not hold yet."""
    notes: tuple[str, ...] = ()
    unchanged: int = 0
    targets: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    destroy: bool = False
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    """Digest of the live content of every record that the plan touches or adopts, by address."""
    record_ids: Mapping[str, str] = field(default_factory=dict)
    """The org's id of every record that the plan touches, by address, where the org gives one."""
    payload: str = ""
    """Digest of what would be sent."""
    desired: str = ""
    """Digest of the desired files."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digest of each of them, and of the project file, by name."""
    baseline_serial: int = 0
    undeclared_apps: int | None = None
    """How many apps of the org are in no file; `None` if the files could not be read."""
    managed: int = 0
    """How many resources the files declare and the baseline will hold as ours."""
    created: str = ""
    """ISO 8601, UTC."""
    unchecked: tuple[Unchecked, ...] = ()
    """What the rules could not judge of what changes."""
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    """The org as it would be afterwards, for drawing it. Not shown otherwise."""

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for step in self.steps for change in step.changes)

    def count(self, *actions: Action) -> int:
        return sum(change.action in actions for change in self.changes)
