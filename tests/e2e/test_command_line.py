"""Habits of the command line: what is empty, what stands where, what other tools call it, and what a shell completes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.baseline.store import Store
from reconciler.cli import arguments, options, program
from reconciler.errors import InputError
from tests import warm
from tests.e2e.build import portal
from tests.e2e.project import Project

ROOT: Any = typer.main.get_command(program.app)
RECONCILER = str(Path(sys.executable).with_name("reconciler"))
EMPTY = ("", " ", "\t\n", "\u00a0")


def _commands(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in command.commands.items():
        if hasattr(one, "commands"):
            yield from _commands(one, (*path, name))
        else:
            yield (*path, name), one


def _with_value() -> Iterator[tuple[str, str]]:
    """Every spelling of every option that takes a value."""
    for path, command in _commands():
        for one in command.params:
            if one.param_type_name == "option" and not one.is_flag:
                yield from ((" ".join(path), name) for name in one.opts)


def _arranged(typed: str, **environment: str) -> list[str]:
    return arguments.arranged(ROOT, typed.split(), environment)


def _refused(*typed: str, **environment: str) -> str:
    with pytest.raises(InputError) as found:
        arguments.arranged(ROOT, typed, environment)
    return " | ".join(f"{one.message}: {one.mend}" for one in found.value.complaints)


@pytest.mark.parametrize(("command", "option"), list(_with_value()))
def test_no_option_takes_an_empty_text(command: str, option: str) -> None:
    """A variable that a pipeline does not define would mean every resource, the default org, no protection."""
    for empty in EMPTY:
        written = [[option, empty]] + ([[f"{option}={empty}"]] if option.startswith("--") else [])
        for words in written:
            assert f"{option} is empty" in _refused(*command.split(), *words)


def test_there_are_options_that_take_a_value() -> None:
    """Without them the test above would say nothing."""
    found = set(_with_value())
    wanted = {("plan", "--org"), ("plan", "-o"), ("apply", "--allow"), ("plan", "--target"), ("check", "--fail-on")}
    wanted |= {("plan", "--scrub"), ("plan", "--out"), ("drift", "--since"), ("baseline accept", "--project")}
    assert wanted <= found


@pytest.mark.parametrize(
    "words", ['apply|""', 'baseline|forget|""', 'explain|""', "verify|--| ", 'baseline|show|A/b|""', '""', '""|plan']
)
def test_no_argument_and_no_command_is_empty(words: str) -> None:
    """`apply "$PLAN"` without a plan would apply whatever the files say now."""
    assert "is empty" in _refused(*(word.strip('"') for word in words.split("|")))


def test_an_empty_org_is_refused_before_anything_is_done(project: Project) -> None:
    """The default org is for people at a keyboard, and may be production."""
    project.declare(portal())

    found = project.run("apply", "--auto-approve", "--org", "")

    assert (3, True, {}) == (found.code, "--org is empty" in found.err, dict(project.org.calls))


def test_everything_that_is_empty_is_named_at_once() -> None:
    """Several variables of a pipeline are undefined together."""
    said = _refused("plan", "--org", "", "--target", "", "--out=")

    assert [True] * 3 == [f"{name} is empty" in said for name in ("--org", "--target", "--out")]


@pytest.mark.parametrize("name", ["RECONCILER_ORG", "RECONCILER_PROJECT"])
def test_an_empty_variable_of_ours_is_not_given_either(name: str) -> None:
    """It would mean the default org."""
    assert f"the environment variable {name} is empty" in _refused("plan", **{name: ""})
    assert ["plan", "--org", "a", "--project", "b"] == _arranged("plan --org a --project b", **{name: ""})
    assert ["explain", "OA01"] == _arranged("explain OA01", **{name: ""})


def test_an_option_that_stands_where_a_value_belongs_is_none() -> None:
    """`--out $FILE --detailed-exitcode` without FILE would save the plan as `--detailed-exitcode`."""
    assert "--out has no value" in _refused("plan", "--out", "--detailed-exitcode")


def test_org_and_project_come_from_the_environment(project: Project) -> None:
    """A job sets them once for all its commands; what is typed goes before."""
    project.declare(portal())
    (project.root / "reconciler.yaml").rename(project.root / "other.yaml")

    assert 0 == project.run("plan", RECONCILER_PROJECT="other.yaml", RECONCILER_ORG="dev").code
    assert "'nix' is not an org" in project.run("plan", "--project", "other.yaml", RECONCILER_ORG="nix").err
    assert 0 == project.run("plan", "--project", "other.yaml", "-o", "dev", RECONCILER_ORG="nix").code


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("--project x plan", "plan --project x"),
        ("--project=x --org dev plan --out y", "plan --project=x --org dev --out y"),
        ("-o dev -q baseline list", "baseline list -o dev -q"),
        ("-qo dev baseline list", "baseline list -qo dev"),
        ("-odev plan", "plan -odev"),
        ("baseline --org dev list", "baseline list --org dev"),
        ("--org dev mock --project x users", "mock users --org dev --project x"),
        ("--json plan -- x", "plan --json -- x"),
        ("--version plan", "--version plan"),
        ("-h", "-h"),
        ("plan -h", "plan -h"),
        ("--show-completion", "--show-completion"),
    ],
)
def test_options_of_every_command_may_stand_before_it(typed: str, wanted: str) -> None:
    """`terraform -chdir=x plan`, `git -C x log`."""
    assert wanted.split() == _arranged(typed)


def test_an_option_before_a_command_that_has_none_is_an_error() -> None:
    """It would seem to have done something."""
    assert "No such option: --org" in _refused("--org", "dev", "explain", "OA01")


@pytest.mark.parametrize(
    ("typed", "mend"),
    [
        ("plan -out=x", "did you mean --out?"),
        ("plan -out x", "did you mean --out?"),
        ("apply -auto-approve", "did you mean --auto-approve?"),
        ("plan -org dev", "did you mean --org?"),
        ("-org dev plan", "did you mean --org?"),
        ("plan -json", "did you mean --json?"),
        ("plan -detailed-exitcode", "did you mean --detailed-exitcode?"),
        ("plan --target_org dev", "did you mean --org?"),
        ("plan --target-org dev", "did you mean --org?"),
        ("plan --otput json", "did you mean --output?"),
        ("apply --yes", "did you mean --auto-approve?"),
        ("apply -yes", "did you mean --auto-approve?"),
        ("apply --out x", "it goes with plan --out"),
        ("plan -y", "it goes with apply -y"),
        ("--out x plan", "write it behind the command: plan --out"),
        ("plan -frob", "reconciler plan --help"),
        ("baseline list --frob", "reconciler baseline list --help"),
        ("apply --force", "--allow GUARD lifts one guard by name"),
        ("plan --force", "--allow GUARD lifts one guard by name"),
        ("plan -u dev", "did you mean --org?"),
        ("explain --json", "it goes with plan --json, apply --json, drift --json and others"),
        ("import", "did you mean reconciler pull?"),
        ("adopt", "reconciler pull takes what the org has"),
        ("show", "reconciler baseline show ADDRESS"),
        ("help", "reconciler --help"),
        ("refresh", "did you mean reconciler drift?"),
        ("validate", "did you mean reconciler check?"),
        ("destroy", "did you mean reconciler plan --destroy?"),
        ("pln", "did you mean reconciler plan?"),
        ("baseline lst", "did you mean reconciler baseline list?"),
        ("frobnicate", "reconciler --help lists them"),
        ("--show-completion zsh", "_RECONCILER_COMPLETE=source_zsh reconciler"),
    ],
)
def test_a_habit_of_another_tool_is_answered_with_how_it_is_written_here(typed: str, mend: str) -> None:
    """`No such option: -o` helps nobody who has typed `-out=x` for years."""
    assert mend in _refused(*typed.split())


def test_force_is_not_answered_with_what_only_keeps_from_asking() -> None:
    """Who wants to get past a guard would lose the question as well."""
    assert "--auto-approve" not in _refused("apply", "--force")


@pytest.mark.parametrize(("typed", "names"), [("", ROOT.commands), ("baseline", ROOT.commands["baseline"].commands)])
def test_no_command_is_answered_with_the_commands(project: Project, typed: str, names: dict[str, Any]) -> None:
    """The first thing that a newcomer types."""
    found = project.run(*typed.split())

    shown = [line.split()[0] for line in found.err.splitlines()[2:]]
    assert (3, [name for name, one in names.items() if not one.hidden]) == (found.code, shown), found.err


def test_no_mend_names_what_there_is_not() -> None:
    """Neither a command nor an option."""
    known = {name for _, command in _commands() for one in command.params for name in one.opts}

    assert set() == {ours for all_of_them in arguments.OPTIONS.values() for ours in all_of_them} - known
    for habit in arguments.COMMANDS:
        if habit in ROOT.commands:
            continue
        said = _refused(habit)
        named = said.partition("did you mean reconciler ")[2].partition("?")[0].split()
        assert not named or named[0] in {*ROOT.commands, "--help"}, said


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("--detaild", "--detailed-exitcode"), ("--vali", "--validate"), ("--deta", "--detailed-exitcode")],
)
def test_the_beginning_of_a_long_option_is_enough_to_name_it(project: Project, typed: str, meant: str) -> None:
    """`--detaild`: nearer to nothing than to what was meant."""
    said = project.run("plan", typed).err

    assert f"did you mean {meant}?" in said


def test_a_format_behind_o_is_explained(project: Project) -> None:
    """`kubectl -o json`."""
    project.declare(portal())

    assert "did you mean --output json? -o is short for --org" in project.run("plan", "-o", "json").err


def test_json_is_short_for_output_json(project: Project) -> None:
    """sf has it everywhere; with `--output json` it is the same once."""
    project.declare(portal())

    for words in (["--json"], ["--json", "--output", "json"]):
        assert project.plan()["resource_changes"] == json.loads(project.run("plan", *words).out)["resource_changes"]
    assert 3 == project.run("plan", "--json", "--output", "text").code


def test_every_command_with_formats_has_json() -> None:
    """A habit that works in nine commands of ten is a trap in the tenth."""
    options = {path: {name for one in command.params for name in one.opts} for path, command in _commands()}
    assert [] == [path for path, names in options.items() if ("--output" in names) != ("--json" in names)]


def test_y_approves(project: Project) -> None:
    """As everywhere."""
    project.declare(portal())

    assert 0 == project.run("apply", "-y").code


def test_quiet_leaves_results_and_errors(project: Project) -> None:
    """A log of a nightly job has no use for stages."""
    project.declare(portal())
    loud, quiet = project.run("plan"), project.run("plan", "-q")

    assert (loud.out, True, "") == (quiet.out, "retrieving" in loud.err, quiet.err)
    assert "is not an org" in project.run("plan", "-q", "-o", "nix").err


def test_verbose_tells_each_call(project: Project) -> None:
    """Who has to find out why it is slow, or what a proxy does, sees what is asked."""
    project.declare(portal())

    said = project.run("plan", "-v").err

    assert [True] * 3 == [word in said for word in ("GET /services/data", "SELECT Id, Name", "bytes,")]


@pytest.mark.parametrize("words", ["-V", "--version", "version"])
def test_the_version_is_asked_in_three_ways(project: Project, words: str) -> None:
    """Whoever reports a defect is asked for it."""
    assert "reconciler 0." in project.run(words).out


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "0"}, False),
        ({}, False),
    ],
)
def test_colour_is_forced_and_forbidden_by_the_usual_variables(
    project: Project, environment: dict[str, str], coloured: bool
) -> None:
    """The log of a CI job shows colours and is no terminal."""
    project.declare(portal())
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}

    done = subprocess.run(
        [warm.folder() / "reconciler", "plan"],
        cwd=project.root,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert coloured == ("\x1b[" in done.stdout)


@pytest.mark.parametrize(
    ("shell", "asked"),
    [
        ("bash", {"COMP_WORDS": "reconciler pl", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "reconciler pl"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "reconciler pl", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_a_shell_completes_commands(project: Project, shell: str, asked: dict[str, str]) -> None:
    """Thirty options are not learnt by heart."""
    found = _completed(project, shell, asked)

    assert ("plan" in found, "drift" in found) == (True, False)


def test_a_shell_completes_options_and_orgs(project: Project) -> None:
    """The names of the orgs are the reader's own."""
    options = _completed(project, "bash", {"COMP_WORDS": "reconciler --org dev plan --ou", "COMP_CWORD": "4"})
    orgs = _completed(project, "bash", {"COMP_WORDS": "reconciler plan -o ", "COMP_CWORD": "3"})

    assert (["--out", "--output"], ["dev"]) == (sorted(options.split()), orgs.split())


