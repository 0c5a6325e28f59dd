"""What rules ask an org, over the wire: the mock org, and answers in the shape that Salesforce documents."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from providers.mock import Org, mount
from reconciler.errors import NotAllowedError, ReconcilerError, UnreachableError
from reconciler.model.facts import Facts, User
from tests.salesforce.build import Answer, stubbed
from tests.salesforce.conftest import Connected, calls

ROBOT = "integration@acme.example"
ELI = "eli@acme.example"
ELI_S_BOSS = "admin@acme.example"
NOT_ASKED = {"secrets": "the org was not asked"}


def quiet(stage: str) -> None:
    """A progress that nobody watches."""


def reply(value: object, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def refused(code: str, text: str, status: int = 400) -> Answer:
    return reply([{"message": text, "errorCode": code}], status)


def soql(request: requests.PreparedRequest) -> str:
    return parse_qs(urlsplit(request.url or "").query).get("q", [""])[0]


def org_that(answers: Mapping[str, Answer | Callable[[requests.PreparedRequest], Answer]]) -> Any:
    """An org that answers by what stands in the path or the query; nothing else is known to it."""

    def answer(request: requests.PreparedRequest) -> Answer:
        asked = soql(request) or request.path_url
        for part, given in answers.items():
            if part in asked:
                return given(request) if callable(given) else given
        return refused("NOT_FOUND", "The requested resource does not exist", 404)

    return stubbed(answer)


def records(*rows: Mapping[str, object]) -> Answer:
    return reply({"totalSize": len(rows), "done": True, "records": list(rows)})


# -- the mock org ------------------------------------------------------------------------------------------------------


def test_users_are_told_by_name(connected: Connected, org: Org):
    """A rule judges the user that an app runs as: a former colleague must not look like an integration."""
    found = connected().facts([ROBOT.upper(), "former@acme.example", ELI, "nobody@acme.example"], quiet)

    assert {
        ROBOT: User(ROBOT, True, True, "Minimum Access - API Only Integrations", "Standard"),
        "former@acme.example": User("former@acme.example", False, False, "System Administrator", "Standard"),
        ELI: User(ELI, True, False, "Standard User", "Standard"),
    } == found.users
    assert NOT_ASKED == found.unknown


def test_permission_sets_and_profiles_are_told_apart(connected: Connected, org: Org):
    """Each profile owns a permission set, which nobody can name in an app's policy."""
    found = connected().facts([], quiet)

    assert {"Identity_Deployer", "Order_Portal_User", "Partner_Portal_User", "Reporting_API"} == found.permission_sets
    assert {
        "System Administrator",
        "Standard User",
        "Minimum Access - Salesforce",
        "Minimum Access - API Only Integrations",
    } == found.profiles
    org.switch("profile_locale", "nl_NL")
    assert "Systeembeheerder" in connected().facts([], quiet).profiles


def test_a_permission_set_makes_api_only_too(connected: Connected, org: Org):
    """Half of all integrations get it by assignment."""
    org.add_user("robot@acme.example", is_api_only=True)

    found = connected().facts(["robot@acme.example", ELI], quiet).users
    assert [True, False] == [found[name].api_only for name in ("robot@acme.example", ELI)]


def test_it_costs_as_few_calls_as_will_do(connected: Connected):
    """Calls are time, and count against a daily limit. One of them asks for the API versions."""
    costs = []
    for users in ([], [ROBOT], [ROBOT, ELI]):
        provider = connected()
        provider.facts(users, quiet)
        costs.append(calls(provider))

    assert [2, 3, 4] == costs


def test_hundreds_of_users_are_asked_for_in_urls_that_salesforce_takes(connected: Connected, org: Org):
    """URI and headers together have room for 16,384 bytes; beyond it the answer is 414 or 431."""
    names = [f"robot{number:03}@a-rather-long-domain-of-a-company.example" for number in range(250)]
    for name in names[::50]:
        org.add_user(name)
    asked: list[str] = []
    provider = connected()
    send = provider.calls.api._session.send

    def noting_send(request: requests.PreparedRequest, **more: Any) -> requests.Response:
        asked.append(request.url or "")
        return send(request, **more)

    provider.calls.api._session.send = noting_send
    found = provider.facts([*names, "x" * 100_000, "o'brien\\@acme.example\n", ""], quiet)

    assert set(names[::50]) == set(found.users)
    assert 8_000 > max(map(len, asked))
    assert 3 <= sum("Username+IN" in url for url in asked) <= 5
    assert NOT_ASKED == found.unknown


def test_more_permission_sets_than_a_page_holds(connected: Connected, org: Org):
    """Those of the second page would be reported as missing."""
    org.switch("query_page", 3)
    found = connected().facts([], quiet)

    assert (4, 4) == (len(found.permission_sets), len(found.profiles))


