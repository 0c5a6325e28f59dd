"""Edits of a metadata file that touch the elements that they change, and no other byte. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.schema.kind import Struct
from reconciler.xml.elements import Element, root_of
from reconciler.xml.markup import escape

ElementPath = tuple[str | int, ...]
"""Names of elements; behind one that repeats, its number from 0."""


@dataclass(frozen=True, slots=True)
class ElementEdit:
    """One element that gets another value: a text, a mapping of elements, or `None`, which takes it away.

    An element that is not there is put where Salesforce's schema has it.
    """

    path: ElementPath
    value: Any


def edited(data: bytes, struct: type[Struct], edits: Sequence[ElementEdit], file: str) -> bytes:
    """Return the file with the edits made. Raises MetadataXmlError for a file that is not well-formed."""
    editing = _Editing(data, root_of(data, file))
    for edit in edits:
        editing.edit(struct, edit)
    editing.add_all()
    return editing.result()


def written(name: str, value: Any, struct: type[Struct] | None, indent: str = "", unit: str = "    ") -> list[str]:
    """The lines of an element; the first without indentation."""
    if isinstance(value, Mapping):
        fields = struct.fields() if struct is not None else {}
        order = {key: index for index, key in enumerate(fields)}
        lines = [f"<{name}>"]
        for key in sorted(value, key=lambda key: order.get(key, len(order))):
            inner = fields[key].struct if key in fields else None
            for one in value[key] if isinstance(value[key], list) else [value[key]]:
                first, *rest = written(key, one, inner, indent + unit, unit)
                lines += [f"{indent}{unit}{first}", *rest]
        return [*lines, f"{indent}</{name}>"]
    text = _text(value)
    return [f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>"]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_COMMENTS = re.compile(rb"(?:[ \t]*<!--[^\r\n]*?-->)*")


class _Editing:
    """One file, with the stretches of bytes that are to be replaced."""

    def __init__(self, data: bytes, root: Element) -> None:
        self._data = data
        self._root = root
        self._ends = b"\r\n" if b"\r\n" in data else b"\n"
        self._cuts: list[tuple[int, int, bytes]] = []
        self._gone: set[int] = set()
        """The starts of elements that are taken away."""
        self._new: dict[tuple[int, str, int], tuple[Element, type[Struct], Any]] = {}
        """Elements that are not there yet, by the start of their parent, name and number: edits inside of one are joined."""

    def add_all(self) -> None:
        def order(key: tuple[int, str, int]) -> tuple[int, int, int]:
            at, name, number = key
            names = list(self._new[key][1].fields())
            return at, names.index(name) if name in names else len(names), number

        for key in sorted(self._new, key=order):
            parent, struct, value = self._new[key]
            self._add(parent, struct, key[1], value)

    def result(self) -> bytes:
        parts, at = [], 0
        for start, end, new in sorted(self._cuts, key=lambda cut: (cut[0], cut[1])):
            parts += [self._data[at : max(at, start)], new]
            at = max(at, end)
        return b"".join([*parts, self._data[at:]])

    def _cut(self, start: int, end: int, new: str) -> None:
        self._cuts.append(
            (start, end, new.encode().replace(b"\n", self._ends) if self._ends != b"\n" else new.encode())
        )

    def edit(self, struct: type[Struct], edit: ElementEdit) -> None:
        here, schema = self._root, struct
        path = list(edit.path)
        while True:
            name = str(path.pop(0))
            number = int(path.pop(0)) if path and isinstance(path[0], int) else 0
            field = schema.fields().get(name)
            same = list(here.named(name))
            if number >= len(same):
                if edit.value is not None:
                    key = here.start, name, number
                    known = self._new[key][2] if key in self._new else None
                    self._new[key] = here, schema, _joined(known, _nested(path, edit.value))
                return
            if not path:
                self._set(same[number], name, field.struct if field is not None else None, edit.value)
                return
            here = same[number]
            if field is None or field.struct is None:
                return
            schema = field.struct

    # -- what is there ------------------------------------------------------------------------------------------------

    def _set(self, element: Element, name: str, struct: type[Struct] | None, value: Any) -> None:
        if value is None:
            self._remove(element)
            return
        indent = self._indent(element)
        if isinstance(value, Mapping):
            self._cut(element.start, element.end, "\n".join(written(name, value, struct, indent)))
        elif element.close > element.inside or element.end > element.inside:
            self._cut(element.inside, element.close, escape(_text(value)))
        else:
            self._cut(element.start, element.end, "\n".join(written(element.name, value, None)))

    def _remove(self, element: Element) -> None:
        self._gone.add(element.start)
        start, end = element.start, element.end
        line = self._line_start(start)
        after = self._line_end(end)
        alone = not self._data[line:start].strip() and not self._data[end:after].strip()
        self._cut(line if alone else start, after if alone else end, "")

    # -- what is added ------------------------------------------------------------------------------------------------

    def _add(self, parent: Element, struct: type[Struct], name: str, value: Any) -> None:
        fields = list(struct.fields())
        order = {key: index for index, key in enumerate(fields)}
        mine = order.get(name, len(order))
        field = struct.fields().get(name)
        inner = field.struct if field is not None else None
        kept = [one for one in parent.children if one.start not in self._gone]
        before = [one for one in kept if order.get(one.name.rpartition(":")[2], -1) <= mine]
        if parent.end == parent.inside and parent.close == parent.inside:
            # `<oauthConfig/>` has no place for anything.
            indent = self._indent(parent)
            lines = written(name, value, inner, indent + "    ")
            inside = "\n".join([f"{indent}    {lines[0]}", *lines[1:]])
            head = self._data[parent.start : parent.end].decode().rstrip("/> \t") + ">"
            self._cut(parent.start, parent.end, f"{head}\n{inside}\n{indent}</{parent.name}>")
            return
        if before:
            last = before[-1]
            indent, broken = self._indent(last), self._begins_line(last)
            text = "\n".join(written(name, value, inner, indent))
            at = self._behind_comments(last.end) if broken else last.end
            self._cut(at, at, f"\n{indent}{text}" if broken else text)
            return
        if kept:
            first = kept[0]
            indent, broken = self._indent(first), self._begins_line(first)
            text = "\n".join(written(name, value, inner, indent))
            self._cut(first.start, first.start, f"{text}\n{indent}" if broken else text)
            return
        indent = self._indent(parent)
        lines = written(name, value, inner, indent + "    ")
        inside = "\n".join([f"{indent}    {lines[0]}", *lines[1:]])
        if parent.children:
            # All that was there goes: the new one stands at its place.
            at = self._line_start(parent.children[0].start)
            self._cut(at, at, f"{inside}\n")
            return
        self._cut(parent.inside, parent.close, f"\n{inside}\n{indent}")

    # -- places -------------------------------------------------------------------------------------------------------

    def _line_start(self, at: int) -> int:
        return max(self._data.rfind(b"\n", 0, at), self._data.rfind(b"\r", 0, at)) + 1

    def _line_end(self, at: int) -> int:
        end = self._data.find(b"\n", at)
        return len(self._data) if end < 0 else end + 1

    def _behind_comments(self, at: int) -> int:
        """The place behind the comments that stand on the rest of a line."""
        found = _COMMENTS.match(self._data, at)
        return found.end() if found is not None else at

    def _begins_line(self, element: Element) -> bool:
        return not self._data[self._line_start(element.start) : element.start].strip()

    def _indent(self, element: Element) -> str:
        before = self._data[self._line_start(element.start) : element.start]
        return before.decode() if not before.strip() else ""


def _joined(one: Any, other: Any) -> Any:
    """Two values of one element as one: mappings are joined, of texts the later counts."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return other
    return {**one, **{name: _joined(one.get(name), value) for name, value in other.items()}}


def _nested(path: list[Any], value: Any) -> Any:
    """The value of an element that is not there, with the elements inside of it that lead to the value."""
    for part in reversed(path):
        if not isinstance(part, int):
            value = {str(part): value}
    return value
