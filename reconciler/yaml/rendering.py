"""Writes values as YAML text as people do: block style, short lists of texts on one line, quotes only where they are needed.

What is written is read back by `Reader` as the same values. Pure.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.yaml.source import UNPRINTABLE, scalar

WIDTH = 100
"""Characters: a list that makes a line longer than that is written with an item a line."""

_PLAIN = re.compile(r"[A-Za-z0-9_/.+$(][^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff,\[\]{}#&*!|>'\"%`]*")
"""Texts that may stand without quotes in any place, references to variables aside."""
_REFERENCE = re.compile(r"\$\{[\w.]+\}")
_ODD = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff]")


def text(value: str) -> str:
    """A text on one line, in quotes if it would be read as anything else, or if it holds what YAML gives a meaning."""
    bare = _REFERENCE.sub("x", value)
    plain = (
        _PLAIN.fullmatch(bare) is not None
        and bare == bare.strip()
        and ": " not in bare
        and not bare.endswith(":")
        and isinstance(scalar(bare), str)
        # YAML 1.1, which other tools read, has more words and numbers.
        and bare.casefold() not in _OLD_WORDS
        and not _OLD_NUMBER.fullmatch(bare)
    )
    # `{client_id: ${env.ID}}` is no YAML to other parsers: a reference is always quoted.
    if plain and bare == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


_OLD_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "="})
_OLD_NUMBER = re.compile(r"[-+.0-9][-+.0-9_:eExXoOa-fA-FT]*|[0-9][-0-9:.TtZz +]*")


def one_line(value: Any) -> str:
    """A value in flow style, on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return text(value)
        case Mapping():
            return "{" + ", ".join(f"{text(str(key))}: {one_line(item)}" for key, item in value.items()) + "}"
        case Sequence():
            return "[" + ", ".join(map(one_line, value)) + "]"
    raise TypeError(f"{type(value).__name__} is no value of YAML")


def entry(key: str, value: Any, indent: int) -> list[str]:
    """The lines of one key with its value. The first line has no indentation, the others stand below a key at `indent`."""
    head = f"{text(key)}:"
    if isinstance(value, Mapping) and value and not _is_short(value):
        return [head, *(f"{' ' * (indent + 2)}{line}" for line in _entries(value, indent + 2))]
    if isinstance(value, list) and value and not _fits(head, value, indent):
        return [head, *_items(value, indent + 2)]
    if isinstance(value, str) and _is_block(value):
        return [f"{head} |{_chomping(value)}", *_block(value, indent + 2)]
    return [f"{head} {one_line(value)}"]


def item(value: Any, indent: int) -> list[str]:
    """The lines of one item of a block list whose dash stands at `indent`. The first line has no indentation."""
    if isinstance(value, Mapping) and value and not _is_short(value):
        lines = list(_entries(value, indent + 2))
        return [f"- {lines[0]}", *(f"{' ' * (indent + 2)}{line}" for line in lines[1:])]
    if isinstance(value, str) and _is_block(value):
        return [f"- |{_chomping(value)}", *_block(value, indent + 2)]
    return [f"- {one_line(value)}"]


def document(value: Mapping[str, Any]) -> str:
    """A whole document, ending with a line break, without the line `---`."""
    return "".join(f"{line}\n" for line in _entries(value, 0))


def _entries(value: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The lines of a mapping. Those inside of an entry come with their own indentation beyond that of the mapping."""
    for key, inner in value.items():
        first, *rest = entry(str(key), inner, 0)
        yield first
        yield from rest


def _items(value: Sequence[Any], indent: int) -> Iterator[str]:
    for one in value:
        first, *rest = item(one, indent)
        yield f"{' ' * indent}{first}"
        yield from rest


def _is_short(value: Any) -> bool:
    """Whether a mapping is a reference to a secret, which stands on one line."""
    return isinstance(value, Mapping) and value.keys() == {"secret"}


def _fits(head: str, value: Sequence[Any], indent: int) -> bool:
    if any(isinstance(one, Mapping | list) or (isinstance(one, str) and "\n" in one) for one in value):
        return False
    return indent + len(head) + 1 + len(one_line(value)) <= WIDTH


def _is_block(value: str) -> bool:
    """Whether a text of several lines can be written as they are, below a `|`."""
    if "\n" not in value.strip("\n") or UNPRINTABLE.search(value) or _ODD.search(value) or "\r" in value:
        return False
    lines = value.split("\n")
    return not lines[0].startswith((" ", "\t")) and bool(lines[0]) and not any(one != one.rstrip() for one in lines)


def _chomping(value: str) -> str:
    return "-" if not value.endswith("\n") else "+" if value.endswith("\n\n") else ""


def _block(value: str, indent: int) -> Iterator[str]:
    for line in value.removesuffix("\n").split("\n") if value.endswith("\n") else value.split("\n"):
        yield f"{' ' * indent}{line}" if line else ""
