"""Edits a YAML file: replaces the values that change, and leaves every other byte as it is.

A comment, an order, quotes, anchors, a layout, line ends: whatever a person chose stays, since only the stretches of text
are replaced that hold the values in question. An anchored value that changes takes its aliases along where they are to
change in the same way; an alias that is to stay, or to change otherwise, is written out. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from reconciler.yaml import rendering
from reconciler.yaml.events import RawPath
from reconciler.yaml.nodes import DocumentNode, Node, Sort, parsed
from reconciler.yaml.source import Masked


class Removed(Enum):
    """The type of REMOVED: the key, item or document is taken away."""

    REMOVED = "removed"


REMOVED: Final = Removed.REMOVED


@dataclass(frozen=True, slots=True)
class Edit:
    """One value of a file that becomes another: the path of a key or item, and the value, or `REMOVED`.

    A key that is not there is added to its mapping. A position that is one past the last item of a list adds an item.
    """

    path: RawPath
    value: Any


class NotEditableError(Exception):
    """The file is written in a way in which this value cannot be changed by itself. `path` is the value's."""

    def __init__(self, path: RawPath, why: str) -> None:
        super().__init__(why)
        self.path, self.why = path, why


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the file with the edits made. Raises NotEditableError, yaml.YAMLError, EncodingError."""
    masked = Masked.of(data)
    mark = "\ufeff" if masked.text.startswith("\ufeff") else ""
    documents = parsed(masked.parsed.removeprefix(mark), masked=masked.masked)
    tree = _Tree(masked.text.removeprefix(mark), documents)
    return (mark + tree.edited(edits)).encode("utf-8")


# --- edits -----------------------------------------------------------------------------------------------------------


_Edits = Mapping[RawPath, Any]


class _Tree:
    """One file, with the stretches of its text that are to be replaced."""

    def __init__(self, text: str, documents: list[DocumentNode]) -> None:
        self._text = text
        self._documents = documents
        self._ends = "\r\n" if "\r\n" in text else "\n"
        self._cuts: list[tuple[int, int, str]] = []

    def edited(self, edits: Sequence[Edit]) -> str:
        wanted: dict[RawPath, Any] = {edit.path: edit.value for edit in edits}
        for number, document in enumerate(self._documents):
            own = {path[1:]: value for path, value in wanted.items() if path and path[0] == number}
            if own.get(()) is REMOVED:
                self._cut_document(number)
            elif own:
                self._visit(document.root, (number,), _settled(document.root, own))
        return self._joined()

    def _joined(self) -> str:
        text, at = [], 0
        for start, end, new in sorted(self._cuts, key=lambda cut: (cut[0], cut[1])):
            # What is taken away twice, in stretches that overlap, is gone once.
            text.append(self._text[at : max(at, start)])
            text.append(new)
            at = max(at, end)
        return "".join([*text, self._text[at:]])

    def _replace(self, start: int, end: int, new: str) -> None:
        self._cuts.append((start, end, new.replace("\n", self._ends) if self._ends != "\n" else new))

    def _cut_document(self, number: int) -> None:
        start = self._documents[number].start
        if number + 1 < len(self._documents):
            end = self._documents[number + 1].start
            if number == 0:
                # The next one becomes the first; what stands above the first stays above it.
                start = self._line_start(self._documents[0].root.start)
                end = self._line_end(end)
        else:
            end = len(self._text)
            if number == 0:
                start = self._line_start(self._documents[0].root.start)
        self._replace(start, end, "")

    def _visit(self, node: Node, path: RawPath, edits: _Edits) -> None:
        """Note the cuts for what is to change inside of a node."""
        if node.sort is Sort.SCALAR and node.value is None and () not in edits:
            # An empty value takes in keys as an empty mapping does.
            self._put(node, path, _grown(node.plain(), edits))
            return
        if node.sort not in (Sort.MAPPING, Sort.LIST):
            raise NotEditableError(path, "it holds no keys")
        here: dict[str | int, dict[RawPath, Any]] = {}
        for inner, value in edits.items():
            here.setdefault(inner[0], {})[inner[1:]] = value
        children = dict(node.children())
        removed = [key for key, own in here.items() if own.get(()) is REMOVED and key in children]
        added = {key: own for key, own in here.items() if key not in children and own.get(()) is not REMOVED}
        if removed and len(removed) == len(children) and not added:
            self._put(node, path, {} if node.sort is Sort.MAPPING else [])
            return
        if removed and len(removed) == len(children):
            if node.sort is Sort.MAPPING:
                # Nothing would be left to stand beside.
                self._put(node, path, _grown(node.plain(), edits))
                return
            # The first new item takes the place of the first old one, and with it the comments around the list.
            first = min(added)
            here[0] = added.pop(first)
            removed.remove(0)
        for key, own in here.items():
            if key in children and () in own and own[()] is not REMOVED:
                self._put(children[key], (*path, key), own[()])
            elif key in children and () not in own:
                self._visit(children[key], (*path, key), own)
        if removed:
            self._take_away(node, path, set(removed))
        if added:
            self._add(node, path, {key: _grown(None, own) for key, own in added.items()}, set(removed))

    # -- a value in the place of another ------------------------------------------------------------------------------

    def _put(self, node: Node, path: RawPath, value: Any) -> None:
        anchor = self._text[node.start : node.content].rstrip() if node.anchor and node.sort is not Sort.ALIAS else ""
        prefix = f"{anchor} " if anchor else ""
        start, end = node.start, node.end
        key = None if self._in_flow(path) else self._key_before(path)
        if node.flow or key is None:
            self._replace(start, end, prefix + rendering.one_line(value))
            return
        indent, is_item = key
        lines = rendering.item(value, indent) if is_item else rendering.entry("x", value, indent)
        first = lines[0].removeprefix("-" if is_item else "x:")
        if len(lines) == 1 or first.strip():
            inline, below = prefix + first.strip(), "".join(f"\n{line}" for line in lines[1:])
            if below:
                # A comment behind the old value stays on the line where the new one begins.
                line_end = self._line_end(end, break_too=False)
                self._replace(line_end, line_end, below)
            if node.sort is Sort.SCALAR and node.value is None and start == end:
                self._replace(start, end, f" {inline}")
                return
            self._replace(*self._from_its_line(start, end, path), self._blank_before(start, path) + inline)
            return
        # The value goes below its key; what stands behind the key, a comment say, stays there.
        begin = self._key_end(path)
        line_end = self._line_end(begin, break_too=False)
        if node.sort is Sort.SCALAR and not node.block and end <= line_end:
            blanks = len(self._text[begin:start]) if not anchor else 0
            self._replace(start - blanks, end, f" {anchor}" if anchor else "")
            self._replace(line_end, line_end, "\n" + "\n".join(lines[1:]))
            return
        self._replace(begin, end, (f" {anchor}" if anchor else "") + "\n" + "\n".join(lines[1:]))

    def _from_its_line(self, start: int, end: int, path: RawPath) -> tuple[int, int]:
        """Return where a value begins and ends; one that begins on another line than its key counts from behind the key."""
        begin = self._key_end(path)
        return (begin, end) if "\n" in self._text[begin:start] or "\r" in self._text[begin:start] else (start, end)

    def _blank_before(self, start: int, path: RawPath) -> str:
        begin = self._key_end(path)
        return " " if "\n" in self._text[begin:start] or "\r" in self._text[begin:start] else ""

    # -- places -------------------------------------------------------------------------------------------------------

    def _line_start(self, at: int) -> int:
        return max(self._text.rfind("\n", 0, at), self._text.rfind("\r", 0, at)) + 1

    def _line_end(self, at: int, *, break_too: bool = True) -> int:
        """Where the line of a place ends, before or behind its line break."""
        text = self._text
        while at < len(text) and text[at] not in "\r\n":
            at += 1
        if break_too and at < len(text):
            at += 2 if text.startswith("\r\n", at) else 1
        return at

    def _node_at(self, path: RawPath) -> Node:
        node = self._documents[int(path[0])].root
        for part in path[1:]:
            node = dict(node.children())[part]
        return node

    def _in_flow(self, path: RawPath) -> bool:
        node = self._documents[int(path[0])].root
        for part in path[1:]:
            if node.flow:
                return True
            node = dict(node.children())[part]
        return False

    def _key_before(self, path: RawPath) -> tuple[int, bool] | None:
        """Return the column of a value's key or dash, and whether it is a dash; `None` for the root of a document."""
        if len(path) < 2:
            return None
        parent = self._node_at(path[:-1])
        if parent.sort is Sort.LIST:
            return self._column(self._dash(parent, int(path[-1]))), True
        key = next(key for key, _ in parent.keys if str(key.value) == path[-1])
        return self._column(key.start), False

    def _key_end(self, path: RawPath) -> int:
        """The place behind the colon or the dash that a value stands behind."""
        parent = self._node_at(path[:-1])
        if parent.sort is Sort.LIST:
            return self._dash(parent, int(path[-1])) + 1
        key = next(key for key, _ in parent.keys if str(key.value) == path[-1])
        return self._text.index(":", key.end) + 1

    def _column(self, at: int) -> int:
        return at - self._line_start(at)

    def _dash(self, parent: Node, index: int) -> int:
        """Where the dash before an item of a block list stands. Between two items are only blanks, comments and that."""
        at = parent.items[index - 1].end if index else parent.content
        while self._text[at] != "-":
            at = self._line_end(at) if self._text[at] == "#" else at + 1
        return at

    # -- what goes ----------------------------------------------------------------------------------------------------

    def _take_away(self, node: Node, path: RawPath, removed: set[str | int]) -> None:
        spans = [
            (key, (key_node.start if key_node is not None else inner.start), inner.end)
            for key, key_node, inner in self._entries(node)
        ]
        if node.flow:
            self._take_out_of_flow(spans, removed)
            return
        for index, (key, start, end) in enumerate(spans):
            if key not in removed:
                continue
            begin = start if node.sort is Sort.MAPPING else self._dash(node, int(key))
            stop = self._line_end(end)
            if self._text[self._line_start(begin) : begin].strip(" "):
                # It stands behind a dash: the next one moves up to there.
                if index + 1 >= len(spans) or spans[index + 1][0] in removed:
                    raise NotEditableError((*path, key), "it begins on the line of its dash")
                self._replace(begin, spans[index + 1][1], "")
            else:
                self._replace(self._line_start(begin), stop, "")

    def _take_out_of_flow(self, spans: list[tuple[str | int, int, int]], removed: set[str | int]) -> None:
        for index, (key, start, end) in enumerate(spans):
            if key not in removed:
                continue
            kept_before = [span for span in spans[:index] if span[0] not in removed]
            if any(span[0] not in removed for span in spans[index + 1 :]):
                self._replace(start, spans[index + 1][1], "")
            elif kept_before:
                self._replace(kept_before[-1][2], end, "")

    def _entries(self, node: Node) -> "list[tuple[str | int, Node | None, Node]]":
        if node.sort is Sort.MAPPING:
            return [(str(key.value), key, inner) for key, inner in node.keys]
        return [(index, None, inner) for index, inner in enumerate(node.items)]

    # -- what is added ------------------------------------------------------------------------------------------------

    def _add(self, node: Node, path: RawPath, added: Mapping[str | int, Any], removed: set[str | int]) -> None:
        entries = self._entries(node)
        if node.flow or self._in_flow(path):
            self._add_to_flow(node, entries, added, removed)
            return
        if not entries:
            self._put(node, path, dict(added) if node.sort is Sort.MAPPING else list(added.values()))
            return
        if node.sort is Sort.LIST:
            indent = self._column(self._dash(node, 0))
            kept = max(index for index in range(len(node.items)) if index not in removed)
            at = self._line_end(node.items[kept].end, break_too=False)
            lines = [line for value in added.values() for line in self._indented(rendering.item(value, indent), indent)]
            self._replace(at, at, "".join(f"\n{line}" for line in lines))
            return
        indent = self._column(node.keys[0][0].start)
        for key, value in added.items():
            new = self._indented(rendering.entry(str(key), value, indent), indent)
            at = self._line_end(self._place_for(node, new, removed), break_too=False)
            self._replace(at, at, "".join(f"\n{line}" for line in new))

    @staticmethod
    def _indented(lines: list[str], indent: int) -> list[str]:
        return [" " * indent + lines[0], *lines[1:]]

    @staticmethod
    def _place_for(node: Node, new: list[str], removed: set[str | int]) -> int:
        """Return where to put a new entry: if it is one line, behind the last entry of that sort; else behind all entries."""
        simple = [
            inner
            for key, inner in node.keys
            if (inner.sort in (Sort.SCALAR, Sort.ALIAS) or inner.flow) and str(key.value) not in removed
        ]
        if len(new) == 1 and simple:
            return max(simple[-1].end, simple[-1].start)
        return max(inner.end for key, inner in node.keys if str(key.value) not in removed)

    def _add_to_flow(
        self,
        node: Node,
        entries: "list[tuple[str | int, Node | None, Node]]",
        added: Mapping[str | int, Any],
        removed: set[str | int],
    ) -> None:
        one = rendering.one_line
        words = [
            f"{rendering.text(str(key))}: {one(value)}" if node.sort is Sort.MAPPING else one(value)
            for key, value in added.items()
        ]
        kept = [entry for entry in entries if entry[0] not in removed]
        if not kept:
            opening, closing = ("{", "}") if node.sort is Sort.MAPPING else ("[", "]")
            self._replace(node.content or node.start, node.end, f"{opening}{', '.join(words)}{closing}")
            return
        last = kept[-1][2].end
        first_key = kept[0][1] or kept[0][2]
        before = self._text[self._line_start(first_key.start) : first_key.start]
        joint = f",\n{before}" if not before.strip() and len(entries) > 1 else ", "
        self._replace(last, last, "".join(f"{joint}{word}" for word in words))


