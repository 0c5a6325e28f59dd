"""docs/semantics.md (Values; Groups): unset, null and empty are three things, and what the platform overrides is planned so."""

from typing import Any

import pytest

from reconciler.rules import all_rules
from tests.e2e.build import APP, DANA, GLOBAL, LEGACY, OAUTH, POLICY, app, legacy, oidc, portal, record
from tests.e2e.project import Project


def approved(project: Project, *names: str) -> None:
    """The old app is for users of these permission sets only."""
    project.org.set(LEGACY, {"oauthConfig.isAdminApproved": "true", "permissionSetName": ",".join(names)}, as_user=DANA)


def test_what_is_not_written_keeps_its_live_value(project: Project):
    """*Unset* is not ours: whoever manages a label must not reset callback URLs, policies or permission sets."""
    approved(project, "Reporting_API", "Order_Portal_User")
    before = project.held(LEGACY)
    project.declare(legacy(label="ERP"))

    project.apply()

    assert {**before, "label": ["ERP"]} == project.held(LEGACY)


def test_unset_inside_of_a_section_keeps_its_live_value_too(project: Project):
    """A deployment replaces the whole record, sections included."""
    before = project.held(LEGACY)["oauthConfig"][0]
    project.declare(legacy(oauthConfig={"isPkceRequired": True}))

    project.apply()

    assert {**before, "isPkceRequired": ["true"]} == project.held(LEGACY)["oauthConfig"][0]


def test_null_asks_for_the_marked_default(project: Project):
    """`null` means the platform's default; here it is the stronger value, which a file may ask for without knowing it."""
    project.declare(portal(isSecretRequiredForRefreshToken=False))
    project.apply()
    project.declare(portal(isSecretRequiredForRefreshToken=None))

    assert {f"update {GLOBAL}": {"isSecretRequiredForRefreshToken": (False, True)}} == project.planned()
    project.apply()
    assert "true" == project.held(GLOBAL, "isSecretRequiredForRefreshToken")


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_the_empty_text_take_a_value_away_that_has_no_default(project: Project, nothing: str | None):
    """*Or the element left out where there is none*; `""` means empty."""
    project.declare(app(infoUrl="https://acme.example/info"))
    project.apply()
    project.declare(app(infoUrl=nothing))

    project.apply()

    assert project.held(APP, "infoUrl") in (None, "")
    assert {} == project.planned()


@pytest.mark.parametrize("nothing", [None, []])
def test_null_and_the_empty_list_clear_a_comma_list(project: Project, nothing: list[str] | None):
    """A policy whose permission sets could not be taken away would keep people in."""
    project.declare(portal(policies={"commaSeparatedPermissionSet": ["Order_Portal_User"]}))
    project.apply()
    project.declare(portal(policies={"commaSeparatedPermissionSet": nothing}))

    project.apply()

    assert project.held(POLICY, "commaSeparatedPermissionSet") in (None, "")


@pytest.mark.parametrize("nothing", [None, []])
def test_null_and_the_empty_list_clear_a_keyed_list(project: Project, nothing: list[str] | None):
    """An allow list that is emptied in the files must be emptied in the org, or the files lie."""
    ranges = [{"startIpAddress": "10.0.0.1", "endIpAddress": "10.0.0.9"}]
    document = portal()
    project.declare({**document, "oauthSettings": {**document["oauthSettings"], "trustedIpRanges": ranges}})
    project.apply()
    assert project.held(OAUTH, "trustedIpRanges")
    project.declare({**document, "oauthSettings": {**document["oauthSettings"], "trustedIpRanges": nothing}})

    project.apply()

    assert None is project.held(OAUTH, "trustedIpRanges")


def test_an_empty_permission_set_list_clears_the_list(project: Project):
    """`permissionSetName: []` sends the one empty element; an absent one would leave the users in."""
    approved(project, "Reporting_API", "Order_Portal_User")
    project.declare(legacy(permissionSetName=[]))

    project.apply()

    assert None is project.held(LEGACY, "permissionSetName")


def test_null_for_a_permission_set_list_clears_the_list_too(project: Project):
    """Its default is that nobody is in it; leaving the element out would mean "as it was" to this org."""
    approved(project, "Reporting_API")
    project.declare(legacy(permissionSetName=None))

    project.apply()

    assert None is project.held(LEGACY, "permissionSetName")


