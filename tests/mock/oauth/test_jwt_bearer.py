"""JWT bearer: how pipelines log in. A wrong answer here is a pipeline that nobody can repair from the outside."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from tests.mock.oauth.client import ADMIN, BEARER, ELI, Client, Signer, client_app, connected_app
from tests.mock.wire import Wire

POLICY = {"commaSeparatedPermissionSet": "Identity_Deployer", "permittedUsersPolicyType": "AdminApprovedPreAuthorized"}
OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/Some_App"
GLOBAL = "ExtlClntAppGlobalOauthSettings/Some_App"
NEVER_APPROVED = ("invalid_grant", "user hasn't approved this consumer")
INVALID = ("invalid_grant", "invalid assertion")


@pytest.fixture
def pipeline(wire: Wire, signer: Signer) -> Client:
    return client_app(wire, settings={"certificate": signer.certificate}, policy=POLICY)


def form(client: Client, signer: Signer, **claims: Any) -> dict[str, Any]:
    # No client_id and no secret: the assertion is both.
    return {
        "grant_type": BEARER,
        "assertion": signer.assertion(client, **claims),
        "client_id": None,
        "client_secret": None,
    }


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": "https://test.salesforce.com"},
        {"exp": lambda: str(int(time.time()) + 120)},
        {"exp": lambda: int(time.time() * 1000) + 300},
        {"sub": None, "prn": "integration@acme.example"},
    ],
    ids=["plain", "test", "text exp", "milliseconds", "prn"],
)
def test_an_assertion_becomes_a_session_of_its_subject(
    pipeline: Client, signer: Signer, claims: dict[str, Any]
) -> None:
    """In each spelling that simple-salesforce and sf use."""
    now = {name: claim() if callable(claim) else claim for name, claim in claims.items()}

    given = pipeline.granted(**form(pipeline, signer, **now))

    assert pipeline.works(given["access_token"])
    assert given["id"].endswith(pipeline.org.users()[3].id)
    assert "refresh_token" not in given


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_orgs_own_address_is_an_audience(pipeline: Client, signer: Signer, slash: str) -> None:
    """sf tries the address that it was given first, with a slash; after that it goes out to the internet."""
    assert pipeline.works(pipeline.granted(**form(pipeline, signer, aud=f"{pipeline.base}{slash}"))["access_token"])


def test_in_a_sandbox_the_own_address_is_a_trap(pipeline: Client, signer: Signer) -> None:
    with pipeline.org.writing() as world:
        world.db.execute("UPDATE meta SET value = 'true' WHERE key = 'is_sandbox'")
    asked = form(pipeline, signer, aud=pipeline.base)
    assert ("invalid_grant", "audience is invalid") == pipeline.refused(**asked)

    pipeline.org.switch("my_domain_audience_in_sandbox", True)
    assert pipeline.works(pipeline.granted(**asked)["access_token"])


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": "https://other.example"}, ("invalid_grant", "audience is invalid")),
        ({"exp": int(time.time()) - 1}, ("invalid_grant", "expired authorization code")),
        ({"exp": "soon"}, INVALID),
        ({"exp": "inf"}, INVALID),
        ({"exp": "nan"}, INVALID),
        ({"nbf": 99999999999}, INVALID),
        ({"aud": "https://login.salesforce.com//"}, ("invalid_grant", "audience is invalid")),
        ({"exp": None}, INVALID),
        ({"iss": "3MVG9nobody"}, ("invalid_client_id", "client identifier invalid")),
        ({"sub": "nobody@acme.example"}, NEVER_APPROVED),
        ({"sub": None}, NEVER_APPROVED),
        ({"sub": ELI}, ("invalid_app_access", "user is not admin approved to access this app")),
        ({"sub": "former@acme.example"}, ("inactive_user", "user is inactive")),
    ],
)
def test_claims_that_are_refused(
    pipeline: Client, signer: Signer, claims: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected == pipeline.refused(**form(pipeline, signer, **claims))


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c"])
def test_what_is_no_assertion_is_refused(pipeline: Client, assertion: str) -> None:
    assert INVALID == pipeline.refused(grant_type=BEARER, assertion=assertion, client_id=None, client_secret=None)


def test_an_assertion_without_a_signature_is_refused(pipeline: Client) -> None:
    """`alg: none` is the oldest trick."""
    told = {
        "iss": pipeline.key,
        "sub": "integration@acme.example",
        "aud": "https://login.salesforce.com",
        "exp": 99999999999,
    }

    unsigned = jwt.encode(told, None, algorithm="none")

    assert INVALID == pipeline.refused(grant_type=BEARER, assertion=unsigned, client_id=None, client_secret=None)


def test_another_key_than_the_certificates_is_refused(pipeline: Client) -> None:
    """Everybody knows the consumer key."""
    assert INVALID == pipeline.refused(**form(pipeline, Signer.made()))


def test_without_a_certificate_nobody_gets_in(pipeline: Client, signer: Signer) -> None:
    """Leaving the certificate out of an update locks pipelines out: it must be felt here first."""
    pipeline.org.set(GLOBAL, {"certificate": None}, as_user=ADMIN)

    assert INVALID == pipeline.refused(**form(pipeline, signer))


def test_without_the_refresh_token_scope_no_approval_counts(pipeline: Client, signer: Signer) -> None:
    """OA13: the trap that every guide on this flow warns of."""
    pipeline.org.set("ExtlClntAppOauthSettings/Some_App", {"commaSeparatedOauthScopes": "Api"}, as_user=ADMIN)

    assert NEVER_APPROVED == pipeline.refused(**form(pipeline, signer))


def test_an_app_for_everybody_needs_an_approval_before(pipeline: Client, signer: Signer) -> None:
    """Nobody can be asked in this flow, so who never approved the app is not let in."""
    pipeline.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AllSelfAuthorized"}, as_user=ADMIN)
    asked = form(pipeline, signer, sub=ELI)
    assert NEVER_APPROVED == pipeline.refused(**asked)

    pipeline.granted(**pipeline.code_form())

    assert pipeline.works(pipeline.granted(**asked)["access_token"])


def test_a_connected_app_has_its_certificate_elsewhere(wire: Wire, signer: Signer) -> None:
    old = connected_app(wire, certificate=signer.certificate, isAdminApproved=True)
    wire.org.set("ConnectedApp/Old_App", {"permissionSetName": "Identity_Deployer"}, as_user=ADMIN)

    assert old.works(old.granted(**form(old, signer))["access_token"])


def test_scope_is_not_taken(pipeline: Client, signer: Signer) -> None:
    assert ("invalid_request", "scope parameter not supported") == pipeline.refused(
        **form(pipeline, signer), scope="api"
    )
