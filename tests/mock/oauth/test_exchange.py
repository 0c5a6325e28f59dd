"""Token exchange: what a portal's back end gets for a token of the partners' identity provider, and what it never gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests

from providers.mock import MockOrgError
from tests.mock.oauth.client import (
    ADMIN,
    AUDIENCE,
    ELI,
    EXCHANGE,
    INTEGRATION,
    ISSUER,
    POLICY,
    SETTINGS,
    TYPE,
    Client,
    connected_app,
    exchanging,
    pieces,
)
from tests.mock.wire import Wire, apex, enablement, handler

TYPES = ("access_token", "id_token", "jwt", "refresh_token", "saml2")
GLOBAL = "ExtlClntAppGlobalOauthSettings/order_portal"
OAUTH_POLICY = "ExtlClntAppOauthConfigurablePolicies/order_portal"
HANDLER = "OauthTokenExchangeHandler/PartnerIdp"
ENABLEMENT = f"{HANDLER}/enablements/order_portal"


@pytest.mark.parametrize("token_type", TYPES)
def test_each_type_of_token_is_exchanged_for_one_that_works(portal: Client, token_type: str) -> None:
    """A back end that has any of them gets data as the person who logged in, not as itself."""
    given = portal.granted(**portal.exchange_form(token_type))

    assert portal.works(given["access_token"])
    user = portal.org.users()[2]
    assert (ELI, f"{portal.base}/id/{portal.org.org_id}/{user.id}") == (user.username, given["id"])
    assert ("Bearer", portal.base, "api refresh_token") == (given["token_type"], given["instance_url"], given["scope"])
    assert {
        "access_token",
        "signature",
        "scope",
        "instance_url",
        "id",
        "token_type",
        "issued_at",
        "refresh_token",
    } == set(given)


def test_the_upper_case_type_and_the_hybrid_grant_mean_the_same(portal: Client) -> None:
    """The Apex reference writes JWT; mobile apps ask with another grant."""
    form = portal.exchange_form() | {
        "subject_token_type": f"{TYPE}JWT",
        "grant_type": EXCHANGE.replace(":token-", ":hybrid-token-"),
    }

    assert portal.works(portal.granted(**form)["access_token"])


def test_credentials_may_come_in_the_header(portal: Client) -> None:
    """RFC 6749 prefers it, and many libraries do nothing else."""
    url = f"{portal.base}/services/oauth2/token"

    answer = portal.wire.session.post(url, data=portal.exchange_form(), auth=(portal.key, portal.secret))

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (None, [("client_secret", "right"), ("client_secret", "wrong")]),
        (None, [("client_secret", "wrong"), ("client_secret", "right")]),
        (("key", "right"), [("client_secret", "wrong")]),
        (("key", "right"), [("client_id", "another")]),
        (("key", ""), [("client_secret", "right")]),
        (("", "right"), [("client_id", "key")]),
    ],
)
def test_credentials_of_two_minds_are_refused(
    portal: Client, header: tuple[str, str] | None, form: list[tuple[str, str]]
) -> None:
    """Which of the two an org believes nobody knows: a client that works here by one of them may fail there."""
    meant = {"key": portal.key, "right": portal.secret}
    sent = [*portal.exchange_form().items(), *((name, meant.get(value, value)) for name, value in form)]
    sent += [] if header else [("client_id", portal.key)]
    auth = tuple(meant.get(each, each) for each in header) if header else None

    answer = portal.wire.session.post(f"{portal.base}/services/oauth2/token", data=sent, auth=auth)

    assert (400, "invalid_request") == (answer.status_code, answer.json()["error"])


def test_a_chunked_request_is_understood(portal: Client) -> None:
    """The Salesforce CLI sends nothing else."""
    body = requests.models.RequestEncodingMixin._encode_params(
        portal.exchange_form() | {"client_id": portal.key, "client_secret": portal.secret}
    )

    answer = portal.wire.session.post(
        f"{portal.base}/services/oauth2/token", data=iter([body.encode()]),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip

    assert 200 == answer.status_code


Prepare = Callable[[Client], None]


def edit(address: str, **fields: str) -> Prepare:
    return lambda portal: portal.org.set(address, fields, as_user=ADMIN)


def inactive(username: str) -> Prepare:
    return lambda portal: portal.org.set_active(username, False)


def for_everybody(portal: Client) -> None:
    edit(OAUTH_POLICY, permittedUsersPolicyType="AllSelfAuthorized")(portal)


def without_class(portal: Client) -> bytes:
    """An org can hold what a deployment would refuse."""
    retrieved = portal.wire.retrieve({"OauthTokenExchangeHandler": ["PartnerIdp"]})
    (xml,) = (content for name, content in retrieved.files.items() if "PartnerIdp" in name)
    return xml.replace(b"<tokenHandlerApex>Exchange<", b"<tokenHandlerApex>Gone<")


FLOW_OFF = ("invalid_grant", "token exchange flow is not enabled for this app")
CASES: dict[str, tuple[Prepare, dict[str, Any], tuple[str, str]]] = {
    "TX01": (edit(GLOBAL, isTokenExchangeEnabled="false"), {}, FLOW_OFF),
    "TX02": (edit(OAUTH_POLICY, isTokenExchangeFlowEnabled="false"), {}, FLOW_OFF),
    "TX03": (
        for_everybody,
        {},
        ("invalid_grant", "user hasn't approved this consumer"),
    ),
    "TX04 nobody approved": (
        edit(OAUTH_POLICY, commaSeparatedPermissionSet=""), {},
        ("invalid_app_access", "user is not admin approved to access this app"),
    ),
    "another user": (
        lambda portal: portal.org.unassign(ELI, "Order_Portal_User"), {},
        ("invalid_app_access", "user is not admin approved to access this app"),
    ),
    "TX05 no secret": (lambda _: None, {"client_secret": None}, ("invalid_client", "invalid client credentials")),
    "wrong secret": (lambda _: None, {"client_secret": "WRONG"}, ("invalid_client", "invalid client credentials")),
    "TX06 handler disabled": (
        edit(HANDLER, isEnabled="false"), {}, ("invalid_grant", "the token exchange handler is disabled"),
    ),
    "TX07 not enabled for the app": (
        lambda portal: portal.org.delete(ENABLEMENT, as_user=ADMIN), {"token_handler": "PartnerIdp"},
        ("invalid_grant", "the token exchange handler is not enabled for this app"),
    ),
    "TX09 no default": (
        edit(ENABLEMENT, isDefault="false"), {},
        ("invalid_request", "token_handler is required: the app has no default token exchange handler"),
    ),
    "unknown handler": (
        lambda _: None, {"token_handler": "Nobody"}, ("invalid_grant", "no token exchange handler has that name"),
    ),
    "class name": (
        lambda _: None, {"token_handler": "Exchange"}, ("invalid_grant", "no token exchange handler has that name"),
    ),
    "TX11 execution user": (
        inactive(INTEGRATION), {}, ("invalid_grant", "the user that runs the token exchange handler is inactive"),
    ),
    "TX12 class": (
        lambda portal: portal.org.load_component("OauthTokenExchangeHandler", "PartnerIdp", without_class(portal)), {},
        ("invalid_grant", "the Apex class of the token exchange handler is missing"),
    ),
    "TX13 type": (
        edit(HANDLER, isJwtSupported="false"), {},
        ("unsupported_token_type", "the token exchange handler doesn't support this type of token"),
    ),
    "unknown type": (
        lambda _: None, {"subject_token_type": f"{TYPE}magic"},
        ("unsupported_token_type", "subject_token_type is not one that can be exchanged"),
    ),
    "type without its prefix": (
        lambda _: None, {"subject_token_type": "jwt"},
        ("unsupported_token_type", "subject_token_type is not one that can be exchanged"),
    ),
    "TX15 scope": (lambda _: None, {"scope": "api full"}, ("invalid_scope", "the requested scope is not allowed")),
    "no token": (lambda _: None, {"subject_token": None}, ("invalid_request", "subject_token is required")),
    "token too long": (
        lambda _: None, {"subject_token": "x" * 10_001},
        ("invalid_request", "subject_token is longer than 10000 characters"),
    ),
    "app off": (
        edit("ExtlClntAppConfigurablePolicies/order_portal", isEnabled="false"), {},
        ("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
    ),
    "OAuth plugin off": (
        edit("ExtlClntAppConfigurablePolicies/order_portal", isOauthPluginEnabled="false"), {},
        ("OAUTH_APP_BLOCKED", "this app is blocked by admin"),
    ),
    "inactive user": (inactive(ELI), {}, ("inactive_user", "user is inactive")),
    "no client": (lambda _: None, {"client_id": "3MVG9nobody"}, ("invalid_client_id", "client identifier invalid")),
    "app gone": (
        lambda portal: portal.org.delete("ExternalClientApplication/order_portal", as_user=ADMIN), {},
        ("invalid_client_id", "client identifier invalid"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(portal: Client, case: str) -> None:
    """Each setting that guards the flow is felt by a client, or nobody can see that somebody weakened it."""
    prepare, changed, expected = CASES[case]
    form = portal.exchange_form()

    prepare(portal)

    assert expected == portal.refused(**(form | changed))


def simulated(text: str) -> tuple[str, str]:
    return "invalid_grant", f"Exchange, simulated by a rule: {text}"


@pytest.mark.parametrize("token_type", TYPES)
def test_a_forged_token_is_refused(portal: Client, token_type: str) -> None:
    """Whoever can make one up is whoever he likes."""
    assert simulated("the signature of the token could not be verified") == portal.refused(
        **portal.exchange_form(token_type, forged=True)
    )


@pytest.mark.parametrize(
    ("issue", "text"),
    [
        ({"issuer": "https://evil.example/", "audience": AUDIENCE}, "the token is from another issuer"),
        ({"issuer": ISSUER, "audience": "https://other.my.salesforce.com"}, "the token is for another audience"),
        ({"expires_in": -1}, "the token has expired"),
        ({"claims": {"nbf": 99999999999}}, "the token is not valid yet"),
        ({"subject": "stranger"}, "no user has that FederationIdentifier"),
        ({"claims": {"sub": ""}}, "the token has no sub"),
    ],
)  # fmt: skip
def test_the_rule_refuses_what_the_class_would(portal: Client, issue: dict[str, Any], text: str) -> None:
    """The example's class checks issuer, audience and time; what stands in for it must do as much."""
    subject = issue.pop("subject", "eli.novak")

    assert simulated(text) == portal.refused(**portal.exchange_form(subject=subject, **issue))


