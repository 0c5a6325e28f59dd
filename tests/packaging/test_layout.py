"""Where things are: what a newcomer may rely on when looking for a module. The bounds stand in CONTRIBUTING.md, too."""

import ast
from collections import Counter
from pathlib import Path

import pytest
import typer

from reconciler.cli.program import app
from tests.packaging.locked import ROOT

MOST_ENTRIES = 12
MOST_LINES = 500
COMMANDS = {name.replace("-", "_") for name in typer.main.get_command(app).commands}  # type: ignore[attr-defined]
GRANTS = {"client_credentials", "token_exchange", "jwt_bearer", "web_server", "password"}
"""OAuth's own names of flows: what rules on one, what verifies it and what plays it are all called after it."""
MODULES = sorted(path for tree in ("reconciler", "providers") for path in (ROOT / tree).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_package_has_few_entries_besides_its_rooms() -> None:
    """Whoever opens the folder sees the rooms, not a list of sixty files."""
    entries = [path.name for path in (ROOT / "reconciler").iterdir() if path.is_file()]

    assert len(entries) <= MOST_ENTRIES, sorted(entries)


@pytest.mark.parametrize("tree", ["reconciler", "providers/salesforce", "providers/mock"])
def test_no_two_modules_have_one_name(tree: str) -> None:
    """`flows.py` in four places means four things. A command is called alike in `cli` and `engine`; OAuth names its grants."""
    names = Counter(
        path.stem
        for path in (ROOT / tree).rglob("*.py")
        if path.stem not in ("__init__", "__main__")
        and not (path.stem in COMMANDS and path.parent.name in ("cli", "engine"))
    )

    assert [] == sorted(name for name, number in names.items() if number > 1 and name not in GRANTS)


def test_each_command_has_a_file_of_its_name() -> None:
    files = {path.stem for path in (ROOT / "reconciler" / "cli").glob("*.py")}

    assert {"schema", "version"} == COMMANDS - files, "schema stands beside explain, version in program"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_in_a_sentence_and_why_it_is_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    words = ast.get_docstring(ast.parse(text)) or ""
    first = words.partition("\n\n")[0]
    number = text.count("\n")

    assert first or not text.strip(), "a module begins with a sentence for somebody who joined today"
    assert number <= MOST_LINES or "One file because " in words, (
        f"{number} lines: split it, or say why: `One file because …`"
    )


def loaded_by(path: Path) -> set[str]:
    """The modules of ours that are imported when this one is: at its top level, and not for types alone."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("reconciler", "providers")):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in FILES else str(node.module))
    return found


FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}


def test_no_module_is_loaded_in_a_circle_with_others() -> None:
    """In a circle nothing can be read, moved or tested by itself."""
    arrows = {name: loaded_by(path) & FILES.keys() - {name} for name, path in FILES.items()}
    while leaves := {name for name, targets in arrows.items() if not targets & arrows.keys()}:
        arrows = {name: targets for name, targets in arrows.items() if name not in leaves}

    assert {} == arrows


def test_a_circle_is_seen() -> None:
    assert "reconciler.errors" in loaded_by(FILES["reconciler.model.finding"])
    assert "reconciler.schema.comparisons" in loaded_by(FILES["reconciler.schema.kind"])
