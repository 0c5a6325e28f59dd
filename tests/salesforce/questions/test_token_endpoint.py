"""The OAuth endpoints of an org, as `verify` uses them."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from providers.salesforce.provider import SalesforceProvider
from reconciler.errors import UnreachableError
from reconciler.model.oauth import TokenAnswer, Tokens
from reconciler.redaction import redacted
from tests.salesforce.build import HOST, Answer, Stub, stubbed

ID = "https://login.salesforce.com/id/00D000000000001EAA/005000000000002AAA"
TOKEN = {"access_token": "00Dxx!canary-access", "refresh_token": "5Aep-canary-refresh", "scope": "api id", "id": ID}
PEOPLE = {"totalSize": 1, "done": True, "records": [{"attributes": {}, "Username": "pat@acme.example"}]}


def json_answer(content: Any, status: int = 200) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()


def org(*answers: Answer | Exception, query: Answer | None = None) -> tuple[SalesforceProvider, Stub]:
    """An org that gives these answers at its OAuth endpoints, one after the other."""
    waiting = list(answers)

    def answer(request: requests.PreparedRequest) -> Answer | Exception:
        if "/services/oauth2/" in (request.url or ""):
            return waiting.pop(0)
        return query or json_answer(PEOPLE)

    return stubbed(answer)


def sent(request: requests.PreparedRequest) -> Mapping[str, list[str]]:
    return parse_qs(str(request.body))


def test_a_token_is_described_and_not_shown():
    """What a token is good for can be told without it."""
    provider, stub = org(json_answer(TOKEN))
    found = provider.ask_token({"grant_type": "client_credentials", "client_id": "k"})

    assert TokenAnswer(200, "", "", frozenset({"api", "id"}), "005000000000002AAA", "pat@acme.example") == found
    assert found.has_refresh_token
    assert "canary" not in repr(found)
    assert "canary" not in redacted(f"{TOKEN['access_token']} {TOKEN['refresh_token']}")
    assert f"{HOST}/services/oauth2/token" == stub.asked[0].url


def test_the_identity_url_is_not_followed():
    """It names login.salesforce.com, which gets no credential of ours: our own login says who the user is."""
    _, stub = (asked := org(json_answer(TOKEN)))
    asked[0].ask_token({"grant_type": "client_credentials"})

    assert {HOST} == {str(request.url)[: len(HOST)] for request in stub.asked}
    assert "Authorization" not in stub.asked[0].headers


def test_a_user_whom_our_login_may_not_see_is_not_named():
    """An empty name is not the wrong one."""
    no = json_answer([{"errorCode": "INVALID_TYPE", "message": "sObject type 'User' is not supported."}], 400)
    provider, _ = org(json_answer(TOKEN), query=no)

    assert ("005000000000002AAA", "") == (
        (found := provider.ask_token({"grant_type": "client_credentials"})).user_id,
        found.username,
    )


def test_a_refusal_is_an_answer():
    """Most calls of a verify have to be refused."""
    provider, _ = org(json_answer({"error": "invalid_grant", "error_description": "authentication failure"}, 400))

    assert TokenAnswer(400, "invalid_grant", "authentication failure") == provider.ask_token({})


@pytest.mark.parametrize("answer", [(200, {}, b"<html>hello"), (500, {}, b""), json_answer({"x": "canary"})])
def test_what_is_no_answer_of_a_token_endpoint_is_no_refusal(answer):
    """A proxy's error page must not pass for a closed door, and half an answer must not be repeated."""
    provider, _ = org(answer)

    with pytest.raises(UnreachableError) as wrong:
        provider.ask_token({"grant_type": "client_credentials"})
    assert "canary" not in repr(wrong.value.complaints)


def test_an_org_that_is_busy_is_asked_again():
    """A 503 says nothing about a promise."""
    provider, stub = org((503, {}, b""), json_answer(TOKEN))

    assert provider.ask_token({"grant_type": "client_credentials"}).granted
    assert 2 == sum("/token" in str(request.url) for request in stub.asked)


