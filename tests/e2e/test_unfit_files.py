"""Every file that a user names may be a pipe, an endless device, a link in a circle or 3 GB: one line and an end at once."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.build import portal
from tests.e2e.project import Project

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
SECONDS = 60
MEMORY = 1 << 30


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(3 << 30)


UNFIT: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "without an end": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
    "a link that leads nowhere": lambda path: path.symlink_to("nowhere/at/all"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "3 GB": _huge,
}
TOKEN = {"flow": "token", "access_token": {"secret": {"file": "token.txt"}}}
FILES: dict[str, tuple[str, ...]] = {
    "reconciler.yaml": ("check",),
    "named.yaml": ("plan", "--project", "named.yaml"),
    "desired/more.yaml": ("check",),
    "desired/Some.cls": ("check",),
    "desired/Some.cls-meta.xml": ("plan",),
    "plan.json": ("apply", "plan.json"),
    "before.json": ("drift", "--since", "before.json"),
    "tape.json": ("plan", "--replay", "tape.json"),
    "seen.json": ("cassette", "seen.json"),
    "faults.yaml": ("mock", "serve", "--faults", "faults.yaml"),
    "token.txt": ("plan",),
    "BASELINE": ("drift",),
    "JOURNAL": ("apply", "--auto-approve"),
    ".reconciler/orgs/dev.db": ("plan",),
}
SINKS: dict[str, tuple[str, ...]] = {
    "out.json": ("plan", "--out", "out.json"),
    "report.md": ("drift", "--output", "markdown=report.md"),
    "tape.json": ("drift", "--record", "tape.json"),
}


@contextmanager
def bounded() -> Iterator[None]:
    """A command that waits or swallows memory fails its test instead of stopping all of them."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done after {SECONDS} s")

    size = Path("/proc/self/statm")
    used = int(size.read_text().split()[0]) * resource.getpagesize() if size.exists() else 0
    before, limits = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    signal.alarm(SECONDS)
    try:
        if used:
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, limits[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", UNFIT)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_whole_ends_the_command_at_once(project: Project, name: str, kind: str):
    """A pipeline that waits for ever, or is killed for its memory, tells nothing, and says nothing about why."""
    project.declare(portal())
    path = project.root / name
    if name in ("BASELINE", "JOURNAL"):
        project.apply()
        assert project.baseline_file is not None
        path = project.baseline_file.with_suffix(".json" if name == "BASELINE" else ".journal")
    elif name == "token.txt":
        project.configure(mock=None, instance_url="http://127.0.0.1:9", login=TOKEN)
    elif name.endswith(".db"):
        if kind == "3 GB":
            pytest.skip("a database may be that large")
        project.org.close()
    elif kind == "a folder" and name.startswith("desired/"):
        pytest.skip("folders are what desired files stand in")
    path.unlink(missing_ok=True)
    UNFIT[kind](path)

    with bounded():
        found = project.run(*FILES[name])

    assert 3 == found.code, found.said
    assert "mend:" in found.err
    assert os.path.lexists(path)


@pytest.mark.parametrize("kind", ["a pipe", "a folder", "a link in a circle", "a link that leads nowhere"])
@pytest.mark.parametrize("name", SINKS)
def test_a_result_that_cannot_be_written_is_said_before_anything_is_done(project: Project, name: str, kind: str):
    project.declare(portal())
    UNFIT[kind](project.root / name)

    with bounded():
        found = project.run(*SINKS[name])

    assert (3, "") == (found.code, found.out), found.said
    assert "cannot be written" in found.err


def test_a_report_goes_through_a_link_and_keeps_the_mode_of_the_file(project: Project):
    project.declare(portal())
    (project.root / "real.md").write_text("old")
    (project.root / "real.md").chmod(0o640)
    (project.root / "link.md").symlink_to("real.md")

    assert 0 == project.run("plan", "--output", "markdown=link.md").code
    assert (project.root / "link.md").is_symlink()
    assert 0o640 == (project.root / "real.md").stat().st_mode & 0o777
    assert "portal" in (project.root / "real.md").read_text()
