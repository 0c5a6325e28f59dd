"""The `lifecycle` key of a desired document: what must not happen to a resource, and which fields stay as they are."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.errors import suggestion
from reconciler.model.declared import Lifecycle
from reconciler.schema.kind import Field, Kind, Struct
from reconciler.schema.marks import Keyed
from reconciler.schema.values import Path
from reconciler.yaml.events import RawPath

_WORDS = ("delete", "replace")
Note = Callable[[RawPath, str, str], None]
"""Called with the path inside of the document, what is wrong, and the mend."""


def lifecycles(
    value: Any, schema: type[Struct], sections: Mapping[str, type[Kind]], note: Note
) -> dict[str, Lifecycle]:
    """Read `{protect: [delete, replace], ignore: [field.field]}` into one value for the resource and one for each section.

    The resource itself has the key `""`. Of an ignored path, the first part may name one of the `sections`. What is
    protected counts for all.
    """
    if not isinstance(value, dict):
        note(("lifecycle",), "lifecycle must have the keys protect and ignore", "write lifecycle: {protect: [delete]}")
        return {}
    for key in value:
        if key not in ("protect", "ignore"):
            near = suggestion(key, ("protect", "ignore"), every=True)
            note(("lifecycle", key), f"{key} is not a key of lifecycle", near)
    protect = set()
    for index, word in enumerate(_texts(value, "protect", note)):
        if word in _WORDS:
            protect.add(word)
        else:
            near = suggestion(word, _WORDS, every=True)
            note(("lifecycle", "protect", index), f"{word!r} is nothing that lifecycle.protect can forbid", near)
    ignore: dict[str, list[Path]] = {"": [], **{name: [] for name in sections}}
    for index, text in enumerate(_texts(value, "ignore", note)):
        parts = text.split(".")
        name = parts[0] if parts[0] in sections else ""
        at = ("lifecycle", "ignore", index)
        if name and len(parts) == 1:
            note(at, f"{name} is a whole section", f"name a field of it, like {name}.label")
            continue
        path = _path(parts[1:], sections[name], at, note) if name else _path(parts, schema, at, note, sections)
        if path:
            ignore[name].append(path)
    return {name: Lifecycle(frozenset(protect), tuple(paths)) for name, paths in ignore.items()}


def _texts(value: dict[str, Any], key: str, note: Note) -> list[str]:
    found = value.get(key, [])
    if isinstance(found, list) and all(isinstance(entry, str) for entry in found):
        return found
    note(("lifecycle", key), f"{key} must be a list of texts", f"write {key}: [ … ]")
    return []


def _path(
    parts: list[str], schema: type[Struct], at: tuple[str | int, ...], note: Note, more: Mapping[str, Any] | None = None
) -> Path:
    """Return the path that the parts name; empty, with a note, if there is no such field."""
    fields: Mapping[str, Field] = schema.fields()
    name = schema.__name__
    for index, part in enumerate(parts):
        field = fields.get(part)
        if field is None:
            near = suggestion(part, [*fields, *(more or ())])
            note(at, f"{part} is not a field of {name}", near or "name a field as in the document, with dots")
            return ()
        rest = parts[index + 1 :]
        if not rest:
            return tuple(parts)
        if field.struct is None or field.repeated:
            if field.has(Keyed) and field.struct is not None:
                # A key may hold dots itself: a range of addresses does.
                ends = len(rest) > 1 and rest[-1] in field.struct.fields()
                key = [".".join(rest[:-1]), rest[-1]] if ends else [".".join(rest)]
                return (*parts[: index + 1], *key)
            note(at, f"{part} has no fields of its own", f"write {'.'.join(parts[: index + 1])}")
            return ()
        fields, name = field.struct.fields(), field.struct.__name__
        more = None
    return ()
