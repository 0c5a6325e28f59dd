"""A plan that was saved is a promise: what was reviewed is what is done, or nothing. And it holds no secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.build import (
    APP,
    CODE,
    DANA,
    GLOBAL,
    HANDLER,
    INTEGRATION,
    LEGACY,
    SECRET,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    portal,
)
from tests.e2e.project import Project, Terminal
from tests.e2e.served import served

FROM_ENV = {"secret": {"env": "PORTAL_SECRET"}}


@pytest.fixture
def reviewed(project: Project) -> Project:
    """A project whose plan touches an app's OAuth settings and a handler, and which is saved."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(), legacy(label="ERP"), handler(), enablement("portal"))
    project.apply()
    project.declare(
        portal(isTokenExchangeEnabled=True), legacy(label="ERP"), handler(description="B"), enablement("portal")
    )
    save(project)
    return project


def save(project: Project, *arguments: str) -> Path:
    found = project.run("plan", "--out", "plan.json", *arguments)
    assert found.code == 0, found.said
    return project.root / "plan.json"


def test_a_saved_plan_is_applied_without_a_question(reviewed: Project):
    """It was reviewed: that was the question."""
    found = reviewed.run("apply", "plan.json")

    assert (0, "true", "B") == (
        found.code,
        reviewed.held(GLOBAL, "isTokenExchangeEnabled"),
        reviewed.held(HANDLER, "description"),
    )
    assert {} == reviewed.planned()


@pytest.mark.parametrize("how", ["applied before", "done by others"])
def test_a_plan_that_is_done_already_says_so(reviewed: Project, how: str):
    """A job is run again by hand: the words about baselines and serials send people on a wrong track."""
    if how == "applied before":
        assert 0 == reviewed.run("apply", "plan.json").code
    else:
        reviewed.apply()

    found = reviewed.run("apply", "plan.json")

    assert (4, True) == (found.code, "the plan has been applied already, or the org is as it wants it" in found.err)
    assert "plan again" in found.err
    assert "serial" not in found.err


def test_a_plan_that_is_half_done_is_not_called_applied(reviewed: Project):
    """What is left of it would be forgotten."""
    reviewed.org.set(GLOBAL, {"isTokenExchangeEnabled": "true"}, as_user=DANA)

    found = reviewed.run("apply", "plan.json")

    assert (4, False) == (found.code, "applied already" in found.err)


def edit(address: str, **fields: str) -> Callable[[Project], Any]:
    return lambda project: project.org.set(address, fields, as_user=DANA)


def enable_another(project: Project) -> None:
    fields = {"apexExecutionUser": INTEGRATION, "isDefault": "false"}
    project.org.create(f"{HANDLER}/enablements/Marketing_Dashboard", fields, as_user=DANA)


TOUCHED = {
    "a declared field": edit(GLOBAL, isTokenExchangeEnabled="true"),
    "an undeclared field": edit(GLOBAL, isConsumerSecretOptional="true"),
    "the handler": edit(HANDLER, isUserCreationAllowed="true"),
    "who an enablement runs as": edit(f"{HANDLER}/enablements/portal", apexExecutionUser=DANA),
    "another enablement": enable_another,
}


@pytest.mark.parametrize("change", TOUCHED)
def test_a_plan_is_refused_when_something_that_it_touches_has_changed(reviewed: Project, change: str):
    """*Fingerprints digest decoded content, enablements included*: nobody reviewed what would be overwritten now."""
    TOUCHED[change](reviewed)
    before, baseline = reviewed.content(), reviewed.baseline_file.read_bytes()

    found = reviewed.run("apply", "plan.json")

    assert (4, True) == (found.code, "has changed in the org since the plan was made" in found.err)
    assert (before, baseline) == (reviewed.content(), reviewed.baseline_file.read_bytes())


def test_an_apex_body_is_part_of_the_fingerprint(project: Project):
    """*… and Apex bodies included*: somebody's fix of this morning must not be rolled back by a plan of yesterday."""
    project.source("PartnerIdpHandler", handler_class())
    project.declare(portal(), handler())
    project.apply()
    project.source("PartnerIdpHandler", handler_class(comment="better"))
    save(project)
    project.org.set(CODE, {"body": handler_class(comment="their fix")}, as_user=DANA)

    found = project.run("apply", "plan.json")

    assert (4, True) == (found.code, f"{CODE} has changed" in found.err)


