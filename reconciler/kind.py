"""What a kind is: a class that is only a schema. Whatever is special about a field is a mark on that field.

A *body* is the content of one record: a plain dictionary from Salesforce's field names to values. A key that is absent
is *unset*, not ours; equality sees that. Bodies are dictionaries and not instances because a live record may hold what
no schema knows, and every operation on them is written once, over the fields of the kind.

Values are `str`, `bool`, `int`, `float`, `None`, lists of values, bodies of structures, and two of our own:
`SecretRef` (desired only) and `RawXml` (live only: an element that does not fit the schema, kept as it was).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Strict, TypeAdapter, ValidationError

from reconciler import comparisons
from reconciler.comparisons import Comparison
from reconciler.security import Group, Weaker

__all__ = [
    "ApiKey",
    "Base64",
    "Body",
    "Boolean",
    "Certificate",
    "Commas",
    "Default",
    "Double",
    "Field",
    "Forced",
    "Immutable",
    "Imperative",
    "Int",
    "Keyed",
    "Kind",
    "Known",
    "Lines",
    "Means",
    "NotEchoed",
    "OrgBound",
    "Owner",
    "Problem",
    "RawXml",
    "Ref",
    "SecretRef",
    "Since",
    "SinceValue",
    "SourceText",
    "String",
    "Struct",
    "Synonyms",
    "Unordered",
    "Until",
    "Weaker",
    "Withheld",
    "WriteOnly",
]

Value = Any
Body = dict[str, Value]

String = Annotated[str, Strict()]
Boolean = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Double = Annotated[float, Strict()]


@dataclass(frozen=True, slots=True)
class Wire:
    """A mark: the type in Salesforce's schema where the Python type does not tell it."""

    name: str


Base64 = Annotated[str, Strict(), Wire("base64Binary")]


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: where its value is found, never the value itself."""

    source: Literal["env", "file", "command"]
    target: str | tuple[str, ...]

    def __str__(self) -> str:
        target = self.target if isinstance(self.target, str) else " ".join(self.target)
        return f"(secret from {self.source} {target})"


class RawXml(str):
    """An element of a live record that no schema knows, as canonical XML. Carried along, never interpreted."""

    __slots__ = ()


class Withheld(str):
    """What is left of a source text without the secrets that stand in it, and a salted digest of the whole."""

    __slots__ = ("digest",)
    digest: str

    def __new__(cls, left: str, digest: str) -> "Withheld":
        made = super().__new__(cls, left)
        made.digest = digest
        return made


@dataclass(frozen=True, slots=True)
class Ref:
    """A mark: the value names a resource of `kind` (or a record that we do not manage, such as a permission set)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A mark: the app that this satellite belongs to. It is the record's identity, so it never changes."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A mark: repeats the resource's own name; filled in where a file leaves it out."""


@dataclass(frozen=True, slots=True)
class Immutable:
    """A mark: settable when the record is created, never afterwards."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """A mark: optional by Salesforce's schema, and orgs refuse a new record without it, or with an empty one."""


@dataclass(frozen=True, slots=True)
class NotEchoed:
    """A mark: an update that repeats the live value is refused by the org."""


@dataclass(frozen=True, slots=True)
class OrgBound:
    """A mark: the value means something in one org only. `prefixed` values start with that org's id."""

    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class WriteOnly:
    """A mark: the org never gives the value back, so it is sent on create only and never compared."""


@dataclass(frozen=True, slots=True)
class Imperative:
    """A mark: true makes the org *do* something at each deployment. Never state, never sent, never compared."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A mark: PEM text. Sent with every deployment of its record, because an org may clear what is left out."""


@dataclass(frozen=True, slots=True)
class Since:
    """A mark: the first API version that has the field. `source` where Salesforce's WSDL v63 does not have it."""

    version: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Until:
    """A mark: the last API version that has the field."""

    version: float


@dataclass(frozen=True, slots=True)
class SinceValue:
    """A mark: enum values that are newer than Salesforce's WSDL v63, and where they are from."""

    values: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Default:
    """A mark: what the platform holds where nothing was ever given."""

    value: Value


@dataclass(frozen=True, slots=True)
class Forced:
    """A mark: the platform accepts other values and holds this one."""

    value: Value
    why: str


@dataclass(frozen=True, slots=True)
class Means:
    """A mark: what a change means for the clients of the app, in one sentence each."""

    weakened: str
    """When the field became weaker, or changed where any change is bad."""
    tightened: str = ""
    """When it became stronger: what may stop working."""


@dataclass(frozen=True, slots=True)
class Unordered:
    """A mark: a repeated element whose order means nothing. Compared as a set."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A mark: a set that Salesforce keeps in one element, separated by line breaks."""


