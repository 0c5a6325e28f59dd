"""The values of a YAML file, built straight from libyaml's events, within bounds.

PyYAML's own constructor costs twice as much and knows no places, no duplicate keys and no bounds. Scalars follow the core
rules of YAML 1.2, so that `no` and `on` stay texts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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

from reconciler.yaml.source import Masked, is_reference, scalar, unmask

# PyYAML can be built without libyaml: the same events, ten times slower.
_Parser: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

MAX_DEPTH = 64
"""Nesting of mappings and lists. Our deepest kind needs six."""
MAX_VALUES = 20_000
"""In one document, which is one resource or app. Whoever writes more than that has generated it by mistake."""
MAX_ALIASED = 100_000
"""Values that the aliases of one file may stand for; a few lines of aliases of aliases can stand for billions."""
MAX_DOCUMENTS = 50_000
"""In one file."""
MAX_TROUBLES = 1_000
"""Mistakes in the text of one file, after which the rest is not read."""
_SHARED = 20_000
"""Distinct short texts that are kept once for all files: field names, enum values, scopes."""
_SHORT = 48

RawPath = tuple[str | int, ...]
"""The number of the document, then keys and list positions."""
IsSecret = Callable[[str], bool]
"""Whether the value of a key of that name must never be shown."""

_MISSING: Any = object()
_OPEN: Any = object()
_LEAVES = (ScalarEvent, AliasEvent)
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file. Its values belong to the reader, who may change them in place."""

    value: Any
    index: int
    line: int
    lines: dict[RawPath, int]
    """Lines of the keys at the top that hold a mapping or list, and of the items of such lists."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong at one place (line and column from 0), before the place has a snippet."""

    line: int
    column: int
    message: str
    mend: str = ""
    first: RawPath | None = None
    """Where the same key was first given."""


class StopError(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, mark: Any, message: str, mend: str) -> None:
        super().__init__(message)
        self.trouble = Trouble(mark.line, mark.column, message, mend)


