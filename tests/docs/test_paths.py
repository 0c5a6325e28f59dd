"""What a document or a comment names is there: files, modules, commands, options. Who looks for one must not be sent astray."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import typer

from reconciler.cli.program import app
from reconciler.render.words.about import all_about
from tests.docs.blocks import documents, read
from tests.packaging.locked import ROOT

CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.(?:py|tsv|css|js|md|toml)")
FOLDER = re.compile(r"(?:[\w-]+/)+")
MODULE = re.compile(r"(?:[a-z_]+\.)+[A-Za-z_]+")
PLAIN_FILE = re.compile(r"(?<![\w/.`-])((?:reconciler|providers|tests|docs)/[\w/.-]+\.(?:py|md|tsv))\b")
"""A file that a comment names without backticks."""
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")
OTHERS = {"--sizes", "--repeat", "--no-terraform", "--target-org"}
"""Options of `python -m benchmarks`, which has a test of its own, and of Salesforce's CLI."""
PROGRAM = typer.main.get_command(app)
ROOMS = {path.name for tree in ("reconciler", "providers") for path in (ROOT / tree).iterdir() if path.is_dir()}


@cache
def paths() -> tuple[str, ...]:
    """Every file of the repository, each with a slash before it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return tuple(f"/{line}" for line in listed.stdout.splitlines() if (ROOT / line).exists())


def is_there(name: str) -> bool:
    if FILE.fullmatch(name):
        return any(path.endswith(f"/{name}") for path in paths())
    if FOLDER.fullmatch(name):
        return any(f"/{name}" in path for path in paths())
    if MODULE.fullmatch(name) and name.split(".", maxsplit=1)[0] in {*ROOMS, "reconciler", "providers"}:
        return name in all_about() or stands_in_a_module(name.split("."))
    return True


def stands_in_a_module(steps: list[str]) -> bool:
    """Whether the first of the steps are a module or a package, and the rest, if any, names in it."""
    for number in range(len(steps), 0, -1):
        module, rest = "/".join(steps[:number]), steps[number:]
        for path in paths():
            if path.endswith((f"/{module}.py", f"/{module}/__init__.py")) and not path.startswith("/tests/"):
                text = (ROOT / path[1:]).read_text(encoding="utf-8")
                if all(re.search(rf"\b{name}\b", text) for name in rest):
                    return True
    return False


def prose(document: str) -> str:
    """The document without its blocks of code, which have tests of their own."""
    return re.sub(r"```.*?```", "", read(document), flags=re.DOTALL)


def options(command: Any) -> set[str]:
    """Every option of the command and of those below it."""
    own = {name for each in command.params for name in [*each.opts, *each.secondary_opts]}
    return own.union({"--help"}, *(options(below) for below in getattr(command, "commands", {}).values()))


def command_of(words: list[str]) -> Any:
    """The command that the words after `reconciler` call. Raises KeyError for one that there is not."""
    command = PROGRAM
    for word in words:
        if not hasattr(command, "commands") or word.startswith("-") or word.isupper():
            break
        command = command.commands[word]
    return command


def wrong_calls(text: str) -> Iterator[str]:
    """Code in the text that calls a command, an option or a target of `make` that there is not."""
    targets = set(re.findall(r"(?m)^([\w-]+):", read("Makefile")))
    for code in CODE.findall(text):
        known = options(PROGRAM) | OTHERS
        if code.startswith("reconciler "):
            try:
                known = options(command_of(re.sub(r"\s--(?:org|project) \S+", "", code).split()[1:])) | options_before()
            except KeyError:
                yield code
        if set(OPTION.findall(code)) - known or set(re.findall(r"\bmake ([a-z-]+)", code)) - targets:
            yield code


def options_before() -> set[str]:
    """The options that may stand before a command."""
    return {name for each in PROGRAM.params for name in each.opts}


@pytest.mark.parametrize("document", documents())
def test_what_a_document_names_is_there(document: str) -> None:
    assert [] == [name for name in CODE.findall(prose(document)) if "<" not in name and not is_there(name)]


@pytest.mark.parametrize("document", documents())
def test_the_commands_that_a_document_names_are_there(document: str) -> None:
    assert [] == list(wrong_calls(prose(document)))


def words_about_code(path: str) -> Iterator[str]:
    """The comments and the docstrings of a module."""
    text = (ROOT / path[1:]).read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


@pytest.mark.parametrize("tree", ["reconciler", "providers", "tests", "benchmarks"])
def test_what_a_comment_names_is_there(tree: str) -> None:
    wrong = [
        f"{path}: {name}"
        for path in paths()
        if path.startswith(f"/{tree}/") and path.endswith(".py")
        for text in words_about_code(path)
        for name in [*CODE.findall(text), *PLAIN_FILE.findall(text)]
        if "<" not in name and not is_there(name)
    ]

    assert [] == wrong


def test_what_is_gone_is_seen() -> None:
    gone = ("engine/planning.py", "reconciler/tape/", "engine.planning", "plan.planner.x", "schema.body.completed")
    assert [False] * 5 == [is_there(name) for name in gone]
    there = ("engine/plan.py", "reconciler/plan/", "plan.draft", "schema.body.covers")
    assert [True] * 4 == [is_there(name) for name in there]


def test_a_command_that_is_gone_is_seen() -> None:
    wrong = ["reconciler examine", "reconciler plan --replan", "--replan", "make everything", "reconciler mock tape"]
    right = [
        "reconciler plan --out FILE",
        "reconciler baseline accept ADDRESS",
        "reconciler --org prod plan",
        "make docs",
    ]
    assert wrong == list(wrong_calls(" ".join(f"`{code}`" for code in wrong + right)))
