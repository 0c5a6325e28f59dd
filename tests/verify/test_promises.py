"""Which calls a configuration promises to succeed, and which to fail."""

from dataclasses import replace

import pytest

from reconciler.model.address import Address, enablement
from reconciler.schema.values import SecretRef
from reconciler.verify.inputs import Given
from reconciler.verify.probe import Flow, Granted, Refused, Secret, Tampered, WrongSecret
from tests.verify.build import (
    GLOBAL,
    HANDLER,
    KEY,
    LEGACY,
    OAUTH,
    POLICY,
    PORTAL,
    SWITCH,
    URL,
    everything,
    exchanging,
    handler,
    probes,
    service,
)

MAIN = "token_exchange.Idp"
SECOND = Address("OauthTokenExchangeHandler", "Second")


# --- token exchange --------------------------------------------------------------------------------------------------


def test_a_token_is_exchanged_through_each_handler_and_by_default():
    """Clients that name the handler, and clients that do not."""
    found = probes(exchanging())

    assert ("Idp", None) == (
        found[MAIN].form.get("token_handler"),
        found["token_exchange.default"].form.get("token_handler"),
    )
    assert KEY == found[MAIN].form["client_id"]
    assert Granted(user="pat@acme.example", scopes=frozenset({"Api", "RefreshToken"})) == found[MAIN].expects


def test_without_a_default_a_request_has_to_name_a_handler():
    """Whoever made no handler the default did so on purpose: clients choose."""
    found = probes(exchanging(default=False))

    assert isinstance(found["token_exchange.no_default"].expects, Refused)
    assert "token_exchange.default" not in found


def test_a_required_secret_has_to_be_there_and_right():
    """An identity provider's token alone opens the org to whoever steals one."""
    found = probes(exchanging())

    assert "client_secret" not in found["token_exchange.no_secret"].form
    assert WrongSecret() == found["token_exchange.wrong_secret"].form["client_secret"]
    assert MAIN == found["token_exchange.no_secret"].control


def test_a_public_client_gets_its_token_without_a_secret():
    """A single-page app that is declared to need no secret stops working when somebody requires one."""
    found = probes(exchanging(isSecretRequiredForTokenExchange=False))

    assert "client_secret" not in found[MAIN].form
    assert "token_exchange.no_secret" not in found


def test_what_no_file_says_of_the_secret_is_not_judged():
    """What is not written is not managed: the org may do either."""
    desired = exchanging()
    del desired[GLOBAL]["isSecretRequiredForTokenExchange"]

    assert "token_exchange.no_secret" not in probes(desired)
    assert Secret("client_secret") == probes(desired)[MAIN].form["client_secret"]
    assert "client_secret" not in probes(desired, given=Given())[MAIN].form


@pytest.mark.parametrize(
    ("scopes", "asked"),
    [(["Api"], "full"), (["Api", "Web"], "full"), (["Full"], None)],
)
def test_a_scope_that_is_not_declared_is_asked_for(scopes, asked):
    """The worst one first; an app that has all cannot have too many."""
    found = probes({**exchanging(), OAUTH: {"commaSeparatedOauthScopes": scopes}})

    assert asked == (found["token_exchange.scope"].form["scope"] if "token_exchange.scope" in found else None)


def test_a_handler_that_is_not_the_apps_refuses_it():
    """A handler for another identity provider lets in people whom nobody meant to use this app."""
    found = probes(exchanging(), {**exchanging(), SECOND: handler()})

    assert "Second" == found["token_exchange.not_enabled.Second"].form["token_handler"]


def test_an_enablement_that_only_the_org_has_is_no_promise():
    """Somebody enabled the app behind the files' back: what that opens is what has to be closed."""
    held = {**exchanging(), SECOND: handler(), enablement("Second", "portal"): {"externalClientApp": "portal"}}

    assert "token_exchange.not_enabled.Second" in probes(exchanging(), held)


def test_a_handler_that_is_off_refuses_everybody():
    """It was switched off for a reason."""
    desired = {**exchanging(), HANDLER: handler(isEnabled=False)}
    found = probes(desired)

    assert isinstance(found["token_exchange.disabled.Idp"].expects, Refused)
    assert MAIN not in found


def test_a_type_that_the_handler_is_not_for_is_refused():
    """A handler that checks JWTs may read a SAML assertion as anything."""
    found = probes({**exchanging(), HANDLER: handler(isIdTokenSupported=True)})
    tried = {id.removeprefix(f"{MAIN}.as_") for id in found if id.startswith(f"{MAIN}.as_")}

    assert {"access_token", "refresh_token", "saml2"} == tried


def test_a_forged_token_is_made_where_none_is_given():
    """The most common defect of a handler is that it reads a token without verifying it."""
    without = Given({"subject_token": SecretRef("env", "T")})

    assert (
        Tampered("subject_token") == probes(exchanging(), given=without)["token_exchange.forged"].form["subject_token"]
    )
    assert Secret("forged") == probes(exchanging())["token_exchange.forged"].form["subject_token"]


