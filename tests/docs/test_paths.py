"""A file, folder or module that a document names is there: a newcomer who looks for one must not find that it has moved."""

import re
import subprocess
from functools import cache

import pytest

from tests.docs.blocks import documents
from tests.packaging.locked import ROOT

ABOUT_CODE = [
    name
    for name in documents()
    if name.startswith(("CONTRIBUTING", "SECURITY", "docs/architecture", "docs/semantics", "reconciler/", "providers/"))
]
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"(?:[\w.-]+/)*[\w.-]+\.(?:py|tsv|css|js|md|toml)")
FOLDER = re.compile(r"(?:[\w-]+/)+")
MODULE = re.compile(r"(?:[a-z_]+\.)+[a-z_]+")
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
    return tuple(f"/{line}" for line in listed.stdout.splitlines())


def is_there(name: str) -> bool:
    if FILE.fullmatch(name):
        return any(path.endswith(f"/{name}") for path in paths())
    if FOLDER.fullmatch(name):
        return any(f"/{name}" in path for path in paths())
    if MODULE.fullmatch(name) and name.split(".", maxsplit=1)[0] in {*ROOMS, "reconciler", "providers"}:
        # A module, or what stands in one.
        steps = name.split(".")
        return any(
            path.endswith((f"/{'/'.join(steps[:number])}.py", f"/{'/'.join(steps[:number])}/__init__.py"))
            for number in range(2, len(steps) + 1)
            for path in paths()
        )
    return True


@pytest.mark.parametrize("document", ABOUT_CODE)
def test_what_a_document_names_is_there(document: str) -> None:
    text = re.sub(r"```.*?```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL)

    assert [] == [name for name in CODE.findall(text) if "<" not in name and not is_there(name)]


def test_a_module_that_is_gone_is_seen() -> None:
    assert [False] * 4 == [
        is_there(name) for name in ("engine/planning.py", "reconciler/tape/", "engine.planning", "plan.planner.x")
    ]
    assert [True] * 4 == [
        is_there(name) for name in ("engine/plan.py", "reconciler/plan/", "plan.draft", "schema.body.covers")
    ]
