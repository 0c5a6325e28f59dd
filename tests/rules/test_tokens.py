"""Rules on tokens, beyond their two examples: refresh, ID, asset and JWT tokens, and the attributes that they carry."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.rules import Broken
from reconciler.schema.severity import Severity
from tests.rules.apps import ORG, Bodies, broken, connected, external, in_files, in_org, unchecked, verdicts

WEB = {"callbackUrl": "https://shop.acme.example/callback"}
REFRESHING = {"commaSeparatedOauthScopes": "Api, RefreshToken"}
MONTH = {
    "refreshTokenPolicyType": "SpecificInactivity",
    "refreshTokenValidityPeriod": 30,
    "refreshTokenValidityUnit": "Days",
}
POLICIES = "ExtlClntAppOauthConfigurablePolicies/shop"


def shop(**policies: Any) -> Bodies:
    """An app that gets refresh tokens, under these policies."""
    return external(flows=WEB, oauth=REFRESHING, policies=policies)


# -- refresh tokens ---------------------------------------------------------------------------------------------------


def test_tokens_that_are_void_at_once_need_not_be_rotated():
    """A server-to-server app that carries the scope for the JWT bearer flow would be nagged."""
    assert [] == verdicts("OA03", in_org(shop(refreshTokenPolicyType="Zero")))
    assert 1 == len(broken("OA03", in_org(shop(**MONTH))))


def test_files_that_leave_the_scopes_out_do_not_tell_whether_to_rotate():
    """Another file, or the org, may have RefreshToken."""
    app = external(flows={"isRefreshTokenRotationEnabled": False}, policies=MONTH)
    assert ["ExtlClntAppOauthSettings/shop commaSeparatedOauthScopes"] == unchecked("OA03", in_files(app))
    assert [] == broken("OA03", in_files(app))


def test_a_connected_app_without_policies_has_the_platforms_policy_which_has_no_end():
    """Most old apps are like that, and nobody ever chose it."""
    app = connected(callbackUrl="https://a.example", scopes=["RefreshToken"])
    expected = [
        "ConnectedApp/erp oauthPolicy.refreshTokenPolicy: the refresh token policy is not set, which means infinite"
    ]
    assert expected == broken("OA25", in_org(app))


def test_an_external_client_app_without_policies_gets_a_year_from_the_org():
    """A first apply would be stopped for what the org does by itself."""
    app = external(flows=WEB, oauth=REFRESHING)
    assert [] == verdicts("OA25", in_org(app))
    assert [] == verdicts("OA14", in_org(app))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("infinite", 0),
        ("zero", 0),
        ("specific_lifetime:24:HOURS", 0),
        ("specific_inactivity:30:DAYS", 0),
        ("immediate", 1),
        ("specific_lifetime:0:DAYS", 1),
        ("specific_lifetime:3:WEEKS", 1),
        ("specific_lifetime", 1),
    ],
)
def test_a_connected_apps_policy_is_one_that_the_org_understands(policy: str, expected: int):
    """Salesforce's schema takes any text; its server does not."""
    app = connected(callbackUrl="https://a.example", policy={"refreshTokenPolicy": policy})
    assert expected == len(broken("OA14", in_org(app)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"refreshTokenValidityPeriod": None}, "refreshTokenValidityPeriod"),
        ({"refreshTokenValidityPeriod": 0}, "refreshTokenValidityPeriod"),
        ({"refreshTokenValidityUnit": None}, "refreshTokenValidityUnit"),
        ({"refreshTokenValidityUnit": "Weeks"}, "refreshTokenValidityUnit"),
    ],
)
def test_a_policy_that_ends_after_a_time_says_which(change: dict[str, Any], field: str):
    """Without it the org refuses, or takes what it had."""
    app = shop(**MONTH | change)
    assert [f"{POLICIES} {field}"] == [line.partition(":")[0] for line in broken("OA14", in_org(app, declared=app))]


