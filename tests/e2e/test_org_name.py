"""Outputs name the org as the project file does: who has five orgs called Acme knows them by those names only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.build import APP, portal
from tests.e2e.project import Project, Terminal

NAME = "acme-prod-eu"
FORMATS = ("text", "json", "markdown", "sarif", "junit", "html")


@pytest.fixture
def named(project: Project) -> Iterator[Project]:
    """A project whose org is called as no org calls itself."""
    file = project.root / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("  dev:", f"  {NAME}:"), encoding="utf-8")
    project.declare(portal())
    yield project


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", ["plan", "apply --auto-approve", "check --live", "verify"])
def test_every_format_names_the_org_as_the_project_does(named: Project, command: str, form: str) -> None:
    """A report that lies around is of which org?"""
    said = named.run(*command.split(), "--output", form).out

    assert (True, True) == (NAME in said, "Acme" in said), said[:400]


@pytest.mark.parametrize("form", FORMATS)
def test_drift_names_the_org_as_the_project_does(named: Project, form: str) -> None:
    """The one report that is read at night."""
    named.apply()

    assert NAME in named.run("drift", "--output", form).out


@pytest.mark.parametrize(
    "command", ["doctor", "doctor --json", "baseline list", f"baseline show {APP}", "baseline list --json"]
)
def test_so_do_the_other_commands(named: Project, command: str) -> None:
    """They are read beside reports."""
    named.apply()

    assert NAME in named.run(*command.split()).out


def test_the_question_names_the_org_as_the_project_does(named: Project) -> None:
    """`yes` is said to a name that one knows."""
    said = named.run("apply", stdin=Terminal("no")).err

    assert f"Apply this to {NAME} (Acme, 00D" in said


def test_a_replay_names_the_org_as_the_project_does(named: Project) -> None:
    """The recording does not know that name."""
    named.run("plan", "--record", "tape.json")

    assert NAME not in Path(named.root / "tape.json").read_text(encoding="utf-8")
    assert NAME in named.run("plan", "--replay", "tape.json").out


def test_baselines_keep_their_file_names(named: Project) -> None:
    """Renaming an org in the project file must not lose what was applied."""
    named.apply()

    assert named.baseline_file is not None
    assert NAME not in named.baseline_file.name
