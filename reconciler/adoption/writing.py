"""A record of an org -> what a file says of it: the fields that are not at their default, without what belongs to one org.

What is read back from that by `desired.load` is equal to the record, as far as a file can hold it; the rest is named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds import APP, ENABLEMENT, HANDLER, satellites
from reconciler.model.address import Address
from reconciler.model.live import LiveResource
from reconciler.schema.body import canonical_value, entries, same
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import (
    ApiKey,
    Default,
    Demanded,
    Forced,
    Immutable,
    Known,
    OrgBound,
    Owner,
    Ref,
    SourceText,
)
from reconciler.schema.problems import problems_of
from reconciler.schema.values import Body, Path, RawXml, Value
from reconciler.yaml import rendering

LiftUser = Callable[[str], str]
"""Turns a username into what a file says in its place: a reference to a variable."""


@dataclass(frozen=True, slots=True)
class Style:
    """How much of a record is written."""

    full: bool = False
    """Also what is at its default."""
    stub: bool = False
    """Only what is required: everything else is watched, and nothing is managed."""


@dataclass(slots=True)
class Writing:
    """Writes records, and gathers what no file can hold of them."""

    style: Style
    lift: LiftUser
    escapes: bool = True
    """Whether `${` begins a variable where it is written: in YAML, and not in metadata files."""
    omitted: list[tuple[Address, Path, str]] = field(default_factory=list)
    """What was left out, and why."""

    def app(self, have: LiveResource, sections: Mapping[Address, LiveResource]) -> dict[str, Any]:
        """The document of an external client app with its sections; of any other record without sections."""
        document = self._document(have)
        for key, kind in satellites().items():
            section = sections.get(Address(kind.__name__, have.address.name))
            if section is not None and have.address.kind == APP:
                document[key] = self.section(section)
        return document

    def handler(self, have: LiveResource, enabled: list[LiveResource]) -> dict[str, Any]:
        """The document of a token exchange handler with all its enablements."""
        return {**self._document(have), ENABLEMENT: [self.section(one) for one in enabled]}

    def enablement(self, have: LiveResource) -> dict[str, Any]:
        """A document for one enablement of a handler whose own document stands elsewhere."""
        return {"kind": "HandlerEnablement", "handler": have.address.name, **self.section(have)}

    def satellite(self, have: LiveResource) -> dict[str, Any]:
        """A document of its own for a satellite, whose app's document stands elsewhere or nowhere."""
        kind = have.address.schema
        return {"kind": have.address.kind, kind.owner_field(): have.address.name, **self.section(have)}

    def section(self, have: LiveResource) -> dict[str, Any]:
        """The fields of a record that is a section of another one's document."""
        return self._fields(have.address, have.address.struct, have.body, ())

    def as_metadata(self) -> "Writing":
        """The same for metadata files, which know no variables; what is left out is noted in the same list."""
        return Writing(self.style, lambda username: username, escapes=False, omitted=self.omitted)

    def value(self, address: Address, path: Path, field: Field, value: Value) -> Any:
        """What a file says for one value of a record."""
        if field.is_set:
            written = [self._text(self._named(field, field.comparison.read(entry))) for entry in entries(field, value)]
            return list(dict.fromkeys(written))
        if field.struct is not None:
            if field.repeated:
                items = value if isinstance(value, list) else [value]
                return [self._fields(address, field.struct, one, path) for one in items if isinstance(one, dict)]
            return self._fields(address, field.struct, value, path) if isinstance(value, dict) else {}
        if field.repeated:
            return [self._text(one) for one in (value if isinstance(value, list) else [value])]
        found = canonical_value(field, value)
        if isinstance(found, float) and field.wire == "double":
            return found
        return self._text(self._named(field, found))

    def _text(self, value: Any) -> Any:
        """A value with what would be read as a reference to a variable escaped."""
        if isinstance(value, _Lifted):
            return str(value)
        return value.replace("${", "$${") if isinstance(value, str) and self.escapes else value

    def _named(self, field: Field, value: Any) -> Any:
        ref = field.mark(Ref)
        is_user = ref is not None and ref.kind == "User" and isinstance(value, str) and bool(value)
        return _Lifted(self.lift(value)) if is_user else value

    def _document(self, have: LiveResource) -> dict[str, Any]:
        address = have.address
        head: dict[str, Any] = {"kind": address.kind}
        if not address.schema.singleton:
            head["name"] = address.name
        return {**head, **self._fields(address, address.struct, have.body, ())}

    def _fields(self, address: Address, struct: type[Struct], body: Body, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, one in struct.fields().items():
            if name not in body or not self._is_written(address, one, body[name], (*path, name)):
                continue
            written = self.value(address, (*path, name), one, body[name])
            wrong = problems_of(struct, {name: written}) if _may_be_wrong(one, written) else []
            if wrong:
                self.omitted.append((address, (*path, name), f"no file may say so: {wrong[0].message}"))
            else:
                found[name] = written
        for name in sorted(body.keys() - struct.fields().keys()):
            if not self.style.stub:
                self.omitted.append((address, (*path, name), "no kind has this field: the org keeps it"))
        return found

    def _is_written(self, address: Address, one: Field, value: Value, path: Path) -> bool:
        if not one.compared or one.has(Owner, ApiKey, SourceText):
            return False
        if one.name == ENABLEMENT and address.kind == HANDLER and not address.part:
            return False
        nothing = value in (None, "", [], {})
        if one.has(OrgBound) or (one.has(Immutable) and not one.required):
            if not nothing and not self.style.stub:
                self.omitted.append((address, path, "it belongs to this org"))
            return False
        if isinstance(value, RawXml) or (isinstance(value, list) and any(isinstance(i, RawXml) for i in value)):
            self.omitted.append((address, path, "it is written in a way that its kind does not have"))
            return False
        forced = one.mark(Forced)
        if forced is not None and not nothing and not same(one, value, forced.value):
            self.omitted.append(
                (address, path, f"the org holds {shown(value)}, and takes nothing but {shown(forced.value)}")
            )
            return False
        if one.required or (one.has(Demanded) and not nothing):
            return True
        if self.style.stub or nothing:
            # Which app an enablement is for says what it is.
            return not nothing and bool(address.part) and one.name in ("externalClientApp", "connectedApp")
        return self.style.full or not _is_default(one, value)


def _may_be_wrong(one: Field, written: Any) -> bool:
    """Whether what an org has may be something that a file cannot say: quick, since most fields are free text or a switch."""
    if isinstance(written, dict) or (isinstance(written, bool) and one.wire == "boolean"):
        return False
    texts = written if isinstance(written, list) else [written]
    plain = one.wire == "string" and one.struct is None and all(isinstance(text, str) for text in texts)
    return not plain or bool(one.values) or one.has(Known)


def shown(value: Value) -> str:
    """A value as a file has it, in a message."""
    return rendering.one_line(value)


def _is_default(one: Field, value: Value) -> bool:
    """Whether a value is what the platform holds anyway."""
    forced, default = one.mark(Forced), one.mark(Default)
    if forced is not None and same(one, value, forced.value):
        return True
    if one.struct is not None and not one.repeated:
        return False
    return default is not None and same(one, value, default.value)


class _Lifted(str):
    """A reference to a variable, which is written as it is."""

    __slots__ = ()
