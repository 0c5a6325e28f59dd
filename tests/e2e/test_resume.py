"""An apply that is killed: the next one finds out what became of it, deploys nothing twice, and owns what landed."""

import json
import signal

import pytest

from providers.salesforce import calls as client
from tests.e2e.build import APP, GLOBAL, SECRET, app, portal, scope
from tests.e2e.cut import Cutting, KilledError, cancel_in_setup, cut_at, deployments, journal, over_http
from tests.e2e.project import Project
from tests.e2e.served import behind
from tests.salesforce.build import no_time


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process nobody waits for an org. (Processes of their own do.)"""
    monkeypatch.setattr(client, "Patience", no_time)


SENT, ASKED = ("POST", "deployRequest"), ("GET", "deployRequest/")


def killed(project: Project, cutting: Cutting, *arguments: str, **environment: str) -> None:
    with behind(cutting), pytest.raises(KilledError):
        project.run("apply", "--auto-approve", *arguments, **environment)


@pytest.mark.parametrize("resume", [(), ("--resume",)], ids=["apply", "resume"])
def test_a_killed_process_leaves_what_the_next_apply_needs(project: Project, resume: tuple[str, ...]):
    """A CI job that runs out of time is killed while the org deploys; the org goes on."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    with over_http(project) as environment:
        at = [("deployment 0Af", signal.SIGKILL)]
        assert -signal.SIGKILL == cut_at(project, "apply", "--auto-approve", at=at, environment=environment).code
        assert ({}, True) == (project.managed, journal(project) is not None)
        project.org.switch("deploy_polls", 0)

        found = project.run("apply", "--auto-approve", *resume, **environment)

        assert (0, True) == (found.code, "was cut off" in found.err), found.said
        assert (["Succeeded"], None) == (deployments(project), journal(project))
        assert {APP, GLOBAL} <= set(project.baseline)
        assert ({}, {}) == (project.planned(**environment), {})
        project.declare()
        project.declare(scope())
        assert {f"delete {APP}"} == {one for one in project.planned(**environment) if one.endswith(APP)}


@pytest.mark.parametrize(
    ("call", "nth", "done"), [(SENT, 1, True), (ASKED, 1, False), (ASKED, 1, True)], ids=["sent", "asked", "ended"]
)
def test_what_landed_unseen_is_ours_though_the_files_have_moved_on(
    project: Project, call: tuple[str, str], nth: int, done: bool
):
    """Nobody would ever delete an app again that an apply made and no baseline knows."""
    project.declare(portal())
    project.apply()
    project.declare(portal(), app("second"))
    killed(project, Cutting(*call, KilledError, nth=nth, done=done))
    project.declare(portal())

    project.apply("--allow", "delete")

    assert None is project.held("ExternalClientApplication/second")
    assert (["Succeeded"] * 3, {}, {}) == (deployments(project), project.planned(), project.drifted())


def test_what_never_arrived_is_sent_by_the_next_apply(project: Project):
    """Killed between writing the journal and sending: the org has heard of nothing."""
    project.declare(portal())
    killed(project, Cutting(*SENT, KilledError, done=False))

    found = project.apply()

    assert (["Succeeded"], None) == (deployments(project), journal(project))
    assert "its deployment has not landed" in found.err


def test_a_deletion_that_landed_unseen_leaves_the_baseline(project: Project):
    """Otherwise the next plan would delete, or miss, what is long gone."""
    project.declare(portal(), app("second"))
    project.apply()
    project.declare(portal())
    killed(project, Cutting(*ASKED, KilledError), "--allow", "delete")

    project.apply()

    assert ({}, {}, False) == (
        project.planned(),
        project.drifted(),
        "ExternalClientApplication/second" in project.baseline,
    )


def test_a_replacement_is_not_made_twice(project: Project):
    """The same command again after a kill must not take the app's new consumer key away, too."""
    project.declare(portal())
    project.apply()
    words = ("--replace", APP, "--allow", "replace")
    killed(project, Cutting(*ASKED, KilledError), *words)

    project.apply(*words)

    assert ["Succeeded"] * 2 == deployments(project)


def test_a_replacement_that_never_arrived_is_made_by_the_next_apply(project: Project):
    """The app looks as it did before: that it is there says nothing, and its leaked consumer key would live on."""
    project.declare(portal())
    project.apply()
    killed(project, Cutting(*SENT, KilledError, done=False), "--replace", APP, "--allow", "replace")

    found = project.run("apply", "--resume")

    assert (0, ["Succeeded"] * 2) == (found.code, deployments(project)), found.said


def test_a_protected_org_needs_no_second_review_to_carry_on(project: Project):
    """The plan was approved: a runner that dies is no reason to ask everybody again at night."""
    project.declare(portal())
    project.org.switch("deploy_polls", 1000)
    project.configure(protected=True)
    project.run("plan", "--out", "plan.json")
    with behind(Cutting(*ASKED, KilledError, nth=2)), pytest.raises(KilledError):
        project.run("apply", "plan.json")
    cancel_in_setup(project)
    project.org.switch("deploy_polls", 0)

    assert 4 == project.run("apply", "--auto-approve").code
    assert 0 == project.run("apply", "--resume").code
    assert ["Canceled", "Succeeded"] == deployments(project)


