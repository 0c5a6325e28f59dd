"""Rules where people meet them: in `check`, in `plan`, before an `apply`, and on an org without any files."""

import shutil
from typing import Any

import pytest
import yaml

from reconciler.kinds import all_kinds
from reconciler.rules import all_rules
from tests.e2e.build import (
    APP,
    DANA,
    GLOBAL,
    INTEGRATION,
    app,
    enablement,
    handler,
    handler_class,
    legacy,
    portal,
)
from tests.e2e.project import Project

RULE = "OA06"
BAD = "https://portal.acme.example/callback#fragment"
GOOD = "https://portal.acme.example/callback"


def only(project: Project, *rules: str, **more: Any) -> None:
    """These rules are on, as grave as they are by themselves."""
    project.configure(rules={id: "off" for id in all_rules() if id not in rules}, **more)


def waive(project: Project, **fields: str) -> None:
    """Write a waiver into the project file."""
    file = project.root / "reconciler.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    waiver = {"rule": RULE, "address": GLOBAL, "reason": "old client", "owner": "iam@acme.example", **fields}
    content["waivers"] = [{"expires": "2999-12-31", **waiver}]
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def findings(project: Project, *command: str) -> list[tuple[str, str]]:
    """Rule and address of each finding of a command's JSON."""
    found = project.run(*command, "--output", "json")
    return [(one["id"], one["address"]) for one in found.json["findings"]]


def test_check_names_the_rule_the_line_and_the_mend(project: Project) -> None:
    """Whoever reads it in a pull request has no other place to look."""
    only(project, RULE)
    project.declare(portal(callbackUrl=[BAD]))

    found = project.run("check")

    assert 3 == found.code
    assert f"{GLOBAL}.callbackUrl" in found.out
    assert f"[{RULE}]" in found.out
    assert "desired/identity.yaml:" in found.out
    assert "mend: " in found.out


def test_an_apply_that_would_make_an_app_unsafe_is_refused_and_changes_nothing(project: Project) -> None:
    """The one moment in which a mistake can still be stopped."""
    only(project, RULE)
    project.declare(portal(callbackUrl=[BAD]))
    before = project.content()

    found = project.run("apply", "--auto-approve")

    assert (3, True, before) == (found.code, RULE in found.err, project.content())


def test_a_bad_app_that_nobody_touches_blocks_nobody(project: Project) -> None:
    """Every other team would be held up by the worst app of the org."""
    project.declare(portal(callbackUrl=[BAD]))
    project.apply()
    only(project, RULE)
    project.declare(portal(callbackUrl=[BAD]), app("other"))

    assert [] == findings(project, "plan")
    project.apply()


def test_what_the_plan_mends_does_not_stop_it(project: Project) -> None:
    """The change that makes an app safe must not be refused because it was unsafe."""
    project.declare(portal(callbackUrl=[BAD]))
    project.apply()
    only(project, RULE)
    project.declare(portal(callbackUrl=[GOOD]))

    project.apply()

    assert GOOD == project.held(GLOBAL, "callbackUrl")