def test_a_time_that_means_nothing_is_found_where_a_file_says_it_and_not_where_an_org_kept_it():
    """A file's reader believes it; what an org keeps beside the policy nobody reads."""
    app = shop(**MONTH | {"refreshTokenPolicyType": "Infinite"})
    assert [] == verdicts("OA14", in_org(app))
    assert 2 == len(broken("OA14", in_org(app, declared=app)))


def test_files_that_name_the_policy_and_no_time_are_not_checked():
    """The org may have it."""
    app = shop(refreshTokenPolicyType="SpecificLifetime")
    assert [f"{POLICIES} refreshTokenValidityPeriod", f"{POLICIES} refreshTokenValidityUnit"] == unchecked(
        "OA14", in_files(app)
    )


# -- partners ---------------------------------------------------------------------------------------------------------

PACKAGED = {"distributionState": "Packaged"}


def partner(policies: dict[str, Any], callback: str = WEB["callbackUrl"], **flows: Any) -> Bodies:
    return external(app=PACKAGED, flows={"callbackUrl": callback, **flows}, oauth=REFRESHING, policies=policies)


def ranges(*pairs: tuple[str, str]) -> Bodies:
    body = {"tokenIpRanges": [{"startIpAddress": a, "endIpAddress": b} for a, b in pairs]}
    return {Address("ExtlClntAppOauthSecuritySettings", "shop"): body}


ALLOWED = ranges(("192.0.2.1", "192.0.2.2"))


def test_what_partners_must_do_nobody_else_has_to():
    """An org's own apps are not sold to anybody."""
    assert [] == verdicts("OA24", in_org(shop(**MONTH)))
    expected = ["ExternalClientApplication/shop: refresh tokens work from every address"]
    assert expected == broken("OA24", in_org(partner(MONTH)))
    assert [] == verdicts("OA24", in_org(partner(MONTH), ALLOWED))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0),
        ({"refreshTokenValidityPeriod": 31}, 1),
        ({"refreshTokenValidityPeriod": 720, "refreshTokenValidityUnit": "Hours"}, 0),
        ({"refreshTokenValidityPeriod": 2, "refreshTokenValidityUnit": "Months"}, 1),
        ({"refreshTokenPolicyType": "SpecificLifetime"}, 1),
        ({"refreshTokenPolicyType": "Zero"}, 0),
        ({"refreshTokenPolicyType": "Infinite"}, 0),  # OA25
    ],
)
def test_a_partners_refresh_tokens_lie_idle_for_thirty_days_at_most(change: dict[str, Any], expected: int):
    """Whoever allows more may be cut off from all customers."""
    assert expected == len(broken("OA24", in_org(partner(MONTH | change), ALLOWED)))


def test_the_limit_that_the_app_itself_sets_is_enough():
    """Policies are the customers'; the limit goes along with the package."""
    app = partner(MONTH | {"refreshTokenPolicyType": "SpecificLifetime"}, isEnforceRefreshTokenTTL=True)
    assert [] == verdicts("OA24", in_org(app, ALLOWED))


def test_an_app_on_phones_has_no_addresses_to_list():
    """Its users are everywhere; Salesforce exempts it."""
    assert [] == verdicts("OA24", in_org(partner(MONTH, "acmeshop://callback")))


def test_an_api_version_that_does_not_show_the_addresses_leaves_them_unchecked():
    """Before version 64 nobody can see whether there is a list."""
    old = replace(ORG, api_version="63.0")
    world = in_org(partner(MONTH), org=old)
    assert ([], 1) == (broken("OA24", world), len(unchecked("OA24", world)))


# -- ID tokens and asset tokens ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-1, [None]), (0, [Severity.MEDIUM]), (1, []), (720, []), (721, [None]), (None, [])],
)
def test_a_validity_of_zero_is_a_warning_because_salesforces_own_sample_has_it(
    minutes: int | None, expected: list[Any]
):
    """Whoever copies the sample must not be stopped by us; anything else outside of the range the org refuses."""
    app = external(
        flows={"idTokenConfig": {"idTokenValidityInMinutes": minutes, "idTokenAudience": "https://a.example"}}
    )
    found = verdicts("OA07", in_org(app))
    assert expected == [one.severity for one in found if isinstance(one, Broken)]


