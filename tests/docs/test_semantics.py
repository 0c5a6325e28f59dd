"""What code calls "docs/semantics.md (Removing)", "law 3" or "S002" stands in that document."""

import re
from collections.abc import Iterator

import pytest

from tests.docs.blocks import read
from tests.docs.test_paths import paths
from tests.packaging.locked import ROOT

PAGE = read("docs/semantics.md")
SECTIONS = set(re.findall(r"(?m)^## (.+)$", PAGE))
LAWS = set(re.findall(r"(?m)^(\d+)\. \*\*", PAGE))
REQUIREMENTS = set(re.findall(r"(?m)^\| (S\d{3}) \|", PAGE))


def texts() -> Iterator[tuple[str, str]]:
    """Every file that may speak of them, with its text."""
    for path in paths():
        if path.endswith((".py", ".yaml", ".md", ".toml")) and not path.startswith(("/cassettes/", "/tests/docs/")):
            yield path, (ROOT / path[1:]).read_text(encoding="utf-8")


def sections_in(text: str) -> set[str]:
    """The names of sections in `docs/semantics.md (One; Another)`."""
    return {name for group in re.findall(r"docs/semantics\.md`? \(([^)]+)\)", text) for name in group.split("; ")}


def requirements_in(text: str) -> set[str]:
    return set(re.findall(r"\bS00\d\b", text))


def laws_in(text: str) -> set[str]:
    return set(re.findall(r"\blaw (\d+)\b", text))


@pytest.mark.parametrize(
    ("named", "known"), [(sections_in, SECTIONS), (laws_in, LAWS), (requirements_in, REQUIREMENTS)]
)
def test_what_code_names_stands_in_the_document(named, known) -> None:
    """Whoever joins, and reads of a law that they cannot find."""
    wrong = {path: found for path, text in texts() if (found := named(text) - known)}

    assert {} == wrong
    assert any(named(text) for _, text in texts())


def test_nothing_points_into_a_design_that_is_not_here() -> None:
    """Sections of standards are named with the standard: RFC 9700 §2.1."""
    elsewhere = re.compile(r"\bdesign(?:\.md)?,? §")

    assert [] == [path for path, text in texts() if elsewhere.search(text)]
    assert elsewhere.search("design §6")
