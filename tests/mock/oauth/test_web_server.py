"""The web server flow: who may come in by a browser, and that a stolen code is worth nothing."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session as Authlib
from requests_oauthlib import OAuth2Session as Oauthlib

from tests.mock.oauth.client import ADMIN, CALLBACK, CHALLENGE, ELI, VERIFIER, Client, client_app, connected_app, peek
from tests.mock.wire import Wire, setting

OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/Some_App"
GLOBAL = "ExtlClntAppGlobalOauthSettings/Some_App"


@pytest.fixture
def site(wire: Wire) -> Client:
    return client_app(wire, scopes="Api, RefreshToken, OpenID")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_code_is_redeemed_for_tokens_that_work(site: Client, method: str) -> None:
    answer = site.authorize(method, state="s 1&2")
    told = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert ["s 1&2"] == told["state"]

    given = site.granted(
        grant_type="authorization_code", code=told["code"][0], redirect_uri=CALLBACK, code_verifier=VERIFIER
    )

    assert site.works(given["access_token"])
    assert "api openid refresh_token" == given["scope"]
    assert {"refresh_token", "id_token"} <= set(given)


def test_a_bearer_token_names_the_user_as_well(site: Client) -> None:
    headers = {"Authorization": f"Bearer {site.org.access_token(ELI)}"}

    answer = site.authorize(login_hint=None, headers=headers)

    assert answer.headers["Location"].startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize("hint", [None, "nobody@acme.example", "former@acme.example"])
def test_a_stranger_is_sent_to_the_login_page(site: Client, hint: str | None) -> None:
    """Not refused, but asked: a check of the configuration must be able to tell the two apart."""
    answer = site.authorize(login_hint=hint)

    assert 302 == answer.status_code
    assert answer.headers["Location"].startswith(
        f"{site.base}/?ec=302&startURL=%2Fsetup%2Fsecur%2FRemoteAccessAuthorizationPage.apexp"
    )
    assert "no login page" in site.wire.session.get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "3MVG9nobody"}, {"redirect_uri": f"{CALLBACK}/"}, {"redirect_uri": "https://evil.example/cb"}],
)
def test_nothing_is_sent_to_an_address_that_is_not_the_apps(site: Client, changed: dict[str, str]) -> None:
    """An open redirect hands codes to whoever asks."""
    answer = site.authorize(**changed)

    assert (400, False) == (answer.status_code, "Location" in answer.headers)
    expected = "error=invalid_client_id&error_description=client+identifier+invalid"
    if "redirect_uri" in changed:
        expected = "error=redirect_uri_mismatch&error_description=redirect_uri+must+match+configuration"
    assert expected == answer.text


@pytest.mark.parametrize(
    ("changed", "error", "description"),
    [
        ({"code_challenge": None}, "invalid_request", "missing required code challenge"),
        ({"code_challenge_method": "plain"}, "invalid_request", "invalid code challenge"),
        ({"code_challenge": "short"}, "invalid_request", "invalid code challenge"),
        ({"scope": "api full"}, "invalid_scope", "the requested scope is not allowed"),
        ({"response_type": "token"}, "unsupported_response_type", "response type not supported"),
        ({"response_type": None}, "unsupported_response_type", "response type not supported"),
    ],
)
def test_the_callback_is_told_what_is_wrong(
    site: Client, changed: dict[str, str | None], error: str, description: str
) -> None:
    """Even a stranger is told before he logs in."""
    expected = {"error": error, "error_description": description, "state": "x"}

    assert expected == site.told(state="x", **changed)
    assert expected == site.told(state="x", login_hint=None, **changed)


def test_who_is_not_approved_is_told_so(site: Client) -> None:
    site.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}, as_user=ADMIN)

    expected = {
        "error": "OAUTH_APP_ACCESS_DENIED",
        "error_description": "user is not admin approved to access this app",
    }
    assert expected == site.told()


def test_an_app_that_is_off_is_blocked(site: Client) -> None:
    site.org.set("ExtlClntAppConfigurablePolicies/Some_App", {"isEnabled": "false"}, as_user=ADMIN)

    assert {"error": "OAUTH_APP_BLOCKED", "error_description": "this app is blocked by admin"} == site.told()


def test_the_org_may_require_pkce_of_all_apps(wire: Wire) -> None:
    """A connected app may leave it off; OauthOidcSettings may not be passed by."""
    old = connected_app(wire)
    assert "code" in old.told(code_challenge=None, code_challenge_method=None)

    wire.deployed(setting("OauthOidcSettings", "OauthOidc", isPkceRequired=True))

    assert "missing required code challenge" == old.told(code_challenge=None)["error_description"]


def test_even_the_only_callback_has_to_be_named(site: Client) -> None:
    """The REST API guide has redirect_uri among the parameters that are required; RFC 6749 is milder."""
    answer = site.authorize(redirect_uri=None)

    assert (400, "error=redirect_uri_missing&error_description=redirect_uri+is+required") == (
        answer.status_code,
        answer.text,
    )


def test_a_verifier_that_is_none_is_refused(site: Client) -> None:
    """The challenge of an empty verifier is known to everybody, and whoever has the code would have all."""
    for verifier in ("", "short", f"{VERIFIER} "):
        digest = hashlib.sha256(verifier.encode()).digest()
        form = site.code_form(code_challenge=base64.urlsafe_b64encode(digest).rstrip(b"=").decode())

        assert ("invalid_grant", "invalid code verifier") == site.refused(**(form | {"code_verifier": verifier}))


def test_a_verifier_without_a_challenge_is_refused(wire: Wire) -> None:
    """Who leaves out the challenge on the way there has taken PKCE off a client that believes in it."""
    old = connected_app(wire)
    form = old.code_form(code_challenge=None, code_challenge_method=None)

    assert ("invalid_grant", "invalid code verifier") == old.refused(**form)
    assert old.granted(**(form | {"code_verifier": None}))


def test_of_several_who_redeem_a_code_at_once_one_gets_in(site: Client) -> None:
    """A code that was caught is raced for; each request has a connection of its own."""
    form = site.code_form()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: Client(Wire(site.org), site.name).post(**form).status_code, range(4)))

    assert [200, 400, 400, 400] == sorted(answers)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"code": "aPrxwrong"}, ("invalid_grant", "invalid authorization code")),
        (
            {"code_verifier": "another-verifier-of-sufficient-length-0123456789"},
            ("invalid_grant", "invalid code verifier"),
        ),
        ({"code_verifier": None}, ("invalid_grant", "invalid code verifier")),
        ({"code_verifier": CHALLENGE}, ("invalid_grant", "invalid code verifier")),
        (
            {"redirect_uri": "https://evil.example/cb"},
            ("redirect_uri_mismatch", "redirect_uri must match configuration"),
        ),
        ({"client_secret": None}, ("invalid_client", "invalid client credentials")),
        ({"client_secret": "WRONG"}, ("invalid_client", "invalid client credentials")),
        ({"client_id": "3MVG9nobody"}, ("invalid_client_id", "client identifier invalid")),
        ({"scope": "api"}, ("invalid_request", "scope parameter not supported")),
    ],
)
def test_a_code_is_not_redeemed(site: Client, changed: dict[str, str | None], expected: tuple[str, str]) -> None:
    """Who caught a code on its way must not get in; who asks rightly after that still does."""
    form = site.code_form()

    assert expected == site.refused(**(form | changed))
    assert site.works(site.granted(**form)["access_token"])


def test_a_code_works_once(site: Client) -> None:
    form = site.code_form()
    site.granted(**form)

    assert ("invalid_grant", "expired authorization code") == site.refused(**form)


@pytest.mark.parametrize(("seconds", "is_good"), [(899, True), (901, False)])
def test_a_code_is_good_for_a_quarter_of_an_hour(site: Client, seconds: int, is_good: bool) -> None:
    form = site.code_form()
    site.org.pass_time(seconds)

    assert is_good == (site.post(**form).status_code == 200)


def test_who_lost_his_permission_meanwhile_redeems_nothing(site: Client) -> None:
    form = site.code_form()
    site.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}, as_user=ADMIN)

    assert ("invalid_app_access", "user is not admin approved to access this app") == site.refused(**form)


def test_a_code_is_the_apps_that_it_was_given_to(site: Client) -> None:
    other = client_app(site.wire, "Other_App")

    assert ("invalid_grant", "invalid authorization code") == other.refused(**site.code_form())


def test_a_public_client_redeems_without_a_secret(site: Client) -> None:
    site.org.set(GLOBAL, {"isConsumerSecretOptional": "true"}, as_user=ADMIN)

    assert site.works(site.granted(**site.code_form(), client_secret=None)["access_token"])


def test_a_foreign_library_runs_the_flow_with_pkce_and_refreshes(site: Client) -> None:
    """requests-oauthlib knows nothing of us: what it takes, others take."""
    session = Oauthlib(site.key, redirect_uri=CALLBACK, pkce="S256")
    session.mount(site.base, site.wire.session.get_adapter(f"{site.base}/"))
    url, _ = session.authorization_url(f"{site.base}/services/oauth2/authorize", login_hint=ELI)
    landed = session.get(url, allow_redirects=False, withhold_token=True).headers["Location"]

    token = session.fetch_token(
        f"{site.base}/services/oauth2/token", authorization_response=landed, client_secret=site.secret
    )
    assert 200 == session.get(f"{site.base}/services/data/v66.0/query?q=SELECT+Id+FROM+User").status_code
    session.scope = None
    fresh = session.refresh_token(
        f"{site.base}/services/oauth2/token", token["refresh_token"], client_id=site.key, client_secret=site.secret
    )

    assert token["access_token"] != fresh["access_token"]
    assert site.works(fresh["access_token"])


def test_another_foreign_library_runs_the_flow(site: Client) -> None:
    """Authlib sends its credentials in the header."""
    session = Authlib(site.key, site.secret, redirect_uri=CALLBACK, code_challenge_method="S256")
    session.mount(site.base, site.wire.session.get_adapter(f"{site.base}/"))
    url, _ = session.create_authorization_url(
        f"{site.base}/services/oauth2/authorize", code_verifier=VERIFIER, login_hint=ELI
    )
    landed = session.request("GET", url, allow_redirects=False, withhold_token=True).headers["Location"]

    token = session.fetch_token(
        f"{site.base}/services/oauth2/token", authorization_response=landed, code_verifier=VERIFIER
    )

    assert site.works(token["access_token"])
    assert site.key == peek(token["id_token"])["aud"]