def test_an_expired_assertion_and_an_expired_opaque_token_are_refused(portal: Client) -> None:
    """They say when they end in other places than a JWT does."""
    for token_type in ("saml2", "access_token"):
        assert simulated("the token has expired") == portal.refused(**portal.exchange_form(token_type, expires_in=-1))


def test_an_assertion_of_tomorrow_is_refused(portal: Client) -> None:
    """An assertion says in NotBefore what a JWT says in nbf."""
    form = portal.exchange_form("saml2", claims={"nbf": 9999999999})

    assert simulated("the token is not valid yet") == portal.refused(**form)


def test_a_token_of_another_type_is_refused(portal: Client) -> None:
    """A stolen refresh token is no access token."""
    form = portal.exchange_form("refresh_token") | {"subject_token_type": f"{TYPE}access_token"}

    assert simulated("the signature of the token could not be verified") == portal.refused(**form)


def test_a_token_that_nobody_signed_is_refused(portal: Client) -> None:
    """`alg: none` is the oldest trick."""
    unsigned = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": "eli.novak", "exp": 99999999999}, None, algorithm="none"
    )

    assert simulated("the signature of the token could not be verified") == portal.refused(
        **portal.exchange_form() | {"subject_token": unsigned}
    )


def test_without_a_rule_it_says_that_no_apex_runs(portal: Client) -> None:
    """Who only deployed the class must learn why nothing comes of it."""
    form = portal.exchange_form()
    portal.wire.deployed(apex("Other"))
    portal.org.set(HANDLER, {"tokenHandlerApex": "Other"}, as_user=ADMIN)

    assert (
        "invalid_grant",
        "this mock org runs no Apex and needs a rule for Other: see `mock rule`",
    ) == portal.refused(**form)


