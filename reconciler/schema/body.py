"""What can be done with a body: bring it to canonical form, lay desired over live, decide what may be sent, digest it.

A live body is as raw as the org gave it (`callbackUrl` one text with line breaks), a desired one as the file says (a
list). Nothing is rewritten in place: two bodies are compared in `canonical` form, where sets are frozensets, keyed
lists are mappings from their key, defaults are filled in, layout is gone, and what is never state is gone. What did not
change is sent back exactly as it came.

Names keep their letters there, because people read them, and orgs compare them without: so equality of two canonical
values is asked for with `same` and `alike`, or after `aligned` has spelled one body as the other.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from reconciler.schema.comparisons import text as plain_text
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import (
    Commas,
    Default,
    Forced,
    Immutable,
    Imperative,
    Keyed,
    Lines,
    NotEchoed,
    OrgBound,
    Synonyms,
    WriteOnly,
)
from reconciler.schema.paths import field_at
from reconciler.schema.record_id import short_id
from reconciler.schema.values import Body, Path, RawXml, Value


def entries(field: Field, value: Value) -> list[str]:
    """The entries of a set-like field, however it is written: trimmed, no blanks, in the order given."""
    if value is None:
        return []
    if isinstance(value, str):
        value = value.split(",") if field.has(Commas) else value.splitlines() if field.has(Lines) else [value]
    return [text for item in value if item is not None and (text := str(item).strip())]


def canonical(struct: type[Struct], body: Body) -> dict[str, Any]:
    """Return the body in the form in which two records are compared: absent, empty and default are the same."""
    result: dict[str, Any] = {}
    for name, field in struct.fields().items():
        if field.compared:
            value = canonical_value(field, body.get(name))
            # An absent section stays as an empty one, so that what is added to it is seen field by field.
            if field.struct is not None or value not in (None, frozenset()):
                result[name] = value
    for name in body.keys() - struct.fields().keys():
        if body[name] not in (None, "", []):
            value = body[name]
            result[name] = plain_text(value) if isinstance(value, str) and not isinstance(value, RawXml) else value
    return result


def canonical_value(field: Field, value: Value) -> Any:
    """One field's value in canonical form; `None`, `{}` or an empty frozenset where there is nothing."""
    if field.is_set:
        synonyms = field.mark(Synonyms)
        found = map(field.comparison.read, entries(field, value))
        return frozenset(synonyms.canonical(entry) for entry in found) if synonyms else frozenset(found)
    if field.repeated:
        return _canonical_items(field, value)
    if field.struct is not None:
        # A section that is not there has no defaults either.
        return canonical(field.struct, value) if value and isinstance(value, dict) else value or {}
    if value is None or value == "":
        default = field.mark(Default)
        return default.value if default is not None else None
    return _canonical_scalar(field, value)


def _canonical_items(field: Field, value: Value) -> dict[str, Any]:
    items: dict[str, Any] = {}
    seen: set[str] = set()
    for index, item in enumerate(value if isinstance(value, list) else [] if value is None else [value]):
        if field.struct is None or not isinstance(item, dict):
            items[f"#{index}"] = item
            continue
        key = field.item_key(item) or f"#{index}"
        # Two items under one key are both kept apart: an org may hold what a file may not.
        if (same := field.same_key(key)) in seen:
            key = f"{key}#{index}"
        seen.add(same)
        items[key] = canonical(field.struct, item)
    return items


def _canonical_scalar(field: Field, value: Value) -> Any:
    if not isinstance(value, str) or isinstance(value, RawXml):
        return float(value) if field.wire == "double" and isinstance(value, int | float) else value
    return field.comparison.read(value)


# --- the same, in other letters --------------------------------------------------------------------------------------


def same(field: Field, left: Value, right: Value) -> bool:
    """Whether two raw values of a field mean the same."""
    return _alike(field, canonical_value(field, left), canonical_value(field, right))


def alike(struct: type[Struct], path: Path, left: Any, right: Any) -> bool:
    """Whether two canonical values at a path mean the same."""
    along = list(field_at(struct, path))
    if not along or along[-1].struct is None:
        return _alike(along[-1], left, right) if along else bool(left == right)
    field, inner = along[-1], along[-1].struct
    if field.repeated and path[-1] != field.name:
        # The path ends in the key of one item.
        return bool(_comparable(inner, left) == _comparable(inner, right))
    return _alike(field, left, right)


def _alike(field: Field, left: Any, right: Any) -> bool:
    return bool(left == right or (_folds(field) and _comparable_value(field, left) == _comparable_value(field, right)))


def _folds(field: Field) -> bool:
    """Whether values of the field can be the same although their canonical forms differ."""
    return bool(_folding(field.struct)) if field.struct is not None else field.comparison.folds


@cache
def _folding(struct: type[Struct]) -> tuple[tuple[str, Field], ...]:
    """The fields of a structure whose values can be the same although their canonical forms differ."""
    return tuple((name, field) for name, field in struct.fields().items() if field.compared and _folds(field))


def _comparable(struct: type[Struct], value: Any) -> Any:
    """Return a canonical body with each value replaced by its comparison key, so that equal keys mean the same value."""
    if not isinstance(value, Mapping):
        return value
    result = dict(value)
    for name, field in _folding(struct):
        if name in result:
            result[name] = _comparable_value(field, result[name])
    return result


def _comparable_value(field: Field, value: Any) -> Any:
    if field.struct is not None:
        if field.repeated and isinstance(value, Mapping):
            return {field.same_key(key): _comparable(field.struct, item) for key, item in value.items()}
        return _comparable(field.struct, value)
    if isinstance(value, frozenset):
        return frozenset(map(field.comparison.key, value))
    return field.comparison.key(value)