def test_something_that_appears_where_it_would_be_created_refuses_the_plan(project: Project):
    """The plan says "create"; it would overwrite."""
    project.declare(app("portal"), legacy(label="ERP"))
    save(project)
    project.org.create(APP, {"label": "Theirs", "contactEmail": "x@acme.example"}, as_user=DANA)

    assert 4 == project.run("apply", "plan.json").code
    assert "Theirs" == project.held(APP, "label")


def test_something_that_vanished_refuses_the_plan(reviewed: Project):
    """The plan says "update"; it would create, with another key."""
    reviewed.org.delete(APP, as_user=DANA)

    assert 4 == reviewed.run("apply", "plan.json").code
    assert None is reviewed.held(APP)


def test_who_touched_it_when_does_not_matter(reviewed: Project):
    """*Never `lastModifiedDate`*: an admin who saves a form without a change must not stop a release."""
    reviewed.org.set(GLOBAL, {"isConsumerSecretOptional": "true"}, as_user=DANA)
    reviewed.org.set(GLOBAL, {"isConsumerSecretOptional": "false"}, as_user=DANA)

    assert 0 == reviewed.run("apply", "plan.json").code


def test_a_change_elsewhere_does_not_matter(reviewed: Project):
    """An org is never quiet; a plan that any edit anywhere refused could never be applied."""
    reviewed.org.set("ConnectedApp/Partner_Portal", {"label": "Partners"}, as_user=DANA)
    reviewed.org.set(LEGACY, {"description": "Theirs"}, as_user=DANA)

    assert 0 == reviewed.run("apply", "plan.json").code


def test_files_that_would_send_something_else_are_refused(reviewed: Project):
    """*When its payload is not the one that was saved*: the plan was reviewed, the file was edited after that."""
    reviewed.declare(
        portal(isTokenExchangeEnabled=True, isDeviceFlowEnabled=True), legacy(label="ERP"), handler(description="B"),
        enablement("portal"),
    )  # fmt: skip
    before = reviewed.content()

    found = reviewed.run("apply", "plan.json")

    assert (4, True, before) == (found.code, "desired/identity.yaml has changed since" in found.err, reviewed.content())


def test_a_file_that_asks_for_more_resources_is_refused(reviewed: Project):
    """One more app in the folder is one that nobody reviewed."""
    reviewed.declare(
        portal(isTokenExchangeEnabled=True), legacy(label="ERP"), handler(description="B"), enablement("portal"),
        app("more"),
    )  # fmt: skip

    assert 4 == reviewed.run("apply", "plan.json").code
    assert None is reviewed.held("ExternalClientApplication/more")


def test_another_reference_to_a_secret_is_refused(project: Project):
    """*Secrets count as their references*: `{env: HOME}` instead of the reviewed variable would leak what is there."""
    project.declare(portal(consumerSecret=FROM_ENV))
    save(project)
    project.declare(portal(consumerSecret={"secret": {"env": "HOME_SECRET"}}))

    assert 4 == project.run("apply", "plan.json", HOME_SECRET=SECRET).code


@pytest.mark.parametrize("name", ["desired/identity.yaml", "reconciler.yaml", "desired/more.yaml"])
def test_a_plan_is_refused_when_any_file_that_it_rests_on_has_changed(project: Project, name: str):
    """What would be sent may be the same, and what is protected, waived or adopted another thing than was reviewed."""
    project.declare(portal())
    save(project)
    file = project.root / name
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text("# reviewed by Dana\n" + before, encoding="utf-8")

    found = project.run("apply", "plan.json")

    words = "has changed since" if before else "is new since"
    assert (4, True) == (found.code, f"{name} {words} the plan was made" in found.err), found.said
    assert None is project.held(APP)


