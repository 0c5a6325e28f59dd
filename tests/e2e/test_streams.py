"""Whatever becomes of standard input, output and error: an apply is carried to its end, and every result is told."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest
from lxml import etree

from reconciler.cli import streams
from tests import warm
from tests.e2e.build import APP, DANA, GLOBAL, portal
from tests.e2e.project import Project

RECONCILER = str(Path(sys.executable).with_name("reconciler"))
FULL = "/dev/full"
STARTED = ("<&- >&- 2>&-", f">{FULL}")
"""What is closed where the interpreter itself is started so; elsewhere a warm process is enough."""


def _shell(
    project: Project, line: str, *, installed: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command in a shell of its own, which opens and closes streams as it is told. `installed` starts an interpreter."""
    first = Path(RECONCILER).parent if installed else warm.folder()
    path = f"{first}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=project.root,
        env={**os.environ, "PATH": path, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def _landed(project: Project) -> bool:
    """Whether the app is in the org and in the baseline, and no apply is left half-way."""
    journals = list((project.root / ".reconciler" / "baselines").glob("*.journal"))
    return project.held(APP) is not None and APP in project.baseline and not journals


def _left_at(project: Project, word: bytes, stream: str) -> tuple[int, bytes]:
    """An apply whose reader goes away as soon as it has read a word: exit code, and what the other stream said."""
    given = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([RECONCILER, "apply", "--auto-approve"], cwd=project.root, **given) as running:
        left: IO[bytes] = getattr(running, stream)
        kept: IO[bytes] = running.stdout if stream == "stderr" else running.stderr  # type: ignore[assignment]
        for said in left if word else ():
            if word in said:
                break
        left.close()
        told = kept.read()
        return running.wait(120), told


@pytest.mark.parametrize("word", [b"", b"deploying"])
def test_an_apply_outlives_the_reader_of_its_progress(project: Project, word: bytes) -> None:
    """A log collector that goes away would leave an org half changed, and a baseline that knows nothing of it."""
    project.declare(portal())

    code, told = _left_at(project, word, "stderr")

    assert (0, True, True) == (code, b"landed" in told, _landed(project))


def test_what_an_apply_did_is_told_on_standard_error_when_nobody_reads_its_output(project: Project) -> None:
    """`apply | head -1` must not be the only trace of a deployment."""
    project.declare(portal())

    code, told = _left_at(project, b"", "stdout")

    assert (0, True, True) == (code, b"landed" in told, _landed(project))


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", f">{FULL}", f"2>{FULL}", f">{FULL} 2>&1"])
def test_an_apply_is_carried_to_its_end_without_streams(project: Project, closed: str) -> None:
    """A runner may start us with any of them closed, or with a disk that is full."""
    project.declare(portal())

    done = _shell(project, f"reconciler apply --auto-approve {closed}", installed=closed in STARTED)

    shown = closed in ("2>&-", "<&-", f"2>{FULL}", ">&-", f">{FULL}")
    assert (0, True, shown) == (done.returncode, _landed(project), "landed" in done.stdout + done.stderr), done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", f">{FULL}", f"2>{FULL}"])
def test_plan_and_drift_keep_their_exit_code_without_streams(project: Project, closed: str) -> None:
    """A night watch whose log is full has still seen what it has seen."""
    project.declare(portal())
    planned = _shell(project, f"reconciler plan --detailed-exitcode {closed}", installed=closed in STARTED)
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    drifted = _shell(project, f"reconciler drift {closed}")

    assert (2, 2) == (planned.returncode, drifted.returncode), planned.stderr + drifted.stderr
    if "2>" not in closed:
        assert ("Plan: ", "isSecretRequiredForRefreshToken") == tuple(
            word if word in done.stdout + done.stderr else done.stderr
            for word, done in (("Plan: ", planned), ("isSecretRequiredForRefreshToken", drifted))
        )


def test_a_reader_who_has_seen_enough_gets_nothing_more(project: Project) -> None:
    """`plan | head` is a habit: the whole plan on standard error would not be what was asked for."""
    project.declare(portal())

    done = _shell(project, "set -o pipefail; reconciler plan | head -1")

    assert (0, 1, False) == (done.returncode, len(done.stdout.splitlines()), "Plan:" in done.stderr), done.stderr


def test_an_error_is_told_on_standard_output_where_standard_error_is_closed(project: Project) -> None:
    """An exit code alone mends nothing."""
    done = _shell(project, "reconciler plan --org nix 2>&-")

    assert (3, True) == (done.returncode, "'nix' is not an org" in done.stdout)


def test_an_error_does_not_stand_behind_a_result(project: Project) -> None:
    """A program that reads JSON could read neither."""
    done = _shell(project, "reconciler plan --org nix --output json 2>&-")

    assert 3 == json.loads(done.stdout)["exit_code"]


@pytest.mark.parametrize("closed", ["<&-", "</dev/null", "<&- 2>&-"])
def test_without_a_terminal_nobody_is_asked(project: Project, closed: str) -> None:
    """Cron closes standard input: an apply without --auto-approve is refused there in plain words."""
    project.declare(portal())

    done = _shell(project, f"reconciler apply {closed}")

    assert (4, "there is no terminal" in done.stdout + done.stderr, False) == (done.returncode, True, _landed(project))


def test_without_a_terminal_it_is_said_before_the_org_is_read(project: Project) -> None:
    """Reading a large org takes minutes, and nothing came of them."""
    project.declare(portal())

    found = project.run("apply")

    assert (4, True, {}) == (found.code, "there is no terminal" in found.err, dict(project.org.calls))


def test_what_was_typed_before_the_question_is_no_answer(project: Project) -> None:
    """`yes` for the next command of a script that is pasted, or typed in impatience, would approve an unseen plan."""
    project.declare(portal())
    master, slave = pty.openpty()
    try:
        os.write(master, b"yes\n")
        with subprocess.Popen(
            [RECONCILER, "apply"], cwd=project.root, stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            seen, stderr = b"", running.stderr
            while stderr is not None and b"is accepted: " not in seen and (byte := stderr.read(1)):
                seen += byte
            os.write(master, b"no\n")
            said = running.communicate(timeout=120)[1]
    finally:
        os.close(master)
        os.close(slave)

    assert (4, True, False) == (running.returncode, b"not confirmed" in said, _landed(project))


def test_a_closed_stream_never_writes_into_a_file_of_ours(project: Project) -> None:
    """The next file that is opened gets the number of a closed stream; a child would write into the baseline."""
    script = (
        "import os, sys; from reconciler.cli.streams import take_over; take_over(); print(os.open('x', os.O_CREAT) > 2)"
    )

    done = _shell(project, f'"{sys.executable}" -c "{script}" <&- 2>&-')

    assert "True\n" == done.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "cp850", "utf-8"])
