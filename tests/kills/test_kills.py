"""An apply that is killed at any moment: nothing is deployed twice, and the next one brings all together again.

RECONCILER_KILLS says how many kills (`make kills`: 200); the moments come from a seed that is printed when one fails.
"""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.build import Document, app, enablement, handler, handler_class, portal
from tests.e2e.project import Project
from tests.e2e.served import served

KILLS = int(os.environ.get("RECONCILER_KILLS", "0"))
SEED = int(os.environ.get("RECONCILER_KILLS_SEED", "0")) or random.randrange(1 << 32)
SHARES = 4
"""Tests that share the kills, so that two of them run side by side."""
EXTRA = "ExternalClientApplication/extra"

pytestmark = pytest.mark.skipif(not KILLS, reason="RECONCILER_KILLS says how often")


@contextmanager
def production(project: Project) -> Iterator[dict[str, str]]:
    """The project's org over HTTP, slow enough that a kill meets every stage. Yields the environment of its login."""
    project.org.switch("deploy_polls", 2)
    with served(project.org) as url:
        login = {"flow": "token", "access_token": {"secret": {"env": "KILLS_TOKEN"}}}
        project.configure(mock=None, instance_url=url, login=login)
        yield {"KILLS_TOKEN": project.org.access_token()}


def generation(number: int) -> list[Document]:
    """What the files say next: every generation changes something, and an app comes and goes."""
    extra = [app("extra", description=f"generation {number}")] if number % 3 else []
    return [
        portal(policies={"isTokenExchangeFlowEnabled": True}, isTokenExchangeEnabled=True, isPkceRequired=True),
        app("other", description=f"generation {number}"),
        handler(isUserCreationAllowed=number % 2 == 0),
        enablement("portal"),
        *extra,
    ]


def arguments(number: int) -> list[str]:
    """Every fifth generation replaces an app, which takes two deployments: one deletes, one creates."""
    replaces = number % 3 == 2 and number % 5 == 0
    return ["--allow", "delete", *(["--replace", EXTRA, "--allow", "replace"] if replaces else [])]


def killed(project: Project, after: float, words: list[str], environment: dict[str, str]) -> bool:
    """Start an apply in a process and kill it after so many seconds; whether it was still running."""
    command = [str(Path(sys.executable).with_name("reconciler")), "apply", "--auto-approve", *words]
    process = subprocess.Popen(
        command,
        cwd=project.root,
        env={**os.environ, **environment},
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


def successes(project: Project) -> int:
    """Deployments that changed the org, until now."""
    with closing(sqlite3.connect(project.database)) as db:
        statement = "SELECT count(*) FROM job WHERE what = 'deploy' AND status = 'Succeeded' AND options LIKE ?"
        return int(db.execute(statement, ('%"checkOnly": false%',)).fetchone()[0])


def carried_on(project: Project, environment: dict[str, str]) -> str:
    """What whoever finds the killed apply does: carry on, or begin anew where there is nothing to carry on."""
    resumed = project.run("apply", "--resume", **environment)
    if resumed.code == 4 and "no apply to carry on" in resumed.err:
        begun = project.run("apply", "--auto-approve", "--allow", "delete", **environment)
        assert 0 == begun.code, begun.said
        return "anew"
    assert 0 == resumed.code, resumed.said
    return "resumed"


@pytest.mark.parametrize("share", range(SHARES))
def test_after_any_kill_org_files_and_baseline_agree(project: Project, share: int):
    """A runner that is shut down in the middle of a deployment must not leave an org that nobody understands."""
    chance = random.Random(SEED + share)
    project.source("PartnerIdpHandler", handler_class())
    outcomes: dict[str, int] = {"anew": 0, "resumed": 0, "finished": 0}
    with production(project) as environment:
        project.declare(*generation(1))
        begun = time.monotonic()
        assert not killed(project, 60, arguments(1), environment)
        # As long as an undisturbed one, and a little more.
        whole = (time.monotonic() - begun) * 1.1
        for number in range(2, 2 + -(-KILLS // SHARES)):
            project.declare(*generation(number))
            before, moment = successes(project), chance.uniform(0.2, whole)
            told = f"seed {SEED}, share {share}, generation {number}, killed after {moment:.3f} s"

            was_running = killed(project, moment, arguments(number), environment)
            outcomes[carried_on(project, environment) if was_running else "finished"] += 1

            replaces = "--replace" in arguments(number)
            ran = successes(project) - before
            assert ran in ({1, 2, 3} if replaces else {1}), (told, ran)
            again = project.run("plan", "--detailed-exitcode", **environment)
            assert 0 == again.code, (told, again.said)
            drifted = project.run("drift", **environment)
            assert 0 == drifted.code, (told, drifted.said)
            assert (EXTRA in project.baseline) == bool(number % 3), told
            assert not list((project.root / ".reconciler" / "baselines").glob("*.journal")), told
    print(f"share {share}: {outcomes}")