def test_fewer_scopes_may_be_asked_for(portal: Client) -> None:
    """A client that needs no refresh token should not get one."""
    given = portal.granted(**portal.exchange_form(), scope="api")

    assert ("api", False) == (given["scope"], "refresh_token" in given)


def test_offline_access_is_another_name_of_refresh_token(portal: Client) -> None:
    assert "api refresh_token" == portal.granted(**portal.exchange_form(), scope="api offline_access")["scope"]


def test_full_holds_all_other_scopes_but_the_refresh_token(wire: Wire, portal: Client) -> None:
    portal.org.set("ExtlClntAppOauthSettings/order_portal", {"commaSeparatedOauthScopes": "Full"}, as_user=ADMIN)

    assert "api id" == portal.granted(**portal.exchange_form(), scope="api id")["scope"]
    assert "invalid_scope" == portal.refused(**portal.exchange_form(), scope="refresh_token")[0]


def test_an_app_for_everybody_takes_everybody(portal: Client) -> None:
    """Whether Salesforce refuses the flow then is in dispute; where it does not, the weakening must be felt."""
    portal.org.switch("token_exchange_needs_preauthorization", False)
    portal.org.unassign(ELI, "Order_Portal_User")
    portal.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AllSelfAuthorized"}, as_user=ADMIN)

    assert portal.works(portal.granted(**portal.exchange_form())["access_token"])


