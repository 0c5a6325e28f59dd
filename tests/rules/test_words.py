"""Every command, option and file that a message or a document names is there: who is told to run what does not exist is lost."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli import app
from reconciler.errors import InputError
from reconciler.guards import ALLOWABLE
from reconciler.render.explain import explain

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

_COMMAND = re.compile(r"(?<![\w./@-])reconciler(?! --[a-z]) ([a-z][a-z-]*)\b(?![./(=:])")
_OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*)")
_CALL = re.compile(r"\breconciler ([a-z][^`;,|\n]*)")
_FILE = re.compile(r"(?<![\w./-])((?:docs|providers|reconciler|tests)/[\w./-]+\.(?:md|py|tsv|json))\b")
_ALLOW = re.compile(r"--allow ([a-z]+)\b")
_EXPLAIN = re.compile(r"\breconciler explain ([A-Za-z0-9_.]+[A-Za-z0-9_])")
_OTHERS = re.compile(
    r"\b(?:git|gh|sf|sfdx|uv|uvx|pip|pipx|openssl|cci|npx|npm|node|curl|docker|make|pytest|terraform|jq|python3?|tftest|ruff|mypy"
    r"|jf|tf-peek|diff|less)\b [^`\n;]*"
)
"""What other programs are called with is theirs."""
THEIRS = frozenset({"--target-org", "--hash", "--limit"})
"""Options of other programs, where their name does not stand before them."""
PROSE = frozenset(
    [
        "and",
        "anywhere",
        "asks",
        "by",
        "does",
        "has",
        "in",
        "into",
        "is",
        "it",
        "itself",
        "knows",
        "need",
        "needs",
        "of",
        "reads",
        "runs",
        "sends",
        "was",
        "with",
    ]
)
"""Words that follow our name in sentences."""


@cache
def commands() -> Mapping[str, frozenset[str]]:
    """Each command, `baseline list` with its group's name, and its options."""

    def within(command: Any, name: str) -> Iterator[tuple[str, frozenset[str]]]:
        yield name, frozenset(chain.from_iterable((*one.opts, *one.secondary_opts, "--help") for one in command.params))
        for inner, found in getattr(command, "commands", {}).items():
            yield from within(found, f"{name} {inner}".strip())

    return dict(within(typer.main.get_command(app), ""))


def wrong(text: str) -> Iterator[str]:
    """What a text names and is not there."""
    ours = _OTHERS.sub("", text)
    for found in _COMMAND.finditer(text):
        if found[1] not in commands() and found[1] not in PROSE:
            yield f"no command is called {found[1]}"
    yield from _wrong_options(ours)
    for found in _FILE.finditer(text):
        if not (ROOT / found[1]).exists():
            yield f"there is no file {found[1]}"
    for found in _ALLOW.finditer(ours):
        if found[1] not in ALLOWABLE:
            yield f"there is no guard {found[1]}"
    for found in _EXPLAIN.finditer(text):
        try:
            _ = found[1] == "ID" or explain(found[1])
        except InputError:
            yield f"explain knows no {found[1]}"


def _wrong_options(text: str) -> Iterator[str]:
    known = commands()
    options = frozenset(chain.from_iterable(known.values())) | THEIRS | {"--help"}
    for found in _OPTION.finditer(text):
        if found[1] not in options:
            yield f"no option is called {found[1]}"
    for found in _CALL.finditer(text):
        words = found[1].split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
        for option in _OPTION.findall(found[1]):
            if name in known and option in options and option not in known[name] | known[""] | THEIRS:
                yield f"{name} has no option {option}"


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Every text of a module that may reach a person, with its line; what is filled in stands as `{}`. Docstrings do not."""
    tree = ast.parse(source)
    silent = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant | ast.JoinedStr)
    }
    parts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
            if id(node) not in silent:
                filled = [str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values]
                yield node.lineno, "".join(filled)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent | parts:
            yield node.lineno, node.value


MODULES = sorted(
    path
    for top in ("reconciler", "providers")
    for path in (ROOT / top).rglob("*.py")
    if (ROOT / "providers" / "mock") not in path.parents
)


def test_what_messages_name_is_there():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {problem}: {text[:120]!r}"
        for path in MODULES
        for line, text in texts(path.read_text(encoding="utf-8"))
        for problem in wrong(text)
    ]
    assert [] == found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_documents_name_is_there(document: Path):
    lines = document.read_text(encoding="utf-8").splitlines()
    found = [f"{document.name}:{number}: {problem}" for number, line in enumerate(lines, 1) for problem in wrong(line)]
    assert [] == found


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('raise InputError(Complaint("x", mend="run `reconciler init`, or write one"))', "no command is called init"),
        ('say(f"make one with: reconciler {command}; then reconciler rotate {app}")', "no command is called rotate"),
        ('x = "say --force-it, or nothing"', "no option is called --force-it"),
        ('x = f"run `reconciler doctor --detailed-exitcode`"', "doctor has no option --detailed-exitcode"),
        ('x = "docs/nowhere.md lists them"', "there is no file docs/nowhere.md"),
        ('x = "lift it with --allow everything"', "there is no guard everything"),
        ('x = "see reconciler explain XX99"', "explain knows no XX99"),
        ('x = "`reconciler plan --out FILE`, docs/faults.md, git checkout --ours, --allow delete"', ""),
        ('"""Run `reconciler init`: a docstring reaches no user."""', ""),
    ],
)
def test_an_invented_name_is_found(source: str, problem: str):
    """The tests above could pass for want of looking."""
    assert [problem] * bool(problem) == [one for _, text in texts(source) for one in wrong(text)]