def test_a_broken_project_completes_no_orgs(project: Project) -> None:
    """An error in the middle of a line that is being typed."""
    (project.root / "reconciler.yaml").write_text("project: [", encoding="utf-8")

    assert "" == _completed(project, "bash", {"COMP_WORDS": "reconciler plan -o ", "COMP_CWORD": "3"}).strip()


def test_bash_takes_what_is_shown(project: Project) -> None:
    """The script that is printed is run by a real shell."""
    script = (
        'eval "$(_RECONCILER_COMPLETE=source_bash reconciler)"; complete -p reconciler; COMP_WORDS=(reconciler ba);'
        ' COMP_CWORD=1; _reconciler_completion reconciler; echo "${COMPREPLY[@]}"'
    )
    path = f"{Path(RECONCILER).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=project.root,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "baseline" == done.stdout.splitlines()[-1]


def _completed(project: Project, shell: str, asked: dict[str, str]) -> str:
    done = subprocess.run(
        [RECONCILER],
        cwd=project.root,
        env={**os.environ, "_RECONCILER_COMPLETE": f"complete_{shell}", **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "" == done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("text", "wanted"), [("90", 90), ("0", 0), ("30s", 30), ("5m", 300), ("1h", 3600), ("1.5m", 90), ("2 minutes", 120)]
)
def test_a_duration_is_written_as_people_do(text: str, wanted: float) -> None:
    """Seconds are counted by machines."""
    assert wanted == options.seconds(text, "--lock-timeout")


@pytest.mark.parametrize("text", ["x", "-1", "5x", "m", "nan", "inf", "1e3", "2d", "48h"])
def test_what_is_no_duration_is_refused_with_how_it_is_written(text: str) -> None:
    """`5x` must not wait for ever."""
    with pytest.raises(InputError) as found:
        options.seconds(text, "--lock-timeout")
    assert "--lock-timeout 90, 30s or 5m" in found.value.complaints[0].mend


def test_an_apply_waits_for_the_baseline_as_long_as_it_is_told(project: Project) -> None:
    """Who has it is said while it waits."""
    project.declare(portal())
    with Store(project.root / ".reconciler" / "baselines", "acme").lock(project.org.org_id):
        found = project.run("apply", "-y", "--lock-timeout", "0.3")

    assert (4, True, True) == (found.code, "waiting for the baseline" in found.err, "--lock-timeout" in found.err)
    assert 3 == project.run("verify", "--wait", "never").code