@pytest.mark.parametrize(
    "cutting", [Cutting(*ASKED, KilledError), Cutting(*SENT, KilledError, done=False)], ids=["landed", "not"]
)
def test_the_same_job_again_with_its_saved_plan_is_no_stale_plan(project: Project, cutting: Cutting):
    """CI runs the job once more: what the plan has done already does not make the plan an old one."""
    project.declare(portal())
    project.run("plan", "--out", "plan.json")
    with behind(cutting), pytest.raises(KilledError):
        project.run("apply", "plan.json")

    found = project.run("apply", "plan.json")

    assert (0, ["Succeeded"]) == (found.code, deployments(project)), found.said
    assert ({}, {}) == (project.planned(), project.drifted())


def test_what_nobody_approved_needs_a_yes_also_when_an_apply_is_carried_on(project: Project):
    """Somebody changed the app meanwhile: undoing that was part of no plan that anybody saw."""
    project.declare(portal(), app("second"))
    project.apply()
    project.declare(portal(isTokenExchangeEnabled=True), app("second"))
    killed(project, Cutting(*SENT, KilledError, done=False))
    project.org.set("ExternalClientApplication/second", {"label": "Theirs"}, as_user="dana@acme.example")

    found = project.run("apply", "--resume")

    assert (4, True) == (found.code, "no terminal to ask on" in found.err), found.said


def test_changed_files_are_not_carried_on(project: Project):
    """--resume needs no yes, so it must not do anything else than what got one."""
    project.declare(portal())
    killed(project, Cutting(*SENT, KilledError))
    project.declare(portal(), app("second"))

    found = project.run("apply", "--resume", "--auto-approve")

    assert (4, True) == (found.code, "the desired files have changed" in found.err)
    project.apply()
    assert ({}, ["Succeeded"] * 2) == (project.planned(), deployments(project))


def test_nothing_to_carry_on_is_said(project: Project):
    """After a success, and in a fresh checkout."""
    project.declare(portal())
    for _ in range(2):
        found = project.run("apply", "--resume")
        assert (4, True) == (found.code, "there is no apply to carry on" in found.err)
        project.apply()


def test_resume_takes_no_other_request(project: Project):
    """What is carried on was decided back then."""
    project.declare(portal())

    assert 3 == project.run("apply", "--resume", "--target", APP).code


def test_a_plan_says_that_an_apply_was_cut_off(project: Project):
    """A plan made meanwhile may be about what is under way."""
    project.declare(portal())
    killed(project, Cutting(*SENT, KilledError))

    assert any("was cut off" in note for note in project.plan()["notes"])
    project.apply()
    assert not any("was cut off" in note for note in project.plan()["notes"])


def test_where_deployments_are_hidden_what_the_org_has_decides(project: Project):
    """A login that may deploy and not look: the app that landed must be ours nevertheless."""
    project.declare(portal())
    project.apply()
    project.org.switch("unreadable_objects", {"DeployRequest"})
    project.declare(portal(), app("second"))
    killed(project, Cutting(*SENT, KilledError))
    project.declare(portal())

    project.apply("--allow", "delete")

    assert None is project.held("ExternalClientApplication/second")


def test_what_may_still_come_is_not_sent_again(project: Project):
    """A login that may deploy and not look: killed before the id came, the org at work, and the next job already there."""
    project.declare(portal())
    project.apply()
    project.org.switch("unreadable_objects", {"DeployRequest"})
    project.org.switch("deploy_polls", 1000)
    project.declare(portal(), app("second"))
    killed(project, Cutting(*SENT, KilledError))

    found = project.run("apply", "--resume")

    assert (1, True) == (found.code, "nobody can tell what became of its deployment" in found.err), found.said
    assert (["Succeeded", "Pending"], True) == (deployments(project), journal(project) is not None)


def test_a_journal_holds_no_secret(project: Project):
    """It lies on the disk of a build machine, and is found by the next job."""
    project.declare(portal(consumerSecret={"secret": {"env": "PORTAL_SECRET"}}))
    killed(project, Cutting(*SENT, KilledError), PORTAL_SECRET=SECRET)

    text = journal(project).read_text(encoding="utf-8")
    assert (False, True) == (SECRET in text, "PORTAL_SECRET" in text)
    project.apply(PORTAL_SECRET=SECRET)
    assert {} == project.planned(PORTAL_SECRET=SECRET)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("{}", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"format": 99}', "was written by a newer version"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_broken_journal_is_a_clear_error(project: Project, text: str, problem: str):
    """Half a file, or one of another version: the mend has to stand there."""
    project.declare(portal())
    killed(project, Cutting(*SENT, KilledError))
    journal(project).write_text(text, encoding="utf-8")

    found = project.run("apply", "--auto-approve")

    assert (3, True) == (found.code, problem in found.err)


def test_a_journal_of_another_project_is_not_taken(project: Project):
    """A copied folder must not make somebody else's apps ours."""
    project.declare(portal())
    killed(project, Cutting(*SENT, KilledError))
    content = json.loads(journal(project).read_text(encoding="utf-8"))
    journal(project).write_text(json.dumps(content | {"project": "other"}), encoding="utf-8")

    assert 3 == project.run("apply", "--auto-approve").code