def test_what_the_login_may_not_see_is_unknown(connected: Connected):
    """Not knowing is not the same as not being there: `unknown` keeps a rule from judging."""
    found = connected(as_user=ELI).facts([ROBOT, ELI], quiet)

    hidden = {"api_only": "PermissionSetAssignment", "permission_sets": "PermissionSet", "profiles": "PermissionSet"}
    assert hidden.keys() | NOT_ASKED.keys() == found.unknown.keys()
    for topic, name in hidden.items():
        assert f"sObject type '{name}' is not supported." in found.unknown[topic]
    assert (True, None) == (found.users[ROBOT].api_only, found.users[ELI].api_only)


def test_users_may_be_hidden_as_well(connected: Connected, org: Org):
    """One topic that fails leaves the others as they are."""
    org.switch("unreadable_objects", ["User"])
    found = connected().facts([ELI], quiet)

    assert "sObject type 'User' is not supported." in found.unknown["users"]
    assert "permission_sets" not in found.unknown
    assert 4 == len(found.permission_sets)


def test_ages_of_secrets_are_unknown_where_the_org_has_no_such_rest(connected: Connected):
    """The feature must be switched on in the org, and begins with API version 65.0."""
    found = connected().facts([], quiet, secrets=["Marketing_Dashboard"])
    assert "This feature is not currently enabled for this user." in found.unknown["secrets"]

    older = connected(api_version="63.0").facts([], quiet, secrets=["portal"])
    assert "begins with 65.0" in older.unknown["secrets"]


def test_a_rotation_in_the_org_tells_the_age_of_a_secret(connected: Connected, org: Org):
    """Staged and rotated by somebody else's tool: for 30 days the org can say when that was."""
    app = "Marketing_Dashboard"
    org.set(
        "ExternalClientAppSettings/ExternalClientApp", {"enableClientSecretInRestApiAccess": "true"}, as_user=ELI_S_BOSS
    )
    with requests.Session() as session:
        base = mount(session, org)
        session.headers["Authorization"] = f"Bearer {org.access_token()}"
        root = f"{base}/services/data/v65.0/apps/oauth"
        (known,) = session.get(f"{root}/usage").json()["apps"]
        (consumer,) = session.get(f"{root}/credentials/{known['identifier']}").json()["consumers"]
        (staged,) = session.post(base + consumer["stagedCredentialsUrl"], json={}).json()["stagedCredentials"]
        assert {} == connected().facts([], quiet, secrets=[app]).secrets
        session.patch(base + staged["url"], json={"command": "rotate"})

    found = connected().facts([], quiet, secrets=[app])

    # The rotation was a moment ago, and the org's clock says so to the day.
    assert {app: org.audit()[0].created_date[:10]} == {name: date[:10] for name, date in found.secrets.items()}
    assert "secrets" not in found.unknown


def test_a_wrong_login_is_no_topic(org: Org, connected: Connected):
    """Everything would be unknown, and the run would look like one without findings."""
    provider = connected()
    org.reset()
    with pytest.raises(NotAllowedError, match="does not accept the login"):
        provider.facts([], quiet)


# -- answers as Salesforce documents them ------------------------------------------------------------------------------


def facts_from(answers: Mapping[str, Any], *users: str) -> Facts:
    provider, _ = org_that(answers)
    found: Facts = provider.facts(users, quiet)
    return found


def test_a_package_s_permission_set_has_its_prefix():
    """As metadata names it. A profile that may not be followed is left out."""
    rows = records(
        {"Name": "Reader", "NamespacePrefix": "acme", "IsOwnedByProfile": False, "Profile": None},
        {
            "Name": "X00ex00000018ozT_128_09",
            "NamespacePrefix": None,
            "IsOwnedByProfile": True,
            "Profile": {"Name": "Ops"},
        },
        {"Name": "X00ex00000018ozT_128_10", "NamespacePrefix": None, "IsOwnedByProfile": True, "Profile": None},
    )
    found = facts_from({"FROM PermissionSet": rows})

    assert ({"acme__Reader"}, {"Ops"}) == (found.permission_sets, found.profiles)


def test_a_user_whose_profile_may_not_be_seen():
    """Then only the assignments tell, and only that a user is API-only, never that one is not; ids of either length."""
    users = records(
        {
            "Id": "005000000000001AAA",
            "Username": "A@x.example",
            "IsActive": True,
            "UserType": "Standard",
            "Profile": None,
        },
        {"Id": "005000000000002AAA", "Username": "b@x.example", "IsActive": None, "UserType": None, "Profile": None},
    )
    sets = records({"AssigneeId": "005000000000001"})
    found = facts_from({"FROM User": users, "FROM PermissionSetAssignment": sets}, "a@x.example", "b@x.example")

    assert {
        "a@x.example": User("A@x.example", True, True, "", "Standard"),
        "b@x.example": User("b@x.example", False, None, "", ""),
    } == found.users


