"""Others who deploy or edit while an apply is under way: looked for, waited for, and never undone in silence."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from providers.salesforce import provider as client
from providers.salesforce.polling import Patience
from tests.e2e.build import GLOBAL, portal
from tests.e2e.project import Project
from tests.e2e.served import App, behind
from tests.mock.wire import Piece, Wire, global_oauth, package
from tests.mock.wire import app as app_file

DANA = "dana@acme.example"


def at_query(text: str, act: Callable[[], object]) -> Callable[[App], App]:
    """Do something once, after the org has answered a query that holds `text`."""

    def wrap(application: App) -> App:
        left = [act]

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            found = list(application(environ, start_response))
            if left and text in environ.get("QUERY_STRING", ""):
                left.pop()()
            return found

        return answer

    return wrap


@pytest.fixture
def applied(project: Project) -> Project:
    project.declare(portal())
    project.apply()
    project.declare(portal(isIntrospectAllTokens=True))
    return project


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waiting takes no time. What was waited, in seconds."""
    waited: list[float] = []
    given = Patience(clock=lambda: sum(waited), sleep=waited.append, chance=lambda: 0.5)
    monkeypatch.setattr(client, "Patience", partial(replace, given))
    return waited


def test_an_edit_that_comes_while_the_deployment_is_made_ready_is_not_undone(applied: Project):
    """The last look at the org is the last thing before a deployment is sent: all that takes time comes before."""
    edit = partial(applied.org.set, GLOBAL, {"label": "Dana's"}, as_user=DANA)

    with behind(at_query("FROM+DeployRequest", edit)):
        found = applied.run("apply", "--auto-approve")

    assert (4, True) == (found.code, f"{GLOBAL} changed in the org while this apply was under way" in found.err)
    assert "Dana's" == applied.held(GLOBAL, "label")


def test_a_deployment_of_others_that_does_not_end_is_named_and_nothing_is_sent(applied: Project, soon: list[float]):
    """Whose it is, which, and since when: somebody has to be asked."""
    applied.org.switch("deploy_polls", 10_000)
    job = (dana := Wire(applied.org, DANA)).start(package(app_file("late")))
    dana.poll(job)

    found = applied.run("apply", "--auto-approve")

    assert (4, True, True) == (
        found.code,
        f"deployment {job} of {DANA} is" in found.err,
        "nothing was sent" in found.err,
    )
    assert "cancel it in Setup" in found.err
    assert 600 < sum(soon) < 700
    assert applied.planned()


@pytest.mark.parametrize(
    ("theirs", "code"), [(app_file("late"), 0), (global_oauth("portal", callbackUrl="https://theirs.example/cb"), 4)]
)
def test_a_deployment_of_others_is_waited_for_and_the_org_is_read_again(
    applied: Project, soon: list[float], theirs: Piece, code: int
):
    """What it brought to the same record is not undone: the plan was made before it."""
    applied.org.switch("deploy_polls", 2)
    dana = Wire(applied.org, DANA)
    job = dana.start(package(theirs))

    def end() -> None:
        while dana.poll(job).status in ("Pending", "InProgress"):
            pass
        applied.org.switch("deploy_polls", 0)

    with behind(at_query("FROM+DeployRequest", end)):
        found = applied.run("apply", "--auto-approve")

    assert f"waiting for what may change the same records: deployment {job}" in found.err
    assert (code, True) == (found.code, soon != []), found.said


def test_a_validation_of_others_is_not_waited_for(applied: Project):
    """It changes nothing."""
    applied.org.switch("deploy_polls", 10_000)
    Wire(applied.org, DANA).start(package(app_file("late")), checkOnly=True)
    applied.org.switch("deploy_polls", 0)

    assert 0 == applied.run("apply", "--auto-approve").code
