"""What a kind is: a class that is only a schema, whose fields carry marks.

Bodies are dictionaries and not instances because a live record may hold what no schema knows, and every operation on them
is written once, over the fields of the kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict

from reconciler.schema import comparisons
from reconciler.schema.comparisons import Comparison
from reconciler.schema.marks import (
    ApiKey,
    Certificate,
    Commas,
    Demanded,
    Imperative,
    Keyed,
    Known,
    Lines,
    Owner,
    Ref,
    SourceText,
    Unordered,
    Wire,
    WriteOnly,
)
from reconciler.schema.severity import Group
from reconciler.schema.values import Body, SecretRef, Value

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
    """False for what is never state: secrets that no one can read, and commands."""
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
        """Return the comparison key of an `item_key`: equal ones are of the same item."""
        keyed = self.mark(Keyed)
        if keyed is None or self.struct is None:
            return key
        fields = self.struct.fields()
        return comparisons.fold(key) if any(fields[name].comparison.folds for name in keyed.fields) else key


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
        """Return the fields that are empty in `body` and that orgs demand although the schema does not."""
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
    """For a satellite: the name that the org gives a new one; `{app}` and `{oauth}` (the OAuth settings' record) are
    known."""
    singleton: ClassVar[str] = ""
    """For settings: the one name there is."""
    removable: ClassVar[bool] = False
    """True if removing it from the files deletes it in the org."""
    policy: ClassVar[bool] = False
    """True if the record may be changed although its app came with a managed package."""
    appeared: ClassVar[str] = ""
    """What a record that no one declared means for the org, in one sentence."""
    gone: ClassVar[str] = ""
    """What it means for the clients of an app that a record is gone, in one sentence."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Check that a kind says where its files are and which API version is its first; raises TypeError if not."""
        super().__init_subclass__(**more)
        needed = {"folder": "str", "suffix": "str", "since": "float"}
        lacking = [name for name in needed if not hasattr(cls, name)]
        if lacking:
            write = ", ".join(f"`{name}: ClassVar[{needed[name]}] = …`" for name in lacking)
            raise TypeError(f"the kind {cls.__name__} lacks {' and '.join(lacking)}: write {write}")

    @classmethod
    @cache
    def owner_field(cls) -> str:
        """The field that names the owning app, or `""` if this is no satellite."""
        return next((name for name, field in cls.fields().items() if field.has(Owner)), "")


def _field(name: str, annotation: Any, metadata: list[Any], required: bool) -> Field:
    marks = list(metadata)
    inner, repeated = _peel(annotation, marks)
    struct = inner if isinstance(inner, type) and issubclass(inner, Struct) else None
    values = get_args(inner) if get_origin(inner) is Literal else ()
    by_mark = {type(mark): mark for mark in marks}
    if Lines in by_mark or Commas in by_mark:
        repeated = False
    of_python = struct.__name__ if struct else "string" if values else ""
    wire = by_mark[Wire].name if Wire in by_mark else of_python or _wire(name, inner)
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


def _wire(name: str, inner: Any) -> str:
    """Return Salesforce's type for a Python type. Raises TypeError if there is none."""
    if inner not in _WIRE:
        raise TypeError(
            f"the field {name} is of {inner}: write String, Boolean, Int, Double or SecretRef (schema/values.py), a "
            "Literal, or a Struct"
        )
    return _WIRE[inner]


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