def test_an_app_that_is_adopted_and_was_not_reviewed_is_refused(project: Project):
    """An adopted app may be deleted from then on, and a plan without a payload for it does not show that."""
    project.declare(portal(), app("theirs"))
    project.apply()
    assert 0 == project.run("baseline", "forget", "ExternalClientApplication/theirs").code
    (project.root / "desired" / "theirs.yaml").write_text("", encoding="utf-8")
    project.declare(portal(isTokenExchangeEnabled=True))
    save(project)
    project.declare(portal(isTokenExchangeEnabled=True), app("theirs"))

    assert 4 == project.run("apply", "plan.json").code
    assert "ExternalClientApplication/theirs" not in project.managed


def test_a_plan_that_was_made_without_the_baseline_says_so(project: Project):
    """The org has not changed: the job that made the plan had no baseline beside it."""
    project.declare(portal(), app("gone"))
    project.apply()
    project.declare(portal(isTokenExchangeEnabled=True))
    kept = project.baseline_file
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    save(project)
    kept.write_text(text, encoding="utf-8")

    found = project.run("apply", "plan.json")

    assert (4, True, False) == (found.code, "made with no baseline" in found.err, "has changed in the org" in found.err)


def test_a_plan_for_another_org_is_refused(reviewed: Project):
    """A plan of the sandbox, applied with production's login."""
    reviewed.org.reset()
    before = reviewed.content()

    found = reviewed.run("apply", "plan.json")

    assert (4, True, before) == (found.code, "the plan is for org" in found.err, reviewed.content())


def drop_changes(plan: dict[str, Any]) -> None:
    plan["resource_changes"] = plan["resource_changes"][:1]


def swap_org(plan: dict[str, Any]) -> None:
    plan["org"]["id"] = "00D000000000001EAA"


def forge_fingerprint(plan: dict[str, Any]) -> None:
    plan["fingerprints"][GLOBAL] = "0" * 64


@pytest.mark.parametrize("alter", [drop_changes, swap_org, forge_fingerprint])
def test_an_altered_plan_is_refused(reviewed: Project, alter: Callable[[dict[str, Any]], None]):
    """Whoever reviewed it did not review this."""
    file = reviewed.root / "plan.json"
    plan = json.loads(file.read_text(encoding="utf-8"))
    alter(plan)
    file.write_text(json.dumps(plan), encoding="utf-8")
    before = reviewed.content()

    found = reviewed.run("apply", "plan.json")

    assert (4, True, before) == (found.code, "altered" in found.err, reviewed.content())


def test_a_plan_that_somebody_formatted_is_the_same_plan(reviewed: Project):
    """Its meaning is what counts."""
    file = reviewed.root / "plan.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")

    assert 0 == reviewed.run("apply", "plan.json").code


def test_a_plan_is_applied_once(reviewed: Project):
    """A pipeline that is run again must not report a second success for something else."""
    assert 0 == reviewed.run("apply", "plan.json").code
    writes = reviewed.org.write_calls

    assert (4, writes) == (reviewed.run("apply", "plan.json").code, reviewed.org.write_calls)


def test_a_plan_says_what_it_is_for(reviewed: Project):
    """A target or a replacement beside a saved plan would be another plan."""
    assert 3 == reviewed.run("apply", "plan.json", "--target", APP).code
    assert 3 == reviewed.run("apply", "plan.json", "--replace", APP).code
    assert 3 == reviewed.run("apply", "plan.json", "--destroy").code


def test_a_plan_with_a_target_stays_with_its_target(reviewed: Project):
    """The handler was left out on purpose."""
    save(reviewed, "--target", APP)

    assert 0 == reviewed.run("apply", "plan.json").code

    assert [f"update {HANDLER}"] == list(reviewed.planned())


def test_a_saved_replacement_and_destruction_still_have_to_be_allowed(reviewed: Project):
    """Saving a plan allows nothing."""
    for argument, guard in (("--replace " + APP, "replace"), ("--destroy", "delete")):
        save(reviewed, *argument.split())

        assert 4 == reviewed.run("apply", "plan.json").code
        found = reviewed.run("apply", "plan.json", "--allow", guard, "--allow", "delete")
        assert 0 == found.code, found.said