@dataclass(frozen=True, slots=True)
class Commas:
    """A mark: a set that Salesforce keeps in one element, separated by commas."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A mark: a repeated structure whose items are told apart by these fields (the first that is present wins if `any_of`)."""

    fields: tuple[str, ...]
    any_of: bool = False

    def key(self, item: Mapping[str, Value]) -> str:
        """The item's key as one text, e.g. `10.0.0.1-10.0.0.9`, as it is written; `Field.item_key` is how it is compared."""
        values = [str(item[name]) for name in self.fields if item.get(name) not in (None, "")]
        return values[0] if self.any_of and values else "-".join(values)


@dataclass(frozen=True, slots=True)
class Synonyms:
    """A mark: entries that the org stores under another name: written -> read back."""

    names: tuple[tuple[str, str], ...]

    def canonical(self, entry: str) -> str:
        return dict(self.names).get(entry, entry)


@dataclass(frozen=True, slots=True)
class Known:
    """A mark: the documented values of a field that Salesforce's schema leaves as free text."""

    values: tuple[str, ...]
    ignore_case: bool = False
    pattern: str = ""
    """A regular expression that is allowed besides `values`."""

    def accepts(self, value: str) -> bool:
        import re

        if value in self.values or (self.ignore_case and value.casefold() in (v.casefold() for v in self.values)):
            return True
        return bool(self.pattern) and re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class SourceText:
    """A mark: not an element but the file that the record describes (an Apex class's body)."""


