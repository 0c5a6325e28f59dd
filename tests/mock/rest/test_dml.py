"""DML by REST: the changes that no metadata tool makes, and all the ways to be refused."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from providers.mock import Org
from tests.mock.wire import Wire, apex, enablement, handler, whole

BASE = "/services/data/v66.0/sobjects"


def post(wire: Wire, kind: str, **row: Any) -> requests.Response:
    return wire.session.post(f"{wire.base}{BASE}/{kind}", json=row, headers=wire.bearer)


def the_id(wire: Wire, soql: str) -> str:
    (row,) = wire.rows(soql)
    return str(row["Id"])


@pytest.fixture
def ready(wire: Wire) -> Wire:
    wire.deployed(apex("Exchange"), *whole("order"), handler("Idp", enablement("order")))
    return wire


def test_a_handler_can_be_made_changed_and_deleted(ready: Wire) -> None:
    """The Object Reference lists all three: a handler that nobody deployed may be there tomorrow."""
    apex_id = the_id(ready, "SELECT Id FROM ApexClass WHERE Name = 'Exchange'")
    made = post(
        ready,
        "OauthTokenExchangeHandler",
        DeveloperName="Sneaky",
        MasterLabel="Sneaky",
        Description="d",
        TokenHandlerApexId=apex_id,
        IsEnabled=True,
        SupportedTokenTypesJwt=True,
    )
    assert (201, True) == (made.status_code, made.json()["success"])
    record = f"{ready.base}{BASE}/OauthTokenExchangeHandler/{made.json()['id']}"
    kind = "OauthTokenExchangeHandler"
    assert ("true", "true", "false") == tuple(
        ready.read(kind, "Sneaky", name) for name in ("isEnabled", "isJwtSupported", "isUserCreationAllowed")
    )

    changed = ready.session.patch(record, json={"IsUserCreationAllowed": True}, headers=ready.bearer)
    assert (204, "true") == (changed.status_code, ready.read(kind, "Sneaky", "isUserCreationAllowed"))
    assert 204 == ready.session.delete(record, headers=ready.bearer).status_code
    assert [{"DeveloperName": "Idp"}] == ready.rows(f"SELECT DeveloperName FROM {kind}")
    assert 404 == ready.session.delete(record, headers=ready.bearer).status_code


def test_permission_sets_are_assigned_and_taken(wire: Wire, org: Org) -> None:
    """Before an app is closed to all but some, those some must have the set."""
    user = the_id(wire, "SELECT Id FROM User WHERE Username = 'dana@acme.example'")
    given = the_id(wire, "SELECT Id FROM PermissionSet WHERE Name = 'Order_Portal_User'")
    soql = f"SELECT Id, PermissionSet.Name FROM PermissionSetAssignment WHERE AssigneeId = '{user}'"

    made = post(wire, "PermissionSetAssignment", AssigneeId=user, PermissionSetId=given)
    assert 201 == made.status_code
    (row,) = wire.rows(soql)
    assert (made.json()["id"], "Order_Portal_User") == (row["Id"], row["PermissionSet"]["Name"])
    assert ("Order_Portal_User",) == next(each for each in org.users() if each.id == user).permission_sets
    again = post(wire, "PermissionSetAssignment", AssigneeId=user, PermissionSetId=given)
    assert (400, "DUPLICATE_VALUE") == (again.status_code, again.json()[0]["errorCode"])
    record = f"{wire.base}{BASE}/PermissionSetAssignment/{row['Id']}"
    assert 204 == wire.session.delete(record, headers=wire.bearer).status_code
    assert [] == wire.rows(soql)


@pytest.mark.parametrize(
    ("kind", "row", "status", "code", "text"),
    [
        ("Nonsense", {}, 404, "NOT_FOUND", "The requested resource does not exist"),
        ("ExternalClientApplication", {}, 400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted"),
        ("OauthTokenExchHandlerApp", {"Nope": 1}, 400, "INVALID_FIELD", "No such column 'Nope' on sobject of type"),
        ("OauthTokenExchHandlerApp", {"IsDefault": True}, 400, "REQUIRED_FIELD_MISSING", "Required fields are missing: ["),
        ("OauthTokenExchHandlerApp", {"ApexExecutionUserId": "x", "OauthTokenExchangeHandlerId": "short"}, 400, "MALFORMED_ID", "OauthTokenExchangeHandlerId: id value of incorrect type: short"),
        ("PermissionSetAssignment", {"AssigneeId": "005000000000000AAA", "PermissionSetId": "0PS000000000000GAA"}, 400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(
    wire: Wire, kind: str, row: dict[str, Any], status: int, code: str, text: str
) -> None:
    """In Salesforce's codes, so that a client's messages can be tested."""
    answer = post(wire, kind, **row)

    (error,) = answer.json()
    assert (status, code) == (answer.status_code, error["errorCode"])
    assert error["message"].startswith(text)


def test_a_value_of_the_wrong_type_changes_nothing(ready: Wire) -> None:
    """ "maybe" is not false."""
    record = the_id(ready, "SELECT Id FROM OauthTokenExchHandlerApp")
    path = f"{ready.base}{BASE}/OauthTokenExchHandlerApp/{record}"

    for row, code in (
        ({"IsDefault": "maybe"}, "JSON_PARSER_ERROR"),
        ({"Id": record}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"ApexExecutionUserId": "005000000000000"}, "INVALID_CROSS_REFERENCE_KEY"),
    ):
        answer = ready.session.patch(path, json=row, headers=ready.bearer)
        assert (400, code) == (answer.status_code, answer.json()[0]["errorCode"])
    assert [{"IsDefault": False}] == ready.rows("SELECT IsDefault FROM OauthTokenExchHandlerApp")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"Description": None}, "REQUIRED_FIELD_MISSING"),
        ({"MasterLabel": ""}, "REQUIRED_FIELD_MISSING"),
        ({"Description": ["x"]}, "JSON_PARSER_ERROR"),
        ({"MasterLabel": 5}, "JSON_PARSER_ERROR"),
    ],
)
def test_a_text_is_neither_emptied_nor_made_of_something_else(ready: Wire, row: dict[str, Any], code: str) -> None:
    """A handler that is described as "None" is somebody's bug, and an org does not help to hide it."""
    record = the_id(ready, "SELECT Id FROM OauthTokenExchangeHandler")
    before = ready.rows("SELECT Description, MasterLabel FROM OauthTokenExchangeHandler")

    changed = ready.session.patch(
        f"{ready.base}{BASE}/OauthTokenExchangeHandler/{record}", json=row, headers=ready.bearer
    )
    made = post(ready, "OauthTokenExchangeHandler", DeveloperName="X", TokenHandlerApexId=record, **row)

    assert (400, code) == (changed.status_code, changed.json()[0]["errorCode"])
    assert 400 == made.status_code
    assert before == ready.rows("SELECT Description, MasterLabel FROM OauthTokenExchangeHandler")


