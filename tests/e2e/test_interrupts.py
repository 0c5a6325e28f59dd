"""Ctrl-C, and SIGTERM as CI runners send it: the deployment is cancelled in the org, and everybody is told what became of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from providers.salesforce import calls as client
from reconciler.errors import NotAllowedError
from tests.e2e.build import portal
from tests.e2e.cut import Cutting, KilledError, cut_at, deployments, journal, over_http
from tests.e2e.project import Project
from tests.e2e.served import behind
from tests.salesforce.build import no_time

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process nobody waits for an org. (Processes of their own do.)"""
    monkeypatch.setattr(client, "Patience", no_time)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_deployment_is_cancelled_in_the_org(project: Project, sent: signal.Signals):
    """Whoever presses Ctrl-C does not want it to land five minutes later."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    before = project.content()
    with over_http(project) as environment:
        at = [("deployment 0Af", sent)]
        found = cut_at(project, "apply", "--auto-approve", at=at, environment=environment)

        assert (130, True, True) == (found.code, "not landed" in found.out, "Canceled" in found.out), found.said
        assert "cancelling deployment 0Af" in found.err
        assert "Interrupted: 1 step: 0 landed, 1 not landed" in found.out
        assert "to carry on: apply --resume" in found.out
        assert (before, {}, ["Canceled"]) == (project.content(), project.managed, deployments(project))
        project.org.switch("deploy_polls", 0)
        assert 0 == project.run("apply", "--resume", **environment).code
    assert (["Canceled", "Succeeded"], None) == (deployments(project), journal(project))


IGNORED = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Starts a command as a script's `&` and `nohup` do: it ignores Ctrl-C."""


def test_an_apply_in_the_background_is_not_stopped_by_ctrl_c_but_by_sigterm(project: Project):
    """Ctrl-C is meant for what runs in the foreground; a pipeline that ends a job is meant for all of it."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    with over_http(project) as environment:
        at = [("deployment 0Af", signal.SIGINT), ("", signal.SIGTERM)]
        found = cut_at(project, "apply", "--auto-approve", at=at, environment=environment, behind=IGNORED)

    # A second interrupt would have stopped the waiting for the org.
    assert (130, True, False) == (found.code, "Canceled" in found.out, "may go on in the org" in found.err), found.said
    assert ["Canceled"] == deployments(project)


def test_what_a_test_starts_is_stopped_by_ctrl_c_even_where_the_suite_ignores_it():
    """A background job, a CI runner: what they ignore is inherited by all that they start."""
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    inner = f"import tests.conftest, subprocess, sys; subprocess.run([sys.executable, '-c', {ask!r}], check=True)"
    found = subprocess.run(
        [*IGNORED, sys.executable, "-c", inner], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (0, "True\n") == (found.returncode, found.stdout), found.stderr


def test_a_deployment_that_cannot_be_cancelled_any_more_is_told_as_landed(project: Project):
    """The org was faster: then it is ours, and the baseline has to say so."""
    project.declare(portal())
    with behind(Cutting("GET", "deployRequest/", KeyboardInterrupt)):
        found = project.run("apply", "--auto-approve")

    assert (130, True) == (found.code, "Deployment: landed" in found.out), found.said
    assert ({}, {}, None) == (project.planned(), project.drifted(), journal(project))


def test_a_second_interrupt_stops_waiting(project: Project):
    """The org does not answer, and somebody wants to go home: the next apply finds out."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    first, second = Cutting("GET", "deployRequest/", KeyboardInterrupt), Cutting("PATCH", "", KeyboardInterrupt)
    with behind(lambda application: second(first(application))):
        found = project.run("apply", "--auto-approve")

    assert (130, True, True) == (found.code, "may go on in the org" in found.err, _open(project) is not None), (
        found.said
    )
    project.org.switch("deploy_polls", 0)
    assert 0 == project.run("apply", "--resume").code
    assert {} == project.planned()


@pytest.mark.parametrize("done", [True, False], ids=["taken", "not taken"])
def test_an_interrupt_while_it_is_sent_leaves_no_doubt(project: Project, done: bool):
    """No id has come yet. What the org has taken is found and stopped, or found by the next apply."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    with behind(Cutting("POST", "deployRequest", KeyboardInterrupt, done=done)):
        assert 130 == project.run("apply", "--auto-approve").code
    project.org.switch("deploy_polls", 0)

    project.apply()

    assert 1 == deployments(project).count("Succeeded")
    assert ({}, {}) == (project.planned(), project.drifted())


def test_an_interrupt_while_it_is_read_back_loses_nothing(project: Project):
    """It has landed: who ends the run then must not lose that it is ours."""
    project.declare(portal())
    with behind(Cutting("POST", "/services/Soap/m/", KeyboardInterrupt, nth=5)):
        found = project.run("apply", "--auto-approve")

    assert (130, True) == (found.code, "Deployment: landed" in found.out), found.said
    project.apply()
    assert (["Succeeded"], {}, {}) == (deployments(project), project.planned(), project.drifted())


def test_whoever_does_not_wait_for_an_apply_that_was_cut_off_is_told_what_goes_on(project: Project):
    """It was sent by another run: nobody asked this one to stop it, and it is not over."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    with behind(Cutting("GET", "deployRequest/", KilledError)), pytest.raises(KilledError):
        project.run("apply", "--auto-approve")
    with behind(Cutting("GET", "deployRequest/", KeyboardInterrupt)):
        found = project.run("apply", "--auto-approve")

    assert (130, True, True) == (found.code, "may go on in the org" in found.err, _open(project) is not None), (
        found.said
    )


def test_an_interrupted_validation_is_cancelled_too(project: Project):
    """It changes nothing, and keeps everybody else's deployments waiting."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    with behind(Cutting("GET", "deployRequest/", KeyboardInterrupt)):
        assert 130 == project.run("plan", "--validate").code

    assert (["Canceled"], None) == (deployments(project), journal(project))


class ExpiredError(NotAllowedError):
    """A login that nobody can renew."""

    def __init__(self) -> None:
        super().__init__("the session has died")


def test_a_login_that_dies_while_the_org_deploys_leaves_it_open(project: Project):
    """The org goes on: "not allowed" alone would say that nothing has happened."""
    project.declare(portal())
    with behind(Cutting("GET", "deployRequest/", ExpiredError)):
        found = project.run("apply", "--auto-approve")

    assert (6, True, True) == (found.code, "Deployment: unknown" in found.out, _open(project) is not None), found.said
    project.apply()
    assert (["Succeeded"], {}) == (deployments(project), project.drifted())


def test_an_interrupt_before_anything_is_sent_needs_no_tidying(project: Project):
    """Nothing has happened, and nothing is left behind."""
    project.declare(portal())
    with behind(Cutting("POST", "/services/Soap/m/", KeyboardInterrupt)):
        found = project.run("apply", "--auto-approve")

    assert (130, None, []) == (found.code, journal(project), deployments(project))


def _open(project: Project) -> str | None:
    """The journal's text while a deployment is on its way."""
    found = journal(project)
    text = found.read_text(encoding="utf-8") if found is not None else ""
    return text if '"sent":{' in text else None
