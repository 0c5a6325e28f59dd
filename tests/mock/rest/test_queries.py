"""SOQL: the subset that a reconciler and the known clients need, and Salesforce's refusals for the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.mock import Org
from providers.mock.columns import TABLES
from providers.mock.oauth import apps, tokens
from providers.mock.rest.soql import parse, select
from providers.mock.rest.soql_query import Tables
from providers.mock.rest.tables import rows
from providers.mock.state.errors import Fault
from tests.mock.wire import Wire, apex, app, enablement, handler, oauth, oauth_policy, package, policy, whole

NOW = datetime(2026, 3, 11, 15, 30, tzinfo=UTC)  # a Wednesday
PEOPLE = [
    {"Id": "005000000000001AAA", "Name": "Ada", "IsActive": True, "ProfileId": None, "CreatedDate": "2026-03-11T00:00:00.000+0000"},
    {"Id": "005000000000002AAA", "Name": "bob", "IsActive": False, "ProfileId": "00e000000000001AAA", "CreatedDate": "2026-03-08T23:59:59.999+0000"},
    {"Id": "005000000000003AAA", "Name": None, "IsActive": True, "ProfileId": "00e000000000001AAA", "CreatedDate": "2026-03-01T12:00:00.000+0000"},
    {"Id": "005000000000004AAA", "Name": "A_b%", "IsActive": True, "ProfileId": "00e000000000009AAA", "CreatedDate": "2025-12-31T23:59:59.000+0000"},
]  # fmt: skip
ROWS = {
    "User": [{**dict.fromkeys(TABLES["User"]), **row} for row in PEOPLE],
    "Profile": [{**dict.fromkeys(TABLES["Profile"]), "Id": "00e000000000001AAA", "Name": "Sales"}],
}


def names(soql: str) -> list[Any]:
    """The last characters of the ids that a query over four people finds."""
    asked = parse(f"SELECT Id FROM User {soql}", now=NOW)
    return [row["Id"][14] for row in select(asked, Tables(ROWS.__getitem__))]


@pytest.mark.parametrize(
    ("soql", "found"),
    [
        ("WHERE Name = 'ADA'", "1"),
        ("WHERE Name != 'ada'", "234"),
        ("WHERE Name < 'b'", "14"),
        ("WHERE Name >= 'b'", "2"),
        ("WHERE Name = null", "3"),
        ("WHERE Name LIKE 'a%'", "14"),
        (r"WHERE Name LIKE 'A\_b\%'", "4"),
        (r"WHERE Name LIKE '%\u0062%'", "24"),
        ("WHERE Name IN ('bob', null)", "23"),
        ("WHERE Name NOT IN ('bob')", "134"),
        ("WHERE NOT Name = 'bob' AND IsActive = true", "134"),
        ("WHERE IsActive = true AND (Name = 'ada' OR Name = 'bob')", "1"),
        ("WHERE Id = '005000000000002'", "2"),
        ("WHERE Id IN ('005000000000002AAA', '005000000000003')", "23"),
        ("WHERE Profile.Name = 'sales'", "23"),
        ("WHERE ProfileId IN (SELECT Id FROM Profile WHERE Name LIKE 'S%')", "23"),
        ("WHERE ProfileId NOT IN (SELECT Id FROM Profile)", "14"),
        ("WHERE ProfileId IN (SELECT ProfileId FROM User)", "234"),
        ("WHERE (ProfileId IN (SELECT Id FROM Profile)) AND IsActive = true", "3"),
        ("WHERE Name LIKE '%b%'", "24"),
        ("WHERE Name LIKE 'A_A'", "1"),
        ("WHERE Name LIKE 'ad%da'", ""),
        ("WHERE Name LIKE '_%_%b'", "2"),
        ("u WHERE u.IsActive = false", "2"),
        ("WHERE User.IsActive = false", "2"),
        ("WHERE CreatedDate = TODAY", "1"),
        ("WHERE CreatedDate < TODAY", "234"),
        ("WHERE CreatedDate >= TODAY", "1"),
        ("WHERE CreatedDate > YESTERDAY", "1"),
        ("WHERE CreatedDate <= YESTERDAY", "234"),
        ("WHERE CreatedDate = THIS_WEEK", "12"),
        ("WHERE CreatedDate = LAST_N_DAYS:3", "12"),
        ("WHERE CreatedDate = N_DAYS_AGO:3", "2"),
        ("WHERE CreatedDate = THIS_MONTH", "123"),
        ("WHERE CreatedDate = LAST_YEAR", "4"),
        ("WHERE CreatedDate != LAST_YEAR", "123"),
        ("WHERE CreatedDate = LAST_N_MONTHS:3", "4"),
        ("WHERE CreatedDate >= 2026-03-01T13:00:00+01:00", "123"),
        ("WHERE CreatedDate > 2026-03-01T12:00:00Z", "12"),
        ("ORDER BY Name", "3412"),
        ("ORDER BY Name DESC", "3214"),
        ("ORDER BY Name DESC NULLS LAST", "2143"),
        ("ORDER BY IsActive ASC NULLS FIRST, CreatedDate DESC", "2134"),
        ("ORDER BY Profile.Name NULLS LAST, Id DESC", "3241"),
        ("ORDER BY Id LIMIT 2 OFFSET 1", "23"),
        ("ORDER BY Id LIMIT 0", ""),
        ("WITH SECURITY_ENFORCED ORDER BY Id LIMIT 1 FOR VIEW", "1"),
    ],
)  # fmt: skip
def test_a_query_finds_what_soql_means(soql: str, found: str) -> None:
    """A mock that answers differently from Salesforce teaches clients to be wrong."""
    assert found == "".join(names(soql))


def test_no_pattern_keeps_the_org_busy() -> None:
    """Tried in every way, a few "%" in a long text take longer than anybody waits."""
    long = [{**ROWS["User"][0], "Name": "a" * 200}]
    asked = parse(f"SELECT Id FROM User WHERE Name LIKE '{'%a' * 60}b'", now=NOW)

    assert [] == select(asked, Tables(lambda _: long))


def test_rows_are_counted_and_grouped() -> None:
    """For a number nobody fetches all rows."""

    def answer(soql: str) -> Any:
        return select(parse(soql, now=NOW), Tables(ROWS.__getitem__))

    assert [{"count": 3}] == answer("SELECT COUNT() FROM User WHERE IsActive = true")
    assert [{"expr0": 4, "named": 3, "expr1": 2}] == answer(
        "SELECT COUNT(Id), COUNT(Name) named, COUNT_DISTINCT(ProfileId) FROM User"
    )
    grouped = (
        "SELECT IsActive, COUNT(Id) n, MIN(Name), MAX(CreatedDate) last FROM User GROUP BY IsActive ORDER BY IsActive"
    )
    assert [
        {"IsActive": False, "n": 1, "expr0": "bob", "last": "2026-03-08T23:59:59.999+0000"},
        {"IsActive": True, "n": 3, "expr0": "A_b%", "last": "2026-03-11T00:00:00.000+0000"},
    ] == answer(grouped)
    assert {"Name": "Sales", "Id": "00e000000000001AAA"}.items() <= answer("SELECT FIELDS(ALL) FROM Profile LIMIT 9")[
        0
    ].items()


LITERALS = st.sampled_from(["'ada'", "'BOB'", "null", "'A_b%'", "'zz'"])
COMPARISONS = st.builds(
    lambda sign, value: ("Name", sign, value), st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), LITERALS
)
FLAGS = st.builds(
    lambda sign, value: ("IsActive", sign, value), st.sampled_from(["=", "!="]), st.sampled_from(["true", "false"])
)
CONDITIONS: st.SearchStrategy[Any] = st.recursive(
    COMPARISONS | FLAGS,
    lambda inner: st.tuples(st.just("NOT"), inner) | st.tuples(inner, st.sampled_from(["AND", "OR"]), inner),
    max_leaves=8,
)


def written(condition: Any) -> str:
    if condition[0] == "NOT":
        return f"(NOT {written(condition[1])})"
    if isinstance(condition[0], str):
        return " ".join(condition)
    return f"({written(condition[0])} {condition[1]} {written(condition[2])})"


def holds(condition: Any, row: dict[str, Any]) -> bool:
    """The same condition, as Python says it: text without case, null equal to null only and never above or below."""
    if condition[0] == "NOT":
        return not holds(condition[1], row)
    if not isinstance(condition[0], str):
        left, right = holds(condition[0], row), holds(condition[2], row)
        return (left and right) if condition[1] == "AND" else (left or right)
    name, sign, text = condition
    here, there = row[name], {"true": True, "false": False, "null": None}.get(text, text.strip("'").lower())
    here = here.lower() if isinstance(here, str) else here
    if sign in {"=", "!="}:
        return (here == there) is (sign == "=")
    if here is None or there is None:
        return False
    return {"<": here < there, ">": here > there, "<=": here <= there, ">=": here >= there}[sign]


@settings(deadline=None)
@given(condition=CONDITIONS)
def test_conditions_mean_what_python_says_they_mean(condition: Any) -> None:
    """Nested AND, OR and NOT, against a filter that shares nothing with ours."""
    expected = [row["Id"][14] for row in PEOPLE if holds(condition, row)]

    assert expected == names(f"WHERE {written(condition)}")


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        (
            "SELECT Nope FROM User",
            "\nSELECT Nope FROM User\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'User'. If you"
            " are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please"
            " reference your WSDL or the describe call for the appropriate names.",
        ),
        ("SELECT Id\nFROM User\nWHERE x = 1", "ERROR at Row:3:Column:7\nNo such column 'x' on entity 'User'."),
        ("SELECT Id FROM User WHERE Boss.Name = 'x'", "Didn't understand relationship 'Boss' in field path."),
        ("SELECT Id, (SELECT Id FROM Cases) FROM User", "Didn't understand relationship 'Cases' in FROM part of query call."),
        ("SELECT Id FROM User WHERE IsActive = 'true'", "'IsActive' must be of type boolean and should not be enclosed in quotes"),
        ("SELECT Id FROM User WHERE Name = 5", "'Name' must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM User WHERE CreatedDate > 2026-01-01", "'CreatedDate' must be of type dateTime and should not"),
        ("SELECT Id FROM SetupAuditTrail WHERE Display = 'x'", "field 'Display' can not be filtered in a query call"),
        ("SELECT Section, COUNT(Id) FROM SetupAuditTrail GROUP BY Section", "SetupAuditTrail does not support aggregate"),
        ("SELECT Name, COUNT(Id) FROM User", "Field must be grouped or aggregated: Name"),
        ("SELECT FIELDS(ALL) FROM User", "must have a LIMIT of at most 200"),
        ("SELECT Id, Id FROM User", "duplicate field selected: Id"),
        ("SELECT Id FROM User OFFSET 2001", "Maximum SOQL offset allowed is 2000"),
        ("SELECT Id FROM User WHERE Name = 'a\\x'", "unexpected token: ''a\\x''"),
    ],
)  # fmt: skip
def test_a_refusal_points_at_the_place(wire: Wire, soql: str, message: str) -> None:
    """The reader's only help, and what editors parse."""
    answer = wire.query(soql)

    assert 400 == answer.status_code
    assert message in answer.json()[0]["message"]


