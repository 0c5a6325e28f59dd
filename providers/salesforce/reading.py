"""Makes a `LiveState` of what retrieves brought: files decoded and addressed one by one, and what could not be read.

Nothing is lost on the way, and nothing is guessed: what cannot be decoded, or cannot be addressed without choosing
between two records, is named in `unreadable`, so that no one concludes anything from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from sys import intern

from providers.salesforce.files.archive import read_zip
from providers.salesforce.files.file_properties import FileProperties
from providers.salesforce.files.package import kind_of_path, manifest_type, source_field
from providers.salesforce.wire.messages import subject
from providers.salesforce.wire.metadata_api import Retrieved
from reconciler.kinds import ENABLEMENT
from reconciler.model.address import Address, enablement
from reconciler.model.live import LiveResource, LiveState, Modified, OrgInfo
from reconciler.model.spelling import Spelling
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import WriteOnly
from reconciler.schema.values import Body
from reconciler.xml.codec import decode
from reconciler.xml.markup import MetadataXmlError

_HANDLER = "OauthTokenExchangeHandler"


class Reading:
    """Gathers the resources of one org from any number of retrieves."""

    def __init__(self) -> None:
        self.resources: dict[Address, LiveResource] = {}
        self.unreadable: dict[str, str] = {}
        self._sources: dict[tuple[str, str], str] = {}
        self._said: list[tuple[type[Kind], str, str]] = []
        """Kind and record of what could not be brought, and the org's words."""
        self._people: dict[tuple[str, str, str], Modified] = {}

    def take(self, retrieved: Retrieved, asked: Iterable[type[Kind]]) -> None:
        """Add what one retrieve brought. Raises ZipError."""
        properties = {_inside(one.file_name): one for one in retrieved.properties}
        seen: set[type[Kind]] = set()
        for full_path, data in read_zip(retrieved.zip_bytes):
            path = _inside(full_path)
            found = kind_of_path(path)
            if found is None:
                continue
            kind, name, is_source = found
            seen.add(kind)
            if is_source:
                self._source(kind, name, data)
                continue
            about = properties.get(path) or properties.get(path.removesuffix("-meta.xml"))
            self._record(kind, name if about is None else _name(kind, about), data, path, about)
        empty = [kind for kind in asked if kind not in seen]
        for message in retrieved.messages:
            meant = subject(message, seen, empty)
            for name in meant.kinds:
                self.cannot(name, message.problem)
            self._said += [(kind, record, message.problem) for kind, record in meant.components]

    def handler_classes(self) -> set[str]:
        """Return the names of the Apex classes that the handlers read so far run."""
        bodies = (one.body for address, one in self.resources.items() if address.kind == _HANDLER and not address.part)
        return {name for body in bodies if (name := _text(body.get("tokenHandlerApex")))}

    def cannot(self, kind: str, why: str) -> None:
        """Note that nothing can be said about a kind, or about one address."""
        self.unreadable.setdefault(kind, why)

    def state(self, org: OrgInfo) -> LiveState:
        """Everything, once all retrieves are in."""
        self._spell()
        self._missed()
        for (kind, name), text in self._sources.items():
            found = self.resources.get(Address(kind, name))
            if found is not None:
                found.body[source_field(found.address.schema)] = text
        return LiveState(org, self.resources, self.unreadable)

    def _missed(self) -> None:
        """Note which records did not come. A satellite that did not come may be that of any app without one."""
        if not self._said:
            return
        come = {(one.address.kind, one.record.casefold()) for one in self.resources.values() if not one.address.part}
        for kind, record, why in self._said:
            if (kind.__name__, record.casefold()) not in come:
                self.cannot(kind.__name__ if _owner(kind) else str(Address(kind.__name__, record)), why)

    def _spell(self) -> None:
        """Put satellites and enablements under the names that their apps and handlers have themselves: what refers to a
        record may be in other letters."""
        spelling = Spelling(self.resources)
        found = {address: spelling.address(address) for address in self.resources}
        if all(address is same for address, same in found.items()):
            return
        resources, self.resources = self.resources, {}
        for address, resource in resources.items():
            same = found[address]
            if same.part and same in self.resources:
                same = address
            self._place(resource if same is address else replace(resource, address=same))

    def _source(self, kind: type[Kind], name: str, data: bytes) -> None:
        try:
            self._sources[kind.__name__, name] = data.decode("utf-8-sig")
        except UnicodeDecodeError as wrong:
            self.cannot(str(Address(kind.__name__, name)), f"its source is not UTF-8: {wrong}")

    def _record(self, kind: type[Kind], name: str, data: bytes, path: str, about: FileProperties | None) -> None:
        owner = _owner(kind)
        try:
            body = decode(kind, data, path)
        except MetadataXmlError as wrong:
            # Of a satellite no one knows any more whose it was: of any app's that has none.
            self.cannot(kind.__name__ if owner else str(Address(kind.__name__, name)), str(wrong))
            return
        _withhold(kind, body)
        app = _text(body.get(owner)) if owner else ""
        address = Address(intern(kind.__name__), intern(app or name))
        resource = LiveResource(
            address,
            body,
            intern(name),
            self._modified(about),
            installed=about is not None and about.installed,
            id=_told_id(about),
            created=self._person("", about.created_by_id, about.created_date) if about is not None else Modified(),
        )
        if kind.__name__ == _HANDLER:
            self._take_enablements(resource)
        self._place(resource)

    def _place(self, resource: LiveResource) -> None:
        """Put a resource under its address. Of two satellites that point at one app both are kept, the later one under
        its record's name; which of them is the app's is not ours to say."""
        address = resource.address
        other = self.resources.get(address)
        if other is not None and other.record != resource.record:
            why = f"{other.record} and {resource.record} both belong to {address.name}; remove one of them"
            self.cannot(str(address), why)
            if resource.record < other.record:
                resource, other = other, resource
                self.resources[address] = other
            spare = Address(address.kind, resource.record)
            if spare in self.resources:
                spare = Address(address.kind, _unused(f"{resource.record}~", address, self.resources))
            self.cannot(str(spare), why)
            self.resources[spare] = LiveResource(
                spare,
                resource.body,
                resource.record,
                resource.modified,
                installed=resource.installed,
                id=resource.id,
                created=resource.created,
            )
            return
        self.resources[address] = resource

    def _take_enablements(self, handler: LiveResource) -> None:
        """Split a handler's enablements off its body: each is a resource of its own."""
        items = handler.body.pop(ENABLEMENT, None) or []
        for item in items if isinstance(items, list) else [items]:
            named = (item.get("externalClientApp") or item.get("connectedApp")) if isinstance(item, dict) else None
            app = _text(named)
            if not app:
                self.cannot(
                    str(handler.address), f"{handler.record} has an enablement that names no app: {str(item)[:200]}"
                )
                continue
            address = enablement(handler.address.name, app)
            if address in self.resources:
                address = enablement(handler.address.name, _unused(f"{app}~", address, self.resources, ENABLEMENT))
            # The user who changed the handler last need not have touched this: enablements keep that in rows of their own.
            self.resources[address] = LiveResource(address, item, handler.record, installed=handler.installed)

    def _modified(self, about: FileProperties | None) -> Modified:
        if about is None:
            return Modified()
        return self._person(about.modified_by, about.modified_by_id, about.modified_date)

    def _person(self, by: str, by_id: str, date: str) -> Modified:
        key = (by, by_id, date)
        return self._people.setdefault(key, Modified(*key))