def test_what_an_encoding_lacks_is_written_in_another_way(project: Project, encoding: str) -> None:
    """A console of Windows, or a container without a locale: no reason for a crash instead of a plan."""
    project.declare(portal(label="Łódź → 😀"))
    project.apply()
    project.declare(portal(label="Łódź ← 😀"))

    done = _shell(
        project, "reconciler plan --detailed-exitcode", installed=encoding == "ascii", PYTHONIOENCODING=encoding
    )

    assert 2 == done.returncode, done.stderr
    if encoding == "ascii":
        assert r"\u0141\xf3d\u017a <- \U0001f600" in done.stdout
    if encoding == "utf-8":
        assert "Łódź ← 😀" in done.stdout


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "html", "markdown"])
def test_a_format_for_programs_stays_readable_in_any_encoding(project: Project, form: str) -> None:
    """XML that says UTF-8 and is cp1252 is no XML."""
    project.declare(portal(label="Łódź é"))

    command = f"reconciler plan --output {form} > out"
    done = _shell(project, command, installed=form == "junit", PYTHONIOENCODING="cp1252")

    data = (project.root / "out").read_bytes()
    assert 0 == done.returncode, done.stderr
    if form in ("json", "sarif"):
        json.loads(data.decode("utf-8"))
    elif form == "junit":
        etree.fromstring(data)
    elif form == "html":
        assert "Łódź é" in "".join(etree.HTML(data).itertext())
    else:
        assert "Plan: " in data.decode("cp1252")


