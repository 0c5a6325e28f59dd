"""Reads and sets the value at a path of a body, and finds the fields along a path."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from reconciler.schema.kind import Field, Struct
from reconciler.schema.marks import (
    Keyed,
    Ref,
    Since,
    Until,
    WriteOnly,
)
from reconciler.schema.values import Body, Path, Value


def at(body: Mapping[str, Any], path: Path) -> Any:
    """The value at a path of a canonical body, or `None`."""
    value: Any = body
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def get(struct: type[Struct], body: Body, path: Path) -> Value:
    """The value at a path of a raw body; items of keyed lists are found by their key. `None` where there is nothing."""
    name, *rest = path
    value = body.get(name)
    field = struct.fields().get(name)
    if not rest:
        return value
    if field is None or field.struct is None:
        return None
    if isinstance(value, dict):
        return get(field.struct, value, tuple(rest))
    item = _item(field, value, rest[0])
    if item is None or len(rest) == 1:
        return item
    return get(field.struct, item, tuple(rest[1:]))


def put(struct: type[Struct], body: Body, path: Path, value: Value) -> Body:
    """Return a copy of a body with one value set; `None` removes the field, or the item of a keyed list."""
    name, *rest = path
    result, field, held = dict(body), struct.fields().get(name), body.get(name)
    if rest and field is not None and field.struct is not None:
        if field.repeated:
            value = _put_item(field, field.struct, held, rest, value)
        else:
            value = put(field.struct, held if isinstance(held, dict) else {}, tuple(rest), value)
            if not value and name not in body:
                return result
    if value is None:
        result.pop(name, None)
    else:
        result[name] = value
    return result


def _put_item(field: Field, struct: type[Struct], held: Value, rest: list[str], value: Value) -> list[Value]:
    key, *inner = rest
    items = list(held) if isinstance(held, list) else []
    old = _item(field, items, key)
    new = put(struct, old or {}, tuple(inner), value) if inner else value
    if old is None:
        return items if new is None else [*items, new]
    return [new if item is old else item for item in items if item is not old or new is not None]


def _item(field: Field, items: Value, key: str) -> Body | None:
    if not field.has(Keyed) or not isinstance(items, list):
        return None
    wanted = field.same_key(key)
    found = (item for item in items if isinstance(item, dict))
    return next((item for item in found if field.same_key(field.item_key(item)) == wanted), None)


def path_of(struct: type[Struct], text: str, *bodies: Body) -> Path | None:
    """Return the path that a dotted name means, as people write it; keys of list items may hold dots themselves.

    `None` if neither the schema nor one of the bodies knows it.
    """
    name, dot, rest = text.partition(".")
    field = struct.fields().get(name)
    if field is None:
        return (text,) if any(text in body for body in bodies) else None
    if not dot:
        return (name,)
    if field.struct is None:
        return None
    values = [body.get(name) for body in bodies]
    if not field.repeated:
        inner = path_of(field.struct, rest, *(value for value in values if isinstance(value, dict)))
        return (name, *inner) if inner else None
    for item in (item for value in values if isinstance(value, list) for item in value if isinstance(item, dict)):
        key = field.item_key(item)
        if key and rest == key:
            return name, key
        if key and rest.startswith(f"{key}."):
            inner = path_of(field.struct, rest[len(key) + 1 :], item)
            return (name, key, *inner) if inner else None
    return None


def field_at(struct: type[Struct], path: Path) -> Iterator[Field]:
    """The fields along a path, outermost first; keys of keyed lists are skipped."""
    current: type[Struct] | None = struct
    skip = False
    for part in path:
        if skip:
            skip = False
            continue
        field = current.fields().get(part) if current is not None else None
        if field is None:
            return
        yield field
        current, skip = field.struct, field.repeated and field.struct is not None


def exists(struct: type[Struct], path: Path, version: float) -> bool:
    """True if an API version has the field at the path; a field that no schema knows counts as present."""
    for field in field_at(struct, path):
        since, until = field.mark(Since), field.mark(Until)
        if (since is not None and version < since.version) or (until is not None and version > until.version):
            return False
    return True


@cache
def _ref_fields(struct: type[Struct], kinds: frozenset[str]) -> tuple[tuple[str, str, type[Struct] | None], ...]:
    """Fields that name records of these kinds: name, kind, or else the structure that has such fields."""
    found: list[tuple[str, str, type[Struct] | None]] = []
    for name, field in struct.fields().items():
        ref = field.mark(Ref)
        if ref is not None and ref.kind in kinds:
            found.append((name, ref.kind, None))
        elif field.struct is not None and _ref_fields(field.struct, kinds):
            found.append((name, "", field.struct))
    return tuple(found)


def references(
    struct: type[Struct], body: Mapping[str, Value], kinds: frozenset[str], path: Path = ()
) -> Iterator[tuple[Path, str, str]]:
    """Where a body names records of these kinds: path, kind and name. Entries of a list have their own path."""
    for field, kind, inner in _ref_fields(struct, kinds):
        value = body.get(field)
        listed = isinstance(value, list)
        for index, entry in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(entry, dict) and inner is not None:
                below = (*path, field, str(index)) if listed else (*path, field)
                yield from references(inner, entry, kinds, below)
            elif isinstance(entry, str) and entry and inner is None:
                yield ((*path, field, entry) if listed else (*path, field)), kind, str(entry)


def is_secret(struct: type[Struct], path: Path) -> bool:
    """True if the value at the path may never be shown."""
    return any(field.has(WriteOnly) for field in field_at(struct, path))


def walk(body: Body, path: Path = ()) -> Iterator[Path]:
    """Paths of all leaves of a desired body: `("oauthConfig", "isPkceRequired")`. Lists are leaves."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from walk(value, (*path, name))
        else:
            yield (*path, name)
