"""What is wrong in a body by its kind: unknown fields, wrong types, unknown values, each with a mend."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.errors import suggestion
from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import Known
from reconciler.schema.values import Body, SecretRef, Value


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a body: where (field names, list positions), what, and what to do about it."""

    path: tuple[str | int, ...]
    message: str
    mend: str = ""


@cache
def _adapter(cls: type[Struct]) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


_TYPE_WORDS = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "model_type": "a section with fields",
    "dataclass_type": "a secret reference",
}


def problems_of(struct: type[Struct], body: Body) -> list[Problem]:
    """Everything that is wrong in `body` by type, name or value. What is missing is not: see `Struct.missing`."""
    found = []
    try:
        _adapter(struct).validate_python(body)
    except ValidationError as wrong:
        found += [p for error in wrong.errors(include_url=False) if (p := _problem(struct, error)) is not None]
    found += _unknown_values(struct, body, ())
    return found


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
    """Say how to write a number that is given as a text: `"30"`, or with its unit, `30d`."""
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