def test_where_an_app_must_be_for_approved_users_no_approval_of_ones_own_helps(portal: Client) -> None:
    """TX03 is about the app: a user who let it in himself has not been let in by an admin."""
    for_everybody(portal)
    portal.granted(**portal.code_form())

    assert ("invalid_grant", "user hasn't approved this consumer") == portal.refused(**portal.exchange_form())


def test_a_profile_admits_as_well(portal: Client) -> None:
    portal.org.unassign(ELI, "Order_Portal_User")
    portal.org.set(OAUTH_POLICY, {"commaSeparatedProfile": "Standard User"}, as_user=ADMIN)

    assert portal.works(portal.granted(**portal.exchange_form())["access_token"])


def test_another_person_is_somebody_else(portal: Client) -> None:
    """The provider knows Dana too; nobody approved her for this app."""
    assert "invalid_app_access" == portal.refused(**portal.exchange_form(subject="dana.reyes"))[0]


def test_a_public_client_needs_no_secret(portal: Client) -> None:
    """Mobile apps have none to keep; a wrong one is still wrong."""
    portal.org.set(GLOBAL, {"isSecretRequiredForTokenExchange": "false"}, as_user=ADMIN)

    assert portal.works(portal.granted(**portal.exchange_form(), client_secret=None)["access_token"])
    assert "invalid_client" == portal.refused(**portal.exchange_form(), client_secret="WRONG")[0]


def test_a_handler_is_chosen_by_name(portal: Client) -> None:
    """An app with two handlers must get the one that it asks for, also if it is not the default."""
    portal.wire.deployed(
        apex("Second"),
        handler("Second", enablement("order_portal"), isEnabled=True, isJwtSupported=True, tokenHandlerApex="Second"),
    )
    portal.org.set_rule("Second", issuer="https://second.example", audience="second", claim="login", user="Username")
    form = portal.exchange_form(issuer="https://second.example", audience="second", claims={"login": ELI})

    assert simulated("the token is from another issuer") == portal.refused(**form)
    assert portal.works(portal.granted(**form, token_handler="Second")["access_token"])


def test_switches_choose_what_sources_dispute(portal: Client) -> None:
    """An org that does it the other way must be playable too."""
    portal.org.switch("token_handler_by_class_name", True)
    portal.org.switch("token_exchange_policy_enforced", False)
    portal.org.set(OAUTH_POLICY, {"isTokenExchangeFlowEnabled": "false"}, as_user=ADMIN)

    assert portal.works(portal.granted(**portal.exchange_form(), token_handler="Exchange")["access_token"])


NEW = {"email": "nia@partner.example", "family_name": "Okoro", "given_name": "Nia"}


