"""Whoever follows a document gets what is ours: `reconciler` on the package index is a stranger's, with our version number."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.locked import ROOT, project

COMMANDS = re.compile(
    r"\b(?:pip3?|pipx|uv pip|uv tool|uv|conda|poetry)(?: -\S+)* (?:install|add|run|inject|upgrade)\b(?P<rest>[^`\n]*)"
    r"|\b(?:uvx|pipx run|npx|npm install|npm i)\b(?P<run>[^`\n]*)"
)
PLACES = (
    "*.md",
    "docs/**/*",
    "desired/**/*",
    "providers/**/*",
    "reconciler/**/*",
    "benchmarks/**/*",
    "requirements/*.md",
)
PROGRAMS = (".ci/*", "Makefile", "*.toml", "*.yaml", "cassettes/**/*", "tests/**/*.md")
KNOWN = {"sf-reconciler"}
VALUES = {"-r", "-c", "-o", "-t", "-w", "-e", "--only-binary", "--no-binary", "--python", "--requirement", "--target"}


def installed(text: str) -> Iterator[str]:
    """What the commands of a text install, each as it is written."""
    for found in COMMANDS.finditer(text.replace("\\\n", " ")):
        rest = re.split(r"[|;&)]| > ", found["rest"] or found["run"] or "")[0].replace("'", " ").replace('"', " ")
        words = iter(shlex.split(rest, comments=True))
        for word in words:
            if word in VALUES:
                next(words, None)
            elif word.startswith("$("):
                break
            elif not word.startswith("-"):
                yield word.rstrip(".,:")


def is_ours(what: str) -> bool:
    """A path, a wheel of ours, a repository that the reader names, or a distribution of ours."""
    if "/" in what or what == "" or what.endswith(".whl"):
        return ".whl" not in what or "sf_reconciler-" in what
    return re.split(r"[\[<>=!~@ ]", what)[0] in KNOWN


def texts() -> Iterator[tuple[str, str]]:
    for pattern in (*PLACES, *PROGRAMS):
        for path in sorted(ROOT.glob(pattern)):
            left_out = "node_modules" in path.parts or ".egg-info" in str(path)
            if path.is_file() and path.suffix not in (".pyc", ".db", ".png") and not left_out:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")


def test_no_document_installs_a_package_that_is_not_ours() -> None:
    """An installer runs what it gets, with the rights and the secrets of a pipeline."""
    found = [(place, what) for place, text in texts() for what in installed(text)]

    assert [] == [(place, what) for place, what in found if not is_ours(what)]
    assert ("README.md", "dist/sf_reconciler-0.1.0-py3-none-any.whl") in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run `pip install reconciler`.", ["reconciler"]),
        ("    - run: pip install --upgrade reconciler==0.1.0 # ours", ["reconciler==0.1.0"]),
        ("uv tool install reconciler[dev]", ["reconciler[dev]"]),
        ("uvx reconciler check", ["reconciler", "check"]),
        ("pipx install reconciler && reconciler", ["reconciler"]),
        ("python3 -m pip install -U reconciler", ["reconciler"]),
        ("$ pip install 'reconciler>=0.1'", ["reconciler>=0.1"]),
    ],
)
def test_it_sees_who_is_installed(text: str, expected: list[str]) -> None:
    """A walk that finds nothing would hold of every document."""
    assert expected == list(installed(text))
    assert not is_ours(expected[0])


@pytest.mark.parametrize(
    "text",
    [
        "pip install -r requirements.txt # sf-reconciler, pinned",
        "pip install --only-binary :all: -r requirements.txt",
        "pipx install dist/sf_reconciler-0.1.0-py3-none-any.whl",
        "pipx install git+https://HOST/PATH@COMMIT",
        "pip install -e .",
        "pip install sf-reconciler==0.1.0",
    ],
)
def test_what_is_ours_passes(text: str) -> None:
    """So that the documents can say how."""
    assert all(is_ours(what) for what in installed(text))


def test_the_distribution_and_the_command_are_called_so() -> None:
    """The command and the imports are what people have in their files."""
    said = project()["project"]

    assert ("sf-reconciler", {"reconciler": "reconciler.cli:main"}) == (said["name"], said["scripts"])


def test_the_version_is_said_once() -> None:
    """`--version`, reports and the wheel's name agree."""
    from reconciler import __version__

    assert __version__ == project()["project"]["version"]
    assert f"sf_reconciler-{__version__}-" in Path(ROOT / "README.md").read_text(encoding="utf-8")
