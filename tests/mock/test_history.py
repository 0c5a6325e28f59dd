"""What an org remembers: who did what for whom, which deployments ran, and who may ask."""

from __future__ import annotations

import pytest

from providers.mock import MockOrgError, Org
from tests.mock.wire import Wire, apex, app, enablement, handler, package, whole

DANA, ADMIN, ELI = "dana@acme.example", "admin@acme.example", "eli@acme.example"
PLACE = "OauthTokenExchangeHandler/Idp/enablements/order"
TRAIL = "SELECT Display, CreatedBy.Username, DelegateUser FROM SetupAuditTrail ORDER BY CreatedDate DESC LIMIT 1"
ROWS = "SELECT Id, LastModifiedBy.Username, LastModifiedDate FROM OauthTokenExchHandlerApp"


@pytest.fixture
def ready(wire: Wire) -> Wire:
    """A handler that is enabled for one app, deployed by the admin."""
    wire.deployed(apex("Exchange"), *whole("order"), handler("Idp", enablement("order")))
    return wire


def last(wire: Wire) -> tuple[str, str, str | None]:
    (row,) = wire.rows(TRAIL)
    return row["Display"], row["CreatedBy"]["Username"], row["DelegateUser"]


def stamps(wire: Wire) -> tuple[str, str]:
    """Who changed the handler last, as a query and as a retrieve tell it."""
    (row,) = wire.rows("SELECT LastModifiedBy.Name FROM OauthTokenExchangeHandler")
    properties = wire.retrieve({"OauthTokenExchangeHandler": ["Idp"]}).properties
    return row["LastModifiedBy"]["Name"], next(iter(properties.values()))["lastModifiedByName"]


def dated(wire: Wire) -> list[dict[str, str]]:
    return wire.rows("SELECT LastModifiedDate FROM OauthTokenExchangeHandler")


# -- on behalf of ------------------------------------------------------------------------------------------------------


def test_whoever_had_logged_in_as_an_admin_stands_in_the_trail(ready: Wire, org: Org) -> None:
    """The change is the admin's; the person was another one."""
    org.set("ExternalClientApplication/order", {"description": "x"}, as_user=DANA, delegate=ADMIN)
    assert ("Changed ExternalClientApplication order", DANA, ADMIN) == last(ready)

    org.create("ExternalClientApplication/more", {"contactEmail": "a@b.example"}, as_user=DANA, delegate=ADMIN)
    assert (DANA, ADMIN) == last(ready)[1:]

    org.delete("ExternalClientApplication/more", as_user=DANA)
    assert ("Deleted ExternalClientApplication more", DANA, None) == last(ready)
    with pytest.raises(MockOrgError, match=r"nobody@acme\.example is nobody"):
        org.set("ExternalClientApplication/order", {"description": "y"}, as_user=DANA, delegate="nobody@acme.example")


# -- enablements ---------------------------------------------------------------------------------------------------------


def test_an_enablement_edited_in_setup_stamps_its_own_row(ready: Wire, org: Org) -> None:
    """The handler's last change is somebody else's: whoever reads only that blames the wrong one."""
    before = dated(ready)
    org.set(PLACE, {"apexExecutionUser": DANA}, as_user=DANA)

    assert before == dated(ready)
    assert [DANA] == [row["LastModifiedBy"]["Username"] for row in ready.rows(ROWS)]
    assert ("Ada Admin", "Ada Admin") == stamps(ready)
    assert ("Changed OauthTokenExchHandlerApp Idp order", DANA, None) == last(ready)


