"""Refresh tokens: how long a stolen one is worth something."""

from __future__ import annotations

import pytest

from tests.mock.oauth.client import ADMIN, ELI, Client, client_app, connected_app
from tests.mock.wire import Wire

OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/Some_App"
GLOBAL = "ExtlClntAppGlobalOauthSettings/Some_App"
EXPIRED = ("invalid_grant", "expired access/refresh token")
DAY = 86_400


@pytest.fixture
def site(wire: Wire) -> Client:
    return client_app(wire)


def form(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token}


def test_without_rotation_a_token_is_used_again_and_again(site: Client) -> None:
    first = site.granted(**site.code_form())

    for _ in range(2):
        given = site.granted(**form(first["refresh_token"]))
        assert ("api refresh_token", False) == (given["scope"], "refresh_token" in given)
        assert site.works(given["access_token"])
    assert first["access_token"] != given["access_token"]


def test_with_rotation_each_token_is_used_once(site: Client) -> None:
    site.org.set(GLOBAL, {"isRefreshTokenRotationEnabled": "true"}, as_user=ADMIN)
    first = site.granted(**site.code_form())

    second = site.granted(**form(first["refresh_token"]))
    third = site.granted(**form(second["refresh_token"]))

    assert 3 == len({each["refresh_token"] for each in (first, second, third)})
    assert site.works(third["access_token"])


def test_a_replaced_token_ends_all_that_came_of_it(site: Client) -> None:
    """Two use the same token: one of them is a thief, and nobody knows which (help article 005316711)."""
    site.org.set(GLOBAL, {"isRefreshTokenRotationEnabled": "true"}, as_user=ADMIN)
    first, other = site.granted(**site.code_form()), site.granted(**site.code_form())
    second = site.granted(**form(first["refresh_token"]))

    assert EXPIRED == site.refused(**form(first["refresh_token"]))

    assert EXPIRED == site.refused(**form(second["refresh_token"]))
    assert [False, False] == [site.works(each["access_token"]) for each in (first, second)]
    assert site.works(other["access_token"])