def test_a_file_is_utf_8_whatever_the_terminal_is(project: Project) -> None:
    """A saved plan goes to another machine."""
    project.declare(portal(label="Łódź → 😀"))

    _shell(project, "reconciler plan --output text=plan.txt", installed=True, PYTHONIOENCODING="ascii", LC_ALL="C")

    assert "Łódź → 😀" in (project.root / "plan.txt").read_text(encoding="utf-8")


def test_one_file_that_cannot_be_written_stops_no_other(project: Project) -> None:
    """A full disk for the JSON is no reason to lose the report for people."""
    project.declare(portal())

    done = _shell(project, f"reconciler apply --auto-approve --output json={FULL} --output sarif=out.sarif")

    assert (1, True, True, True) == (
        done.returncode,
        f"{FULL} cannot be written" in done.stderr,
        (project.root / "out.sarif").is_file(),
        _landed(project),
    ), done.stderr


def test_the_result_of_an_apply_is_told_though_its_only_file_cannot_be_written(project: Project) -> None:
    """It has landed: whoever sees exit 1 and nothing else would apply again, or look for what broke."""
    project.declare(portal())

    done = _shell(project, f"reconciler apply --auto-approve --output json={FULL}")

    assert (1, True, True) == (done.returncode, "Deployment: landed" in done.stderr, _landed(project)), done.stderr


def test_findings_outweigh_a_file_that_cannot_be_written(project: Project) -> None:
    """Drift stays drift."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)

    assert 2 == _shell(project, f"reconciler drift --output json={FULL}").returncode


def test_a_plan_that_was_not_saved_is_shown_and_is_a_failure(project: Project) -> None:
    """The next job applies the file: it must not begin."""
    project.declare(portal())

    done = _shell(project, f"reconciler plan --detailed-exitcode --out {FULL}")

    assert (1, True, True) == (done.returncode, "Plan: " in done.stdout, "is not saved" in done.stderr), done.stderr


def test_what_was_accepted_is_told_without_standard_output(project: Project) -> None:
    """It is done: a failure would be untrue."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)

    done = _shell(project, f"reconciler baseline accept {GLOBAL} >{FULL}")

    assert (0, True) == (done.returncode, f"accepted {GLOBAL}" in done.stderr), done.stderr


@pytest.mark.parametrize("command", ["--help", "plan --help", "explain TX02", "schema plan"])
def test_help_and_explanations_take_any_reader(project: Project, command: str) -> None:
    """Neither one that leaves, nor one that knows no UTF-8, makes them a crash."""
    left = _shell(project, f"set -o pipefail; reconciler {command} | head -1", installed=command == "--help")
    ascii_only = _shell(project, f"reconciler {command}", PYTHONIOENCODING="ascii")

    assert [(0, ""), (0, "")] == [(one.returncode, one.stderr) for one in (left, ascii_only)]
    assert "b'" not in left.stdout + ascii_only.stdout


def test_a_terminal_that_is_closed_lets_an_apply_end_in_order(project: Project) -> None:
    """The window is closed while it deploys: as with Ctrl-C, the deployment is cancelled or its result is kept."""
    project.declare(portal())
    outer, inner = pty.openpty()
    command = [RECONCILER, "apply", "--auto-approve"]
    with subprocess.Popen(
        command, cwd=project.root, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
    ) as running:
        os.close(inner)
        seen = b""
        deadline = time.monotonic() + 60
        while b"deploying" not in seen and time.monotonic() < deadline:
            try:
                seen += os.read(outer, 4096)
            except OSError:
                break  # It has ended, and with it the terminal's other side.
        os.kill(running.pid, signal.SIGHUP)
        os.close(outer)
        code = running.wait(60)

    assert code in (0, 130), code
    journals = list((project.root / ".reconciler" / "baselines").glob("*.journal"))
    assert code == 130 or (_landed(project) and not journals)


def test_a_stream_remembers_why_nothing_arrives_any_more() -> None:
    """Whoever has a result to tell asks it."""
    gone = io.StringIO()
    gone.close()
    closed, never = streams.Stream(gone), streams.Stream(None)
    closed.write("x")

    assert ("it is closed", "it is closed", "") == (closed.lost, never.lost, streams.Stream(io.StringIO()).lost)
