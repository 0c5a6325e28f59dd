"""A YAML file as a tree of places: where each value begins and ends in the text, its anchor and its comments left out.

Pure. `editing` replaces stretches of the text by it; `events` builds values without places, which is faster.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.yaml.source import scalar, unmask

_Parser: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class Sort(Enum):
    """The sorts of nodes: a scalar, a mapping, a list, or an alias that repeats another node."""

    SCALAR = 1
    MAPPING = 2
    LIST = 3
    ALIAS = 4


@dataclass(slots=True, eq=False)
class Node:
    """A value in the text: where it begins and ends, and what is in it."""

    sort: Sort
    start: int
    """Where the value begins, its anchor or tag included."""
    end: int = 0
    flow: bool = False
    value: Any = None
    """Of a scalar, as YAML reads it."""
    block: bool = False
    """Whether a scalar begins with `|` or `>`."""
    anchor: str = ""
    """The name that the value has, or, of an alias, that it repeats."""
    content: int = 0
    """Where the value begins behind its anchor."""
    keys: "list[tuple[Node, Node]]" = field(default_factory=list)
    items: "list[Node]" = field(default_factory=list)
    meant: "Node | None" = None
    """Of an alias, the node that it repeats."""

    def plain(self) -> Any:
        """The value as plain data, aliases followed."""
        match self.sort:
            case Sort.ALIAS:
                return self.meant.plain() if self.meant is not None else None
            case Sort.MAPPING:
                return {str(key.value): inner.plain() for key, inner in self.keys}
            case Sort.LIST:
                return [one.plain() for one in self.items]
        return self.value

    def children(self) -> "Iterator[tuple[str | int, Node]]":
        if self.sort is Sort.MAPPING:
            yield from ((str(key.value), inner) for key, inner in self.keys)
        else:
            yield from enumerate(self.items)


@dataclass(slots=True)
class DocumentNode:
    start: int
    """Where it begins: its line `---`, or the first byte of the file."""
    root: Node


def parsed(text: str, *, masked: bool) -> list[DocumentNode]:
    """Parse a text into its documents, each with its tree of places. Raises yaml.YAMLError."""
    get: Any = _Parser(text).get_event
    found: list[DocumentNode] = []
    while True:
        event: Any = get()
        if event.__class__ is StreamEndEvent:
            return found
        if event.__class__ is DocumentStartEvent:
            anchors: dict[str, Node] = {}
            mark: Any = event.start_mark
            found.append(DocumentNode(mark.index if found else 0, _node(get(), get, anchors, text, masked=masked)))


def _node(event: Any, get: Any, anchors: dict[str, Node], text: str, *, masked: bool) -> Node:
    start, end = event.start_mark.index, event.end_mark.index
    name: str = event.anchor or ""
    if event.__class__ is AliasEvent:
        return Node(Sort.ALIAS, start, end, anchor=name, meant=anchors.get(name))
    content = _behind(text, start) if name or event.tag else start
    if event.__class__ is ScalarEvent:
        written = unmask(event.value) if masked else event.value
        value = scalar(written) if event.implicit[0] and event.tag is None else written
        block = event.style in ("|", ">")
        if block:
            end = start + len(text[start:end].rstrip())
        node = Node(Sort.SCALAR, start, end, value=value, block=block, anchor=name, content=content)
    else:
        is_mapping = event.__class__ is MappingStartEvent
        node = Node(
            Sort.MAPPING if is_mapping else Sort.LIST, start, flow=event.flow_style, anchor=name, content=content
        )
        if name:
            anchors[name] = node
        last = _fill(node, get, anchors, text, masked=masked)
        inside = [inner.end for _, inner in node.keys] + [one.end for one in node.items]
        node.end = last if node.flow else max(inside, default=start)
    if name:
        anchors[name] = node
    return node


def _fill(node: Node, get: Any, anchors: dict[str, Node], text: str, *, masked: bool) -> int:
    """Read what is in a mapping or list; return where its last event ends."""
    while True:
        event = get()
        if event.__class__ in (MappingEndEvent, SequenceEndEvent):
            mark: Any = event.end_mark
            return int(mark.index)
        if node.sort is Sort.LIST:
            node.items.append(_node(event, get, anchors, text, masked=masked))
            continue
        key = _node(event, get, anchors, text, masked=masked)
        node.keys.append((key, _node(get(), get, anchors, text, masked=masked)))


def _behind(text: str, at: int) -> int:
    """The place behind the anchor and the tag that stand at a place."""
    while at < len(text) and text[at] in "&!":
        while at < len(text) and not text[at].isspace():
            at += 1
        rest = text[at:]
        at += len(rest) - len(rest.lstrip())
    return at
