"""What becomes of tokens: where they work, how they end, what the org tells of them, and what its file does not hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest

from providers.mock import MockOrgError, Org, open_org
from tests.mock.oauth.client import (
    ADMIN,
    ELI,
    INTEGRATION,
    TYPE,
    Client,
    Signer,
    client_app,
    connected_app,
    exchanging,
    peek,
)
from tests.mock.wire import NS, Wire, setting

GLOBAL = "ExtlClntAppGlobalOauthSettings/Some_App"
OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/Some_App"
CREDENTIALS: dict[str, Any] = {
    "settings": {"isClientCredentialsFlowEnabled": True},
    "policy": {"clientCredentialsFlowUser": INTEGRATION, "isClientCredentialsFlowEnabled": True},
}
LIST = f'<describeMetadata xmlns="{NS}"><asOfVersion>66.0</asOfVersion></describeMetadata>'


@pytest.fixture
def site(wire: Wire) -> Client:
    return client_app(wire, scopes="Api, RefreshToken, OpenID, Basic")


# -- where they work -------------------------------------------------------------------------------------------------


def test_data_needs_the_scope_api(site: Client) -> None:
    """A login that asked for a name only must not read the customers."""
    token = site.granted(**site.code_form(scope="openid id"))["access_token"]

    expected = [{"message": "This session is not valid for use with the REST API", "errorCode": "INVALID_SESSION_ID"}]
    assert (401, expected) == (site.rest(token).status_code, site.rest(token).json())
    assert "INVALID_SESSION_ID" in site.wire.post_soap(LIST, token=token).text


def test_userinfo_needs_a_scope_of_identity_where_the_switch_says_so(site: Client) -> None:
    """By default api is enough: the Salesforce CLI has no other."""
    scopes = ("openid", "id", "email", "api")
    tokens = [site.granted(**site.code_form(scope=scope))["access_token"] for scope in scopes]
    assert [200] * 4 == [site.rest(token, "/services/oauth2/userinfo").status_code for token in tokens]

    site.org.switch("identity_scope_required", True)

    assert [200, 200, 200, 403] == [site.rest(token, "/services/oauth2/userinfo").status_code for token in tokens]


def test_userinfo_and_the_identity_url_tell_who_it_is(site: Client) -> None:
    """Clients learn their username from here, in the query string if they are jsforce."""
    given = site.granted(**site.code_form())

    told = site.rest(given["access_token"], "/services/oauth2/userinfo").json()
    identity = site.wire.session.get(
        given["id"], params={"oauth_token": given["access_token"], "format": "json"}
    ).json()

    assert (ELI, ELI, given["id"], site.org.org_id) == (
        told["preferred_username"],
        identity["username"],
        told["sub"],
        told["organization_id"],
    )
    other = given["id"].replace(site.org.users()[2].id, site.org.users()[0].id)
    assert 404 == site.wire.session.get(other, params={"oauth_token": given["access_token"]}).status_code


def test_jwt_tokens_are_taken_by_rest_and_refused_by_soap(wire: Wire) -> None:
    """An app that issues JWTs cannot deploy over SOAP: who turns it on must find out here."""
    service = client_app(
        wire, settings={**CREDENTIALS["settings"], "isNamedUserJwtEnabled": True}, policy=CREDENTIALS["policy"]
    )
    token = service.granted(grant_type="client_credentials")["access_token"]

    keys = wire.session.get(f"{wire.base}/id/keys").json()
    claims = jwt.decode(token, jwt.PyJWKSet.from_dict(keys).keys[0].key, algorithms=["RS256"], audience=wire.base)

    assert (service.key, "api", wire.base) == (claims["client_id"], claims["scp"], claims["iss"])
    assert service.works(token)
    assert "JWT-based access tokens" in wire.post_soap(LIST, token=token).text
    assert not service.works(f"{token[:-4]}AAAA")


def test_the_signature_is_made_with_the_secret(site: Client) -> None:
    """By it a client knows that nobody changed the identity URL on the way."""
    given = site.granted(**site.code_form())

    made = hmac.new(site.secret.encode(), f"{given['id']}{given['issued_at']}".encode(), hashlib.sha256).digest()
    assert base64.b64encode(made).decode() == given["signature"]


def test_an_id_token_is_signed_by_the_orgs_published_key(site: Client) -> None:
    """Discovery, keys and token fit together for a library that knows only the standard."""
    site.org.set(
        GLOBAL,
        {
            "idTokenConfig.idTokenIncludeStandardClaims": "true",
            "idTokenConfig.idTokenAudience": "https://x.example",
            "idTokenConfig.idTokenValidityInMinutes": "5",
        },
        as_user=ADMIN,
    )
    given = site.granted(**site.code_form(nonce="n-1"))
    found = site.wire.session.get(f"{site.base}/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(site.wire.session.get(found["jwks_uri"]).json())

    claims = jwt.decode(
        given["id_token"], keys.keys[0].key, algorithms=["RS256"], audience=site.key, issuer=found["issuer"]
    )

    assert ("n-1", ELI, given["id"], 300) == (
        claims["nonce"],
        claims["preferred_username"],
        claims["sub"],
        claims["exp"] - claims["iat"],
    )
    assert [site.key, "https://x.example"] == claims["aud"]
    assert keys.keys[0].key_id == jwt.get_unverified_header(given["id_token"])["kid"]


# -- how they end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "lasts"), [(None, 7200), ("15", 900)])
def test_a_token_ends_with_its_session(site: Client, minutes: str | None, lasts: int) -> None:
    if minutes:
        site.org.set(OAUTH_POLICY, {"sessionTimeoutInMinutes": minutes}, as_user=ADMIN)
    token = site.granted(**site.code_form())["access_token"]

    site.org.pass_time(lasts - 60)
    assert site.works(token)
    site.org.pass_time(61)
    assert not site.works(token)


def test_ending_sessions_ends_all_kinds_and_leaves_refresh_tokens(site: Client) -> None:
    """What a client must survive: the session dies between two calls."""
    given, before = site.granted(**site.code_form()), site.org.access_token()

    site.org.end_sessions()

    assert [False, False] == [site.works(given["access_token"]), site.works(before)]
    assert site.works(site.org.access_token())
    assert before != site.org.access_token()
    assert site.works(site.granted(grant_type="refresh_token", refresh_token=given["refresh_token"])["access_token"])


def test_ending_one_users_sessions_leaves_the_others(site: Client) -> None:
    mine, others = site.org.access_token(ELI), site.org.access_token()

    site.org.end_sessions(ELI)

    assert [False, True] == [site.works(mine), site.works(others)]


def test_an_ended_jwt_session_is_over_too(site: Client) -> None:
    site.org.switch("jwt_tokens", True)
    before = site.org.access_token()
    assert site.works(before)

    site.org.end_sessions()

    assert [False, True] == [site.works(before), site.works(site.org.access_token())]


def test_a_user_who_is_deactivated_loses_his_tokens(site: Client) -> None:
    """Also if he comes back."""
    token, session = site.granted(**site.code_form())["access_token"], site.org.access_token(ELI)

    site.org.set_active(ELI, False)
    assert not site.works(token)
    site.org.set_active(ELI, True)
    assert not site.works(token)
    assert not site.works(session)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_revoking_a_refresh_token_takes_its_access_tokens_along(site: Client, method: str) -> None:
    given, other = site.granted(**site.code_form()), site.granted(**site.code_form())
    place = {"params" if method == "GET" else "data": {"token": given["refresh_token"]}}

    answer = site.wire.session.request(method, f"{site.base}/services/oauth2/revoke", **place)

    assert (200, b"") == (answer.status_code, answer.content)
    assert [False, True] == [site.works(each["access_token"]) for each in (given, other)]
    assert "invalid_grant" == site.refused(grant_type="refresh_token", refresh_token=given["refresh_token"])[0]


def test_revoking_an_access_token_leaves_the_refresh_token(site: Client) -> None:
    given = site.granted(**site.code_form())

    assert 200 == site.post("/services/oauth2/revoke", token=given["access_token"]).status_code

    assert not site.works(given["access_token"])
    assert site.works(site.granted(grant_type="refresh_token", refresh_token=given["refresh_token"])["access_token"])


def test_logging_out_ends_a_session_without_an_app(site: Client) -> None:
    token = site.org.access_token(ELI)

    assert 200 == site.post("/services/oauth2/revoke", token=token).status_code
    assert not site.works(token)


def test_what_is_no_token_cannot_be_revoked(site: Client) -> None:
    assert ("invalid_token", "invalid token") == site.refused(path="/services/oauth2/revoke", token="x")


# -- what the org tells of them --------------------------------------------------------------------------------------


def introspected(client: Client, token: str) -> dict[str, Any]:
    answer = client.post("/services/oauth2/introspect", token=token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_an_app_is_told_of_its_own_tokens(site: Client) -> None:
    given = site.granted(**site.code_form(scope="api refresh_token"))

    told = introspected(site, given["access_token"])

    assert {
        "active": True,
        "scope": "api refresh_token",
        "client_id": site.key,
        "username": ELI,
        "sub": given["id"],
        "token_type": "access_token",
    } == {name: told[name] for name in told if name not in {"exp", "iat", "nbf"}}
    assert 7200 == told["exp"] - told["iat"]
    assert (True, "refresh_token") == tuple(
        introspected(site, given["refresh_token"])[name] for name in ("active", "token_type")
    )


def test_an_app_is_told_nothing_of_others_unless_it_may(site: Client) -> None:
    """OA10: one app of an org sees all tokens, and no other one any."""
    other = client_app(site.wire, "Other_App")
    token = site.granted(**site.code_form())["access_token"]
    assert {"active": False} == introspected(other, token)

    site.org.set("ExtlClntAppGlobalOauthSettings/Other_App", {"isIntrospectAllTokens": "true"}, as_user=ADMIN)

    assert site.key == introspected(other, token)["client_id"]


def test_ended_tokens_are_inactive(site: Client) -> None:
    given = site.granted(**site.code_form())
    site.org.pass_time(7300)
    assert [{"active": False}, True] == [
        introspected(site, given["access_token"]),
        introspected(site, given["refresh_token"])["active"],
    ]

    site.org.set_active(ELI, False)
    assert {"active": False} == introspected(site, given["refresh_token"])
    assert {"active": False} == introspected(site, "x")


def test_introspection_needs_the_secret(site: Client) -> None:
    refused = site.refused(path="/services/oauth2/introspect", token="x", client_secret=None)

    assert ("invalid_client", "invalid client credentials") == refused


# -- the endpoint ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grant", [None, "", "device", "urn:ietf:params:oauth:grant-type:device_code", "magic"])
def test_unknown_grants_are_refused(site: Client, grant: str | None) -> None:
    assert ("unsupported_grant_type", "grant type not supported") == site.refused(grant_type=grant)


def test_only_posts_are_taken_and_no_answer_is_kept(site: Client) -> None:
    """A proxy that keeps an answer keeps a token."""
    answer = site.wire.session.get(f"{site.base}/services/oauth2/token")

    assert (400, "must use HTTP POST") == (answer.status_code, answer.json()["error_description"])
    assert "no-store" == site.post(**site.code_form()).headers["Cache-Control"]


def test_a_secret_in_the_query_is_not_read(site: Client) -> None:
    """OA26: query strings end in logs."""
    query = {"grant_type": "client_credentials", "client_id": site.key, "client_secret": site.secret}

    answer = site.wire.session.post(f"{site.base}/services/oauth2/token", params=query)

    assert "unsupported_grant_type" == answer.json()["error"]


def test_passwords_work_for_connected_apps_only(wire: Wire) -> None:
    old, new = connected_app(wire), client_app(wire)
    word = f"{wire.org.password(ELI)}{wire.org.security_token(ELI)}"
    form = {"grant_type": "password", "username": ELI, "password": word}

    given = old.granted(**form)

    assert old.works(given["access_token"])
    assert "refresh_token" not in given
    assert ("unsupported_grant_type", "grant type not supported") == new.refused(**form)


def test_a_password_needs_its_security_token(wire: Wire) -> None:
    old = connected_app(wire)
    form = {"grant_type": "password", "username": ELI, "password": wire.org.password(ELI)}
    failed = ("invalid_grant", "authentication failure")
    assert failed == old.refused(**form)
    assert failed == old.refused(**form | {"username": ADMIN})
    assert failed == old.refused(**form | {"username": "nobody@acme.example"})

    wire.org.switch("security_token_required", False)

    assert old.works(old.granted(**form)["access_token"])
    assert ("invalid_client", "invalid client credentials") == old.refused(**form, client_secret=None)


def test_an_org_may_block_passwords(wire: Wire) -> None:
    """OA23: what the setting is for."""
    old = connected_app(wire)
    word = f"{wire.org.password(ELI)}{wire.org.security_token(ELI)}"

    wire.deployed(setting("OauthOidcSettings", "OauthOidc", blockOAuthUnPwFlow=True))

    assert ("invalid_grant", "authentication failure") == old.refused(
        grant_type="password", username=ELI, password=word
    )


def test_a_new_app_is_not_known_at_once(wire: Wire) -> None:
    """After a deployment Salesforce says for minutes that there is no such client: who polls must wait, not fail."""
    service = client_app(wire, **CREDENTIALS)
    wire.org.switch("propagation_seconds", 600)
    unknown = ("invalid_client_id", "client identifier invalid")

    assert unknown == service.refused(grant_type="client_credentials")
    wire.org.pass_time(601)
    assert service.works(service.granted(grant_type="client_credentials")["access_token"])

    wire.org.set(OAUTH_POLICY, {"sessionTimeoutInMinutes": "30"}, as_user=ADMIN)
    assert unknown == service.refused(grant_type="client_credentials")


def test_a_rotated_key_and_secret_replace_the_old_ones(wire: Wire) -> None:
    """Rotation is worth nothing if what leaked goes on working."""
    service = client_app(wire, **CREDENTIALS)
    wire.org.set(GLOBAL, {"shouldRotateConsumerKey": "true", "shouldRotateConsumerSecret": "true"}, as_user=ADMIN)
    key, secret = wire.org.consumer("Some_App")

    assert "invalid_client_id" == service.refused(grant_type="client_credentials")[0]
    assert "invalid_client" == service.refused(grant_type="client_credentials", client_id=key)[0]
    assert service.works(
        service.granted(grant_type="client_credentials", client_id=key, client_secret=secret)["access_token"]
    )


def test_propagation_may_be_counted_in_calls(wire: Wire) -> None:
    """So that a test need not wait; every change begins anew."""
    service = client_app(wire, **CREDENTIALS)
    wire.org.switch("propagation_calls", 2)

    def statuses() -> list[int]:
        return [service.post(grant_type="client_credentials").status_code for _ in range(4)]

    assert [400, 400, 200, 200] == statuses()
    wire.org.set(OAUTH_POLICY, {"sessionTimeoutInMinutes": "30"}, as_user=ADMIN)
    assert [400, 400, 200, 200] == statuses()


# -- what the file holds ---------------------------------------------------------------------------------------------


def test_no_token_and_no_code_stands_in_the_file(org: Org, wire: Wire, signer: Signer, tmp_path: Path) -> None:
    """Somebody copies the file: he has nobody's session, and nobody's password."""
    portal = exchanging(wire)
    subjects = {kind: portal.exchange_form(kind) for kind in ("access_token", "refresh_token", "jwt", "saml2")}
    given = [portal.granted(**form) for form in subjects.values()]
    code = portal.code_form()
    secret = {form["subject_token"] for form in subjects.values()} | {
        code["code"],
        org.password(ELI),
        org.security_token(ELI),
        org.access_token(),
    }
    secret |= {each[name] for each in given for name in ("access_token", "refresh_token")}
    with closing(sqlite3.connect(tmp_path / "org.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("org.db*"))

    assert not [text for text in secret if text.encode() in kept]
    assert 0o600 == (tmp_path / "org.db").stat().st_mode & 0o777


def test_no_refusal_repeats_what_was_sent(portal: Client) -> None:
    """A typo in a form puts a secret where it does not belong, and error texts end in logs."""
    canary = "CANARY0123456789"
    form = {**portal.exchange_form(), "client_secret": portal.secret}
    for name in (*form, "token_handler", "scope", "client_id"):
        assert canary not in portal.post(**(form | {name: canary})).text
    for name in ("code", "code_verifier", "refresh_token", "assertion", "username", "password"):
        for grant in ("authorization_code", "refresh_token", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
            assert canary not in portal.post(grant_type=grant, **{name: canary}).text


def test_a_file_of_the_first_version_still_opens(tmp_path: Path) -> None:
    """Somebody's org is weeks of tries: an update must not take it away. The file was written by that version."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((Path(__file__).parent / "version1.sql").read_text(encoding="utf-8"))

    org = open_org(path)

    eli = org.users()[2]
    assert (ELI, ELI, None, ("Order_Portal_User", "Partner_Portal_User")) == (
        eli.username,
        eli.email,
        eli.federation_identifier,
        eli.permission_sets,
    )
    wire = Wire(org)
    assert client_app(wire, **CREDENTIALS).granted(grant_type="client_credentials")
    wire.session.close()
    org.close()