@pytest.mark.parametrize(
    ("scopes", "audience", "expected"),
    [("Api", None, 0), ("OpenID", None, 1), ("Full", "", 1), ("OpenID", "https://a.example", 0)],
)
def test_claims_without_an_audience_matter_where_id_tokens_are_given(scopes: str, audience: str | None, expected: int):
    """Without the scope OpenID there is no ID token that another service could take."""
    config = {"idTokenIncludeCustomPermissions": True, "idTokenAudience": audience}
    app = external(flows={"idTokenConfig": config}, oauth={"commaSeparatedOauthScopes": scopes})
    assert expected == len(broken("OA07", in_org(app)))


ASSET = {
    "assetTokenSigningCertificate": "Asset_Signing",
    "assetTokenAudiences": "https://devices.acme.example",
    "assetTokenValidity": 10,
    "commaSeparatedOauthScopes": "Api, OpenID",
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"assetTokenSigningCertificate": ""}, "assetTokenSigningCertificate"),
        ({"assetTokenAudiences": None}, "assetTokenAudiences"),
        ({"assetTokenValidity": 0}, "assetTokenValidity"),
        ({"commaSeparatedOauthScopes": "Api"}, "commaSeparatedOauthScopes"),
    ],
)
def test_an_external_client_app_needs_the_same_for_its_asset_tokens(change: dict[str, Any], field: str):
    """Its fields have other names; its devices stop all the same."""
    app = external(flows=WEB, oauth=ASSET | change)
    assert [f"ExtlClntAppOauthSettings/shop {field}"] == [
        line.partition(":")[0] for line in broken("OA08", in_org(app))
    ]


def test_asset_tokens_need_a_callback_url_and_an_app_without_them_needs_nothing():
    """The validity of 0 that orgs give back means that there are none."""
    assert 1 == len(broken("OA08", in_org(external(flows={}, oauth=ASSET))))
    assert [] == verdicts("OA08", in_org(external(flows=WEB, oauth={"assetTokenValidity": 0})))


# -- JWTs and attributes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "version", "expected"),
    [(30, "61.0", 0), (60, "64.0", 1), (60, "65.0", 0), (720, "66.0", 0), (45, "66.0", 1), (60, "", 0), (0, "66.0", 1)],
)
def test_longer_jwts_came_with_version_65(minutes: int, version: str, expected: int):
    """The same file is right for one org and refused by the next."""
    world = in_org(shop(namedUserJwtTimeout=minutes), org=replace(ORG, api_version=version))
    assert expected == len(broken("OA16", world))


def test_a_timeout_beside_user_session_is_one_too_many():
    """The org refuses both together."""
    app = shop(guestJwtTimeout=5, guestJwtSessionTimeoutType="UserSession")
    message = "guestJwtTimeout is 5, but guestJwtSessionTimeoutType is UserSession: the session decides"
    assert [f"{POLICIES} guestJwtTimeout: {message}"] == broken("OA16", in_org(app))


def test_attributes_with_one_key_are_found_in_an_org():
    """Files with them are refused; in an org nobody knows which one tokens carry."""
    twice = [{"key": "team", "formula": "$User.Department"}, {"key": "team", "formula": "$User.Division"}]
    assert ["ConnectedApp/erp attributes: team is given 2 times"] == broken(
        "OA18", in_org(connected(top={"attributes": twice}))
    )


def test_a_connected_app_may_have_more_than_128_attributes():
    """No limit is documented: an invented one would stop an apply."""
    many = [{"key": f"a{n}", "formula": "$User.Id"} for n in range(129)]
    assert [] == verdicts("OA18", in_org(connected(top={"attributes": many})))
    assert 1 == len(broken("OA18", in_org(shop(customAttributes=many))))