def _grown(value: Any, edits: _Edits) -> Any:
    """Return a plain value with the edits made inside of it."""
    if not edits:
        return value
    if () in edits:
        return edits[()]
    grouped: dict[str | int, dict[RawPath, Any]] = {}
    for path, new in edits.items():
        grouped.setdefault(path[0], {})[path[1:]] = new
    if isinstance(value, list) or (value is None and all(isinstance(key, int) for key in grouped)):
        items = dict(enumerate(value or []))
        for key, own in grouped.items():
            items[int(key)] = _grown(items.get(int(key)), own)
        return [items[key] for key in sorted(items) if items[key] is not REMOVED]
    found = dict(value) if isinstance(value, dict) else {}
    for key, own in grouped.items():
        found[str(key)] = _grown(found.get(str(key)), own)
    return {key: inner for key, inner in found.items() if inner is not REMOVED}


# --- anchors ---------------------------------------------------------------------------------------------------------


def _settled(root: Node, edits: _Edits) -> _Edits:
    """Return the edits as aliases need them: an alias stays if its value is still that of its anchor, else its own value
    is written in its place."""
    aliases = list(_aliases(root, ()))
    if not aliases:
        return edits
    result = dict(edits)
    where = {id(node): path for path, node in _nodes(root, ())}
    for path, alias in aliases:
        meant = alias.meant
        if meant is None or any(path[: len(other)] == other for other in edits if len(other) < len(path)):
            continue  # it goes along with what it stands in
        source = where[id(meant)]
        was = meant.plain()
        inside = {other[len(path) :]: new for other, new in edits.items() if other[: len(path)] == path}
        mine = _grown(was, inside)
        gone = any(source[: len(other)] == other for other in edits if len(other) < len(source))
        own = {other[len(source) :]: new for other, new in edits.items() if other[: len(source)] == source}
        theirs = REMOVED if gone else _grown(was, own)
        for other in inside:
            result.pop((*path, *other), None)
        if mine is REMOVED:
            result[path] = REMOVED
        elif mine != theirs or type(mine) is not type(theirs):
            result[path] = mine
    return result


def _nodes(node: Node, path: RawPath) -> Iterator[tuple[RawPath, Node]]:
    yield path, node
    for key, inner in node.children():
        yield from _nodes(inner, (*path, key))


def _aliases(node: Node, path: RawPath) -> Iterator[tuple[RawPath, Node]]:
    return ((at, one) for at, one in _nodes(node, path) if one.sort is Sort.ALIAS)
