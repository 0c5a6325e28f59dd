"""Shows values as text: secrets are hidden, sets show entries added and removed, long texts are summarized."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from reconciler.apex.hardcoded import masked
from reconciler.kinds import ENABLEMENT, all_kinds
from reconciler.model.address import Address
from reconciler.model.changes import FieldChange
from reconciler.render.words.safe import line
from reconciler.schema import body
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import Certificate, SourceText, WriteOnly
from reconciler.schema.values import Body, Path, RawXml, SecretRef, Value

LONG = 120
"""A text beyond this, or with line breaks, is summed up."""
ENTRIES = 12
"""As many entries of a set are shown; the rest is counted."""
UNSET = "(unset)"


class Hidden(Enum):
    """The type of `SECRET`, the single value that is shown in place of every secret."""

    SECRET = "(secret)"  # noqa: S105 -- the words that stand for one

    def __str__(self) -> str:
        return self.value


SECRET = Hidden.SECRET


def schema(address: Address) -> type[Struct] | None:
    """The schema of the body that an address stands for: of an enablement, one entry of its handler's list."""
    found: type[Kind] | None = all_kinds().get(address.kind)
    if found is None or not address.is_enablement:
        return found
    listed = found.fields().get(ENABLEMENT)
    return listed.struct if listed is not None else None


def field_at(struct: type[Struct] | None, path: Path) -> Field | None:
    """The field that a path ends in or, where it ends in a key of a keyed list, that list."""
    field: Field | None = None
    parts = iter(path)
    for name in parts:
        field = struct.fields().get(name) if struct is not None else None
        if field is None:
            return None
        struct = field.struct
        if field.repeated and struct is not None:
            next(parts, None)
    return field


def hidden(struct: type[Struct] | None, record: Body) -> Body:
    """Return a copy of `record` with `SECRET` in the place of every secret."""
    return {
        name: _hidden_value(struct.fields().get(name) if struct is not None else None, name, value)
        for name, value in record.items()
    }


def hidden_at(struct: type[Struct] | None, path: Path, value: Value) -> Value:
    """Return `value`, which is the field at `path`, with `SECRET` in the place of every secret."""
    field = field_at(struct, path)
    if path and field is None:
        return _hidden_value(None, path[-1], value)
    return _hidden_value(field, path[-1] if path else "", value)


def _hidden_value(field: Field | None, name: str, value: Value) -> Value:
    if _is_secret(field, name, value):
        return SECRET
    if field is not None and field.has(SourceText) and type(value) is str:
        return masked(value)
    # The org keeps some sets as one text; a reader should see entries wherever they come from.
    if field is not None and field.is_set and isinstance(value, str | list | tuple) and not isinstance(value, RawXml):
        return body.entries(field, value)
    struct = field.struct if field is not None else None
    if isinstance(value, Mapping):
        if field is not None and field.repeated and all(isinstance(item, Mapping) for item in value.values()):
            # A keyed list in the form that is compared: a mapping from keys to entries.
            return {key: hidden(struct, dict(item)) for key, item in value.items()}
        return hidden(struct, dict(value))
    if isinstance(value, list | tuple):
        return [_hidden_value(field, name, item) for item in value]
    return value


def _is_secret(field: Field | None, name: str, value: Value) -> bool:
    if isinstance(value, SecretRef):
        return True
    if field is not None and not isinstance(value, RawXml):
        return field.has(WriteOnly) and value is not None
    # An element that does not fit the schema may hold a secret under a name that no mark covers.
    return isinstance(value, str) and _sounds_secret(name, value)


def _sounds_secret(name: str, value: str) -> bool:
    text = f"{name} {value}" if isinstance(value, RawXml) else name
    return any(word in text.casefold() for word in ("secret", "password", "privatekey", "token>"))


def shown(value: Value, limit: int = LONG) -> str:
    """A value as text on one line. Secrets must be hidden already; a `SecretRef` is always hidden."""
    match value:
        case Hidden() | SecretRef():
            text = str(SECRET)
        case bool():
            text = str(value).lower()
        case RawXml():
            text = f"(XML that no schema knows, {len(value):,} characters)"
        case str():
            text = _shown_text(value, limit)
        case Mapping():
            text = line(", ".join(f"{name}={shown(item, 40)}" for name, item in value.items()) or "{}", limit)
        case list() | tuple() | set() | frozenset():
            text = _shown_list(entries(value))
        case _:
            text = UNSET if value is None else line(value, limit)
    return text


