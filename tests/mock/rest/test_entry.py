"""REST resources beside queries: what is there, what is not, and when there is no more."""

from __future__ import annotations

import pytest

from providers.mock import Org
from providers.mock.columns import TABLES
from tests.mock.wire import NS, Wire, apex, app, enablement, handler, oauth_policy, whole

V = "/services/data/v66.0"


def test_resources_lead_to_who_i_am(wire: Wire, org: Org) -> None:
    """One client reads its user from this link and nowhere else."""
    found = wire.get(V).json()

    assert f"{wire.base}/id/{org.org_id}/" in found["identity"]
    for name in ("limits", "sobjects"):
        assert 200 == wire.get(found[name]).status_code, name


def test_the_day_has_so_many_requests(wire: Wire, org: Org) -> None:
    """A client that polls too eagerly must meet the end here and not in production: REST and SOAP alike."""
    before = wire.get(f"{V}/limits").json()["DailyApiRequests"]
    org.switch("daily_api_requests", 3)

    answers = [wire.query("SELECT Id FROM Organization").status_code for _ in range(4)]

    assert ({"Max": 15000, "Remaining": 14999}, [200, 200, 403, 403]) == (before, answers)
    refused = wire.query("SELECT Id FROM Organization").json()
    assert [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}] == refused
    assert "sf:REQUEST_LIMIT_EXCEEDED REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded." == wire.fault(
        "describeMetadata"
    )
    org.pass_time(86_400)
    assert 200 == wire.query("SELECT Id FROM Organization").status_code


def test_every_object_is_listed_and_described(wire: Wire) -> None:
    """Generic tools build their queries from this."""
    listed = {each["name"] for each in wire.get(f"{V}/sobjects").json()["sobjects"]}
    tooling = {each["name"] for each in wire.get(f"{V}/tooling/sobjects").json()["sobjects"]}

    assert set(TABLES) == listed | tooling
    assert {"DeployRequest"} == tooling - listed
    for table in sorted(listed):
        fields = [each["name"] for each in wire.get(f"{V}/sobjects/{table}/describe").json()["fields"]]
        assert list(TABLES[table]) == fields
        if table != "UserPermissionAccess":
            wire.rows(f"SELECT {', '.join(fields)} FROM {table}")
    described = wire.get(f"{V}/sobjects/oauthtokenexchhandlerapp/describe").json()
    user = next(each for each in described["fields"] if each["name"] == "ApexExecutionUserId")
    assert ("reference", ["User"], "ApexExecutionUser", True, True) == (
        user["type"], user["referenceTo"], user["relationshipName"], described["createable"], user["updateable"],
    )  # fmt: skip
    trail = wire.get(f"{V}/sobjects/SetupAuditTrail/describe").json()["fields"]
    assert {"Display", "Section"} == {each["name"] for each in trail if not each["filterable"]}
    assert "SetupAuditTrail" == wire.get(f"{V}/sobjects/SetupAuditTrail").json()["objectDescribe"]["name"]


def test_what_a_user_may_not_see_is_not_described(org: Org) -> None:
    """As for queries: it is not there."""
    eli = Wire(org, "eli@acme.example")

    assert 404 == eli.get(f"{V}/sobjects/SetupAuditTrail/describe").status_code
    assert "PermissionSet" not in {each["name"] for each in eli.get(f"{V}/sobjects").json()["sobjects"]}


def test_a_record_can_be_asked_for_some_fields(wire: Wire, org: Org) -> None:
    """By an id of either length."""
    path = f"{V}/sobjects/Organization/{org.org_id[:15]}"
    found = wire.get(path, fields="Name,issandbox").json()

    assert {"Name": "Acme", "IsSandbox": False} == {key: value for key, value in found.items() if key != "attributes"}
    answer = wire.get(path, fields="Nope")
    assert (400, "INVALID_FIELD") == (answer.status_code, answer.json()[0]["errorCode"])
    wire.start(b"nothing")
    (job,) = wire.rows("SELECT Id FROM DeployRequest", tooling=True)
    assert "Failed" == wire.get(f"{V}/tooling/sobjects/DeployRequest/{job['Id']}").json()["Status"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"{V}/sobjects/User/005000000000000AAA", 404, "NOT_FOUND"),
        (f"{V}/sobjects/User/x", 404, "NOT_FOUND"),
        (f"{V}/sobjects/DeployRequest/0Af000000000000", 404, "NOT_FOUND"),
        (f"{V}/sobjects/Account/describe", 404, "NOT_FOUND"),
        (f"{V}/composite", 404, "NOT_FOUND"),
        (f"{V}/chatter/users/me", 404, "NOT_FOUND"),
        ("/services/data/v30.0/limits", 410, "GONE"),
        ("/services/data/v67.0/limits", 404, "NOT_FOUND"),
    ],
)
def test_what_is_not_there_says_so(wire: Wire, path: str, status: int, code: str) -> None:
    """Never 500, which clients retry, and never a made-up success."""
    answer = wire.get(path)

    assert (status, code) == (answer.status_code, answer.json()[0]["errorCode"])


