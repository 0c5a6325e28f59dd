"""A script of faults from a YAML file: strict, bounded, and with the place of every mistake."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from providers.mock.faults import FaultsError, Problem, Rule, rule

MAX_SIZE = 256 * 1024
MAX_RULES = 1000
_DEPTH = 8
_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "merge", "null", "seq", "str", "timestamp")
}
_EXAMPLE = "faults: [{call: deploy, fault: lost_answer, times: 1}]"


def read(file: Path) -> list[Rule]:
    """Return the rules of `file`; raises `FaultsError` with all that is wrong."""
    name = str(file)
    try:
        # A pipe would be waited for, and a device has no end.
        if not stat.S_ISREG(file.stat().st_mode):
            raise FaultsError([Problem("is not a plain file", "put the rules into one")], name)
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as stream:
            data = stream.read(MAX_SIZE + 1)
    except OSError as wrong:
        mend = "name a file of rules" if file.is_symlink() or not file.exists() else "mend its permissions"
        raise FaultsError([Problem(f"cannot be read: {wrong.strerror}", mend)], name) from None
    if len(data) > MAX_SIZE:
        raise FaultsError([Problem(f"is larger than {MAX_SIZE // 1024} KB", "see whether it is the right file")], name)
    return parse(data, name)


def parse(text: bytes | str, name: str = "faults") -> list[Rule]:
    """Return the rules of a script; `name` is what errors call it."""
    root = _document(text, name)
    problems = list(_odd(root))
    if problems:
        raise FaultsError(problems, name)
    if not isinstance(root, yaml.MappingNode) or [key.value for key, _ in root.value] != ["faults"]:
        raise FaultsError([_at(root, "a script has one key, faults, with a list of rules", _EXAMPLE)], name)
    listed = root.value[0][1]
    if not isinstance(listed, yaml.SequenceNode) or len(listed.value) > MAX_RULES:
        raise FaultsError([_at(listed, f"faults is a list of at most {MAX_RULES} rules", _EXAMPLE)], name)
    rules = []
    for node in listed.value:
        if not isinstance(node, yaml.MappingNode):
            problems.append(_at(node, "a rule is a mapping", _EXAMPLE))
            continue
        try:
            rules.append(rule(_value(node), place=f"{name}:{node.start_mark.line + 1}: "))
        except FaultsError as wrong:
            problems += [_at(_find(node, each.key), each.text, each.mend) for each in wrong.problems]
    if problems:
        raise FaultsError(problems, name)
    return rules


def _document(text: bytes | str, name: str) -> yaml.Node:
    try:
        depth = 0
        # Events come one by one; composing recurses, so what is too deep must not get there.
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH:
                place = (event.start_mark.line + 1, event.start_mark.column + 1) if event.start_mark else (0, 0)
                raise FaultsError([Problem("too deep", "", *place)], name)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except FaultsError:
        raise
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise FaultsError([Problem(f"not YAML: {wrong.problem}", "", line, column)], name) from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise FaultsError([Problem("not YAML")], name) from None
    if root is None:
        raise FaultsError([Problem("the file is empty", _EXAMPLE)], name)
    return root


def _odd(root: yaml.Node) -> Iterator[Problem]:
    """Yield a problem for all that a script must not contain: the same node twice (an alias), tags, a key twice."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            yield _at(node, "an alias", "write it out")
            continue
        seen.add(id(node))
        if node.tag not in _TAGS:
            yield _at(node, f"a tag, {node.tag}", "leave it out")
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    yield _at(key, "a key that is no text")
                elif key.value in keys:
                    yield _at(key, f"{key.value} stands here twice", "take one away")
                else:
                    keys.add(key.value)
                waiting.append(value)


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each) for each in node.value]
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError):
        return node.value


def _find(node: yaml.MappingNode, key: str) -> yaml.Node:
    """Return the key of a rule, or the option of its fault, that a problem is about."""
    for name, value in node.value:
        if name.value == key:
            return name  # type: ignore[no-any-return]
        for option, inner in value.value if isinstance(value, yaml.MappingNode) else ():
            for each, _ in inner.value if isinstance(inner, yaml.MappingNode) else ((option, None),):
                if each.value == key:
                    return each  # type: ignore[no-any-return]
    return node


def _at(node: yaml.Node, text: str, mend: str = "") -> Problem:
    return Problem(text, mend, node.start_mark.line + 1, node.start_mark.column + 1)
