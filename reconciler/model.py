"""The values that everything is decided on. All frozen; the words are those of README.md beside this file."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from reconciler.errors import Complaint, Place
from reconciler.facts import Deployment
from reconciler.kinds import ENABLEMENT, all_kinds, kind
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body, Path, Value


class Address(NamedTuple):
    """Identity for life: `Kind/name`, or `Kind/name/enablements/app`. A satellite's name is its app's."""

    kind: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}/{self.part}" if self.part else f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises ValueError with words for a person."""
        kind_name, _, rest = text.partition("/")
        name, _, part = rest.partition("/")
        if not name:
            raise ValueError(f"{text!r} is not an address; write Kind/name")
        return cls(kind_name, name, part)

    @property
    def schema(self) -> type[Kind]:
        """The kind's class (of an enablement: its handler's)."""
        return kind(self.kind)

    @property
    def struct(self) -> type[Struct]:
        """What the resource's body is an instance of: the kind, or an enablement's structure."""
        if self.part:
            field = self.schema.fields().get(ENABLEMENT)
            if field is not None and field.struct is not None:
                return field.struct
        return self.schema

    @property
    def component(self) -> "Address":
        """The address of the record that is deployed: of an enablement, its handler."""
        return Address(self.kind, self.name) if self.part else self

    @property
    def is_satellite(self) -> bool:
        """True for what belongs to an external client app and goes with it."""
        return bool(self.schema.section)

    @property
    def owners(self) -> tuple["Address", ...]:
        """What it is deleted along with: a satellite with its app, an enablement with its handler and with its app.

        Whether that is a connected app or an external client app stands in an enablement's body only: both are named.
        """
        if self.part:
            app = self.part.removeprefix(f"{ENABLEMENT}/")
            return self.component, Address("ConnectedApp", app), Address("ExternalClientApplication", app)
        return (Address("ExternalClientApplication", self.name),) if self.is_satellite else ()

    def belongs_to(self, owner: "Address") -> bool:
        """True for what is deleted along with an app or a handler: its satellites, its enablements."""
        return owner in self.owners

    @property
    def is_enablement(self) -> bool:
        return bool(self.part)


