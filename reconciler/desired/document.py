"""What the desired documents declare, what is wrong with them, and where each field stands in its file."""

import re
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

from reconciler.desired.fields import Values
from reconciler.desired.tree import Places
from reconciler.errors import Complaint, Place, suggestion
from reconciler.kinds import ENABLEMENT, HANDLER, all_kinds
from reconciler.model.address import Address
from reconciler.model.declared import Lifecycle, Origin, Resource
from reconciler.model.spelling import Spelling, folded
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Keyed, WriteOnly
from reconciler.schema.paths import walk
from reconciler.schema.values import Body, Path
from reconciler.yaml.events import RawPath
from reconciler.yaml.source import short

HANDLER_ENABLEMENT = "HandlerEnablement"
MAX_NAME = 255
MAX_ISSUES = 2_000
"""A near word for each of a million unknown keys would take hours to find."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NAMESPACE = re.compile(r"[A-Za-z](_?[A-Za-z0-9])*__(?=[A-Za-z])")
_SENSITIVE = re.compile(r"secret|passw|private_?key|credential", re.IGNORECASE)


class Spot(NamedTuple):
    """A place in a desired file that is not looked up yet: file, number of the document, path inside of it."""

    file: str
    document: int
    path: RawPath = ()

    def place(self, places: Places) -> Place:
        return places.of(self.file).place((self.document, *self.path))


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that is wrong in a document."""

    spot: Spot
    message: str
    mend: str = ""
    also: "Spot | Origin | None" = None

    def complaint(self, places: Places) -> Complaint:
        also = self.also.at() if isinstance(self.also, Origin) else self.also and self.also.place(places)
        return Complaint(short(self.message), self.spot.place(places), self.mend, also)


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the field names of all kinds: those that hold secrets, and the others."""
    secret: set[str] = set()
    public: set[str] = {"secret", "lifecycle", "when"}

    def collect(schema: type[Struct]) -> None:
        for name, one in schema.fields().items():
            (secret if one.has(WriteOnly) else public).add(name)
            if one.struct is not None:
                collect(one.struct)

    for schema in all_kinds().values():
        collect(schema)
    return frozenset(secret), frozenset(public - secret)


@lru_cache(4096)
def is_secret(key: str) -> bool:
    """Whether the value of a key must never be shown: the key is a secret's field, or looks like a misspelt one."""
    secret, public = _names()
    if key in public:
        return False
    if key in secret or _SENSITIVE.search(key):
        return True
    word = key.casefold()
    return len(word) > 4 and any(word[:4] == name[:4] or word[-4:] == name[-4:] for name in map(str.casefold, secret))


@dataclass(slots=True)
class Find:
    """Finds the fields of one resource in its file. One for each resource; not frozen, because that is slow to make."""

    places: Places
    values: Values
    spot: Spot
    schema: type[Struct]

    @property
    def is_metadata(self) -> bool:
        """Whether the file is metadata, and no YAML."""
        return not self.spot.file.lower().endswith((".yaml", ".yml"))

    def __call__(self, path: Path) -> Place:
        return self.places.of(self.spot.file).place(self.locate(path)[0])

    def locate(self, path: Path) -> tuple[RawPath, Any, Path]:
        """Return the path of a field in its file, the value written there, and the part of the path that the file lacks.

        If a part is missing, path and value are those of the mapping or list that the field would be in.
        """
        positions = self.places.of(self.spot.file)
        raw: RawPath = (self.spot.document, *self.spot.path)
        value: Any = positions.values.get(self.spot.document)
        for part in self.spot.path:
            value = _step(value, part)
        schema: type[Struct] | None = self.schema
        field: Field | None = None
        for depth, part in enumerate(path):
            if isinstance(value, list):
                index = self._index(value, part, field)
                if index is None:
                    return raw, value, path[depth:]
                raw, value = (*raw, index), value[index]
                continue
            field = schema.fields().get(part) if schema is not None else None
            schema = field.struct if field is not None else None
            if not isinstance(value, dict) or part not in value:
                return raw, value, path[depth:]
            raw, value = (*raw, part), value[part]
        return raw, value, ()

    def _index(self, items: list[Any], part: str, field: Field | None) -> int | None:
        for index, item in enumerate(items):
            if isinstance(item, dict) and field is not None and field.has(Keyed):
                filled = {k: self._text(v) if isinstance(v, str) else v for k, v in item.items()}
                if field.same_key(field.item_key(filled)) == field.same_key(part):
                    return index
            elif isinstance(item, str) and self._text(item).strip() == part:
                return index
        return int(part) if part.isdecimal() and len(part) < 7 and int(part) < len(items) else None

    def _text(self, text: str) -> str:
        return self.values.text(text, (), []) or ""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """Finds the fields of a resource of which a YAML document declares a part, and a metadata file the rest."""

    over: Resource
    under: Resource

    def __call__(self, path: Path) -> Place:
        declared = not path or self.over.declares(path) or not self.under.declares(path)
        return (self.over if declared else self.under).origin.at(path)

    def of(self, path: Path) -> Resource:
        """The one of the two whose file a field stands in, or would stand in."""
        return self.under if self.under.declares(path) and not self.over.declares(path) else self.over


