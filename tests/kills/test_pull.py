"""A pull that is killed at any moment: each file is the old one or the new one, and the next pull finishes the work.

RECONCILER_KILLS says how many kills; the moments come from a seed that is printed when one fails.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.build import DANA, portal
from tests.e2e.project import Project

KILLS = int(os.environ.get("RECONCILER_KILLS", "0"))
SEED = int(os.environ.get("RECONCILER_KILLS_SEED", "0")) or random.randrange(1 << 32)
SHARES = 2
APPS = [f"app{number}" for number in range(12)]

pytestmark = pytest.mark.skipif(not KILLS, reason="RECONCILER_KILLS says how often")


def killed(project: Project, after: float) -> bool:
    """Start a pull in a process and kill it after so many seconds; whether it was still running."""
    command = [str(Path(sys.executable).with_name("reconciler")), "pull"]
    process = subprocess.Popen(
        command,
        cwd=project.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def texts(project: Project) -> dict[str, str]:
    folder = project.root / "desired"
    return {path.name: path.read_text() for path in folder.rglob("*.yaml")}


@pytest.mark.parametrize("share", range(SHARES))
def test_after_any_kill_each_file_is_old_or_new(project: Project, share: int) -> None:
    """A laptop that is closed in the middle of a pull must not leave half a file."""
    chance = random.Random(SEED + share)
    project.declare(*(portal(name) for name in APPS))
    project.apply()
    (project.root / "desired" / "identity.yaml").unlink()
    for path in (project.root / ".reconciler" / "baselines").glob("*"):
        path.unlink()
    begun = time.monotonic()
    assert not killed(project, 60)
    whole = (time.monotonic() - begun) * 1.1
    running = 0
    for number in range(-(-KILLS // SHARES)):
        label = f"round {number}"
        for name in APPS:
            project.org.set(f"ExternalClientApplication/{name}", {"label": label}, as_user=DANA)
        before, moment = texts(project), chance.uniform(0.5 * whole, whole)
        said = f"seed {SEED}, share {share}, round {number}, killed after {moment:.3f} s"

        running += killed(project, moment)

        after = texts(project)
        new = {
            name: text.replace(f"label: round {number - 1}\n", f"label: {label}\n")
            if number
            else text.replace(f"label: {name.removesuffix('.yaml')}\n", f"label: {label}\n")
            for name, text in before.items()
        }
        assert before.keys() == after.keys(), said
        assert all(after[name] in (before[name], new[name]) for name in after), said
        found = project.run("pull")
        assert 0 == found.code, (said, found.said)
        assert new == texts(project), said
        assert ({}, {}) == (project.planned(), project.drifted()), said
        assert not list((project.root / "desired").rglob(".*")), said
    print(f"share {share}: {running} of {-(-KILLS // SHARES)} were killed while they ran")