def _text(value: object) -> str:
    """A name that a record holds, without the blanks around it; empty if it is none."""
    return value.strip() if type(value) is str else ""


def _inside(path: str) -> str:
    return path.removeprefix("unpackaged/")


def _told_id(about: FileProperties | None) -> str:
    """The record's id; empty where the org gives none. Zeros, the id of nothing, are none."""
    return about.id if about is not None and about.id.strip("0A") else ""


def _name(kind: type[Kind], about: FileProperties) -> str:
    """Return the record's name as the org says it; a file name may be an encoded form of it."""
    return kind.singleton or about.full_name


def _unused(stem: str, address: Address, taken: Mapping[Address, LiveResource], part: str = "") -> str:
    number = 2
    while True:
        name = f"{stem}{number}"
        wanted = Address(address.kind, address.name, f"{part}/{name}") if part else Address(address.kind, name)
        if wanted not in taken:
            return name
        number += 1


@cache
def _owner(kind: type[Kind]) -> str:
    return kind.owner_field()


def _withhold(kind: type[Kind], body: Body) -> None:
    """Take out what is write-only: an org that gives secrets back after all must not bring one into our model."""
    for *parents, name in _write_only(kind):
        inner: object = body
        for parent in parents:
            inner = inner.get(parent) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(name, None)


@cache
def _write_only(struct: type[Struct]) -> tuple[tuple[str, ...], ...]:
    found: list[tuple[str, ...]] = []
    for name, field in struct.fields().items():
        if field.has(WriteOnly):
            found.append((name,))
        elif field.struct is not None and not field.repeated:
            found += [(name, *rest) for rest in _write_only(field.struct)]
    return tuple(found)


def members(kinds: Iterable[type[Kind]], classes: Sequence[str]) -> dict[str, list[str]]:
    """What one retrieve of everything asks for: all records of each kind, settings and classes by name."""
    wanted: dict[str, list[str]] = {}
    for kind in kinds:
        names = sorted(set(classes)) if source_field(kind) else [kind.singleton or "*"]
        if names:
            wanted.setdefault(manifest_type(kind), []).extend(names)
    return wanted
