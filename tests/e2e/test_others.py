"""Others who deploy or edit while an apply is under way: looked for, waited for, and never undone in silence."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from providers.salesforce import calls as client
from providers.salesforce.wire.polling import Patience
from tests.e2e.build import APP, GLOBAL, portal
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


# -- what came between the last look and the deployment ----------------------------------------------------------------


def when_sent(act: Callable[[], object]) -> Callable[[App], App]:
    """Do something once, when the deployment is already on its way to the org."""

    def wrap(application: App) -> App:
        left = [act]

        def answer(environ: dict[str, Any], start_response: Any) -> Any:
            if left and environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("deployRequest"):
                left.pop()()
            return application(environ, start_response)

        return answer

    return wrap


def test_an_edit_that_the_deployment_replaced_is_told_with_who_and_what_to_do(applied: Project):
    """The record is sent whole, so what Dana had just set is gone: only the audit trail still knows of it."""
    with behind(when_sent(partial(applied.org.set, GLOBAL, {"label": "Dana's"}, as_user=DANA))):
        found = applied.run("apply", "--auto-approve", "--output", "text", "--output", "json=out.json")

    assert (7, True) == (found.code, "which replaced the whole record" in found.out), found.said
    assert "Applied, but others changed 1 thing meanwhile, in " in found.out
    assert f"changed by {DANA} at " in found.out
    (told,) = json.loads((applied.root / "out.json").read_text())["meanwhile"]
    assert ("drift.undone", GLOBAL, DANA, True) == (
        told["id"], told["address"], told["attribution"]["by"], f"ask {DANA} what was changed" in told["mend"],
    )  # fmt: skip


@pytest.mark.parametrize("output", ["markdown", "sarif", "junit", "html"])
def test_every_format_tells_of_it(applied: Project, output: str):
    """Whoever reads the job's summary, and never its log."""
    with behind(when_sent(partial(applied.org.set, GLOBAL, {"label": "Dana's"}, as_user=DANA))):
        found = applied.run("apply", "--auto-approve", "--output", output)

    assert (7, True) == (found.code, "replaced the whole record" in found.out and DANA in found.out), found.out


@pytest.mark.parametrize("address", [APP, "ConnectedApp/Legacy_ERP"])
def test_an_edit_of_what_was_not_sent_is_not_called_undone(applied: Project, address: str):
    """It stands in the org: that is drift like any other."""
    with behind(when_sent(partial(applied.org.set, address, {"description": "Dana's"}, as_user=DANA))):
        found = applied.run("apply", "--auto-approve")

    assert "replaced the whole record" not in found.said


def test_an_edit_of_before_is_not_called_undone_and_neither_is_our_own_deployment(applied: Project):
    """A false alarm at every apply, and the true one would not be read."""
    applied.org.set(GLOBAL, {"label": "Dana's"}, as_user=DANA)

    found = applied.run("apply", "--auto-approve")

    assert (0, False) == (found.code, "Changed while" in found.out), found.said


def test_an_audit_trail_that_cannot_be_read_stops_no_apply(applied: Project):
    """It landed; what others did is then not told, and that is said by `drift`."""
    applied.org.switch("unreadable_objects", ["SetupAuditTrail", "DeployRequest"])

    assert 0 == applied.run("apply", "--auto-approve").code