def test_the_tooling_api_knows_other_objects(wire: Wire) -> None:
    """A client that asks the wrong one must be told so."""
    client, deployments = "SELECT Id FROM ExternalClientApplication", "SELECT Id FROM DeployRequest"
    answers = [
        wire.query(soql, tooling=tooling).status_code for soql in (client, deployments) for tooling in (False, True)
    ]

    assert [200, 400, 400, 200] == answers


def test_a_deployment_whose_answer_was_lost_can_be_found(wire: Wire) -> None:
    """By who sent it, when, and how much was in it: nobody may deploy twice."""
    job = wire.deployed(app("order")).result["id"]
    wire.start(package(app("other")), checkOnly=True)
    soql = (
        "SELECT Id, Status, CheckOnly, CreatedById, CreatedDate, StartDate, CompletedDate, NumberComponentsTotal"
        " FROM DeployRequest WHERE CreatedDate >= {} AND CheckOnly = false ORDER BY CreatedDate"
    )

    (row,) = wire.rows(soql.format("LAST_N_DAYS:1"), tooling=True)

    assert (job, "Succeeded", 1) == (row["Id"], row["Status"], row["NumberComponentsTotal"])
    assert [] == wire.rows(soql.format("2100-01-01T00:00:00Z"), tooling=True)