def test_an_empty_list_where_the_org_has_none_is_no_change(project: Project):
    """Repeated elements absent in a read-back decode as `[]`."""
    project.declare(legacy(permissionSetName=[], profileName=[], ipRanges=[]))

    assert {} == project.planned()


@pytest.mark.parametrize(
    "document",
    [legacy(label=None), legacy(oauthConfig={"consumerSecret": None}), portal(consumerSecret=None)],
    ids=["required", "write-only in a section", "write-only"],
)
def test_null_on_a_required_or_write_only_field_is_an_error(project: Project, document: dict):
    """Nobody can say what the default of a label is, and a secret cannot be taken away by a file."""
    project.declare(document)

    assert 3 == project.run("plan").code


def test_null_takes_a_whole_section_away(project: Project):
    """A session policy that is to be none."""
    project.declare(legacy(sessionPolicy={"policyAction": "Block", "sessionTimeout": 30}))
    project.apply()
    project.declare(legacy(sessionPolicy=None))

    project.apply()

    assert None is project.held(LEGACY, "sessionPolicy")


def test_pkce_that_is_written_off_is_planned_as_what_the_org_will_hold(project: Project):
    """*A value that the platform is known to override is planned as what it will hold, with the rule's finding.*"""
    project.configure(rules={id: "off" for id in all_rules() if id != "OA02"})
    project.declare(portal(isPkceRequired=False))

    def found() -> list[Any]:
        return [(f["id"], f["address"], f["path"]) for f in project.plan()["findings"]]

    assert [("OA02", GLOBAL, ["isPkceRequired"])] == found()
    project.apply()
    assert "true" == project.held(GLOBAL, "isPkceRequired")
    assert {} == project.planned()
    assert [("OA02", GLOBAL, ["isPkceRequired"])] == found()


def test_values_that_mean_the_same_are_no_change(project: Project):
    """An org writes scopes, blanks and case its own way; a plan that repeats for ever is read by nobody."""
    project.org.set(LEGACY, {"oauthConfig.callbackUrl": " https://b.example/cb \n\nhttps://a.example/cb"}, as_user=DANA)
    project.declare(
        legacy(
            oauthConfig={
                "scopes": ["OfflineAccess", "Api", "RefreshToken"],
                "callbackUrl": ["https://a.example/cb", "https://b.example/cb"],
            }
        ),
        portal(policies={"ipRelaxationPolicyType": "Enforce_RelaxRefresh", "refreshTokenValidityUnit": "days"}),
    )
    project.apply()

    assert {} == project.planned()


def test_an_element_that_no_schema_knows_is_carried_along(project: Project):
    """Live overlaid with desired: what Salesforce adds next year must survive our deployments of today."""
    inside = "<blockOAuthUnPwFlow>false</blockOAuthUnPwFlow><enableSomethingNew>true</enableSomethingNew>"
    project.org.load_component("OauthOidcSettings", "OauthOidc", record("OauthOidcSettings", inside))
    project.declare(oidc(blockOAuthUnPwFlow=True))

    found = project.run("apply", "--auto-approve")

    # The mock org refuses what it does not know, as Salesforce does: that is how we see that it was sent.
    assert (6, True) == (found.code, "enableSomethingNew" in found.out)


def test_a_group_of_fields_has_one_direction_together(project: Project):
    """*Some fields only have a direction together*: 30 days instead of 365 is stronger, although only a number fell."""
    project.declare(portal(policies={"refreshTokenPolicyType": "SpecificLifetime", "refreshTokenValidityPeriod": 30}))
    project.apply()
    project.declare(portal(policies={"refreshTokenPolicyType": "Infinite"}))

    fields = project.plan()["resource_changes"][0]["fields"]

    assert [("refreshTokenPolicyType", "weakens", "high")] == [
        (f["path"][0], f["direction"], f["severity"]) for f in fields
    ]


def test_drift_of_one_field_of_a_group_is_judged_with_the_others(project: Project):
    """30 hours become 30 months: the unit alone moved, and tokens live 720 times as long."""
    thirty = {"refreshTokenValidityPeriod": 30, "refreshTokenValidityUnit": "Hours"}
    project.declare(portal(policies={"refreshTokenPolicyType": "SpecificLifetime", **thirty}))
    project.apply()
    project.org.set(POLICY, {"refreshTokenValidityUnit": "Months"}, as_user=DANA)

    found = project.run("drift", "--output", "json").json["findings"]

    assert [(["refreshTokenValidityUnit"], "weakens", "medium")] == [
        (f["path"], f["direction"], f["severity"]) for f in found
    ]