def test_a_refresh_token_is_sent_once():
    """Where tokens rotate, the second try of what was lost on the way is refused, and ends the session."""
    provider, stub = org(requests.ConnectionError("reset"), json_answer(TOKEN))

    with pytest.raises(UnreachableError):
        provider.ask_token({"grant_type": "refresh_token", "refresh_token": "r"})
    assert 1 == len(stub.asked)


def test_tokens_are_given_back_refresh_token_first():
    """Ending the refresh token ends its access tokens; one that is dead already is refused, which is as good."""
    provider, stub = org((200, {}, b""), (400, {}, b""))

    assert provider.revoke(Tokens("access", "refresh"))
    assert [["refresh"], ["access"]] == [sent(request)["token"] for request in stub.asked]
    assert {f"{HOST}/services/oauth2/revoke"} == {request.url for request in stub.asked}


@pytest.mark.parametrize("answer", [(500, {}, b""), requests.ConnectionError("reset")])
def test_a_token_that_the_org_may_keep_is_told(answer):
    """Somebody has to end it by hand."""
    assert not org(answer)[0].revoke(Tokens("access"))


LOGIN = {"Location": f"{HOST}/?ec=302&startURL=%2Fsetup%2Fsecur%2FRemoteAccessAuthorizationPage.apexp"}
WRONG = "error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration"
AT_CALLBACK = {
    "Location": "https://a.example/cb?error=invalid_request&error_description=missing+required+code+challenge"
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((302, LOGIN, b""), (True, "", "")),
        ((200, {"Content-Type": "text/html"}, b"<form action='?error=1'>Log in</form>"), (True, "", "")),
        ((302, AT_CALLBACK, b""), (False, "invalid_request", "missing required code challenge")),
        ((302, {"Location": "app://cb#error=access_denied"}, b""), (False, "access_denied", "")),
        ((400, {}, WRONG.encode()), (False, "redirect_uri_mismatch", "redirect_uri must match configuration")),
        (
            (200, {}, f"<p>{WRONG.replace('&', '&amp;')}</p>".encode()),
            (False, "redirect_uri_mismatch", "redirect_uri must match configuration"),
        ),
        (json_answer({"error": "invalid_client_id"}, 400), (False, "invalid_client_id", "")),
        ((403, {}, b"no"), (False, "http_403", "")),
        ((302, {"Location": "http://[cb?error=x"}, b""), (True, "", "")),
    ],
)
def test_the_authorize_endpoint_asks_to_log_in_or_says_why_not(answer, expected):
    """An org sends a browser to its login page, to the callback URL with an error, or shows the error itself."""
    provider, stub = org(answer)
    found = provider.authorize({"client_id": "k", "redirect_uri": "https://a.example/cb"})

    assert expected == (found.granted, found.error, found.description)
    assert 1 == len(stub.asked)
    assert "Authorization" not in stub.asked[0].headers


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (json_answer({"active": True, "username": "pat@acme.example"}), TokenAnswer(200, username="pat@acme.example")),
        (json_answer({"active": False}), TokenAnswer(200, "inactive")),
        (json_answer({"error": "invalid_client"}, 400), TokenAnswer(400, "invalid_client")),
    ],
)
def test_introspection_tells_something_or_nothing(answer, expected):
    """Only what is said about the token counts, and the token is not repeated."""
    provider, stub = org(answer)

    assert expected == provider.introspect(Tokens("canary"), {"client_id": "k", "client_secret": "s"})
    assert {
        "client_id": ["k"],
        "client_secret": ["s"],
        "token": ["canary"],
        "token_type_hint": ["access_token"],
    } == sent(stub.asked[0])
    assert f"{HOST}/services/oauth2/introspect" == stub.asked[0].url


def test_a_token_that_cannot_be_given_back_does_not_keep_the_next():
    """An org that redirects, or sends a page without end, must not leave the access token alive."""
    away: Answer = (302, {"Location": "https://elsewhere.example/"}, b"")
    provider, stub = org(away, (200, {}, b""))

    assert not provider.revoke(Tokens("access", "refresh"))
    assert [{"token": ["refresh"]}, {"token": ["access"]}] == [sent(one) for one in stub.asked]