def test_an_upgraded_file_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    """Or what works in a new org breaks in an old one."""
    with closing(sqlite3.connect(tmp_path / "old.db")) as db:
        db.executescript((Path(__file__).parent / "version1.sql").read_text(encoding="utf-8"))
    shapes = []
    for name in ("old.db", "new.db"):
        open_org(tmp_path / name).close()
        with closing(sqlite3.connect(tmp_path / name)) as db:
            tables = [
                row[0]
                for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY name")
            ]
            shapes.append(
                {
                    table: {row[1:4] for row in db.execute(f"PRAGMA table_info({table})")}
                    for table in tables
                    if not table.startswith("sqlite_")
                }
            )

    assert shapes[1] == shapes[0]


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    open_org(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(MockOrgError, match="another version"):
        open_org(path)


# -- the identity provider -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["json", "data"])
def test_the_identity_provider_issues_over_http(portal: Client, sent: str) -> None:
    """A primary app in another language gets its subject tokens here."""
    asked = {"username": "eli.novak", "type": "jwt", "expires_in": "60", "department": "sales"}
    answer = portal.wire.session.post(f"{portal.base}/idp/token", **{sent: asked}).json()

    claims = peek(answer["access_token"])
    assert (60, "sales", "eli.novak") == (claims["exp"] - claims["iat"], claims["department"], claims["sub"])
    form = portal.exchange_form() | {"subject_token": answer["access_token"]}
    assert portal.works(portal.granted(**form)["access_token"])


def test_its_keys_are_published_and_are_not_the_orgs(portal: Client) -> None:
    """A token of the org must not pass as one of the provider."""
    found = portal.wire.session.get(f"{portal.base}/idp/.well-known/openid-configuration").json()
    keys = portal.wire.session.get(found["jwks_uri"]).json()
    token = portal.org.subject_token("eli.novak")

    assert (
        "eli.novak"
        == jwt.decode(
            token, jwt.PyJWKSet.from_dict(keys).keys[0].key, algorithms=["RS256"], options={"verify_aud": False}
        )["sub"]
    )
    assert keys != portal.wire.session.get(f"{portal.base}/id/keys").json()
    assert {"kty", "n", "e", "kid", "use", "alg"} == set(keys["keys"][0])


@pytest.mark.parametrize(
    "asked",
    [
        {"iss": 5},
        {"type": "access_token", "exp": "soon"},
        {"type": "access_token", "exp": 10**30},
        {"type": "saml2", "exp": 10**15},
    ],
)
def test_the_identity_provider_refuses_claims_that_no_token_holds(wire: Wire, asked: dict[str, Any]) -> None:
    """A test that is wrong should read why, and not a page about the server."""
    answer = wire.session.post(f"{wire.base}/idp/token", json={"subject": "x", "audience": "a", **asked})

    assert 400 == answer.status_code
    assert answer.json()["error_description"].startswith("a claim is nothing that a token can hold: ")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "for whom? send username or subject"),
        ({"subject": "x", "expires_in": "soon"}, "expires_in is a number of seconds"),
        ({"subject": "x", "expires_in": "9" * 5000}, "expires_in is a number of seconds"),
        (
            {"subject": "x", "type": "magic"},
            "magic is no type of subject token; there are jwt, id_token, access_token, refresh_token, saml2",
        ),
        (
            {"subject": "x"},
            "for whom is the token? name an audience, or declare one rule (`mock rule`) to take it from",
        ),
    ],
)
def test_the_identity_provider_says_what_it_needs(wire: Wire, asked: dict[str, str], text: str) -> None:
    answer = wire.session.post(f"{wire.base}/idp/token", data=asked)

    assert (400, text) == (answer.status_code, answer.json()["error_description"])


def test_a_wrapped_assertion_is_refused(portal: Client) -> None:
    """Signature wrapping: a signed assertion inside another one speaks for its own subject only."""
    form = portal.exchange_form("saml2", subject="somebody")
    signed = base64.urlsafe_b64decode(form["subject_token"] + "==")
    outer = signed.replace(b"somebody", b"eli.novak")
    inner = outer.replace(b"</saml:Assertion>", b"<saml:Advice>" + signed + b"</saml:Advice></saml:Assertion>")
    for document in (outer, inner):
        text = base64.urlsafe_b64encode(document).decode()
        refused = portal.refused(**(form | {"subject_token": text, "subject_token_type": f"{TYPE}saml2"}))
        assert "Exchange, simulated by a rule: the signature of the token could not be verified" == refused[1]