def test_dml_stamps_its_own_row_and_is_in_the_trail(ready: Wire, org: Org) -> None:
    """No metadata tool sees who it was."""
    dana = Wire(org, DANA)
    (row,) = dana.rows("SELECT Id FROM OauthTokenExchHandlerApp")
    record = f"{dana.base}/services/data/v66.0/sobjects/OauthTokenExchHandlerApp/{row['Id']}"

    assert 204 == dana.session.patch(record, json={"IsDefault": True}, headers=dana.bearer).status_code
    assert [DANA] == [row["LastModifiedBy"]["Username"] for row in ready.rows(ROWS)]
    assert ("Changed OauthTokenExchHandlerApp Idp order", DANA, None) == last(ready)
    assert 204 == dana.session.delete(record, headers=dana.bearer).status_code
    assert [] == ready.rows(ROWS)
    assert ("Deleted OauthTokenExchHandlerApp Idp order", DANA, None) == last(ready)
    assert ("Ada Admin", "Ada Admin") == stamps(ready)


def test_a_handler_edited_as_a_whole_is_stamped(ready: Wire, org: Org) -> None:
    """Its own fields, or its enablements by deployment."""
    org.set("OauthTokenExchangeHandler/Idp", {"isJwtSupported": "true"}, as_user=DANA)
    assert ("Dana Reyes", "Dana Reyes") == stamps(ready)

    ready.deployed(handler("Idp"))
    assert ("Ada Admin", "Ada Admin") == stamps(ready)
    assert ("Changed OauthTokenExchangeHandler Idp", ADMIN, None) == last(ready)


# -- deployments -------------------------------------------------------------------------------------------------------


def test_a_deployment_may_stay_in_flight(ready: Wire, org: Org) -> None:
    """While others change the org, and ask who is at it."""
    org.switch("deploy_polls", 1000)
    dana = Wire(org, DANA)
    job = dana.start(package(app("late")))
    dana.poll(job)
    dana.poll(job)
    org.set("ExternalClientApplication/order", {"description": "x"}, as_user=DANA)

    soql = "SELECT Id, Status, CheckOnly, StartDate, CreatedBy.Username FROM DeployRequest WHERE CompletedDate = null"
    (row,) = ready.rows(soql, tooling=True)
    assert (job, "InProgress", False, DANA) == (
        row["Id"],
        row["Status"],
        row["CheckOnly"],
        row["CreatedBy"]["Username"],
    )
    assert row["StartDate"] is not None
    assert [] == ready.rows("SELECT Id FROM ExternalClientApplication WHERE DeveloperName = 'late'")


def test_deployments_are_an_object_of_the_tooling_api(ready: Wire) -> None:
    """A client that asks at the other door learns it here and not in production."""
    assert 1 == len(ready.rows("SELECT Id FROM DeployRequest", tooling=True))
    assert "INVALID_TYPE" == ready.query("SELECT Id FROM DeployRequest").json()[0]["errorCode"]


# -- who may ask -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["SetupAuditTrail", "PermissionSet", "PermissionSetAssignment", "DeployRequest"])
def test_what_a_user_may_not_see_is_not_there(ready: Wire, org: Org, table: str) -> None:
    """An integration with few permissions must be told so, and not that nothing happened."""
    soql = f"SELECT Id FROM {table}"
    answer = Wire(org, ELI).query(soql, tooling=True)

    assert (400, "INVALID_TYPE") == (answer.status_code, answer.json()[0]["errorCode"])
    assert ready.rows(soql, tooling=True)
    assert Wire(org, "integration@acme.example").rows(soql, tooling=True)


def test_an_object_may_be_hidden_from_everybody(ready: Wire, org: Org) -> None:
    """One missing permission at a time, without a cast of users."""
    org.switch("unreadable_objects", {"SetupAuditTrail"})

    assert "\nsObject type 'SetupAuditTrail' is not supported." in ready.query(TRAIL).json()[0]["message"]
    (row,) = ready.rows("SELECT Id FROM OauthTokenExchangeHandler")
    org.switch("unreadable_objects", ["OauthTokenExchangeHandler"])
    assert 404 == ready.get(f"/services/data/v66.0/sobjects/OauthTokenExchangeHandler/{row['Id']}").status_code
    with pytest.raises(MockOrgError, match="takes sObjects; Nonsense is none of"):
        org.switch("unreadable_objects", "Nonsense")


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["query", "queryAll", "tooling/query"])
def test_many_rows_come_in_pages(wire: Wire, org: Org, door: str) -> None:
    """A client that reads one page of many permission sets takes the others for missing."""
    org.switch("query_page", 3)
    soql = "SELECT Name FROM PermissionSet ORDER BY Name"
    answer = wire.get(f"/services/data/v66.0/{door}", q=soql).json()
    assert (8, False, 3) == (answer["totalSize"], answer["done"], len(answer["records"]))
    names = [row["Name"] for row in answer["records"]]
    while not answer["done"]:
        answer = wire.get(answer["nextRecordsUrl"]).json()
        names += [row["Name"] for row in answer["records"]]

    org.switch("query_page", 2000)
    whole_answer = wire.query(soql).json()
    assert names == [row["Name"] for row in whole_answer["records"]]
    assert "nextRecordsUrl" not in whole_answer