def _laid_over(over: Body, under: Body, *, without_null: bool = False) -> Body:
    """A body with what another one says besides; structures are joined field by field. `without_null`: what is null in the
    upper one is in neither."""
    result = dict(under)
    for name, value in over.items():
        below = under.get(name)
        both = isinstance(value, dict) and isinstance(below, dict)
        if value is None and without_null:
            result.pop(name, None)
        else:
            result[name] = _laid_over(value, below or {}, without_null=without_null) if both else value
    return result


def _step(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def name_problem(name: str) -> str | None:
    """Return why this cannot be the API name of a component, or `None`. `namespace__Name` is of an installed package.

    Source: Object Reference, ExternalClientApplication, DeveloperName: it begins with a letter, holds letters, digits and
    underscores only, no two underscores in a row and none at the end. No record of an org breaks that either.
    """
    if len(name) > MAX_NAME:
        return f"it has more than {MAX_NAME} characters"
    bad = next((c for c in name if not (c.isascii() and (c.isalnum() or c == "_"))), None)
    if bad is not None:
        shown = {" ": "a blank", "/": "a slash"}.get(bad, repr(bad))
        return f"it holds {shown}; only letters, digits and underscores may stand there"
    if not _NAME.fullmatch(name):
        return "it must start with a letter"
    if name.endswith("_"):
        return "it must not end with an underscore"
    if "__" in _NAMESPACE.sub("", name, count=1):
        return "two underscores in a row stand only after a namespace"
    return None


@dataclass(slots=True)
class Documents:
    """What the documents seen so far declare, and what is wrong with them."""

    values: Values
    places: Places
    org: str = ""
    """The org's name in the project file, which documents may ask for; empty where none is known: then all are for it."""
    orgs: tuple[str, ...] = ()
    """All of the project's."""
    resources: dict[Address, Resource] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    """At most some more than `MAX_ISSUES`; then nothing more is looked at."""
    authoritative: dict[str, Spot] = field(default_factory=dict)
    """Handlers with a list of enablements, and where."""
    _letters: dict[Address, Address] = field(default_factory=dict)
    """The addresses so far, by what they are without regard to letter case."""
    removed: dict[Address, Spot] = field(default_factory=dict)
    """What an overlay takes away, and where it says so."""
    overlays: list[str] = field(default_factory=list)
    """Fields that both a metadata file and a YAML document declare: the document counts."""
    additive: dict[str, Spot] = field(default_factory=dict)
    """Handlers with an enablement document, and where the first one is."""

    def add_class(self, resource: Resource) -> None:
        """Take in an Apex class."""
        spot = Spot(resource.origin.file, 0)
        if (problem := name_problem(resource.address.name)) is not None:
            self.issues.append(Issue(spot, f"{resource.address.name!r}: {problem}", "rename the file"))
        else:
            self.add(resource, spot)

    def add(self, resource: Resource, spot: Spot) -> None:
        """Take in a resource, which stands at `spot`; if its address is already declared, note that instead."""
        first = self.resources.setdefault(resource.address, resource)
        if first is not resource:
            self._twice(first, resource, spot)

    def underlay(self, resource: Resource) -> None:
        """Take in a record of a metadata file. Where a YAML document declares it too, that lies over it, field by field."""
        if len(self._letters) < len(self.resources):
            self._letters = {folded(address): address for address in self.resources}
        known = self._letters.setdefault(folded(resource.address), resource.address)
        over = self.resources.setdefault(known, resource)
        if over is resource:
            return
        if not isinstance(over.origin.find, Find) or over.origin.find.is_metadata:
            self._twice(over, resource, Spot(resource.origin.file, 0))
            return
        both = [".".join(path) for path in walk(over.body) if resource.declares(path)]
        self.overlays += [f"{over.address}.{name} ({over.origin.file})" for name in both]
        find = Overlaid(over, resource)
        self.resources[over.address] = replace(
            over,
            body=_laid_over(over.body, resource.body),
            origin=Origin(over.origin.file, over.origin.line, find),
            record=over.record or resource.record,
        )

    def lay_over(self, upper: "Documents") -> None:
        """Lay the documents of an overlay over these, field by field: `null` takes a field away. What changes nothing that
        is declared is wrong."""
        self.issues += upper.issues
        names = {folded(address): address for address in self.resources}
        known = [*map(str, self.resources)]
        for address, resource in upper.resources.items():
            mine = names.get(folded(address))
            spot = (
                resource.origin.find.spot if isinstance(resource.origin.find, Find) else Spot(resource.origin.file, 0)
            )
            if mine is None:
                if any(owner in self.resources for owner in address.owners):
                    self.resources[address] = resource
                    continue
                message = f"this overlay changes {address}, which no document declares"
                mend = suggestion(str(address), known) or "declare it in a folder of `desired:`"
                self.issues.append(Issue(spot, message, mend))
                continue
            base = self.resources[mine]
            self.resources[mine] = replace(
                base,
                body=_laid_over(resource.body, base.body, without_null=True),
                origin=Origin(base.origin.file, base.origin.line, Overlaid(resource, base)),
                lifecycle=resource.lifecycle if resource.lifecycle != Lifecycle() else base.lifecycle,
            )
        for address, spot in upper.removed.items():
            mine = names.get(folded(address))
            if mine is None or mine not in self.resources:
                mend = suggestion(str(address), known)
                self.issues.append(Issue(spot, f"this overlay takes {address} away, which no document declares", mend))
                continue
            for gone in [one for one in self.resources if one == mine or mine in one.owners]:
                del self.resources[gone]
        for handlers, others in ((self.authoritative, upper.authoritative), (self.additive, upper.additive)):
            for name, spot in others.items():
                handlers.setdefault(name, spot)

    def _twice(self, first: Resource, second: Resource, spot: Spot) -> None:
        mend = "remove one of the two"
        if first.address != second.address:
            mend = f"remove one of the two, or rename it: for the org, {first.address.name} is the same name"
        self.issues.append(Issue(spot, f"{second.address} is declared twice", mend, first.origin))

    def _spell(self) -> None:
        """Spell satellites and enablements as the documents of their app and handler do."""
        spelling = Spelling(self.resources)
        resources = spelling.keys(self.resources)
        if resources is not self.resources:
            self.resources = {
                address: one if one.address == address else replace(one, address=address)
                for address, one in resources.items()
            }
        for handlers in (self.authoritative, self.additive):
            for name in [*handlers]:
                spelled = spelling.address(Address(HANDLER, name)).name
                if spelled != name:
                    handlers.setdefault(spelled, handlers.pop(name))

    def finish(self) -> None:
        """Judge what can only be judged when all documents are known: names, duplicates, references."""
        # The org compares names without regard to case.
        known: dict[Address, Resource] = {}
        for address, resource in self.resources.items():
            first = known.setdefault(folded(address), resource)
            if first is not resource:
                find = resource.origin.find
                self._twice(first, resource, find.spot if isinstance(find, Find) else Spot(resource.origin.file, 0))
        self._spell()
        for handler in self.authoritative.keys() & self.additive.keys():
            self.issues.append(
                Issue(
                    self.additive[handler],
                    f"{handler} lists its enablements itself, so a {HANDLER_ENABLEMENT} document cannot add to them",
                    f"move this into the list, or remove `{ENABLEMENT}:` from the handler",
                    self.authoritative[handler],
                )
            )