def aligned(struct: type[Struct], value: Mapping[str, Any], to: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a canonical body spelled as `to` where both mean the same, so that only real differences are left."""
    changed: dict[str, Any] = {}
    for name, field in _folding(struct):
        here, there = value.get(name), to.get(name)
        if here and there and here != there:
            changed[name] = _aligned_value(field, here, there)
    return {**value, **changed} if changed else value


def _aligned_value(field: Field, value: Any, to: Any) -> Any:
    if field.struct is None:
        if isinstance(value, frozenset) and isinstance(to, frozenset):
            key = field.comparison.key
            spelled = {key(entry): entry for entry in sorted(to, key=str)}
            found = {key(entry): spelled.get(key(entry), entry) for entry in sorted(value, key=str)}
            # What stands there twice, in two spellings, is there.
            return to if found.keys() == spelled.keys() else frozenset(found.values())
        return to if _alike(field, value, to) else value
    if not isinstance(value, Mapping) or not isinstance(to, Mapping):
        return value
    if not field.repeated:
        return aligned(field.struct, value, to)
    keys: dict[str, str] = {field.same_key(key): key for key in to}
    items: dict[str, Any] = {}
    for key, item in value.items():
        known = str(keys.get(field.same_key(key), key))
        both = isinstance(item, Mapping) and isinstance(to.get(known), Mapping)
        items[known] = aligned(field.struct, item, to[known]) if both else item
    return items


# --- desired over live -----------------------------------------------------------------------------------------------


def is_given(field: Field, value: Value) -> bool:
    """False for an empty value of an immutable field: it asks for nothing, since the org makes one that always stays."""
    return value not in (None, "") or not field.has(Immutable)


def settled(field: Field, value: Value) -> Value:
    """Return what the platform will hold if a file says `value`: for null the default, for a forced field its one value."""
    forced = field.mark(Forced)
    if forced is not None and value is not None:
        return forced.value
    if value is not None:
        return value
    default = field.mark(Default)
    if default is not None:
        return default.value
    # Left out, a repeated set would stay as it is in some orgs: nothing in it has to be said.
    return [] if field.is_set and field.repeated else None


def covers(struct: type[Struct], have: Body, want: Body) -> bool:
    """True if `have` already holds everything that `want` declares. The fast answer for what did not change."""
    fields = struct.fields()
    for name, value in want.items():
        held = have.get(name)
        if held == value and held is not None and held.__class__ is value.__class__:
            continue
        field = fields[name]
        if not field.compared or field.has(OrgBound) or not is_given(field, value):
            continue
        if field.is_set and value is not None:
            if not same(field, value, held):
                return False
        elif field.struct is not None and not field.repeated and isinstance(held, dict) and isinstance(value, dict):
            if not covers(field.struct, held, value):
                return False
        elif not same(field, _overlaid_value(field, held, value), held):
            return False
    return True


def overlaid(struct: type[Struct], have: Body, want: Body) -> Body:
    """Return live overlaid with desired: what `want` does not say keeps the value of `have`, unknown elements included."""
    result = dict(have)
    fields = struct.fields()
    for name, value in want.items():
        field = fields[name]
        # What another org made is ours to keep, never to set.
        if field.has(Imperative) or (field.has(OrgBound) and have.get(name)) or not is_given(field, value):
            continue
        value = _overlaid_value(field, have.get(name), value)
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def _overlaid_value(field: Field, held: Value, value: Value) -> Value:
    value = settled(field, value)
    if value is None:
        return None
    if field.struct is not None:
        if not field.repeated and isinstance(value, dict):
            return overlaid(field.struct, held if isinstance(held, dict) else {}, value)
        if isinstance(value, list):
            value = _overlaid_items(field, field.struct, held, value)
    # What means the same stays as the org wrote it, blank lines and all.
    return held if held is not None and same(field, held, value) else value


def _overlaid_items(field: Field, struct: type[Struct], held: Value, items: list[Body]) -> list[Body]:
    if not field.has(Keyed) or not isinstance(held, list):
        return [overlaid(struct, {}, item) for item in items]
    by_key = {field.same_key(field.item_key(item)): item for item in held if isinstance(item, dict)}
    return [overlaid(struct, by_key.get(field.same_key(field.item_key(item)), {}), item) for item in items]


def sendable(kind: type[Kind], after: Body, before: Body | None, org_id: str) -> Body:
    """Return the fields of a whole record that a deployment sends.

    Left out: commands, secrets unless the record is being created, what the org refuses to be sent again, and what
    another org made. `before` is `None` for a record that is being created.
    """
    return _sendable(kind, after, before, short_id(org_id))


def _sendable(struct: type[Struct], after: Body, before: Body | None, org: str) -> Body:
    fields = struct.fields()
    result: Body = {}
    for name, value in after.items():
        field = fields.get(name)
        if field is None:
            result[name] = value
            continue
        held = before.get(name) if before is not None else None
        if (
            field.has(Imperative)
            or (before is not None and field.has(WriteOnly, NotEchoed))
            or (field.has(OrgBound) and not str(value).startswith(org))
        ):
            continue
        if field.struct is not None and isinstance(value, dict):
            inner = held if isinstance(held, dict) else None if before is None else {}
            value = _sendable(field.struct, value, inner, org)
        elif field.repeated and value == [] and field.is_set and not field.values and entries(field, held):
            # One empty element clears the list; an absent one would leave it as it is.
            value = [""]
        result[name] = value
    return result