def test_what_cannot_be_forged_is_not():
    """An opaque token has no signature to be changed."""
    given = Given({"subject_token": SecretRef("env", "T")}, {"subject_token_type": "access_token"})

    assert "token_exchange.forged" not in probes(exchanging(), given=given)


def test_users_are_kept_out_only_where_that_is_declared():
    """An app for everybody promises nothing about who may not use it, nor does a handler that may create users."""
    everybody = {**exchanging(), POLICY: {"permittedUsersPolicyType": "AllSelfAuthorized"}}
    creating = {**exchanging(), HANDLER: handler(isUserCreationAllowed=True)}

    assert "token_exchange.not_preauthorised" in probes(exchanging())
    assert "token_exchange.not_preauthorised" not in probes(everybody)
    assert "token_exchange.unknown_user" in probes(exchanging())
    assert "token_exchange.unknown_user" not in probes(creating)


def test_the_name_of_the_class_can_stand_for_the_handler():
    """Salesforce's pages disagree about what token_handler holds; whoever finds out can say so."""
    assert "IdpHandler" == probes(exchanging(), given=everything(token_handler="class"))[MAIN].form["token_handler"]


@pytest.mark.parametrize(
    ("address", "field"),
    [(GLOBAL, "isTokenExchangeEnabled"), (POLICY, "isTokenExchangeFlowEnabled")],
)
def test_either_switch_closes_the_flow(address, field):
    """Both have to be on, so one that is declared off is a promise."""
    desired = exchanging()
    desired[address] = {**desired[address], field: False}
    found = probes(desired)

    assert {"token_exchange.off.default", "token_exchange.off.Idp"} <= found.keys()
    assert (address, (field,)) == (found["token_exchange.off.Idp"].address, found["token_exchange.off.Idp"].path)
    assert Secret("subject_token", borrow=True) == found["token_exchange.off.Idp"].form["subject_token"]


def test_a_flow_that_no_file_mentions_is_closed_where_the_files_have_a_say():
    """Whoever reads the files believes that the app has no other way in."""
    only_the_app = {PORTAL: {"label": "Portal"}}

    assert {"token_exchange.off.default", "client_credentials.off"} <= probes(
        {PORTAL: {}, GLOBAL: {"isPkceRequired": True}}
    ).keys()
    assert {} == probes(only_the_app)


def test_an_app_that_is_off_refuses_every_flow():
    """An app that was switched off after an incident must not come back by itself."""
    desired = {**exchanging(callbackUrl=[URL], certificate="PEM"), SWITCH: {"isEnabled": False}}
    found = probes(desired)

    assert {"token_exchange.off.default", "token_exchange.off.Idp", "jwt_bearer.off", "web_server.off"} == found.keys()
    assert all("invalid_client_id" in probe.expects.codes for probe in found.values())


# --- refresh ---------------------------------------------------------------------------------------------------------


def test_refreshing_needs_the_secret_and_rotates():
    """A refresh token that leaks is worth nothing without the secret, and nothing once it was used."""
    found = probes(exchanging(isSecretRequiredForRefreshToken=True, isRefreshTokenRotationEnabled=True))
    order = [id for id in found if id.startswith("refresh")]

    assert ["refresh.no_secret", "refresh.wrong_secret", "refresh", "refresh.rotated"] == order
    assert found["refresh"].expects.new_refresh_token


def test_without_the_scope_there_is_nothing_to_refresh():
    """An app that never asked for refresh tokens promises nothing of them."""
    found = probes({**exchanging(), OAUTH: {"commaSeparatedOauthScopes": ["Api"]}})

    assert [] == [id for id in found if id.startswith("refresh")]


def test_refresh_tokens_that_expire_at_once_refresh_nothing():
    """An app whose sessions have to end is kept alive by a token that goes on working."""
    desired = exchanging()
    desired[POLICY] = {**desired[POLICY], "refreshTokenPolicyType": "Zero"}

    assert isinstance(probes(desired)["refresh.zero"].expects, Refused)


def test_the_secret_is_asked_for_where_nobody_has_a_token():
    """An app that is not run here may still be asked whether it wants its secret."""
    only = {GLOBAL: {"isSecretRequiredForRefreshToken": True, "isConsumerSecretOptional": False, "callbackUrl": [URL]}}
    found = probes(only)
    wanted = [
        "refresh.made_up.wrong_secret",
        "refresh.made_up.no_secret",
        "web_server.code.wrong_secret",
        "web_server.code.no_secret",
    ]

    assert wanted == [id for id in found if id in wanted]
    assert "refresh.made_up.wrong_secret" == found["refresh.made_up.no_secret"].control
    assert {frozenset({"invalid_grant"})} == {
        found[id].expects.betrayed_by for id in wanted if id.endswith("no_secret")
    }
    assert "refresh.made_up.no_secret" not in probes(exchanging(isSecretRequiredForRefreshToken=True))


