"""Client credentials: an app on its own, as the user that an admin chose."""

from __future__ import annotations

import pytest
import requests

from providers.mock import mount
from tests.mock.oauth.client import ADMIN, INTEGRATION, Client, client_app, connected_app
from tests.mock.wire import Wire

FORM = {"grant_type": "client_credentials"}
SETTINGS = {"isClientCredentialsFlowEnabled": True}
POLICY = {"clientCredentialsFlowUser": INTEGRATION, "isClientCredentialsFlowEnabled": True}
OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/Some_App"


@pytest.fixture
def service(wire: Wire) -> Client:
    return client_app(wire, settings=SETTINGS, policy=POLICY)


def test_it_acts_as_the_chosen_user_without_a_refresh_token(service: Client) -> None:
    """A service that could refresh would outlive its secret."""
    given = service.granted(**FORM)

    assert ("api", False) == (given["scope"], "refresh_token" in given)
    assert service.works(given["access_token"])
    assert given["id"].endswith(service.org.users()[3].id)


def test_the_token_deploys_over_soap(service: Client) -> None:
    """A pipeline logs in this way: the metadata API must take its token."""
    token = service.granted(**FORM)["access_token"]

    assert (
        "INVALID_SESSION_ID"
        not in service.wire.post_soap(
            '<describeMetadata xmlns="http://soap.sforce.com/2006/04/metadata"><asOfVersion>66.0</asOfVersion></describeMetadata>',
            token=token,
        ).text
    )
    assert (
        "metadataObjects"
        in service.wire.post_soap(
            '<describeMetadata xmlns="http://soap.sforce.com/2006/04/metadata"><asOfVersion>66.0</asOfVersion></describeMetadata>',
            token=token,
        ).text
    )


@pytest.mark.parametrize(
    ("address", "fields", "expected"),
    [
        (
            "ExtlClntAppGlobalOauthSettings/Some_App", {"isClientCredentialsFlowEnabled": "false"},
            ("invalid_grant", "client credentials flow is not enabled for this app"),
        ),
        (
            OAUTH_POLICY, {"isClientCredentialsFlowEnabled": "false"},
            ("invalid_grant", "client credentials flow is not enabled for this app"),
        ),
        (
            OAUTH_POLICY, {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"},
            ("invalid_app_access", "user is not admin approved to access this app"),
        ),
        ("ExtlClntAppOauthSettings/Some_App", {"commaSeparatedOauthScopes": "Full, Web, RefreshToken"}, ("invalid_grant", "no valid scopes defined")),
        ("ExtlClntAppConfigurablePolicies/Some_App", {"isEnabled": "false"}, ("OAUTH_APP_BLOCKED", "this app is blocked by admin")),
    ],
)  # fmt: skip
def test_refused_by_configuration(
    service: Client, address: str, fields: dict[str, str], expected: tuple[str, str]
) -> None:
    """CC01 and what else an admin can turn off: one switch of two is dead configuration."""
    service.org.set(address, fields, as_user=ADMIN)

    assert expected == service.refused(**FORM)


def test_without_an_active_user_nobody_acts(service: Client) -> None:
    """CC02: somebody left, and the service that ran as him stops."""
    service.org.set_active(INTEGRATION, False)

    assert ("invalid_grant", "no client credentials user enabled") == service.refused(**FORM)


def test_a_user_who_is_not_api_only_is_refused_where_the_switch_says_so(service: Client) -> None:
    service.org.set(OAUTH_POLICY, {"clientCredentialsFlowUser": ADMIN}, as_user=ADMIN)
    assert service.works(service.granted(**FORM)["access_token"])

    service.org.switch("client_credentials_user_api_only", True)
    assert ("invalid_grant", "the client credentials user must be an API Only user") == service.refused(**FORM)


@pytest.mark.parametrize("secret", [None, "", "WRONG"])
def test_a_secret_is_always_required(service: Client, secret: str | None) -> None:
    """The consumer key is public."""
    assert ("invalid_client", "invalid client credentials") == service.refused(**FORM, client_secret=secret)


def test_scope_is_not_taken(service: Client) -> None:
    """Salesforce refuses it here; a client that sends it would break on a real org only."""
    assert ("invalid_request", "scope parameter not supported") == service.refused(**FORM, scope="api")

    service.org.switch("scope_parameter_refused", False)
    assert service.works(service.granted(**FORM, scope="api")["access_token"])


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_only_the_orgs_own_address_takes_the_flow(service: Client, host: str) -> None:
    with requests.Session() as session:
        base = mount(session, service.org, f"https://{host}")
        answer = session.post(
            f"{base}/services/oauth2/token", data=FORM | {"client_id": service.key, "client_secret": service.secret}
        )

    assert (400, {"error": "invalid_grant", "error_description": "request not supported on this domain"}) == (
        answer.status_code,
        answer.json(),
    )


def test_a_connected_app_has_one_switch_and_a_user(wire: Wire) -> None:
    old = connected_app(wire, isClientCredentialEnabled=True, oauthClientCredentialUser=INTEGRATION)

    assert old.works(old.granted(**FORM)["access_token"])