def test_a_change_elsewhere_that_makes_a_rule_break_counts_as_its_cause(project: Project) -> None:
    """Switching an app's flow off breaks the enablement that another file made long ago."""
    project.source("PartnerIdpHandler", handler_class())
    on = {"isTokenExchangeFlowEnabled": True, "permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
    world = [handler(), enablement("portal", isDefault=True)]
    project.declare(portal(policies=on, isTokenExchangeEnabled=True), *world)
    project.apply()
    only(project, "TX01")
    project.declare(portal(policies=on, isTokenExchangeEnabled=False), *world)

    assert [("TX01", GLOBAL)] == findings(project, "plan")


def test_the_org_is_judged_without_any_files(project: Project) -> None:
    """A first audit in one command: whoever has no files yet has the most to find."""
    project.declare(portal(callbackUrl=[BAD]))
    project.apply()
    only(project, RULE)
    shutil.rmtree(project.root / "desired")

    found = project.run("check", "--live", "--output", "json")

    assert (2, [(RULE, GLOBAL)]) == (found.code, [(f["id"], f["address"]) for f in found.json["findings"]])


@pytest.mark.parametrize("command", ["check --live", "drift", "drift --against desired", "plan"])
def test_a_look_writes_nothing(project: Project, command: str) -> None:
    """An audit runs with a login that is trusted because it cannot change anything; neither may its own notes move."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    only(project, *all_rules())
    file = project.baseline_file
    assert file is not None
    before, calls, kept = project.content(), project.org.write_calls, file.read_bytes()

    project.run(*command.split())

    assert (before, calls, kept) == (project.content(), project.org.write_calls, file.read_bytes())


def test_an_audit_that_saw_nothing_is_not_green(project: Project) -> None:
    """The nightly check of an org whose admin has taken our permission away."""
    project.org.switch("unreadable_kinds", list(all_kinds()))

    found = project.run("check", "--live")

    assert (5, True) == (found.code, "ExternalClientApplication could not be read" in found.err)


def test_what_could_not_be_read_hides_nothing_else(project: Project) -> None:
    """Whoever takes one permission away from the audit must not silence the rest of it."""
    project.declare(portal(callbackUrl=[BAD]), legacy(label="ERP"))
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    only(project, RULE)
    project.org.switch("unreadable_kinds", ["ConnectedApp"])

    for command, broken in (("drift", "drift.changed"), ("check --live", RULE)):
        found = project.run(*command.split(), "--output", "json")
        told = (found.code, [one["id"] for one in found.json["findings"]], list(found.json["unreadable"]))
        assert (5, [broken]) == told[:2]
        assert any(what.startswith("ConnectedApp") for what in told[2])


def test_a_waived_finding_lets_the_apply_through_and_stays_visible(project: Project) -> None:
    """A known exception must not stop everybody, and must not vanish from sight."""
    only(project, RULE)
    waive(project)
    project.declare(portal(callbackUrl=[BAD]))

    checked = project.run("check")
    project.apply()

    assert (0, True) == (checked.code, "waived: old client (iam@acme.example, until 2999-12-31)" in checked.out)


def test_an_expired_waiver_waives_nothing_and_says_so(project: Project) -> None:
    """Exceptions outlive their reasons."""
    only(project, RULE)
    waive(project, expires="2020-01-01")
    project.declare(portal(callbackUrl=[BAD]))

    assert [(RULE, GLOBAL), ("waiver.expired", GLOBAL)] == findings(project, "check")


def test_a_waiver_that_nothing_needs_is_a_finding(project: Project) -> None:
    """It would silently cover the next mistake of the same sort."""
    only(project, RULE)
    waive(project)
    project.declare(portal(callbackUrl=[GOOD]))

    assert [("waiver.unused", GLOBAL)] == findings(project, "check")


def test_a_user_that_does_not_exist_is_found_before_the_deployment(project: Project) -> None:
    """Salesforce would refuse it after minutes, or drop the user silently."""
    project.source("PartnerIdpHandler", handler_class())
    only(project, "TX11")
    on = {"isTokenExchangeFlowEnabled": True, "permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
    stranger = enablement("portal", isDefault=True, apexExecutionUser="nobody@acme.example")
    project.declare(portal(policies=on, isTokenExchangeEnabled=True), handler(), stranger)

    assert [("TX11", "OauthTokenExchangeHandler/PartnerIdp/enablements/portal")] == findings(project, "plan")


def test_a_user_in_a_record_that_the_plan_leaves_alone_is_asked_for_too(project: Project) -> None:
    """An edit of the app's switches would be refused: "the org has no user", although nobody had asked the org."""
    flow = {"isClientCredentialsFlowEnabled": True, "clientCredentialsFlowUser": INTEGRATION}
    project.declare(portal(policies=flow))
    project.apply()
    only(project, "CC02")
    project.declare(portal(policies=flow, isSecretRequiredForRefreshToken=False))

    made = project.plan()

    assert [GLOBAL] == [change["address"] for change in made["resource_changes"]]
    assert [] == [found["message"] for found in made["findings"] if "has no user" in found["message"]]


def test_drift_is_new_once_and_known_afterwards(project: Project) -> None:
    """A nightly report that repeats itself is read once."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=DANA)
    project.run("drift", "--output", "json=first.json")
    project.org.set(APP, {"infoUrl": "https://acme.example/info"}, as_user=DANA)
    second = project.run("drift", "--since", "first.json", "--output", "json")
    project.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "true"}, as_user=DANA)
    third = project.run("drift", "--since", "first.json", "--output", "json")

    assert {GLOBAL: True, APP: False} == {one["address"]: one["known"] for one in second.json["findings"]}
    assert ({APP: False}, 1) == (
        {one["address"]: one["known"] for one in third.json["findings"]},
        len(third.json["resolved"]),
    )


def test_what_can_no_longer_be_read_is_not_resolved(project: Project) -> None:
    """Whoever takes a permission away would tick off the finding with it."""
    project.declare(portal(), legacy(label="ERP"))
    project.apply()
    project.org.set("ConnectedApp/Legacy_ERP", {"label": "Theirs"}, as_user=DANA)
    project.run("drift", "--output", "json=first.json")
    project.org.switch("unreadable_kinds", ["ConnectedApp"])

    assert [] == project.run("drift", "--since", "first.json", "--output", "json").json["resolved"]


def test_a_build_sees_an_apply_that_was_stopped(project: Project) -> None:
    """A test report without any test is a green one."""
    only(project, RULE)
    project.declare(portal(callbackUrl=[BAD]))

    project.run("apply", "--auto-approve", "--output", "junit=out.xml")

    assert 'failures="1"' in (project.root / "out.xml").read_text(encoding="utf-8")


def test_what_the_file_mends_already_is_to_be_applied(project: Project) -> None:
    """A mend that the line already has sends people round in circles."""
    project.declare(portal())
    project.apply()
    project.org.set(GLOBAL, {"callbackUrl": BAD}, as_user=DANA)
    only(project, RULE)

    (found,) = project.run("check", "--live", "--output", "json").json["findings"]

    assert "the file says something else: apply it" == found["mend"]


def test_a_weakened_helper_of_a_handlers_class_is_found(project: Project) -> None:
    """The handler's own class stays as it is, and still lets everybody in."""
    handler_source = (
        "public with sharing class PartnerIdpHandler extends Auth.Oauth2TokenExchangeHandler {\n"
        "  public override Auth.TokenValidationResult validateIncomingToken(String a, Auth.IntegratingAppType b,"
        " String token, Auth.OAuth2TokenExchangeType t) {\n"
        "    return Checks.verified(token) ? new Auth.TokenValidationResult(true) : new Auth.TokenValidationResult(false);\n"
        "  }\n"
        "  public override User getUserForTokenSubject(Id n, Auth.TokenValidationResult r, Boolean c, String a,"
        " Auth.IntegratingAppType b) {\n    return null;\n  }\n}\n"
    )
    checks = (
        "public with sharing class Checks {{\n  public static Boolean verified(String token) {{\n    {}\n  }}\n}}\n"
    )
    sound = "return Auth.JWTUtil.validateJWTWithCert(token, 'c') != null;"
    project.source("PartnerIdpHandler", handler_source)
    project.source("Checks", checks.format(sound))
    project.declare(handler())
    project.apply()
    only(project, "TX16")
    project.source("Checks", checks.format("return true;"))

    assert ["TX16"] == [rule for rule, _ in findings(project, "plan")]
