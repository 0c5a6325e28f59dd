"""What can be done with a body: bring it to canonical form, lay desired over live, decide what may be sent, digest it.

A live body is as raw as the org gave it (`callbackUrl` one text with line breaks), a desired one as the file says (a
list). Nothing is rewritten in place: two bodies are compared in *canonical* form, where sets are frozensets, keyed
lists are mappings from their key, defaults are filled in, layout is gone, and what is never state is gone. What did not
change is sent back exactly as it came.

Names keep their letters there, because people read them, and orgs compare them without: so equality of two canonical
values is asked for with `same` and `alike`, or after `aligned` has spelled one body as the other.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from reconciler.apex.secrets import MASK, masked
from reconciler.comparisons import text as plain_text
from reconciler.kind import (
    Body,
    Commas,
    Default,
    Field,
    Forced,
    Immutable,
    Imperative,
    Keyed,
    Kind,
    Lines,
    NotEchoed,
    OrgBound,
    RawXml,
    Ref,
    SecretRef,
    Since,
    SourceText,
    Struct,
    Synonyms,
    Until,
    Value,
    Withheld,
    WriteOnly,
)
from reconciler.model import Path


def entries(field: Field, value: Value) -> list[str]:
    """The entries of a set-like field, however it is written: trimmed, no blanks, in the order given."""
    if value is None:
        return []
    if isinstance(value, str):
        value = value.split(",") if field.has(Commas) else value.splitlines() if field.has(Lines) else [value]
    return [text for item in value if item is not None and (text := str(item).strip())]


def canonical(struct: type[Struct], body: Body) -> dict[str, Any]:
    """The body in the form in which two records are compared. Absent, empty and default are the same here."""
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
    """A canonical body with that in the place of its values which decides whether they are the same."""
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
    """A canonical body in which what means the same as in `to` is spelled as there. All that differs then, differs."""
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
    """False for a value that asks for nothing: the org makes its own where none is given, and it can never be taken away."""
    return value not in (None, "") or not field.has(Immutable)


def settled(field: Field, value: Value) -> Value:
    """What the platform will hold if a file says `value`: null is the default, a forced value is what it is."""
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
    """Live overlaid with desired: what `want` does not say keeps the value of `have`, unknown elements included."""
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
    """What of a whole record goes over the wire.

    Left out: commands, secrets unless the record is being created, what the org refuses to be told again, and what
    another org made. `before` is `None` for a record that is being created.
    """
    return _sendable(kind, after, before, org_id[:15])


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


def fits(left: tuple[str, ...], value: Value) -> bool:
    """Whether a value may be what source text was before parts of it were scrubbed. `left` is what was between the parts,
    in order; of a text that was scrubbed as a whole nothing is left, and anything fits.

    A part was a word, or what stood between two quotes: it never hides a line.
    """
    if not any(part.strip() for part in left):
        return True
    if not isinstance(value, str):
        return False
    before, *rest = (part.replace("\r\n", "\n") for part in left)
    text, before, rest[-1] = value.replace("\r\n", "\n").strip(), before.lstrip(), rest[-1].rstrip()
    if not text.startswith(before):
        return False
    at = len(before)
    for number, part in enumerate(rest, 1):
        quoted = before.endswith("'") and part.startswith("'")
        if quoted:
            gap = _QUOTED.match(text, at)
            found = gap.end() if gap is not None else at
        else:
            found = text.find(part, at) if number < len(rest) else len(text) - len(part)
        if found < at or not text.startswith(part, found) or not (quoted or _WORD.fullmatch(text, at, found)):
            return False
        at, before = found + len(part), part
    return at == len(text)


def may_be(left: tuple[str, ...], value: Value) -> bool:
    """As `fits`, of any other field: a text as a whole, or a list whose order means nothing, by each of its texts. What was
    scrubbed may have been anything, but no further text of a list."""
    if not any(part.strip() for part in left):
        return True
    found = value if isinstance(value, list | tuple | frozenset) else [value]
    texts = [one for one in found if isinstance(one, str)]
    if len(texts) == 1 and _held(left, texts[0]):
        return True
    # A list of the org's is one text, with line breaks or commas; one of the files is a list.
    ours = [tuple(one.split(_GONE)) for one in _split(_GONE.join(left))]
    theirs = [one for text in texts for one in _split(text)]
    return (
        len(ours) <= len(theirs)
        and all(any(_held(one, text) for text in theirs) for one in ours)
        and all(any(_held(one, text) for one in ours) for text in theirs)
    )


def _held(left: tuple[str, ...], text: str) -> bool:
    """Whether all that is left stands in a text, in order, from its begin to its end."""
    text, begin, *rest = text.strip(), left[0].lstrip(), *left[1:]
    if not rest:
        return text == begin.rstrip()
    *middle, end = rest
    at = len(begin) if text.startswith(begin) else -1
    for part in middle:
        found = text.find(part, at) if at >= 0 else -1
        at = found + len(part) if found >= 0 else -1
    return 0 <= at <= len(text) - len(end.rstrip()) and text.endswith(end.rstrip())


def _split(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"[\r\n,]+", text) if one.strip()]


_GONE = "\0"
"""No text of an org holds it: XML has no such character."""
_QUOTED = re.compile(r"(?:[^'\\\n]|\\.)*")
_WORD = re.compile(r"\S*")


def put(struct: type[Struct], body: Body, path: Path, value: Value) -> Body:
    """A copy with one value set; `None` takes the field, or the item of a keyed list, out."""
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
    """A dotted name as people read and write it -> the path; keys of list items may hold dots themselves.

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
    """True if an API version has the field at the path. One that no schema knows may be there in any."""
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


