"""What a command reads is never written over by what it writes."""

from pathlib import Path

import pytest

from tests.e2e.build import portal
from tests.e2e.project import Project


def _all(project: Project) -> dict[Path, bytes]:
    """Every file of the project but the org, in which a reading leaves its traces."""
    skipped = {project.root / ".reconciler/orgs"}
    files = (one for one in project.root.rglob("*") if one.is_file() and not skipped & set(one.parents))
    return {one: one.read_bytes() for one in files}


@pytest.fixture
def saved(project: Project) -> Project:
    """A project with an app that is applied, a saved plan and a baseline."""
    project.declare(portal())
    project.apply()
    project.declare(portal(label="New"))
    assert 0 == project.run("plan", "--out", "plan.json").code
    (project.root / "link.yaml").symlink_to(project.root / "reconciler.yaml")
    return project


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("plan --out desired/identity.yaml", "the desired files in desired"),
        ("plan --out desired/new.yml", "the desired files in desired"),
        ("plan --output json=desired/Handler.cls", "the desired files in desired"),
        ("plan --out reconciler.yaml", "the project file"),
        ("plan --output markdown=reconciler.yaml", "the project file"),
        ("plan --output markdown=./desired/../reconciler.yaml", "the project file"),
        ("drift --output html=link.yaml", "the project file"),
        ("plan --record desired/x.yaml", "the desired files in desired"),
        ("check --output sarif=desired/identity.yaml", "the desired files in desired"),
        ("apply plan.json --output json=plan.json", "the saved plan that is read"),
        ("verify --output junit=desired/identity.yaml", "the desired files in desired"),
        ("doctor --output json=reconciler.yaml", "the project file"),
        ("baseline list --output text=desired/identity.yaml", "the desired files in desired"),
        ("baseline show ConnectedApp/Legacy_ERP --output json=reconciler.yaml", "the project file"),
        ("plan --out .reconciler/baselines/x.json", "the baselines in .reconciler/baselines"),
        ("drift --output json=.reconciler/orgs/dev.db", "the mock org dev"),
        ("plan --replay plan.json --out plan.json", "the recording that is read"),
        ("cassette plan.json --output json=plan.json", "the recording that is read"),
        ("plan --out a.txt --output text=a.txt", "--out a.txt and --output text=a.txt are one file"),
        ("plan --out a.txt --output text=./desired/../a.txt", "are one file"),
        ("plan --output json=a.txt --output text=desired/../a.txt", "are one file"),
        ("drift --record a.txt --output json=a.txt", "are one file"),
    ],
)
def test_no_output_goes_over_what_is_read(saved: Project, command: str, what: str) -> None:
    """A slip of the shell's completion would take the only copy of what was declared."""
    before, org = _all(saved), saved.content()

    found = saved.run(*command.split())

    assert (3, True) == (found.code, what in found.err), found.said
    assert (before, org) == (_all(saved), saved.content())


def test_nor_does_the_report_of_a_broken_project_file(saved: Project) -> None:
    """What stops a command is written in the formats for programs, too."""
    (saved.root / "reconciler.yaml").write_text("project: [", encoding="utf-8")
    before = _all(saved)

    for file in ("reconciler.yaml", "desired/identity.yaml"):
        found = saved.run("plan", "--output", f"json={file}")
        assert (3, True) == (found.code, "would be written over" in found.err), found.said
    assert before == _all(saved)


@pytest.mark.parametrize(
    "command",
    [
        "plan --out desired/plan.json --output markdown=desired/plan.md",
        "plan --out plan.json",
        "plan --out /dev/null --output html=/dev/null",
        "drift --since drift.json --output json=drift.json",
    ],
)
def test_what_is_no_input_may_be_written(saved: Project, command: str) -> None:
    """The nightly job puts the new report in the place of the old one, once it has compared them."""
    assert 0 == saved.run("drift", "--output", "json=drift.json").code

    found = saved.run(*command.split())

    assert 0 == found.code, found.said