def test_a_wrong_method_is_told_the_right_ones(wire: Wire) -> None:
    """405 with the list, as orgs answer."""
    answer = wire.session.put(f"{wire.base}{V}/limits", headers=wire.bearer)

    assert (
        405,
        [{"message": "HTTP Method 'PUT' not allowed. Allowed are GET,HEAD", "errorCode": "METHOD_NOT_ALLOWED"}],
    ) == (
        answer.status_code,
        answer.json(),
    )
    head = wire.session.head(f"{wire.base}{V}/limits", headers=wire.bearer)
    assert (200, b"") == (head.status_code, head.content)


@pytest.mark.parametrize("path", ["limits", "sobjects", "query?q=x", "sobjects/User/describe", "apps/oauth/usage", ""])
def test_without_a_session_the_answer_is_an_array(wire: Wire, path: str) -> None:
    """One client indexes it before it looks."""
    answer = wire.session.get(f"{wire.base}{V}/{path}")

    assert (401, "INVALID_SESSION_ID") == (answer.status_code, answer.json()[0]["errorCode"])


def test_a_renamed_component_takes_all_references_along(wire: Wire, org: Org) -> None:
    """A real org refers by id: what broke here by a new name would not break there."""
    wire.deployed(
        apex("Exchange"),
        *whole("order"),
        oauth_policy("order", permittedUsersPolicyType="AdminApprovedPreAuthorized", commaSeparatedPermissionSet="Order_Portal_User"),
        handler("Idp", enablement("order")),
    )  # fmt: skip
    key = wire.read("ExtlClntAppGlobalOauthSettings", "order_glbloauth", "consumerKey")

    def rename(kind: str, old: str, new: str) -> str:
        inner = f"<type>{kind}</type><oldFullName>{old}</oldFullName><newFullName>{new}</newFullName>"
        return wire.soap("renameMetadata", inner).findtext(f"{{{NS}}}result/{{{NS}}}success") or ""

    renames = [
        ("ExternalClientApplication", "order", "shop"),
        ("ExtlClntAppGlobalOauthSettings", "order_glbloauth", "shop_global"),
        ("OauthTokenExchangeHandler", "Idp", "Partner"),
        ("PermissionSet", "Order_Portal_User", "Shop_User"),
    ]
    assert ["true"] * 4 == [rename(*each) for each in renames]
    assert ["shop", "Partner"] == [
        wire.read("OauthTokenExchangeHandler", "Partner", "enablements", "externalClientApp"),
        wire.read("OauthTokenExchangeHandler", "Partner", "developerName"),
    ]
    assert ("shop", key) == (
        wire.read("ExtlClntAppGlobalOauthSettings", "shop_global", "externalClientApplication"),
        wire.read("ExtlClntAppGlobalOauthSettings", "shop_global", "consumerKey"),
    )
    policy = "ExtlClntAppOauthConfigurablePolicies"
    assert "Shop_User" == wire.read(policy, "order_oauthPlcy", "commaSeparatedPermissionSet")
    assert "Shop_User" in {name for user in org.users() for name in user.permission_sets}
    (row,) = wire.rows("SELECT Id FROM ExternalClientApplication WHERE DeveloperName = 'shop'")
    for satellite in ("ExtlClntAppPlcyCnfg", "ExtlClntAppOauthPlcyCnfg", "ExtlClntAppOauthSettings"):
        assert wire.rows(f"SELECT Id FROM {satellite} WHERE ExternalClientApplicationId = '{row['Id']}'"), satellite
    refused = [
        ("ExternalClientApplication", "shop", "Marketing_Dashboard"),
        ("ExternalClientApplication", "nobody", "x"),
        ("ExternalClientApplication", "shop", "not a name"),
        ("OauthOidcSettings", "OauthOidc", "other"),
    ]
    assert ["false"] * 4 == [rename(*each) for each in refused]
    wire.deployed(app("shop", label="Shop"))