def issue(org: Org, username: str, count: int) -> None:
    """Let a user approve an app so many times."""
    with org.writing() as world:
        app_, user = apps.named(world, "Legacy_ERP"), world.user(username)
        assert app_ is not None and user is not None
        for _ in range(count):
            tokens.refresh(world, app_, user.id, frozenset({"api"}), tokens.new_family())


def test_tokens_are_told_to_administrators_up_to_a_number(org: Org, wire: Wire) -> None:
    """Who counts rows instead of asking for the count believes that there are 2,500."""
    issue(org, "eli@acme.example", 2_501)
    issue(org, "dana@acme.example", 1)
    soql = "SELECT AppName, User.Username, AccessToken FROM OauthToken"

    page = wire.query(soql).json()
    assert (500, 2_500) == (len(page["records"]), page["totalSize"])
    assert ("Legacy ERP", None) == (page["records"][0]["AppName"], page["records"][0]["AccessToken"])
    assert 2_502 == wire.query("SELECT COUNT() FROM OauthToken").json()["totalSize"]
    assert 2_501 == Wire(org, "eli@acme.example").query("SELECT COUNT() FROM OauthToken").json()["totalSize"]


def test_everybody_may_ask_what_he_may_do(org: Org) -> None:
    """Without "View Setup" there is no other way to find out why a deployment would be refused."""
    soql = "SELECT PermissionsModifyMetadata, PermissionsApiEnabled, PermissionsViewSetup FROM UserPermissionAccess"
    found = {name: Wire(org, f"{name}@acme.example").rows(soql) for name in ("admin", "eli", "integration")}

    assert {
        "admin": [(True, True, True)],
        "eli": [(False, True, False)],
        "integration": [(True, True, True)],
    } == {name: [tuple(row.values()) for row in rows_] for name, rows_ in found.items()}


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

    assert ("Profile", "Minimum Access - API Only Integrations") == (
        row["Profile"]["attributes"]["type"],
        row["Profile"]["Name"],
    )


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
        ("SELECT Id FROM User WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM User WHERE ProfileId IN (null, '00e000000000001AAB')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM User WHERE Id LIKE '005%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM User WHERE IsActive LIKE 't%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM User WHERE Name = 'x' OR ProfileId IN (SELECT Id FROM Profile)", "MALFORMED_QUERY"),
        (
            "SELECT Id FROM User WHERE Name = 'x' AND (IsActive = true AND ProfileId IN (SELECT Id FROM Profile))",
            "MALFORMED_QUERY",
        ),
        ("SELECT Id FROM User WHERE Name IN (SELECT Name FROM Profile)", "MALFORMED_QUERY"),
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
        assert fault.code in {"MALFORMED_QUERY", "INVALID_TYPE", "INVALID_FIELD", "INVALID_QUERY_FILTER_OPERATOR"}


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

    issue(org, "eli@acme.example", 1)

    with org.reading() as world:
        asking = world.user(org.admin_username)
        assert asking is not None
        for table, columns in TABLES.items():
            found = list(rows(world, table, asking))
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
    """The Salesforce CLI asks a second time for each query, and makes its header of this."""
    answer = wire.query("SELECT Id, Profile.Name FROM User", columns="true").json()

    first, second = answer["columnMetadata"]
    assert ("Id", "Profile", ["Name"]) == (
        first["columnName"],
        second["columnName"],
        [each["columnName"] for each in second["joinColumns"]],
    )


@pytest.mark.parametrize("path", ["query/", "queryAll", "tooling/query", "tooling/query/"])
def test_all_addresses_of_a_query_work(wire: Wire, path: str) -> None:
    """With and without the slash."""
    assert 1 == wire.get(f"/services/data/v59.0/{path}", q="SELECT Id FROM Organization").json()["totalSize"]