M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind, read off its annotation."""

    name: str
    wire: str
    """`string`, `boolean`, `int`, `double`, `base64Binary`, or the name of a structure."""
    struct: "type[Struct] | None"
    repeated: bool
    """True where Salesforce's schema repeats the element."""
    required: bool
    values: tuple[str, ...]
    """The values of an enumeration, else empty."""
    marks: tuple[Any, ...]
    by_mark: Mapping[type, Any]
    is_set: bool
    """True where the value is a set of texts, however Salesforce keeps it."""
    compared: bool
    """False for what is never state: secrets that nobody can read, and commands."""
    comparison: Comparison
    """When two of its texts are the same; of a list, of each entry."""

    def mark(self, mark: type[M]) -> M | None:
        """The field's mark of that type, or `None`."""
        found: M | None = self.by_mark.get(mark)
        return found

    def has(self, *marks: type) -> bool:
        return not self.by_mark.keys().isdisjoint(marks)

    def item_key(self, item: Mapping[str, Value]) -> str:
        """The key of one item of a keyed list as people see it, without what its spelling adds. Empty if it has none."""
        keyed = self.mark(Keyed)
        if keyed is None or self.struct is None:
            return ""
        fields = self.struct.fields()
        return keyed.key(
            {
                name: fields[name].comparison.read(value) if type(value) is str and name in fields else value
                for name in keyed.fields
                if (value := item.get(name)) is not None
            }
        )

    def same_key(self, key: str) -> str:
        """What decides whether two keys of `item_key` are of one item."""
        keyed = self.mark(Keyed)
        if keyed is None or self.struct is None:
            return key
        fields = self.struct.fields()
        return comparisons.fold(key) if any(fields[name].comparison.folds for name in keyed.fields) else key


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a body: where (field names, list positions), what, and what to do about it."""

    path: tuple[str | int, ...]
    message: str
    mend: str = ""


class Struct(BaseModel):
    """A structure inside a record. Only a schema: bodies stay dictionaries."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    groups: ClassVar[tuple[Group, ...]] = ()

    @classmethod
    @cache
    def fields(cls) -> Mapping[str, Field]:
        """The fields in Salesforce's order, which is the order that a deployment is written in."""
        return {
            name: _field(name, info.annotation, info.metadata, info.is_required())
            for name, info in cls.model_fields.items()
        }

    @classmethod
    def problems(cls, body: Body) -> list[Problem]:
        """Everything that is wrong in `body` by type, name or value. What is missing is not: see `missing`."""
        found = []
        try:
            _adapter(cls).validate_python(body)
        except ValidationError as wrong:
            found += [p for error in wrong.errors(include_url=False) if (p := _problem(cls, error)) is not None]
        found += _unknown_values(cls, body, ())
        return found

    @classmethod
    def missing(cls, body: Body, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
        """Paths of the required fields that `body`, which is to be sent, does not hold."""
        found: list[tuple[str | int, ...]] = []
        for name, field in cls.fields().items():
            if name not in body:
                if field.required:
                    found.append((*path, name))
            elif field.struct is not None:
                items = body[name] if isinstance(body[name], list) else [body[name]]
                for index, item in enumerate(items):
                    if isinstance(item, dict):
                        found += field.struct.missing(item, (*path, name, index) if field.repeated else (*path, name))
        return found

    @classmethod
    def lacking(cls, body: Body) -> list[str]:
        """The fields that `body` has to have a text for although the schema does not ask for them."""
        demanded = (name for name, field in cls.fields().items() if field.has(Demanded))
        return [name for name in demanded if not str(body.get(name) or "").strip()]


class Kind(Struct):
    """A metadata type that we manage. Each subclass is one file in `kinds/`."""

    folder: ClassVar[str]
    """Folder in a deployment package."""
    suffix: ClassVar[str]
    """File name extension in a deployment package."""
    since: ClassVar[float]
    """First API version that has the type."""
    source: ClassVar[str] = ""
    """Where the type's facts are from, if Salesforce's WSDL v63 does not have it."""
    section: ClassVar[str] = ""
    """For a satellite: the key under which an app's document holds it."""
    record: ClassVar[str] = ""
    """For a satellite: the name that the org gives a new one; `{app}` and `{oauth}` (the OAuth settings' record) are known."""
    singleton: ClassVar[str] = ""
    """For settings: the one name there is."""
    removable: ClassVar[bool] = False
    """True if removing it from the files deletes it in the org."""
    policy: ClassVar[bool] = False
    """True if the record may be changed although its app came with a managed package."""
    appeared: ClassVar[str] = ""
    """What a record that nobody declared means for the org, in one sentence."""
    gone: ClassVar[str] = ""
    """What it means for the clients of an app that a record is gone, in one sentence."""

    @classmethod
    @cache
    def owner_field(cls) -> str:
        """The field that names the owning app, or `""` if this is no satellite."""
        return next((name for name, field in cls.fields().items() if field.has(Owner)), "")


@cache
def _adapter(cls: type[Struct]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _field(name: str, annotation: Any, metadata: list[Any], required: bool) -> Field:
    marks = list(metadata)
    inner, repeated = _peel(annotation, marks)
    struct = inner if isinstance(inner, type) and issubclass(inner, Struct) else None
    values = get_args(inner) if get_origin(inner) is Literal else ()
    by_mark = {type(mark): mark for mark in marks}
    if Lines in by_mark or Commas in by_mark:
        repeated = False
    wire = (
        by_mark[Wire].name if Wire in by_mark else struct.__name__ if struct else "string" if values else _WIRE[inner]
    )
    is_set = not by_mark.keys().isdisjoint((Unordered, Lines, Commas))
    compared = by_mark.keys().isdisjoint((WriteOnly, Imperative))
    comparison = _comparison(name, wire, values, by_mark)
    return Field(name, wire, struct, repeated, required, values, tuple(marks), by_mark, is_set, compared, comparison)


def _comparison(name: str, wire: str, values: tuple[str, ...], by_mark: Mapping[type, Any]) -> Comparison:
    """The comparison that holds for a field: the one that it is marked with, else that of its type."""
    marked: Comparison | None = by_mark.get(Comparison)
    if marked is not None:
        return marked
    known: Known | None = by_mark.get(Known)
    if values or known is not None:
        return comparisons.choice(values or (known.values if known is not None else ()))
    ref: Ref | None = by_mark.get(Ref)
    if ref is not None:
        return comparisons.USERNAME if ref.kind == "User" else comparisons.NAME
    for mark, comparison in _BY_MARK.items():
        if mark in by_mark:
            return comparison
    if wire in _BY_WIRE:
        return _BY_WIRE[wire]
    return comparisons.URL if name.lower().endswith("url") else comparisons.TEXT


_BY_MARK: Mapping[type, Comparison] = {
    SourceText: comparisons.SOURCE,
    Certificate: comparisons.CERTIFICATE,
    ApiKey: comparisons.NAME,
    Owner: comparisons.NAME,
}
_BY_WIRE: Mapping[str, Comparison] = {
    "boolean": comparisons.BOOLEAN,
    "int": comparisons.INTEGER,
    "double": comparisons.DECIMAL,
    "base64Binary": comparisons.BASE64,
}


_WIRE: Mapping[Any, str] = {str: "string", bool: "boolean", int: "int", float: "double", SecretRef: "string"}


def _peel(annotation: Any, marks: list[Any]) -> tuple[Any, bool]:
    """Strip `Annotated`, `| None` and `list[]`; collect marks on the way."""
    repeated = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *found = get_args(annotation)
            marks += found
        elif origin in (Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not NoneType)
        elif origin is list:
            (annotation,) = get_args(annotation)
            repeated = True
        else:
            return annotation, repeated


_TYPE_WORDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "model_type": "a section with fields",
    "dataclass_type": "a secret reference",
}


def _problem(cls: type[Struct], error: Any) -> Problem | None:
    """Our words for one of pydantic's findings; `None` for what is not wrong in a partial document."""
    kind, path, value = error["type"], tuple(error["loc"]), error["input"]
    if kind == "missing":
        return None
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        here = _struct_at(cls, path[:-1])
        belongs, mend = _elsewhere(cls, path[0], name)
        message = f"{name} is not a field of {here.__name__}{belongs}"
        return Problem(path, message, mend or suggestion(name, here.fields()))
    if kind == "literal_error":
        field = _struct_at(cls, path[:-1] if isinstance(path[-1], str) else path[:-2]).fields()[
            next(str(p) for p in reversed(path) if isinstance(p, str))
        ]
        return Problem(
            path, f"{value!r} is not a value of {field.name}", suggestion(str(value), field.values, every=True)
        )
    wanted = _TYPE_WORDS.get(kind, error["msg"])
    if value is None:
        return Problem(
            path,
            f"{name} is required and cannot be null",
            "give a value, or leave the key out so that it is not managed",
        )
    if kind == "dataclass_type":
        return Problem(
            path,
            f"{name} is a secret and cannot stand in a file",
            f"write a reference: {name}: {{secret: {{env: VARIABLE}}}}",
        )
    mend = _mend_type(kind, value)
    if kind == "int_type" and isinstance(value, str):
        mend = _mend_number(_struct_at(cls, path[:-1]).fields(), name, value)
    return Problem(path, f"{name} must be {wanted}, not {_describe(value)}", mend)


def _elsewhere(cls: type[Struct], section: Any, name: str) -> tuple[str, str]:
    """Where in the record a field that stands in `section` belongs, in words, and the mend. Empty if nowhere.

    Before any near word: `isTokenExchangeFlowEnabled` in the wrong section is not a misspelt `isTokenExchangeEnabled`.
    """
    if name in cls.fields():
        return f"; it belongs to {cls.__name__}", f"write it beside {section}:, not below it"
    for other, one in cls.fields().items():
        if one.struct is not None and name in one.struct.fields():
            return f"; it belongs inside of {other}", f"write it below {other}:, indented"
    return "", ""


def _mend_type(kind: str, value: Value) -> str:
    if kind == "bool_type" and isinstance(value, str) and value.casefold() in ("yes", "on", "true"):
        return "write true"
    if kind == "bool_type" and isinstance(value, str) and value.casefold() in ("no", "off", "false"):
        return "write false"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put it in quotes"
    if kind == "list_type":
        return "write it as a list: [ … ]"
    return ""


def _mend_number(fields: "Mapping[str, Field]", name: str, text: str) -> str:
    """How a number is written that was given as a text: `"30"`, or, as elsewhere, with its unit, `30d`."""
    found = re.fullmatch(r"\s*(-?[0-9]{1,18})\s*([A-Za-z]*)\s*", text)
    if found is None:
        return "write digits alone"
    number, letters = found.groups()
    if not letters:
        return f"write {name}: {number}, without quotes"
    unit = fields.get(name.removesuffix("Period") + "Unit") if name.endswith("Period") else None
    known = unit.mark(Known) if unit is not None else None
    if unit is None or known is None:
        return f"write {name}: {number}, in the unit that the field has"
    meant = next((one for one in known.values if one.casefold().startswith(letters[0].casefold())), known.values[0])
    return f"write {name}: {number} and {unit.name}: {meant}"


def _describe(value: Value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"the text {value[:40]!r}"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case SecretRef():
            return "a secret reference"
    return type(value).__name__


def _struct_at(cls: type[Struct], path: tuple[str | int, ...]) -> type[Struct]:
    for part in path:
        if isinstance(part, str):
            field = cls.fields().get(part)
            cls = field.struct if field and field.struct else cls
    return cls


def _unknown_values(cls: type[Struct], body: Body, path: tuple[str | int, ...]) -> list[Problem]:
    found: list[Problem] = []
    for name, field in cls.fields().items():
        value = body.get(name)
        known = field.mark(Known)
        if known and isinstance(value, str) and value and not known.accepts(value):
            found.append(
                Problem(
                    (*path, name), f"{value!r} is not a value of {name}", suggestion(value, known.values, every=True)
                )
            )
        elif field.struct is not None:
            if isinstance(value, dict):
                found += _unknown_values(field.struct, value, (*path, name))
            elif isinstance(value, list):
                for index, item in enumerate(value):
                    if isinstance(item, dict):
                        found += _unknown_values(field.struct, item, (*path, name, index))
    return found


def suggestion(word: str, known: Any, *, every: bool = False) -> str:
    """ "did you mean X?" if a known word is near, else the known words themselves if `every` was asked for."""
    from difflib import get_close_matches

    words = [str(w) for w in known]
    lower = {w.casefold(): w for w in words}
    near = get_close_matches(word.casefold(), lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean {lower[near[0]]}?"
    return "one of: " + ", ".join(words) if every and words else ""
