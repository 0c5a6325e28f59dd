"""SOQL: the subset that a reconciler and the known clients need, and Salesforce's refusals for the rest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.mock import Org
from providers.mock.errors import Fault
from providers.mock.soql import parse
from providers.mock.tables import TABLES, rows
from tests.mock.wire import Wire, apex, app, enablement, handler, oauth, oauth_policy, policy, whole


def test_conditions_orders_and_limits(wire: Wire) -> None:
    """AND, OR, IN, LIKE, NOT, brackets, booleans, null."""
    names = [
        row["Username"].partition("@")[0]
        for row in wire.rows("SELECT Username FROM User ORDER BY Username DESC LIMIT 3 OFFSET 1")
    ]
    assert ["former", "eli", "dana"] == names
    for condition, count in {
        "IsActive = false": 1,
        "IsActive = true AND Profile.Name = 'Standard User'": 1,
        "Username LIKE 'd%' OR Username IN ('eli@acme.example', 'x')": 2,
        "NOT (Username LIKE '%acme%')": 0,
        "Username NOT IN ('eli@acme.example')": 4,
        "FirstName != null": 5,
        "CreatedDate < 2100-01-01T00:00:00Z": 5,
        "Name = 'o\\'brien'": 0,
    }.items():
        assert count == wire.query(f"SELECT COUNT() FROM User WHERE {condition}").json()["totalSize"], condition


def test_a_related_field_is_an_object_of_its_own(wire: Wire) -> None:
    """As clients read it."""
    (row,) = wire.rows("SELECT Id, Profile.Name FROM User WHERE Username = 'integration@acme.example'")

    assert {"Name": "Minimum Access - API Only Integrations"} == row["Profile"]


def test_ids_match_in_either_length(wire: Wire, org: Org) -> None:
    """Tools shorten them."""
    assert 1 == len(wire.rows(f"SELECT Id FROM Organization WHERE Id = '{org.org_id[:15]}'"))


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id FROM Account", "INVALID_TYPE"),
        ("SELECT Id FROM ExtlClntAppGlobalOauthSettings", "INVALID_TYPE"),
        ("SELECT Nothing FROM User", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE Nothing = 1", "INVALID_FIELD"),
        ("SELECT Id FROM User WHERE", "MALFORMED_QUERY"),
        ("SELECT FROM User", "INVALID_TYPE|MALFORMED_QUERY"),
        ("SELECT Id FROM User WHERE IsActive = true AND IsActive = true OR IsActive = true", "MALFORMED_QUERY"),
        ("SELECT Id FROM User LIMIT x", "MALFORMED_QUERY"),
        ("DELETE FROM User", "MALFORMED_QUERY"),
        ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM User WHERE " + "(" * 500 + "Id = 'x'" + ")" * 500, "MALFORMED_QUERY"),
        ("SELECT Id FROM User WHERE " + "NOT " * 3000 + "Id = 'x'", "MALFORMED_QUERY"),
    ],
)
def test_what_is_not_supported_is_refused(wire: Wire, soql: str, code: str) -> None:
    """400 with Salesforce's error codes, never a guess and never a traceback."""
    answer = wire.query(soql)

    assert 400 == answer.status_code
    assert answer.json()[0]["errorCode"] in code.split("|")


PIECES = [
    *"=',<>!()%_\\0",
    "WHERE ",
    "Username ",
    "NOT ",
    "AND ",
    "OR ",
    "IN ",
    "LIKE ",
    "'x'",
    "LIMIT ",
    "ORDER BY ",
    "true ",
]


@settings(deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_query_breaks_the_reader(pieces: list[str]) -> None:
    """Whatever comes is read or refused."""
    try:
        parse(f"SELECT Id FROM User {''.join(pieces)}")
    except Fault as fault:
        assert fault.code in {"MALFORMED_QUERY", "INVALID_TYPE", "INVALID_FIELD"}


def test_every_row_has_exactly_the_columns_of_its_table(wire: Wire, org: Org) -> None:
    """A column that a row lacks would break a query only on the day that somebody asks for it."""
    wire.deployed(
        apex("Exchange"), *whole("order"), handler("Idp", enablement("order"), enablement("Legacy_ERP", connected=True))
    )
    org.set(
        "ExtlClntAppOauthConfigurablePolicies/order",
        {"commaSeparatedPermissionSet": "Order_Portal_User"},
        as_user=org.admin_username,
    )

    with org.reading() as world:
        for table, columns in TABLES.items():
            found = list(rows(world, table))
            assert found, table
            assert {frozenset(columns)} == {frozenset(row) for row in found}, table


def test_the_live_state_of_apps_can_be_queried(wire: Wire) -> None:
    """What pre-flight checks ask for."""
    wire.deployed(
        app("order", description="d"),
        oauth("order", commaSeparatedOauthScopes="Api, RefreshToken"),
        oauth_policy(
            "order",
            permittedUsersPolicyType="AdminApprovedPreAuthorized",
            commaSeparatedPermissionSet="Order_Portal_User",
        ),
        policy("order", isEnabled=False),
    )

    (client,) = wire.rows(
        "SELECT Id, Description, DistributionState FROM ExternalClientApplication WHERE DeveloperName = 'order'"
    )
    assert ("d", "Local") == (client["Description"], client["DistributionState"])
    where = f"WHERE ExternalClientApplicationId = '{client['Id']}'"
    (flags,) = wire.rows(
        f"SELECT OauthScopesAPI, OauthScopesREFRESH_TOKEN, OauthScopesWeb FROM ExtlClntAppOauthSettings {where}"
    )
    assert [True, True, False] == list(flags.values())
    (rules,) = wire.rows(
        f"SELECT PermittedUsersPolicyType, RefreshTokenValidityPeriod FROM ExtlClntAppOauthPlcyCnfg {where}"
    )
    assert ["AdminApprovedPreAuthorized", 365] == list(rules.values())
    assert [{"IsEnabled": False}] == wire.rows(f"SELECT IsEnabled FROM ExtlClntAppPlcyCnfg {where}")
    access = wire.rows(f"SELECT SetupEntityType FROM SetupEntityAccess WHERE SetupEntityId = '{client['Id']}'")
    assert [{"SetupEntityType": "ExternalClientApplication"}] == access
    legacy = "SELECT OptionsAllowAdminApprovedUsersOnly FROM ConnectedApplication WHERE Name = 'Legacy ERP'"
    assert [{"OptionsAllowAdminApprovedUsersOnly": False}] == wire.rows(legacy)


def test_columns_are_described_on_demand(wire: Wire) -> None:
    """The Salesforce CLI asks a second time for each query."""
    answer = wire.query("SELECT Id, Profile.Name FROM User", columns="true").json()

    assert ["Id", "Profile.Name"] == [each["columnName"] for each in answer["columnMetadata"]]


@pytest.mark.parametrize("path", ["query/", "queryAll", "tooling/query", "tooling/query/"])
def test_all_addresses_of_a_query_work(wire: Wire, path: str) -> None:
    """With and without the slash."""
    assert 1 == wire.get(f"/services/data/v59.0/{path}", q="SELECT Id FROM Organization").json()["totalSize"]
