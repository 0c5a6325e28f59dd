"""Several formats in one run, and what they hold when a command is stopped."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from junitparser import JUnitXml

from reconciler.cli import workspace
from reconciler.model.formats import REPORTS
from tests.e2e.build import APP, DANA, GLOBAL, app, portal
from tests.e2e.project import Project, Terminal

FORMATS = ("json", *REPORTS)
COMMANDS = ("check", "check --live", "plan", "apply --auto-approve", "drift")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_writes_every_format_in_one_run(project: Project, command: str) -> None:
    """A pipeline that has to run a plan seven times for seven readers gets seven plans."""
    project.declare(portal())
    if command == "drift":
        project.apply()
        project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    wanted = [argument for form in FORMATS for argument in ("--output", f"{form}=out.{form}")]

    found = project.run(*command.split(), "--output", "text", *wanted)

    assert found.code in (0, 2), found.said
    assert found.out.strip()
    content = {form: (project.root / f"out.{form}").read_text(encoding="utf-8") for form in FORMATS}
    assert [] == [form for form, text in content.items() if len(text) < 20]
    if command == "drift":
        address = "isSecretRequiredForRefreshToken"
        assert [] == [form for form in FORMATS if form not in ("graph", "dot") and address not in content[form]]


@pytest.mark.parametrize("form", ["json", "markdown", "sarif", "junit", "html"])
def test_what_stops_a_command_is_told_in_every_format(project: Project, form: str) -> None:
    """A pull request whose report is missing, or is the one of yesterday, looks as if all were well."""
    project.declare(app(labl="Portal"))

    found = project.run("check", "--output", f"{form}=out")

    assert (3, True) == (found.code, "labl is not a field" in found.err)
    assert "labl is not a field" in (project.root / "out").read_text(encoding="utf-8")


def test_a_build_sees_broken_files_as_a_failed_test(project: Project) -> None:
    """An empty test report is a green one."""
    project.declare(app(labl="Portal"))

    project.run("plan", "--output", "junit=out.xml")

    assert 1 == JUnitXml.fromfile(str(project.root / "out.xml")).failures


def test_a_run_that_was_stopped_is_no_plan_to_apply(project: Project) -> None:
    """A program that reads the JSON must not take an error for a plan without changes."""
    project.declare(app(labl="Portal"))

    found = json.loads(project.run("plan", "--output", "json").out)

    assert (True, 3) == (found["errored"], found["exit_code"])


def test_two_formats_do_not_share_standard_output(project: Project) -> None:
    """Neither could be read."""
    project.declare(portal())

    found = project.run("plan", "--output", "json", "--output", "markdown")

    assert (3, True) == (found.code, "two formats go to standard output" in found.err)


@pytest.mark.parametrize("given", ["jsn", "jsn=plan.json", "sarif=no/such/folder/a.sarif"])
def test_a_format_or_file_that_cannot_be_is_said_before_the_org_is_asked(project: Project, given: str) -> None:
    """After an apply it would be too late."""
    project.declare(portal())

    found = project.run("apply", "--auto-approve", "--output", given)

    assert (3, {}) == (found.code, dict(project.org.calls))


def test_a_summary_is_one_line_a_change(project: Project) -> None:
    """Whoever reviews two hundred changes begins with the list."""
    project.declare(portal())

    long, short = project.run("plan").out, project.run("plan", "--summary").out

    assert ("contactEmail" in long, "contactEmail" in short, APP in short) == (True, False, True)


def test_a_plan_counts_what_it_does_not_show(project: Project) -> None:
    """One changed line of forty looks like the whole record otherwise."""
    project.declare(portal())
    project.apply()
    project.declare(portal(isConsumerSecretOptional=True))

    assert " unchanged fields hidden)" in project.run("plan").out


@pytest.mark.parametrize("command", [*COMMANDS, "drift --since none.json"])
def test_a_broken_project_file_or_report_is_told_too(project: Project, command: str) -> None:
    """It is the first file of all: a build that finds no report of it shows nothing."""
    if "--since" not in command:
        (project.root / "reconciler.yaml").write_text("project: [1]\n", encoding="utf-8")

    found = project.run(*command.split(), "--output", "sarif=out.sarif")

    told = json.loads((project.root / "out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert (3, {"error"}) == (found.code, {result["ruleId"] for result in told})


def test_a_run_that_was_stopped_leaves_the_report_that_it_compares_with(project: Project) -> None:
    """A nightly check reads and writes one file: a login that fails once would stop it for good."""
    project.declare(portal())
    project.apply()
    nightly = ("drift", "--output", "json=drift.json")
    project.run(*nightly)
    before = (project.root / "drift.json").read_bytes()
    project.configure(org_id="00D000000000001EAA")

    assert 4 == project.run(*nightly, "--since", "drift.json", "--output", "sarif=out.sarif").code

    assert (before, True) == ((project.root / "drift.json").read_bytes(), (project.root / "out.sarif").exists())


def test_undoing_drift_reads_as_such(project: Project) -> None:
    """A callback URL that comes back looks like one that is added: a reviewer would stop the repair."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"callbackUrl": "https://evil.example/x"}, as_user=DANA)

    assert "(weakens, critical)   restores" in project.run("plan").out
    (change,) = project.plan()["resource_changes"]
    assert [True] == [field["restores"] for field in change["fields"]]


def test_a_new_wish_restores_nothing(project: Project) -> None:
    """Nor is what the file asks for the first time a repair."""
    project.declare(portal())
    project.apply()
    project.declare(portal(callbackUrl=["https://portal.acme.example/other"]))

    (change,) = project.plan()["resource_changes"]
    assert [False] == [field["restores"] for field in change["fields"]]


def test_a_format_without_a_file_after_the_sign_is_an_error(project: Project) -> None:
    """An empty variable of a pipeline would flood its log with HTML."""
    assert 3 == project.run("plan", "--output", "html=").code


@pytest.mark.parametrize("command", ["explain TX02", "schema plan"])
def test_a_full_disk_is_not_our_defect(project: Project, command: str) -> None:
    """The user can mend it, if he is told."""
    project.declare(portal())
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        shell = [str(Path(sys.executable).with_name("reconciler")), *command.split()]
        done = subprocess.run(shell, cwd=project.root, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (1, True) == (done.returncode, "standard output cannot be written" in done.stderr), done.stderr


def test_nothing_moves_on_the_terminal_while_somebody_is_asked(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A progress line below the question writes over the answer that is being typed."""
    project.declare(portal())
    stages: list[str] = []
    asked_after: list[str] = []

    @contextmanager
    def told(_: bool) -> Iterator[Callable[[str], None]]:
        yield stages.append

    monkeypatch.setattr(workspace, "progress", told)
    project.run("apply", stdin=Terminal("yes", lambda: asked_after.append(stages[-1])))

    assert ([""], True) == (asked_after, len(stages) > 1 and stages[-1] != "")