# --- client credentials ----------------------------------------------------------------------------------------------


def test_a_service_is_the_user_who_is_declared():
    """A nightly job that suddenly is an administrator."""
    found = probes(service())

    assert "bot@acme.example" == found["client_credentials"].expects.user
    assert {"client_credentials.no_secret", "client_credentials.wrong_secret"} <= found.keys()


def test_one_switch_of_two_closes_client_credentials():
    """The policy is what an administrator can still switch off."""
    found = probes(service(isClientCredentialsFlowEnabled=False))

    assert isinstance(found["client_credentials.off"].expects, Refused)


def test_a_wrong_secret_would_prove_nothing_of_a_closed_flow():
    """The secret in the pipeline is out of date: then nobody knows whether the flow is closed."""
    assert (
        "invalid_client"
        not in probes(service(isClientCredentialsFlowEnabled=False))["client_credentials.off"].expects.codes
    )


# --- JWT bearer ------------------------------------------------------------------------------------------------------


def test_whoever_has_the_key_gets_in_and_nobody_else():
    """A client that signs its requests, in a connected app."""
    desired = {LEGACY: {"oauthConfig": {"certificate": "PEM", "isAdminApproved": True}}}
    held = {LEGACY: {"oauthConfig": {"certificate": "PEM", "consumerKey": "k"}}}
    found = probes(desired, held, everything(username="bot@acme.example"))
    wanted = ["jwt_bearer", "jwt_bearer.wrong_key", "jwt_bearer.wrong_audience", "jwt_bearer.not_preauthorised"]

    assert wanted == [id for id in found if id.startswith("jwt_bearer")]
    assert "https://login.salesforce.com" == found["jwt_bearer"].form["assertion"].audience
    assert "bot@acme.example" == found["jwt_bearer"].expects.user


def test_without_a_certificate_nothing_is_promised_of_assertions():
    """What is not declared cannot be run."""
    assert [] == [id for id in probes(exchanging()) if id.startswith("jwt_bearer")]


# --- web server ------------------------------------------------------------------------------------------------------


def test_codes_go_to_declared_urls_only():
    """A callback URL that somebody added collects the codes of everybody who logs in."""
    desired = exchanging(callbackUrl=[URL, "portal://callback"])
    held = exchanging(callbackUrl=f"{URL}\nportal://callback\nhttps://evil.example/cb")
    found = probes(desired, held)

    assert [URL, "portal://callback"] == [found[id].form["redirect_uri"] for id in ("web_server", "web_server.2")]
    assert "https://evil.example/cb" == found["web_server.undeclared"].form["redirect_uri"]
    assert isinstance(found["web_server.unregistered"].expects, Refused)


@pytest.mark.parametrize("by_app", [True, False])
def test_a_request_without_a_challenge_is_refused_where_app_or_org_say_so(by_app):
    """Codes that are intercepted are worth nothing, if PKCE is really asked for."""
    org = Address("OauthOidcSettings", "OauthOidc")
    desired = {**exchanging(callbackUrl=[URL], isPkceRequired=by_app), org: {"isPkceRequired": not by_app}}
    found = probes(desired)["web_server.no_pkce"]

    assert (GLOBAL if by_app else org) == found.address
    assert "code_challenge" not in found.form


def test_nobody_promises_pkce_then_nobody_is_asked():
    """What is not written is not managed."""
    assert "web_server.no_pkce" not in probes(exchanging(callbackUrl=[URL]))


# --- what it takes ---------------------------------------------------------------------------------------------------


def test_the_secret_that_the_files_refer_to_is_used_unless_another_is_given():
    """Nobody writes the same reference twice."""
    declared = exchanging(consumerSecret=SecretRef("env", "PORTAL_SECRET"))

    assert Secret("client_secret") == probes(declared, given=Given())[MAIN].form["client_secret"]


def test_an_app_whose_key_nobody_knows_is_not_run():
    """A login that may not see the settings cannot say anything about them."""
    held = {address: body for address, body in exchanging().items() if address != GLOBAL}
    held[GLOBAL] = {"consumerKey": ""}
    hidden = probes(exchanging(), held, unreadable={"ExtlClntAppGlobalOauthSettings": "INSUFFICIENT_ACCESS"})

    assert "the org tells no consumer key" == probes(exchanging(), held)[MAIN].blocked
    assert "could not be read: INSUFFICIENT_ACCESS" in hidden[MAIN].blocked


def test_every_call_has_a_name_of_its_own():
    """A CI server that shows two tests of one name shows one of them."""
    desired = {
        **exchanging(
            callbackUrl=[URL], isRefreshTokenRotationEnabled=True, certificate="PEM", isIntrospectAllTokens=False
        ),
        SECOND: handler(),
    }
    files = probes(desired)
    again = [replace(probe, id="") for probe in files.values()]

    assert len(files) == len({(probe.flow, probe.what) for probe in again})
    assert set(Flow) - {Flow.CLIENT_CREDENTIALS} <= {probe.flow for probe in again}