USAGE = {"apps": [{"developerName": "portal", "identifier": "0xI000000000001"}, {"developerName": "other"}]}
CONSUMERS = {"consumers": [{"id": "888000000000001", "key": "3MVG9", "name": "portal"}]}


def staged(*slots: Mapping[str, object]) -> Answer:
    return reply({"stagedCredentials": [{"secret": "hunter2hunter2", "key": "3MVG9", **slot} for slot in slots]})


def test_a_list_of_apps_that_never_ends(monkeypatch: pytest.MonkeyPatch):
    """A broken proxy that gives the same page again and again must not hold a nightly check for ever."""
    monkeypatch.setattr("providers.salesforce.questions.facts._MOST_PAGES", 3)
    provider, stub = org_that({"apps/oauth/usage": reply({"apps": [{"developerName": "x"}] * 100})})
    provider.calls.pinned = "65.0"

    found = provider.facts([], quiet, secrets=["portal"])

    assert (3, True) == (
        sum("apps/oauth" in request.url for request in stub.asked),
        "did not end" in found.unknown["secrets"],
    )


@pytest.mark.parametrize(
    ("slot", "known"),
    [
        ({"state": "Rotated", "expirationDate": "2026-03-31T10:00:00.000Z"}, {"portal": "2026-03-01T10:00:00Z"}),
        ({"state": "Active", "createdDate": "2026-03-01T10:00:00.000Z"}, {}),
        ({"state": "Rotated", "expirationDate": "next month"}, {}),
        ({"state": "Expired", "expirationDate": "2026-03-31T10:00:00.000Z"}, {}),
        ({}, {}),
    ],
)
def test_a_rotation_tells_the_age_of_a_secret(slot: dict[str, object], known: dict[str, str]):
    """What is staged is not in use yet, and of what was never rotated the org keeps no date."""
    answers = {
        "apps/oauth/usage": reply(USAGE),
        "/staged": staged(slot),
        "apps/oauth/credentials/0xI000000000001": reply(CONSUMERS),
    }
    provider, stub = org_that(answers)
    provider.calls.pinned = "65.0"
    found = provider.facts([], quiet, secrets=["portal"])

    assert known == found.secrets
    assert "secrets" not in found.unknown
    assert "hunter2hunter2" not in repr(found)
    assert 3 == sum("apps/oauth" in request.url for request in stub.asked)


@pytest.mark.parametrize(
    "answer",
    [
        refused("FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this organization.", 403),
        refused("INSUFFICIENT_ACCESS", "You do not have the level of access necessary", 403),
        refused("NOT_FOUND", "The requested resource does not exist", 404),
    ],
)
def test_a_refusal_is_told_in_the_org_s_words(answer: Answer):
    """They say which permission is missing."""
    provider, _ = org_that({"apps/oauth": answer})
    provider.calls.pinned = "65.0"

    message = json.loads(answer[2])[0]["message"]
    assert message in provider.facts([], quiet, secrets=["portal"]).unknown["secrets"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused("INVALID_SESSION_ID", "Session expired or invalid", 401), NotAllowedError),
        (refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403), UnreachableError),
        (reply({"records": None}), UnreachableError),
        (reply({"records": ["row"]}), UnreachableError),
        (reply({"records": [], "done": False, "nextRecordsUrl": "https://evil.example/"}), UnreachableError),
        (reply({"records": [], "done": False, "nextRecordsUrl": "@evil.example/services/data/"}), UnreachableError),
        (reply({"records": [], "done": False, "nextRecordsUrl": ["x"]}), UnreachableError),
        (reply([]), UnreachableError),
        ((302, {"Location": "https://evil.example/"}, b""), ReconcilerError),
        ((503, {}, b""), UnreachableError),
    ],
)
def test_what_concerns_more_than_a_topic_is_an_error(answer: Answer, error: type[Exception]):
    """A run that could not ask must not pass for a run that found nothing."""
    with pytest.raises(error):
        facts_from({"FROM User": answer}, ELI)


def test_an_org_that_never_stops_sending_pages_is_left():
    """Its locator leads to itself."""
    again = reply({"records": [{"Name": "x"}], "done": False, "nextRecordsUrl": "/services/data/v63.0/query/01g-1"})
    with pytest.raises(UnreachableError):
        facts_from({"FROM PermissionSet": again, "query/01g-1": again})