def test_guards_of_a_saved_plan_are_those_of_today(reviewed: Project):
    """Protected after the review is protected."""
    reviewed.declare(portal(), legacy(label="ERP"), handler(), app("gone"))
    reviewed.apply("--allow", "delete")
    reviewed.declare(portal(), legacy(label="ERP"), handler())
    save(reviewed)
    reviewed.declare(portal(), legacy(label="ERP"), handler(), app("gone", lifecycle={"protect": ["delete"]}))
    reviewed.apply()
    reviewed.declare(portal(), legacy(label="ERP"), handler())

    found = reviewed.run("apply", "plan.json", "--allow", "delete")

    assert (4, True) == (found.code, reviewed.held("ExternalClientApplication/gone") is not None)


@pytest.mark.parametrize("change", TOUCHED)
def test_an_apply_checks_once_more_before_it_deploys(reviewed: Project, change: str):
    """*Immediately before it deploys*: while a person thinks about the question, another one edits."""
    answer = Terminal("yes", before=lambda: TOUCHED[change](reviewed))
    writes = reviewed.org.write_calls

    found = reviewed.run("apply", stdin=answer)

    assert (4, True) == (found.code, "changed in the org while this apply was under way" in found.err), found.said
    assert writes == reviewed.org.write_calls


def test_a_change_elsewhere_during_the_question_does_not_matter(reviewed: Project):
    """Only what would be overwritten counts."""
    answer = Terminal("yes", before=lambda: edit("ConnectedApp/Partner_Portal", label="Partners")(reviewed))

    assert 0 == reviewed.run("apply", stdin=answer).code


def test_nothing_that_is_written_down_holds_a_secret(project: Project):
    """Plans are uploaded as artifacts, baselines are committed, logs are kept for years."""
    project.declare(portal(consumerSecret=FROM_ENV), legacy(oauthConfig={"consumerSecret": {"secret": {"file": "s"}}}))
    (project.root / "s").write_text(f"{SECRET}FromFile\n", encoding="utf-8")
    said = ""
    for command in (
        "plan --out plan.json",
        "plan --output json",
        "plan --validate",
        "apply plan.json --output text --output json=result.json",
        "plan --output json",
        "drift --output json",
        "drift --against desired",
        "baseline list",
        f"baseline show {GLOBAL}",
        f"baseline show {GLOBAL} --output json",
    ):
        found = project.run(*command.split(), PORTAL_SECRET=SECRET)
        assert 0 == found.code, found.said
        said += found.said

    (project.root / "s").unlink()
    files = [file for file in project.root.rglob("*") if file.is_file() and file.parent != project.database.parent]
    assert {"plan.json", "result.json", "identity.yaml"} < {file.name for file in files}
    assert [] == [file.name for file in files if SECRET.encode() in file.read_bytes()]
    assert SECRET not in said


def test_a_failed_apply_says_no_secret_either(project: Project):
    """Salesforce quotes what it refuses; a secret that is too short for it must not end in a log."""
    project.declare(portal(consumerSecret=FROM_ENV))

    found = project.run("apply", "--auto-approve", PORTAL_SECRET="canary-not-alphanumeric!")

    assert (6, False) == (found.code, "canary-not" in found.said)


def test_a_digest_of_a_secret_is_salted(project: Project):
    """Two projects with the same secret must not look the same, and a list of common secrets must not find it."""
    import hashlib

    project.declare(portal(consumerSecret=FROM_ENV))
    project.apply(PORTAL_SECRET=SECRET)

    text = project.baseline_file.read_text(encoding="utf-8")
    assert ("$digest" in text, False) == (True, hashlib.sha256(SECRET.encode()).hexdigest() in text)


def test_a_plan_that_repeats_a_secret_is_not_saved(project: Project):
    """Taken out, the plan would be refused as altered, and nobody would know why; left in, it is in an artifact."""
    token = project.org.access_token()
    with served(project.org) as url:
        login = {"flow": "token", "access_token": {"secret": {"env": "TOKEN"}}}
        project.configure(mock=None, instance_url=url, login=login)
        project.declare(app("other", description=f"about {token}"))

        found = project.run("plan", "--out", "plan.json", TOKEN=token)

    assert (4, True) == (found.code, "repeats a secret" in found.err)
    assert not (project.root / "plan.json").exists()
    assert token not in found.said