def _shown_text(value: str, limit: int) -> str:
    if "\n" in value.strip():
        return f"({len(value.splitlines()):,} lines, {len(value):,} characters)"
    # Quotes only where the bare text would be read as something else.
    bare = line(value, limit)
    plain = value and value == value.strip() and value not in ("true", "false", "[]", "{}", UNSET, str(SECRET))
    return bare if plain and "→" not in bare else f'"{bare}"'


def _shown_list(items: list[Value]) -> str:
    if not items:
        return "[]"
    texts = [shown(item, 80) for item in items[:ENTRIES]]
    if len(items) > ENTRIES:
        texts.append(f"… and {len(items) - ENTRIES} more")
    return ", ".join(texts)


def entries(value: Value) -> list[Value]:
    """The entries of a list or set; sets in alphabetical order, so that the same set always looks the same."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return list(value) if isinstance(value, list | tuple) else [value]


def is_list(value: Value) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def plain(value: Value) -> Any:
    """Convert a value to plain JSON types. A secret becomes null."""
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_list(value):
        return [plain(item) for item in entries(value)]
    # Not for `Hidden` and `SecretRef`: they are no text.
    return str.__str__(value) if isinstance(value, str) else None


def difference(struct: type[Struct] | None, path: Path, old: Value, new: Value, *, secret: bool = False) -> str:
    """What happened to one field, in words on one line: `true → false`, `+ Full, - Web`, lines changed."""
    if secret:
        old, new = (None if v is None else SECRET for v in (old, new))
    before, after = old, new
    old, new = hidden_at(struct, path, old), hidden_at(struct, path, new)
    if isinstance(old, str) and old == new and before != after and not secret:
        return "a text that looks like a secret changed"
    field = field_at(struct, path)
    if is_list(old) or is_list(new):
        return _entries_changed(old, new)
    if field is not None and field.has(Certificate):
        return f"{_fingerprint(old)} → {_fingerprint(new)}"
    if isinstance(old, str) and isinstance(new, str) and not isinstance(old, RawXml) and _is_long(field, old, new):
        return _lines_changed(old, new)
    return f"{shown(old)} → {shown(new)}"


def _is_long(field: Field | None, old: str, new: str) -> bool:
    return (field is not None and field.has(SourceText)) or "\n" in old.strip() or "\n" in new.strip()


def change(struct: type[Struct] | None, field: FieldChange) -> str:
    return difference(struct, field.path, field.old, field.new, secret=field.secret)


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 finding`, `1,204 findings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _entries_changed(old: Value, new: Value) -> str:
    before, after = entries([] if old is None else old), entries([] if new is None else new)
    marked = [f"+ {shown(item, 80)}" for item in after if item not in before]
    marked += [f"- {shown(item, 80)}" for item in before if item not in after]
    if not marked:
        return f"{shown(old)} → {shown(new)}"
    more = len(marked) - ENTRIES
    return ", ".join(marked[:ENTRIES]) + (f", … and {more} more" if more > 0 else "")


def _fingerprint(certificate: Value) -> str:
    if not isinstance(certificate, str):
        return shown(certificate)
    digest = hashlib.sha256("".join(certificate.split()).encode("utf-8", "surrogatepass")).hexdigest()
    return f"(certificate, sha256 of its text {digest[:12]})"


def _lines_changed(old: str, new: str) -> str:
    """Words for a text of many lines that changed: from the first to the last line that differs, as a real diff of a
    megabyte can take minutes."""
    before, after = old.splitlines(), new.splitlines()
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    end = next((i for i in range(shorter - start) if before[-1 - i] != after[-1 - i]), shorter - start)
    gone, come = len(before) - start - end, len(after) - start - end
    if not gone and not come:
        return "only line endings differ"
    changed = (
        f"{gone:,} of {len(before):,} lines changed"
        if gone == come
        else f"{gone:,} {'line' if gone == 1 else 'lines'} became {come:,}"
    )
    first, then = (UNSET if not n else shown(lines[start].strip(), 60) for n, lines in ((gone, before), (come, after)))
    return f"{changed}, first at line {start + 1}: {first} → {then}"


def leaves(record: Body, path: Path = ()) -> Iterator[tuple[Path, Value]]:
    """All values of a record with their paths; lists of structures one entry at a time, with its place in the list."""
    for name, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(dict(value), (*path, name))
        elif is_list(value) and any(isinstance(item, Mapping) for item in entries(value)):
            for index, item in enumerate(entries(value)):
                yield (*path, f"{name}[{index}]"), item
        else:
            yield (*path, name), value