def to_json(value: Value) -> Any:
    """A body as JSON knows it: raw elements and references become small objects, sets sorted lists."""
    match value:
        case RawXml():
            return {"$xml": str(value)}
        case SecretRef():
            return {"$secret": [value.source, value.target]}
        case Withheld():
            return {"$withheld": [str(value), value.digest]}
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case frozenset():
            return sorted(to_json(item) for item in value)
    return value


def from_json(value: Any) -> Value:
    """The reverse of `to_json`, for what a baseline holds."""
    if isinstance(value, dict):
        if value.keys() == {"$xml"}:
            return RawXml(value["$xml"])
        if value.keys() == {"$withheld"}:
            return Withheld(*value["$withheld"])
        for key, item in value.items():
            if item.__class__ is dict or item.__class__ is list:
                value[key] = from_json(item)
    elif isinstance(value, list):
        return [from_json(item) for item in value]
    return value


def withheld(struct: type[Struct], body: Body, salt: str) -> Body:
    """The body as it may be kept: of source text that holds secrets, what is left of it and a salted digest."""
    for name in _sources(struct):
        text = body.get(name)
        if isinstance(text, str) and not isinstance(text, Withheld) and (left := masked(text)) != text:
            body = {**body, name: Withheld(left, _salted(text, salt))}
    return body


def recalled(struct: type[Struct], body: Body, live: Body, salt: str) -> Body:
    """The reverse of `withheld`, as far as the org still has what was withheld."""
    for name in _sources(struct):
        kept, text = body.get(name), live.get(name)
        if isinstance(kept, Withheld) and isinstance(text, str):
            if _salted(text, salt) == kept.digest:
                body = {**body, name: text}
            elif text == kept:
                # Somebody wrote what we show in the place of secrets. That is another text, and must not look the same.
                body = {**body, name: Withheld(f"{kept}\n// {MASK}", kept.digest)}
    return body


@cache
def _sources(struct: type[Struct]) -> tuple[str, ...]:
    return tuple(name for name, field in struct.fields().items() if field.has(SourceText))


def _salted(text: str, salt: str) -> str:
    return sha256(f"{salt}:{text}".encode("utf-8", "surrogatepass")).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON of a value."""
    text = json.dumps(to_json(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