def test_a_user_is_made_where_handler_and_rule_allow_it(portal: Client) -> None:
    """TX14: an open door, and it must be seen to be open."""
    portal.org.set_rule("Exchange", issuer=ISSUER, audience=AUDIENCE, creates=True)
    portal.org.set(HANDLER, {"isUserCreationAllowed": "true"}, as_user=ADMIN)
    portal.org.switch("token_exchange_needs_preauthorization", False)  # nobody can approve who is not there yet
    portal.org.set(OAUTH_POLICY, {"permittedUsersPolicyType": "AllSelfAuthorized"}, as_user=ADMIN)

    given = portal.granted(**portal.exchange_form(subject="nia.okoro", claims=NEW))

    (made,) = [each for each in portal.org.users() if each.username == "nia@partner.example"]
    assert ("Nia Okoro", "nia.okoro", "Minimum Access - Salesforce") == (
        made.name,
        made.federation_identifier,
        made.profile,
    )
    assert given["id"].endswith(made.id)


@pytest.mark.parametrize(
    ("allowed", "creates", "claims", "text"),
    [
        ("false", True, NEW, "there is no such user, and the handler may not create one"),
        ("true", False, NEW, "no user has that FederationIdentifier"),
        ("true", True, {}, "there is no such user, and the token has no email and family_name for a new one"),
        ("true", True, {**NEW, "email": ELI}, "there is no such user, and the username for a new one is taken"),
    ],
)
def test_no_user_is_made_otherwise(
    portal: Client, allowed: str, creates: bool, claims: dict[str, str], text: str
) -> None:
    """Nobody gets an account because of a token alone."""
    portal.org.set_rule("Exchange", issuer=ISSUER, audience=AUDIENCE, creates=creates)
    portal.org.set(HANDLER, {"isUserCreationAllowed": allowed}, as_user=ADMIN)
    before = portal.org.users()

    assert simulated(text) == portal.refused(**portal.exchange_form(subject="nia.okoro", claims=claims))
    assert before == portal.org.users()


def test_a_refusal_after_the_user_was_made_leaves_no_user(portal: Client) -> None:
    """A new user is not approved for the app: what the handler inserted must not stay."""
    portal.org.set_rule("Exchange", issuer=ISSUER, audience=AUDIENCE, creates=True)
    portal.org.set(HANDLER, {"isUserCreationAllowed": "true"}, as_user=ADMIN)
    before = portal.org.users()

    assert "invalid_app_access" == portal.refused(**portal.exchange_form(subject="nia.okoro", claims=NEW))[0]
    assert before == portal.org.users()


def test_a_connected_app_exchanges_as_well(wire: Wire) -> None:
    """S000, option 1: its switches have other names."""
    portal = exchanging(wire)
    wire.org.switch("token_exchange_needs_preauthorization", False)
    old = connected_app(
        wire,
        isAdminApproved=False,
        isTokenExchangeEnabled=True,
        policy="<isTokenExchangeFlowEnabled>true</isTokenExchangeFlowEnabled>",
    )
    wire.deployed(
        handler("ForOld", enablement("Old_App", connected=True, default=True), isEnabled=True, isJwtSupported=True)
    )

    assert old.works(old.granted(**portal.exchange_form())["access_token"])

    wire.org.set("ConnectedApp/Old_App", {"oauthPolicy.isTokenExchangeFlowEnabled": "false"}, as_user=ADMIN)
    assert FLOW_OFF == old.refused(**portal.exchange_form())


def test_an_app_without_a_policy_record_of_its_own_exchanges_nothing(wire: Wire) -> None:
    """What the org makes by itself leaves all flows off."""
    wire.deployed(*pieces("bare", settings=SETTINGS, policy=POLICY)[:3])

    assert FLOW_OFF == Client(wire, "bare").refused(
        grant_type=EXCHANGE, subject_token="x", subject_token_type=f"{TYPE}jwt"
    )


def test_rules_name_what_is_wrong_with_them(portal: Client) -> None:
    """A rule with a typo would refuse everybody for ever."""
    with pytest.raises(MockOrgError, match="did you mean FederationIdentifier"):
        portal.org.set_rule("Exchange", issuer=ISSUER, audience=AUDIENCE, user="FederationId")
    with pytest.raises(MockOrgError, match="needs an audience"):
        portal.org.set_rule("Exchange", issuer=ISSUER, audience="")


def test_a_rule_outlives_a_reset(portal: Client) -> None:
    """It says how this mock org behaves, as a switch does."""
    portal.org.reset()

    assert ["Exchange"] == [each.apex_class for each in portal.org.rules()]
