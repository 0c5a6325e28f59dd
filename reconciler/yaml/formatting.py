"""A YAML file in canonical form: keys in a given order, two blanks for each level, no blanks at the ends of lines.

Entries move with the comments above them and beside them; scalars, flow collections and quotes stay as they are written. What
is written has the same values and the same comments as before: where that cannot be, because an alias would come before its
anchor say, a document stays as it is. Pure.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from reconciler.yaml.events import RawPath
from reconciler.yaml.nodes import DocumentNode, Node, Sort, parsed
from reconciler.yaml.source import EncodingError, Masked

Order = Callable[[Any, RawPath], Sequence[str]]
"""The keys of a mapping in their order, of a document (its values) at a path in it; keys that are not named come last."""
_STEP = 2
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)


def formatted(data: bytes, order: Order) -> bytes:
    """Return the file in canonical form; one that is no YAML stays as it is."""
    try:
        masked = Masked.of(data)
        mark = "\ufeff" if masked.text.startswith("\ufeff") else ""
        text = masked.text.removeprefix(mark)
        if "\r" in text.replace("\r\n", ""):
            return data
        documents = parsed(masked.parsed.removeprefix(mark).replace("\r\n", "\n"), masked=masked.masked)
    except (yaml.YAMLError, EncodingError, RecursionError):
        return data
    ends = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    pieces = []
    for number, document in enumerate(documents):
        end = documents[number + 1].start if number + 1 < len(documents) else len(text)
        pieces.append(_document(text, document, end, order))
    result = mark + "".join(pieces) if documents else mark + text
    return result.replace("\n", ends).encode()


def _document(text: str, document: DocumentNode, end: int, order: Order) -> str:
    """The text of one document, from its start to where the next one starts."""
    before = text[document.start : end]
    root = document.root
    if root.sort is not Sort.MAPPING or root.flow or not root.keys or root.anchor:
        return before
    writer = _Writer(text, root.plain(), order)
    first = writer.line_start(root.keys[0][0].start)
    tail = text[writer.line_end(root.end) : end]
    lines = writer.mapping(root, 0, ())
    inside = "".join(f"{line}\n" for line in lines)
    after = f"{text[document.start : first]}{inside}{tail}"
    after = re.sub(r"[ \t]+(?=\n)", "", after) if not writer.keeps_blanks else after
    return after if _is_same(before, after) else before


def _is_same(before: str, after: str) -> bool:
    try:
        one, other = (_values(text) for text in (before, after))
    except (yaml.YAMLError, EncodingError, RecursionError):
        return False
    comments = (Counter(found.strip() for found in _COMMENT.findall(text)) for text in (before, after))
    left, right = comments
    return one == other and left == right


def _values(text: str) -> list[Any]:
    masked = Masked.of(text.encode())
    return [node.root.plain() for node in parsed(masked.parsed, masked=masked.masked)]


class _Writer:
    """Writes the lines of one document anew."""

    def __init__(self, text: str, values: Any, order: Order) -> None:
        self._text = text
        self._values = values
        self._order = order
        self.keeps_blanks = False
        """Whether a text of several lines is in it, whose blanks may mean something."""

    def line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Behind the line break of the line of a place."""
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

    def mapping(self, node: Node, indent: int, path: RawPath, *, after: int = -1) -> list[str]:
        """The lines of a block mapping, its entries in order. `after` is where the lines above the first entry begin; those
        above a document's first key stay where they are."""
        entries: list[tuple[str, list[str], list[str]]] = []
        above = after
        for key, value in node.keys:
            own = self.line_start(key.start)
            comments = [] if above < 0 else self._comments(above, own, indent)
            entries.append((str(key.value), comments, self._entry(key, value, indent, (*path, str(key.value)))))
            above = self.line_end(max(value.end, key.end))
        rank = {name: index for index, name in enumerate(self._order(self._values, path))}
        places = sorted(range(len(entries)), key=lambda at: (rank.get(entries[at][0], len(rank)), at))
        lines: list[str] = []
        for at in places:
            _, comments, own_lines = entries[at]
            lines += [*comments, *own_lines]
        return lines

    def _comments(self, start: int, end: int, indent: int) -> list[str]:
        """The lines between two entries: comments at the indentation of the one below, and at most one blank line."""
        found: list[str] = []
        for line in self._text[start:end].split("\n")[:-1]:
            stripped = line.strip()
            if stripped:
                found.append(" " * indent + stripped)
            elif not found or found[-1]:
                found.append("")
        return found

    def _entry(self, key: Node, value: Node, indent: int, path: RawPath) -> list[str]:
        head = " " * indent + self._text[key.start : key.end]
        return self._valued(f"{head}:", self._colon(key), value, indent, path)

    def _colon(self, key: Node) -> int:
        return self._text.index(":", key.end) + 1

    def _valued(self, head: str, behind: int, value: Node, indent: int, path: RawPath) -> list[str]:
        """The lines of a key or a dash with its value; `behind` is the place behind the colon or the dash."""
        if value.flow or value.sort in (Sort.SCALAR, Sort.ALIAS):
            raw = self._text[behind : self.line_end(max(value.end, behind))].rstrip("\n")
            first, *rest = raw.split("\n")
            if rest:
                self.keeps_blanks = True
                if value.block:
                    rest = self._reindented(rest, indent + _STEP)
            return [f"{head} {first.strip()}" if first.strip() else head, *rest]
        rest_of_line = self._text[behind : self.line_end(behind)].rstrip("\n").strip()
        first_inside = value.keys[0][0].start if value.sort is Sort.MAPPING else value.content
        if self.line_start(first_inside) == self.line_start(behind):
            rest_of_line = ""
        below = self.line_end(behind)
        line = f"{head} {rest_of_line}" if rest_of_line else head
        if value.sort is Sort.MAPPING:
            return [line, *self.mapping(value, indent + _STEP, path, after=below)]
        return [line, *self._items(value, indent + _STEP, path, below)]

    def _items(self, node: Node, indent: int, path: RawPath, above: int) -> list[str]:
        lines: list[str] = []
        at = node.content
        for index, item in enumerate(node.items):
            while self._text[at] != "-":
                at = self.line_end(at) if self._text[at] == "#" else at + 1
            lines += self._comments(above, self.line_start(at), indent)
            lines += self._item(item, at + 1, indent, (*path, index))
            at = item.end
            above = self.line_end(max(item.end, at))
        return lines

    def _item(self, item: Node, behind: int, indent: int, path: RawPath) -> list[str]:
        block = item.sort is Sort.MAPPING and not item.flow and not item.anchor and bool(item.keys)
        if block and self.line_start(item.keys[0][0].start) == self.line_start(behind):
            lines = self.mapping(item, indent + _STEP, path)
            at = next(index for index, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
            dashed = f"{' ' * indent}- {lines[at][indent + _STEP :]}"
            return [*(line[_STEP:] if line else line for line in lines[:at]), dashed, *lines[at + 1 :]]
        return self._valued(f"{' ' * indent}-", behind, item, indent, path)

    def _reindented(self, lines: list[str], indent: int) -> list[str]:
        """The lines of a block scalar, moved so that the least indented one stands at `indent`."""
        depth = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        return [" " * indent + line[depth:] if line.strip() else line for line in lines]
