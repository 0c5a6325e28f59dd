"""`reconciler doctor`: names what is missing and the mend for each, and changes nothing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.kinds import all_kinds
from tests.e2e.build import DANA, app, portal, scope
from tests.e2e.project import Project, Result
from tests.e2e.served import closed_port, served

Prepare = Callable[[Project], Any]
ELI = "eli@acme.example"


def examined(project: Project, *arguments: str, **environment: str) -> tuple[int, dict[str, list[Any]]]:
    """The exit code, and the diagnoses that are not well by topic."""
    found = project.run("doctor", "--output", "json", *arguments, **environment)
    sick: dict[str, list[Any]] = {}
    for one in found.json["diagnoses"]:
        if one["health"] != "ok":
            sick.setdefault(one["topic"], []).append(one)
    return found.code, sick


def of(project: Project, topic: str) -> list[str]:
    """What is said of a topic, well or not."""
    return [
        one["message"] for one in project.run("doctor", "--output", "json").json["diagnoses"] if one["topic"] == topic
    ]


def test_all_is_well_in_a_good_org(project: Project):
    """Whoever starts wants to see that nothing is missing."""
    project.declare(portal())
    project.apply()
    found = project.run("doctor")

    assert 0 == found.code
    assert found.out.endswith("Doctor: all is well.\n")
    for said in (
        "logged in as admin@acme.example",
        "ModifyMetadata",
        f"{len(all_kinds())} can be read",
        "by REST",
        "API calls are left",
        "audit trail, deployments, users",
        "nobody holds its lock",
    ):
        assert said in found.out


def test_it_changes_nothing_and_leaves_nothing(project: Project):
    """It is run against production by somebody who is not sure."""
    project.declare(portal())
    before = project.content(), sorted(project.root.rglob("*")), project.org.write_calls

    project.run("doctor")

    assert before == (project.content(), sorted(project.root.rglob("*")), project.org.write_calls)


def test_who_may_not_deploy_is_told_what_is_missing(project: Project):
    """The integration user was made yesterday, and nobody knows yet what it needs."""
    project.configure(login={"username": ELI})
    code, sick = examined(project)
    words = " ".join(one["message"] for one in sick["permissions"])

    assert 5 == code
    assert "lacks Modify Metadata Through Metadata API Functions" in words
    assert "lacks Customize Application" in words
    assert "External Client Apps" in words
    assert all("permission set" in one["mend"] for one in sick["permissions"])
    assert sick["kinds"][0]["salesforce"]
    assert {"permissions", "kinds", "who and what"} <= sick.keys()


def test_a_kind_that_cannot_be_read_is_named(project: Project):
    """Its resources would be planned blind."""
    project.declare(scope())
    project.org.switch("unreadable_kinds", ["OauthCustomScope"])
    code, sick = examined(project)
    (one,) = sick["kinds"]

    assert 5 == code == project.run("plan").code
    assert "OauthCustomScope cannot be read" in one["message"]
    assert "INSUFFICIENT_ACCESS" in one["salesforce"]


def test_a_kind_that_nobody_needs_is_no_problem(project: Project):
    """A login that may do just enough would never get a green doctor, though plan and apply work with it."""
    project.declare(portal())
    project.org.switch("unreadable_kinds", ["OauthCustomScope"])
    code, sick = examined(project)
    (one,) = sick["kinds"]

    assert 0 == code == project.run("plan").code
    assert ("warning", True) == (one["health"], "INSUFFICIENT_ACCESS" in one["salesforce"])


def test_what_only_the_baseline_holds_is_needed_too(project: Project):
    """To stop managing it takes a plan that can see it."""
    project.declare(scope())
    project.apply()
    project.declare(portal())
    project.org.switch("unreadable_kinds", ["OauthCustomScope"])

    assert 5 == examined(project)[0] == project.run("plan").code


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (["SetupAuditTrail"], "the Setup audit trail cannot be read: drift names who changed"),
        (["DeployRequest"], "deployments cannot be read: drift cannot tell a deployment under way"),
        (["User"], "users cannot be read: rules about users are not judged"),
        (["PermissionSet"], "permission sets and profiles cannot be read"),
        (["UserPermissionAccess"], "the org does not say what our user may do"),
    ],
)
def test_what_cannot_be_asked_says_what_is_lost(project: Project, objects: list[str], message: str):
    """Less is known, and everything else works: no reason to fail a pipeline."""
    project.org.switch("unreadable_objects", objects)
    code, sick = examined(project)

    assert 0 == code
    assert any(message in one["message"] for several in sick.values() for one in several), sick


def test_another_org_than_the_pinned_one_is_named(project: Project):
    """A refreshed sandbox has a new id."""
    project.configure(org_id="00D000000000001EAA")
    code, sick = examined(project)

    assert 4 == code
    assert project.org.org_id in sick["org"][0]["message"]
    assert "00D000000000001EAA" in sick["org"][0]["message"]


def test_an_api_version_that_lacks_kinds_is_named(project: Project):
    """Pinned once, and forgotten."""
    project.configure(api_version="61.0")
    code, sick = examined(project)

    assert 0 == code
    assert "61.0 does not have" in sick["api version"][0]["message"]
    assert "remove api_version" in sick["api version"][0]["mend"]


def test_an_api_version_that_the_org_lacks_is_named(project: Project):
    """An org in an older release than the file."""
    project.configure(api_version="99.0")
    code, sick = examined(project)

    assert 1 == code
    assert "api_version is pinned to 99.0" in sick["connection"][0]["message"]
    assert "66.0" in sick["connection"][0]["mend"]


def test_a_jwt_token_is_named_with_its_mend(project: Project):
    """REST works with it, so that everything else looks well."""
    project.org.switch("jwt_tokens", True)
    code, sick = examined(project)

    assert 5 == code
    assert "is a JWT, which SOAP does not take" in sick["deployments"][0]["message"]
    assert "isNamedUserJwtEnabled" in sick["deployments"][0]["mend"]


def test_secrets_of_the_files_are_looked_for_and_not_shown(project: Project):
    """An apply that finds out after an hour of waiting for approval is an apply too late."""
    secret = {"consumerSecret": {"secret": {"env": "PORTAL_SECRET"}}}
    project.declare(portal(**secret))
    code, sick = examined(project)

    assert 3 == code
    assert "the environment variable PORTAL_SECRET is not set" in sick["secrets"][0]["message"]
    found = project.run("doctor", "--output", "json", PORTAL_SECRET="canarySecret0123456789")
    assert 0 == found.code
    assert "canarySecret0123456789" not in found.said


def test_broken_files_hide_nothing_else(project: Project):
    """The org is what was asked about."""
    project.declare("kind: Nonsense\nname: x\n")
    code, sick = examined(project)

    assert 0 == code
    assert ["secrets"] == list(sick)


def test_a_lock_that_is_held_is_named(project: Project):
    """Somebody applies just now."""
    from reconciler.baseline.store import Store

    project.declare(app("a"))
    project.apply()
    with Store(project.root / ".reconciler" / "baselines", "acme").lock(project.org.org_id):
        code, sick = examined(project)

    assert 4 == code
    assert "is locked by process" in sick["baseline"][0]["message"]


def remote(project: Project, url: str, token: str) -> Result:
    login = {"flow": "token", "access_token": {"secret": {"env": "TOKEN"}}}
    project.configure(mock=None, instance_url=url, login=login)
    return project.run("doctor", "--output", "json", TOKEN=token)


def only(found: Result) -> dict[str, Any]:
    (one,) = [one for one in found.json["diagnoses"] if one["topic"] != "secrets"]
    return dict(one)


def test_a_dead_token_is_the_diagnosis(project: Project):
    """It is what most people run the command for."""
    with served(project.org) as url:
        found = remote(project, url, "00D000000000001!dead")
    one = only(found)

    assert 5 == found.code
    assert ("login", "problem", 5) == (one["topic"], one["health"], one["exit_code"])
    assert "INVALID_SESSION_ID" in one["salesforce"]
    assert "00D000000000001!dead" not in found.said
    assert json.loads(found.out)["org"] is None


def test_a_dead_login_hides_nothing_of_our_own_side(project: Project):
    """Two pushes for two secrets that are missing is one too many."""
    project.declare(portal(consumerSecret={"secret": {"env": "PORTAL_SECRET"}}))
    with served(project.org) as url:
        found = remote(project, url, "00D000000000001!dead")
    sick = {one["topic"]: one["message"] for one in found.json["diagnoses"]}

    assert 5 == found.code
    assert ["login", "secrets"] == list(sick)
    assert "PORTAL_SECRET is not set" in sick["secrets"]


def test_an_org_that_does_not_answer_is_the_diagnosis(project: Project, monkeypatch: pytest.MonkeyPatch):
    """Exit 1: the network, not the permissions."""
    monkeypatch.setattr("providers.salesforce.wire.polling.time.sleep", lambda _: None)
    found = remote(project, closed_port(), "00D000000000001!x")

    assert 1 == found.code
    assert "connection" == only(found)["topic"]


def test_a_host_that_gets_no_credentials_is_the_diagnosis(project: Project):
    """Exit 4, as every other command ends with it."""
    found = remote(project, "https://evil.example", "00D000000000001!x")

    assert 4 == found.code
    assert "credentials are not sent" in only(found)["message"]


def test_over_http_the_clock_is_compared(project: Project):
    """A clock that is wrong shows in no other way than as `expired`."""
    with served(project.org) as url:
        found = remote(project, url, project.org.access_token(DANA))

    assert 0 == found.code
    messages = [one["message"] for one in found.json["diagnoses"]]
    assert "this machine's clock agrees with Salesforce's" in messages
    assert f"logged in as {DANA} at {url}" in messages