@pytest.mark.parametrize("cut", [10, 14, 16, 17])
def test_half_an_id_is_nobody_s(ready: Wire, cut: int) -> None:
    """An id that was cut off must not find a record that happens to begin so; nor may one with another's last letters."""
    record = the_id(ready, "SELECT Id FROM OauthTokenExchangeHandler")
    for wrong in (record[:cut], f"{record[:15]}{'AAA' if record[15:] != 'AAA' else 'AAB'}", f"{record}AAA"):
        path = f"{ready.base}{BASE}/OauthTokenExchangeHandler/{wrong}"
        assert 404 == ready.session.get(path, headers=ready.bearer).status_code
        assert 404 == ready.session.patch(path, json={"Description": "x"}, headers=ready.bearer).status_code
        assert 404 == ready.session.delete(path, headers=ready.bearer).status_code


def test_dml_is_for_administrators(ready: Wire, org: Org) -> None:
    """Whoever may only look must not be able to move an app to another user."""
    eli = Wire(org, "eli@acme.example")
    record = the_id(eli, "SELECT Id FROM OauthTokenExchHandlerApp")
    path = f"{eli.base}{BASE}/OauthTokenExchHandlerApp/{record}"

    answer = eli.session.patch(path, json={"IsDefault": True}, headers=eli.bearer)

    assert (403, "INSUFFICIENT_ACCESS_OR_READONLY") == (answer.status_code, answer.json()[0]["errorCode"])
    assert 403 == eli.session.delete(path, headers=eli.bearer).status_code
    assert ready.rows("SELECT Id FROM OauthTokenExchHandlerApp")