class Builder:
    """Builds the values of one file from its events."""

    def __init__(
        self,
        text: Masked,
        plain: dict[str, Any],
        spots: dict[RawPath, tuple[int, int]] | None = None,
        is_secret: IsSecret | None = None,
        texts: dict[RawPath, str] | None = None,
    ) -> None:
        """`spots` takes in where values stand, `texts` what is written there of scalars that YAML takes for no text."""
        self._get: Callable[[], Any] = _Parser(text.parsed).get_event
        self._plain = plain
        self._masked = text.masked
        self._spots = spots
        self._is_secret = is_secret
        self._texts = texts
        self._anchors: dict[str, Any] = {}
        self._anchored: dict[str, str] = {}
        self._budget = MAX_ALIASED
        self._count = 0
        self._lines: dict[RawPath, int] = {}
        self._end: Any = None
        self.troubles: list[Trouble] = []
        self.secrets: list[tuple[int, int, int, int]] = []

    def documents(self) -> Iterator[Document]:
        """The documents that are not empty. Raises yaml.YAMLError, StopError."""
        index = -1
        while True:
            event: Any = self._get()
            if event.__class__ is StreamEndEvent:
                return
            if event.__class__ is DocumentStartEvent:
                index += 1
                root: Any = self._get()
                if index >= MAX_DOCUMENTS:
                    raise StopError(root.start_mark, f"more than {MAX_DOCUMENTS:,} documents in one file", "split it")
                self._anchors = {}
                self._lines = {}
                self._count = 0
                if self._spots is not None:
                    self._spots[(index,)] = (root.start_mark.line, root.start_mark.column)
                value = self._node(root, (index,))
                if value is not None:
                    yield Document(value, index, root.start_mark.line + 1, self._lines)

    def _node(self, event: Any, path: RawPath) -> Any:
        kind = event.__class__
        if kind is AliasEvent:
            return self._alias(event, path)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = _OPEN
        if kind is ScalarEvent:
            value = self._scalar(event)
        else:
            if len(path) > MAX_DEPTH:
                raise StopError(
                    event.start_mark, f"nested more than {MAX_DEPTH} levels deep", "no kind needs that; flatten it"
                )
            is_mapping = kind is MappingStartEvent
            if event.tag is not None and event.tag not in ("!", _CORE + ("map" if is_mapping else "seq")):
                self._unknown_tag(event)
            value = self._mapping(path) if is_mapping else self._sequence(path)
        if anchor is not None:
            self._anchors[anchor] = value
            if kind is ScalarEvent:
                self._anchored[anchor] = unmask(event.value)
        return value

    def _mapping(self, path: RawPath) -> dict[str, Any]:
        # The one loop that every value of every file passes: names are local, plain scalars are handled in place.
        get, plain, spots = self._get, self._plain, self._spots
        found: dict[str, Any] = {}
        while True:
            event: Any = get()
            if event.__class__ is MappingEndEvent:
                self._end = event.end_mark
                self._add_up(event, len(found))
                return found
            known = plain.get(event.value) if event.__class__ is ScalarEvent and event.implicit[0] else None
            simple = known.__class__ is str and event.anchor is None and event.tag is None
            key: str | None = known if simple else self._key(event, path)
            start: Any = get()
            if start.__class__ is ScalarEvent and start.anchor is None and start.tag is None and start.implicit[0]:
                value = plain.get(start.value, _MISSING)
                if value is _MISSING:
                    value = self._scalar(start)
            else:
                if start.__class__ is not ScalarEvent and len(path) == 1 and key is not None:
                    self._lines[(key,)] = event.start_mark.line + 1
                value = self._node(start, (*path, "" if key is None else key))
            if key is None:
                continue
            if spots is not None:
                self._see(key, value, event, start, path)
                self._write_down((*path, key), value, start)
            if key in found:
                self._note(event, f"{key} is given twice", "remove one of the two", (*path, key))
            else:
                found[key] = value
                if len(found) > MAX_VALUES:
                    self._add_up(event, len(found))

    def _see(self, key: str, value: Any, event: Any, start: Any, path: RawPath) -> None:
        """Remember where a key stands, and what of its value must not be shown."""
        if self._spots is not None:
            self._spots.setdefault((*path, key), (event.start_mark.line, event.start_mark.column))
        if self._is_secret is not None and self._is_secret(key) and not is_reference(value):
            first: Any = start.start_mark
            last: Any = start.end_mark if start.__class__ in _LEAVES else self._end
            self.secrets.append((first.line, first.column, last.line, last.column))

    def _write_down(self, path: RawPath, value: Any, event: Any) -> None:
        """Remember how a scalar is written that is no text: a field may want the text all the same."""
        if self._texts is None or value is None or value.__class__ in (str, dict, list):
            return
        written = self._anchored.get(str(event.anchor)) if event.__class__ is AliasEvent else unmask(event.value)
        if written is not None:
            self._texts.setdefault(path, written)

    def _sequence(self, path: RawPath) -> list[Any]:
        get, spots = self._get, self._spots
        found: list[Any] = []
        while True:
            event: Any = get()
            if event.__class__ is SequenceEndEvent:
                self._end = event.end_mark
                self._add_up(event, len(found))
                return found
            index = len(found)
            if index > MAX_VALUES:
                self._add_up(event, index)
            if spots is not None:
                spots.setdefault((*path, index), (event.start_mark.line, event.start_mark.column))
            if event.__class__ is MappingStartEvent and len(path) == 2:
                start: Any = event.start_mark
                self._lines[path[1], index] = start.line + 1
            plain = event.__class__ is ScalarEvent and event.anchor is None and event.tag is None and event.implicit[0]
            value = self._plain.get(event.value, _MISSING) if plain else _MISSING
            found.append(self._node(event, (*path, index)) if value is _MISSING else value)
            if spots is not None:
                self._write_down((*path, index), found[-1], event)

    def _key(self, event: Any, path: RawPath) -> str | None:
        """Return the text of a key, or `None` for what cannot be a key, which is noted."""
        if event.__class__ is ScalarEvent:
            key = self._plain.get(event.value, _MISSING) if event.implicit[0] and event.tag is None else _MISSING
            if key is _MISSING:
                key = self._scalar(event)
            if event.anchor is not None:
                self._anchors[event.anchor] = key
            if key == "<<" and event.implicit[0]:
                self._note(event, "merge keys (<<) are not supported", "write the fields out where they belong")
                return None
            if isinstance(key, str):
                return key
            self._note(event, f"a key must be text, not {unmask(event.value)!r}", "put it in quotes")
            return None
        self._note(event, "a key must be text, not a list, mapping or alias", "write the key out")
        self._node(event, (*path, ""))
        return None

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if self._masked:
            text = unmask(text)
        tag = event.tag
        if tag is None or tag == "!":
            if tag is None and event.implicit[0]:
                value = scalar(text)
                if len(text) <= _SHORT and len(self._plain) < _SHARED and not self._masked and text != "<<":
                    self._plain[text] = value
                return value
            known = self._plain.get(text)
            return known if known.__class__ is str else text
        if tag == _CORE + "str":
            return text
        value = scalar(text)
        if tag.startswith(_CORE):
            wanted = {"bool": bool, "int": int, "null": type(None), "float": float}.get(tag[len(_CORE) :])
            if wanted is float and type(value) is int:
                return float(value)
            if wanted is not None:
                if type(value) is not wanted:
                    self._note(event, f"this is no {tag[len(_CORE) :]}", "remove the tag")
                return value
        self._unknown_tag(event)
        return text

    def _alias(self, event: Any, path: RawPath) -> Any:
        value = self._anchors.get(event.anchor, _MISSING)
        if value is _MISSING:
            self._note(event, f"*{event.anchor} stands for nothing", f"put &{event.anchor} before the value it means")
            return None
        if value is _OPEN:
            raise StopError(event.start_mark, f"*{event.anchor} stands inside of what it stands for", "write it out")
        return self._copy(value, event, len(path))

    def _copy(self, value: Any, event: Any, depth: int) -> Any:
        """A copy of its own for each alias, because bodies are changed in place. Bounded in number and depth."""
        self._budget -= 1
        if self._budget < 0:
            raise StopError(event.start_mark, f"aliases stand for more than {MAX_ALIASED:,} values", "write them out")
        if value.__class__ is dict or value.__class__ is list:
            if depth > MAX_DEPTH:
                raise StopError(event.start_mark, f"nested more than {MAX_DEPTH} levels deep by an alias", "flatten it")
            if value.__class__ is dict:
                return {key: self._copy(item, event, depth + 1) for key, item in value.items()}
            return [self._copy(item, event, depth + 1) for item in value]
        return value

    def _unknown_tag(self, event: Any) -> None:
        self._note(event, f"the tag {event.tag} is not supported", "remove it; only YAML's own types are known here")

    def _add_up(self, event: Any, count: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values in one document"
            raise StopError(event.start_mark, message, "split it into several documents")

    def _note(self, event: Any, message: str, mend: str, first: RawPath | None = None) -> None:
        mark = event.start_mark
        self.troubles.append(Trouble(mark.line, mark.column, message, mend, first))
        if len(self.troubles) >= MAX_TROUBLES:
            raise StopError(mark, "too many mistakes; the rest of the file was not read", "mend these first")
