"""A finding: drift, or a rule broken; with who brought it about and how sure that is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.model.live import Modified
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Path, Value


def _ordered(value: Value) -> Value:
    """Return a value with its sets as sorted lists, so that its text is the same in every run."""
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return {str(name): _ordered(item) for name, item in value.items()}
    return [_ordered(item) for item in value] if isinstance(value, list | tuple) else value


CHANGED, GONE, UNMANAGED, DESIRED = "drift.changed", "drift.gone", "drift.unmanaged", "drift.desired"
DIFFERS = "compare.differs"
"""Two orgs are not alike."""
REPLACED = "drift.replaced"
UNDONE = "drift.undone"
"""Not a difference, but what an apply may have undone: only an apply reports it."""
"""The ids of drift."""
REFERENCE = "reference"
"""Never a finding: what a file names and no file declares is not checked offline, and an error with an org."""


class Confidence(StrEnum):
    """How sure it is who made a change."""

    HIGH = "high"
    """The record's last change and the audit trail agree, or the trail names the field; no one else touched it."""
    MEDIUM = "medium"
    """The audit trail names that person, and one more thing would have to agree."""
    UNKNOWN = "unknown"
    """No one is named: several people touched the record, or only its last change has a name."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A person who touched a record, and when last; which of its fields is not known."""

    by: str = ""
    """A username, or a person's name where the org gives only that."""
    by_id: str = ""
    date: str = ""
    """ISO 8601, UTC."""
    delegate: str = ""
    """Who had logged in as that user, if someone had."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who changed something, when, and how that is known. Other users who may have changed it stand in `also`."""

    by: str = ""
    """A username, or a person's name where the org gives only that; empty if no one can be named."""
    by_id: str = ""
    date: str = ""
    """ISO 8601, UTC."""
    confidence: Confidence = Confidence.UNKNOWN
    delegate: str = ""
    """Who had logged in as that user, if someone had."""
    deployment: str = ""
    """The id of the deployment that brought it, if one did."""
    ours: bool = False
    """True if that deployment is one of ours."""
    because: str = ""
    """What the confidence rests on, in a few words; of no one named, why not."""
    also: tuple[Touch, ...] = ()
    """Everyone else who touched the record since its value was last known, the latest first."""


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
    """Who waived it, why and until when, in words; empty if no one did. Shown, and not counted."""
    deferred: str = ""
    """The id of the deployment under way that explains it; not counted."""
    attribution: Attribution | None = None
    known: bool | None = None
    """Whether an earlier report had it already; `None` if none was given to compare with."""
    unmanaged: bool = False
    """True for drift of a resource that no file declares and that belongs to nothing that one declares."""

    @property
    def is_drift(self) -> bool:
        return self.id in (CHANGED, GONE, UNMANAGED, DESIRED, REPLACED, UNDONE, DIFFERS)

    @property
    def counts(self) -> bool:
        """Whether the finding counts for the exit code: ignored, waived and deferred findings are only shown."""
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