def enablement(handler: str, app: str) -> Address:
    """The address of one app's enablement for a handler."""
    return Address("OauthTokenExchangeHandler", handler, f"{ENABLEMENT}/{app}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resource is declared. `find` looks a field up in the file; nobody pays for it until an error or a plan
    line needs it."""

    file: str
    line: int
    find: Callable[[Path], Place] | None = field(default=None, compare=False, repr=False)

    def at(self, path: Path = ()) -> Place:
        """The place of a field, or of the document where the field has none."""
        return self.find(path) if self.find is not None else Place(self.file, self.line)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What a person decided about one resource."""

    protect: frozenset[str] = frozenset()
    """`delete`, `replace`: refused however it is asked for."""
    ignore: tuple[Path, ...] = ()
    """Fields that keep their live value."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as the files declare it. Absent keys of `body` are not managed."""

    address: Address
    body: Body
    origin: Origin
    lifecycle: Lifecycle = Lifecycle()
    record: str = ""
    """An explicit name of a satellite's record, else empty."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The desired state: all resources of all files, read at one moment."""

    resources: Mapping[Address, Resource]
    authoritative: frozenset[str] = frozenset()
    """Handlers whose document lists all its enablements; others are strangers there and go."""
    digest: str = ""
    """Of the files' bytes."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digest of each file that the desired state rests on, the project file included, by its name."""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Modified:
    """Who last changed a record, and when (ISO 8601, UTC), as the org says."""

    by: str = ""
    by_id: str = ""
    date: str = ""

    def __str__(self) -> str:
        return f"{self.by or 'unknown'} at {self.date or 'an unknown time'}"


@dataclass(frozen=True, slots=True)
class LiveResource:
    """One record as the org has it."""

    address: Address
    body: Body
    record: str
    """The record's name in the org (`fullName`)."""
    modified: Modified = Modified()
    installed: bool = False
    """True for a component of a managed package: read-only, except policies."""
    id: str = ""
    """The record's id in the org; empty where the org does not give one."""
    created: Modified = Modified()
    """Who made it, and when; empty where the org does not say."""

    @property
    def touched(self) -> bool:
        """True if it was changed after it was made: by another user, or at another second."""
        made, changed = self.created, self.modified
        if not (made.by_id and changed.by_id):
            return False
        return made.by_id[:15] != changed.by_id[:15] or made.date[:19] != changed.date[:19]


@dataclass(frozen=True, slots=True)
class OrgInfo:
    """Which org this is. Shown first in every output, and compared with what is pinned."""

    id: str
    name: str = ""
    instance: str = ""
    is_sandbox: bool = False
    organization_type: str = ""
    api_version: str = ""
    username: str = ""
    recorded: str = ""
    """When the recording was made that stands for the org (ISO 8601, UTC); empty: the org itself was asked."""
    alias: str = ""
    """What the project file calls it; empty where none was read."""

    @property
    def called(self) -> str:
        """What people call it, `prod (Acme)`: in the project file, and the org itself, whose name several may have."""
        return f"{self.alias} ({self.name})" if self.alias and self.name else self.alias or self.name

    @property
    def short_id(self) -> str:
        """The 15 characters that identify the org; the last three of 18 are only a checksum."""
        return self.id[:15]


NOT_RECORDED = "the org has it, and the recording does not: record again"
"""Why nothing is known of what a replay was not told."""


def reason_unreadable(
    unreadable: Mapping[str, str], address: Address, resources: "Mapping[Address, LiveResource] | None" = None
) -> str | None:
    """Why nothing can be said about an address: it, its handler or its whole kind is among what could not be read.

    `resources` are what could be read: a kind of which something is missing hides nothing of what came, and no record of
    an app that is not there.
    """
    if not unreadable:
        return None
    own = unreadable.get(str(address.component))
    if own is not None or (why := unreadable.get(address.kind)) is None:
        return own
    if resources is None:
        return why
    if address.component in resources:
        return None
    if address.is_satellite and "__" not in address.name:
        app = Address("ExternalClientApplication", address.name)
        if app not in resources and reason_unreadable(unreadable, app) is None:
            return None
    return why


_NAMED = 10
"""So many fields that cannot be compared are named."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """What the org has now, as far as it could be read."""

    org: OrgInfo
    resources: Mapping[Address, LiveResource]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Kinds (or single addresses, as text) that could not be read -> the org's reason. Absence is not concluded."""
    scrubbed: Mapping[Address, Mapping[Path, tuple[str, ...]]] = field(default_factory=dict)
    """Fields that were scrubbed from the recording that this was read from -> what is left of their texts, before,
    between and after what is gone. Not comparable: never a change, never drift, not judged."""

    def reason_unreadable(self, address: Address) -> str | None:
        """Why nothing can be said about this address, or `None` if it could be read."""
        return reason_unreadable(self.unreadable, address, self.resources)

    @property
    def too_new(self) -> frozenset[str]:
        """The kinds that the API version does not have."""
        version = float(self.org.api_version or 0)
        return frozenset(name for name, schema in all_kinds().items() if version and schema.since > version)

    @property
    def hidden(self) -> Mapping[str, str]:
        """What the login could not read. A kind that the API version does not have is hidden from nobody."""
        too_new = self.too_new if self.unreadable else frozenset()
        return {what: why for what, why in self.unreadable.items() if what.partition("/")[0] not in too_new}

    @property
    def not_comparable(self) -> tuple[str, ...]:
        """What a recording does not tell, a line each; none if it tells everything."""
        missing = sorted(what for what, why in self.unreadable.items() if why == NOT_RECORDED)
        told = tuple(f"{what} is not judged: {NOT_RECORDED}" for what in missing)
        fields = [f"{address}.{'.'.join(path)}" for address in sorted(self.scrubbed) for path in self.scrubbed[address]]
        if not fields:
            return told
        more = f" and {len(fields) - _NAMED:,} more" if len(fields) > _NAMED else ""
        number = "1 field is" if len(fields) == 1 else f"{len(fields):,} fields are"
        return (*told, f"{number} not comparable, scrubbed from the recording: {', '.join(fields[:_NAMED])}{more}")


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
        """What we applied or adopted: only this is ever deleted. The rest is watched."""
        return frozenset(address for address, applied in self.resources.items() if not applied.watched)


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
    """One resource that must differ from what the org has now; `None` on one side is create or delete."""

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
    """One deployment: all of it lands or nothing."""

    changes: tuple[Change, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """Something that the files no longer manage. It stays in the org as it is."""

    address: Address
    path: Path = ()
    """Empty: the whole resource."""

    def __str__(self) -> str:
        return f"{self.address}.{'.'.join(self.path)}" if self.path else str(self.address)


def _ordered(value: Value) -> Value:
    """A value whose text is the same in every run: sets have no order of their own."""
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return {str(name): _ordered(item) for name, item in value.items()}
    return [_ordered(item) for item in value] if isinstance(value, list | tuple) else value


CHANGED, GONE, UNMANAGED, DESIRED = "drift.changed", "drift.gone", "drift.unmanaged", "drift.desired"
REPLACED = "drift.replaced"
UNDONE = "drift.undone"
"""Not a difference, but what an apply may have undone: only an apply reports it."""
"""The ids of drift."""
REFERENCE = "reference"
"""Never a finding: what a file names and no file declares is not checked offline, and an error with an org."""


class Confidence(StrEnum):
    """How sure it is who did it."""

    HIGH = "high"
    """The record's last change and the audit trail agree, or the trail names the field; nobody else touched it."""
    MEDIUM = "medium"
    """The audit trail names that person, and one more thing would have to agree."""
    UNKNOWN = "unknown"
    """Nobody is named: several people touched the record, or only its last change has a name."""


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody who touched a record, and when last. Which of its fields is another question."""

    by: str = ""
    """A username, or a person's name where the org gives only that."""
    by_id: str = ""
    date: str = ""
    """ISO 8601, UTC."""
    delegate: str = ""
    """Who had logged in as that user, if somebody had."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who changed something, when, and how that is known. Those who may have, and may not, stand in `also`."""

    by: str = ""
    """A username, or a person's name where the org gives only that; empty if nobody can be named."""
    by_id: str = ""
    date: str = ""
    """ISO 8601, UTC."""
    confidence: Confidence = Confidence.UNKNOWN
    delegate: str = ""
    """Who had logged in as that user, if somebody had."""
    deployment: str = ""
    """The id of the deployment that brought it, if one did."""
    ours: bool = False
    """True if that deployment is one of ours."""
    because: str = ""
    """What the confidence rests on, in a few words; of nobody named, why not."""
    also: tuple[Touch, ...] = ()
    """Everybody else who touched the record since its value was last known, the latest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person must look at: drift, or a rule broken."""

    id: str
    """One of drift's, `waiver.expired`, `waiver.unused`, or a rule's."""
    severity: Severity
    address: Address
    message: str
    path: Path = ()
    old: Value = None
    new: Value = None
    direction: Direction = Direction.NEUTRAL
    modified: Modified = Modified()
    place: Place | None = None
    ignored: bool = False
    """True for a field under `lifecycle.ignore`: shown, and not counted."""
    mend: str = ""
    meaning: str = ""
    """What it means for the clients of the app, in one sentence."""
    subject: str = ""
    """What in the field, where a rule can be broken more than once in one: a URL, a method."""
    position: tuple[int, int] | None = None
    """Line and column inside the value, where that is source text."""
    also: tuple[Address, ...] = ()
    """Other resources that the finding depends on."""
    waived: str = ""
    """Who waived it, why and until when, in words; empty if nobody did. Shown, and not counted."""
    deferred: str = ""
    """The id of the deployment under way that explains it; not counted."""
    attribution: Attribution | None = None
    known: bool | None = None
    """Whether an earlier report had it already; `None` if none was given to compare with."""
    unmanaged: bool = False
    """True for drift of a resource that no file declares and that belongs to nothing that one declares."""

    @property
    def is_drift(self) -> bool:
        return self.id in (CHANGED, GONE, UNMANAGED, DESIRED, REPLACED, UNDONE)

    @property
    def counts(self) -> bool:
        """Whether it makes an exit code: ignored, waived and deferred findings are shown only."""
        return not (self.ignored or self.waived or self.deferred)

    @property
    def key(self) -> str:
        """The finding's identity from run to run (16 hexadecimal digits): what, where and the value, never who or when."""
        value = "" if self.new is None else json.dumps(_ordered(self.new), sort_keys=True, default=str)
        parts = (self.id, str(self.address), *self.path, self.subject, value)
        return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A rule that could not be judged, and why. Never the same as being fine."""

    id: str
    address: Address
    message: str
    path: Path = ()
    place: Place | None = None


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


class Landing(StrEnum):
    """What became of a step."""

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
    """False if the org did not list its deployments: then this one cannot be told from others that look like it."""


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
        """What the org's word amounts to. Of one that failed while it was finalized nobody says whether it stayed."""
        if self.success:
            return Landing.LANDED
        uncertain = self.status == "unknown" or self.status.startswith("Finalizing")
        return Landing.UNKNOWN if uncertain else Landing.NOT_LANDED


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
    """True if somebody stopped it (Ctrl-C, SIGTERM)."""
    meanwhile: tuple[Finding, ...] = ()
    """Drift that came about while the apply was under way: what others changed, and what the org made of what was sent."""
    baseline_written: bool = False
    """True if the baseline is not what it was before."""


def walk(body: Body, path: Path = ()) -> Iterator[Path]:
    """Paths of all leaves of a desired body: `("oauthConfig", "isPkceRequired")`. Lists are leaves."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from walk(value, (*path, name))
        else:
            yield (*path, name)