POLICIES = {
    "Infinite": ({"refreshTokenPolicyType": "Infinite"}, None),
    "lifetime": (
        {
            "refreshTokenPolicyType": "SpecificLifetime",
            "refreshTokenValidityPeriod": "2",
            "refreshTokenValidityUnit": "Days",
        },
        2 * DAY,
    ),
    "hours": (
        {
            "refreshTokenPolicyType": "SpecificLifetime",
            "refreshTokenValidityPeriod": "3",
            "refreshTokenValidityUnit": "Hours",
        },
        3 * 3600,
    ),
    "months": (
        {
            "refreshTokenPolicyType": "SpecificInactivity",
            "refreshTokenValidityPeriod": "1",
            "refreshTokenValidityUnit": "Months",
        },
        30 * DAY,
    ),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_token_lives_as_long_as_the_policy_says(site: Client, policy: str) -> None:
    """What an admin set is what a client feels."""
    fields, lasts = POLICIES[policy]
    site.org.set(
        OAUTH_POLICY, {"refreshTokenValidityPeriod": None, "refreshTokenValidityUnit": None, **fields}, as_user=ADMIN
    )
    early, late = (site.granted(**site.code_form())["refresh_token"] for _ in range(2))

    site.org.pass_time((lasts or 400 * DAY) - 60)
    assert site.works(site.granted(**form(early))["access_token"])
    site.org.pass_time(120)

    if lasts is None:
        assert site.works(site.granted(**form(late))["access_token"])
    else:
        assert EXPIRED == site.refused(**form(late))


@pytest.mark.parametrize(("kind", "is_good"), [("SpecificLifetime", False), ("SpecificInactivity", True)])
def test_using_a_token_prolongs_inactivity_but_no_lifetime(site: Client, kind: str, is_good: bool) -> None:
    """With rotation as well: a lifetime counts from the approval, or it would never end."""
    fields = {"refreshTokenPolicyType": kind, "refreshTokenValidityPeriod": "2", "refreshTokenValidityUnit": "Days"}
    site.org.set(OAUTH_POLICY, fields, as_user=ADMIN)
    site.org.set(GLOBAL, {"isRefreshTokenRotationEnabled": "true"}, as_user=ADMIN)
    token = site.granted(**site.code_form())["refresh_token"]

    site.org.pass_time(1.5 * DAY)
    token = site.granted(**form(token))["refresh_token"]
    site.org.pass_time(1.5 * DAY)

    assert is_good == (site.post(**form(token)).status_code == 200)


def test_a_policy_of_zero_refreshes_nothing(site: Client) -> None:
    """The token is issued, and dead at once."""
    site.org.set(
        OAUTH_POLICY,
        {"refreshTokenPolicyType": "Zero", "refreshTokenValidityPeriod": None, "refreshTokenValidityUnit": None},
        as_user=ADMIN,
    )

    assert EXPIRED == site.refused(**form(site.granted(**site.code_form())["refresh_token"]))


def test_a_connected_apps_policy_is_a_text(wire: Wire) -> None:
    old = connected_app(wire)
    wire.org.set("ConnectedApp/Old_App", {"oauthPolicy.refreshTokenPolicy": "specific_lifetime:2:HOURS"}, as_user=ADMIN)
    token = old.granted(**old.code_form())["refresh_token"]
    assert old.works(old.granted(**form(token))["access_token"])

    wire.org.pass_time(7201)

    assert EXPIRED == old.refused(**form(token))


def test_the_secret_is_required_where_the_app_says_so(site: Client) -> None:
    token = site.granted(**site.code_form())["refresh_token"]
    assert ("invalid_client", "invalid client credentials") == site.refused(**form(token), client_secret=None)

    site.org.set(GLOBAL, {"isSecretRequiredForRefreshToken": "false"}, as_user=ADMIN)

    assert site.works(site.granted(**form(token), client_secret=None)["access_token"])
    assert ("invalid_client", "invalid client credentials") == site.refused(**form(token), client_secret="WRONG")


@pytest.mark.parametrize("token", ["", "5Aep861nobody"])
def test_an_unknown_token_is_refused(site: Client, token: str) -> None:
    assert EXPIRED == site.refused(**form(token))


def test_another_apps_token_is_refused(site: Client) -> None:
    other = client_app(site.wire, "Other_App")

    assert EXPIRED == other.refused(**form(site.granted(**site.code_form())["refresh_token"]))


def test_an_access_token_refreshes_nothing(site: Client) -> None:
    assert EXPIRED == site.refused(**form(site.granted(**site.code_form())["access_token"]))


def test_scope_is_not_taken(site: Client) -> None:
    token = site.granted(**site.code_form())["refresh_token"]

    assert ("invalid_request", "scope parameter not supported") == site.refused(**form(token), scope="api")


def test_who_left_or_lost_his_permission_refreshes_nothing(site: Client) -> None:
    """An access review is worth nothing if old tokens go on."""
    token = site.granted(**site.code_form())["refresh_token"]

    site.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}, as_user=ADMIN)
    assert "invalid_app_access" == site.refused(**form(token))[0]

    site.org.set_active(ELI, False)
    assert EXPIRED == site.refused(**form(token))

    site.org.set_active(ELI, True)
    assert EXPIRED == site.refused(**form(token))


def test_deleting_an_app_ends_its_tokens(site: Client) -> None:
    """Also where another app of that name takes the key again."""
    given = site.granted(**site.code_form())
    site.org.delete("ExternalClientApplication/Some_App", as_user=ADMIN)
    assert not site.works(given["access_token"])

    again = client_app(site.wire, settings={"consumerKey": site.key})

    assert not again.works(given["access_token"])
    assert EXPIRED == again.refused(**form(given["refresh_token"]))