@pytest.mark.parametrize("locator", ["01gxxxx-3", "01g-", "01gU0VMRUNU-x", "01g-99999999999999999999"])
def test_a_locator_from_nowhere_is_refused(wire: Wire, locator: str) -> None:
    """With an answer, not with a traceback."""
    assert 400 == wire.get(f"/services/data/v66.0/query/{locator}").status_code


def test_moments_are_compared_as_moments(wire: Wire, org: Org) -> None:
    """As texts, a change in the same second as the question's would be earlier than it."""
    org.set("ConnectedApp/Legacy_ERP", {"description": "x"}, as_user=DANA)
    (row,) = wire.rows("SELECT CreatedDate FROM SetupAuditTrail")
    second = row["CreatedDate"][:19]
    for condition, count in {
        f"CreatedDate >= {second}Z": 1,
        f"CreatedDate >= {second}+00:00": 1,
        f"CreatedDate >= {second[:11]}00:00:00+14:00": 1,
        f"CreatedDate < {second}Z": 0,
        "CreatedDate > 2100-01-01T00:00:00.000+0000": 0,
        f"CreatedDate = {row['CreatedDate'].replace('+0000', 'Z')}": 1,
        f"CreatedDate != {second[:17]}99Z OR Display = 'x'": 400,
    }.items():
        answer = wire.query(f"SELECT COUNT() FROM SetupAuditTrail WHERE {condition}")
        assert count == (answer.json()["totalSize"] if answer.ok else answer.status_code), condition


# -- people ------------------------------------------------------------------------------------------------------------


def test_profiles_are_among_the_permission_sets(wire: Wire, org: Org) -> None:
    """One query tells which of both there are; profiles in the language of the org."""
    soql = "SELECT Name, IsOwnedByProfile, Profile.Name, PermissionsApiUserOnly FROM PermissionSet"
    rows = wire.rows(soql)

    assert {"Identity_Deployer", "Order_Portal_User", "Partner_Portal_User", "Reporting_API"} == {
        row["Name"] for row in rows if not row["IsOwnedByProfile"]
    }
    assert {"Minimum Access - API Only Integrations"} == {
        row["Profile"]["Name"] for row in rows if row["PermissionsApiUserOnly"]
    }
    org.switch("profile_locale", "ja")
    profiles = [row["Profile"] for row in wire.rows(soql)]
    assert "システム管理者" in {profile["Name"] for profile in profiles if profile is not None}
    assert 4 == profiles.count(None)
    assert (
        "システム管理者" == wire.rows(f"SELECT Profile.Name FROM User WHERE Username = '{DANA}'")[0]["Profile"]["Name"]
    )


def test_who_is_api_only_can_be_asked(wire: Wire, org: Org) -> None:
    """By profile or by permission set: the flag in the mock's hands and the answer to a query are one thing."""
    org.add_user("robot@acme.example", is_api_only=True)
    org.add_user("cron@acme.example", profile="Minimum Access - API Only Integrations", is_api_only=True)
    soql = "SELECT Assignee.Username FROM PermissionSetAssignment WHERE PermissionSet.PermissionsApiUserOnly = true"

    assert ["robot@acme.example"] == [row["Assignee"]["Username"] for row in wire.rows(soql)]
