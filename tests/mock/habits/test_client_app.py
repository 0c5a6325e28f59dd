"""External client apps and their satellites: what the org fills in, forces, makes by itself and refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from providers.mock import Org
from providers.mock.catalog import SCOPES
from providers.mock.state.world import TAKEN_ELSEWHERE
from tests.mock.wire import Wire, apex, app, component, global_oauth, oauth, oauth_policy, policy, whole

GLOBAL, OAUTH = "ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthSettings"
OAUTH_POLICY, POLICY = "ExtlClntAppOauthConfigurablePolicies", "ExtlClntAppConfigurablePolicies"
SOURCE = f"01234567890123456789{'0' * 4}"


def test_the_order_of_components_does_not_matter(wire: Wire) -> None:
    """Zips are in any order; references are resolved over org and package together."""
    wire.deployed(*reversed([*whole("order"), oauth_policy("order"), policy("order")]))


def test_defaults_are_filled_in_on_read_back(wire: Wire) -> None:
    """A second plan must see what the org made of an omission."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order"))

    read = wire.retrieve({GLOBAL: ["*"], "ExternalClientApplication": ["order"], OAUTH: ["order_oauth"]})

    path = "extlClntAppGlobalOauthSets/order_glbloauth.ecaGlblOauth"
    assert ["true", "false", "false", "false"] == [
        read.text(path, name)
        for name in (
            "isSecretRequiredForRefreshToken",
            "isTokenExchangeEnabled",
            "shouldRotateConsumerKey",
            "isSecretRequiredForTokenExchange",
        )
    ]
    assert "Local" == read.text("externalClientApps/order.eca", "distributionState")
    assert "false" == read.text("extlClntAppOauthSettings/order_oauth.ecaOauth", "isFirstPartyAppEnabled")


def test_default_policies_are_created_with_the_observed_names_and_values(wire: Wire) -> None:
    """A plan that does not expect them creates a second policy and fails."""
    wire.deployed(app("order"), oauth("order", "orderOAuthSettings"))

    read = wire.retrieve({OAUTH_POLICY: ["*"], POLICY: ["*"]})

    path = "extlClntAppOauthPolicies/orderOAuthSettings_defaultPolicy.ecaOauthPlcy"
    names = (
        "permittedUsersPolicyType",
        "ipRelaxationPolicyType",
        "refreshTokenPolicyType",
        "refreshTokenValidityPeriod",
    )
    assert ["AllSelfAuthorized", "Enforce", "SpecificLifetime", "365"] == [read.text(path, name) for name in names]
    assert "Days" == read.text(path, "refreshTokenValidityUnit")
    assert "STANDARD" == read.text(path, "requiredSessionLevel")
    assert "None" == read.text("extlClntAppPolicies/order_defaultPolicy.ecaPlcy", "startPage")


def test_no_default_policy_where_the_deployment_brings_its_own(wire: Wire) -> None:
    """The declared policy would otherwise be the forbidden second one."""
    wire.deployed(*whole("order"), oauth_policy("order"), policy("order"))

    names = set(wire.retrieve({OAUTH_POLICY: ["*"], POLICY: ["*"]}).files)

    assert "extlClntAppOauthPolicies/order_oauthPlcy.ecaOauthPlcy" in names
    assert not any("order" in name and "defaultPolicy" in name for name in names)


def test_a_second_satellite_under_another_name_is_a_duplicate(wire: Wire) -> None:
    """Whoever guesses a record's name instead of looking it up must be told."""
    wire.deployed(*whole("order"))

    problem = wire.refused(oauth_policy("order", "order_second"))
    assert "DUPLICATE_VALUE: ExtlClntAppOauthSettingsId duplicates value on order_oauth_defaultPolicy" == problem
    for piece in (policy("order", "second"), oauth("order", "second"), global_oauth("order", "second")):
        text = r"duplicate value found: ExternalClientApplicationId duplicates value on record with id: \w{18}"
        assert re.fullmatch(text, wire.refused(piece))


def test_a_satellite_of_no_app_is_a_wrong_cross_reference(wire: Wire) -> None:
    """A typing mistake in `externalClientApplication` must not create an orphan."""
    for piece in (oauth("nobody"), oauth_policy("nobody"), policy("nobody")):
        assert "INVALID_CROSS_REFERENCE_KEY" in wire.refused(piece)


def test_global_settings_alone_have_no_valid_oauth_settings(wire: Wire) -> None:
    """The exact text that people search for."""
    wire.deployed(app("order"))

    assert (
        "The external client app configured in your global OAuth Settings doesn't have a valid OAuth settings configuration."
        == wire.refused(global_oauth("order"))
    )


def test_a_record_is_replaced_whole(wire: Wire) -> None:
    """Whoever sends one field resets the others: a client must read first."""
    wire.deployed(*whole("order"), oauth_policy("order", isTokenExchangeFlowEnabled=True, startUrl="https://a.example"))

    wire.deployed(oauth_policy("order", requiredSessionLevel="HIGH_ASSURANCE"))

    assert "false" == wire.read(OAUTH_POLICY, "order_oauthPlcy", "isTokenExchangeFlowEnabled")
    assert wire.read(OAUTH_POLICY, "order_oauthPlcy", "startUrl") is None


def test_strings_are_trimmed(wire: Wire) -> None:
    """A trailing blank in a file must not become an eternal difference."""
    wire.deployed(app("order", description="  two words \n "))

    assert "two words" == wire.read("ExternalClientApplication", "order", "description")


def test_the_secret_is_never_returned_and_the_key_is(wire: Wire) -> None:
    """Not by a retrieve, not by readMetadata, not in the query API."""
    wire.deployed(
        app("order"), oauth("order"), global_oauth("order", consumerKey="OurOwnKey0001", consumerSecret=SOURCE)
    )

    read = wire.retrieve({GLOBAL: ["order_glbloauth"]})

    assert "OurOwnKey0001" == read.text("extlClntAppGlobalOauthSets/order_glbloauth.ecaGlblOauth", "consumerKey")
    assert SOURCE not in str(read.files)
    answer = wire.post_soap(
        '<readMetadata xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<type>{GLOBAL}</type><fullNames>order_glbloauth</fullNames></readMetadata>"
    )
    assert "OurOwnKey0001" in answer.text
    assert SOURCE not in answer.text


def test_secrets_come_back_only_with_switch_and_setting(wire: Wire, org: Org) -> None:
    """The deprecated toggle of the org and the permission behind our switch are both needed."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", consumerSecret=SOURCE))
    org.switch("consumer_secret_api_access", True)
    assert wire.read(GLOBAL, "order_glbloauth", "consumerSecret") is None

    org.set(
        "ExternalClientAppSettings/ExternalClientApp",
        {"enableConsumerSecretApiAccess": "true"},
        as_user=org.admin_username,
    )

    assert SOURCE == wire.read(GLOBAL, "order_glbloauth", "consumerSecret")


def test_a_key_is_generated_and_kept(wire: Wire) -> None:
    """Clients in the field hold it: an update must not change it."""
    wire.deployed(*whole("order"))
    first = wire.read(GLOBAL, "order_glbloauth", "consumerKey")

    wire.deployed(global_oauth("order", isTokenExchangeEnabled=True))

    assert first is not None
    assert re.fullmatch(r"3MVG9[A-Za-z0-9._]{80}", first)
    assert first == wire.read(GLOBAL, "order_glbloauth", "consumerKey")


@pytest.mark.parametrize("key", ["short", "k" * 257, "with blank in it"])
def test_a_key_of_the_wrong_form_is_refused(wire: Wire, key: str) -> None:
    """8 to 256 characters."""
    assert "consumer key" in wire.refused(app("order"), oauth("order"), global_oauth("order", consumerKey=key))


def test_a_key_is_unique_in_the_org_and_elsewhere(wire: Wire) -> None:
    """Copying an app's file to another org fails in the real world, so it must fail here."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", consumerKey="OurOwnKey0001"))

    for key in ("OurOwnKey0001", TAKEN_ELSEWHERE[0]):
        taken = [app("other"), oauth("other"), global_oauth("other", consumerKey=key)]
        assert "The consumer key is already taken" == wire.refused(*taken)


def test_another_key_cannot_replace_an_app_s(wire: Wire) -> None:
    """The same key may be echoed, as a retrieve gave it."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", consumerKey="OurOwnKey0001"))

    wire.deployed(global_oauth("order", consumerKey="OurOwnKey0001"))
    assert "You cannot provide a Consumer Key" == wire.refused(global_oauth("order", consumerKey="OurOwnKey0002"))


def test_pkce_stays_on_whatever_is_sent(wire: Wire, org: Org) -> None:
    """Reports success and reads back true: a plan that does not know it repeats for ever."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", isPkceRequired=False))
    assert "true" == wire.read(GLOBAL, "order_glbloauth", "isPkceRequired")

    org.switch("pkce_forced_on_eca", False)
    wire.deployed(global_oauth("order", isPkceRequired=False))

    assert "false" == wire.read(GLOBAL, "order_glbloauth", "isPkceRequired")


def test_the_last_relaxation_reads_back_in_another_case(wire: Wire) -> None:
    """Compared by letters, it would differ for ever."""
    wire.deployed(*whole("order"), oauth_policy("order", ipRelaxationPolicyType="Enforce_RelaxRefresh"))

    assert "Enforce_relaxrefresh" == wire.read(OAUTH_POLICY, "order_oauthPlcy", "ipRelaxationPolicyType")


@pytest.mark.parametrize(
    ("field", "value"),
    [("ipRelaxationPolicyType", "Open"), ("refreshTokenValidityUnit", "Weeks"), ("guestJwtTimeout", 7)],
)
def test_a_string_field_with_fixed_values_is_checked_by_the_server(wire: Wire, field: str, value: Any) -> None:
    """The schema calls it a string, so only the server can say no."""
    assert f"not a valid value for {field}" in wire.refused(*whole("order"), oauth_policy("order", **{field: value}))


def test_rotation_rotates_and_reads_back_false(wire: Wire) -> None:
    """Left in a file, each deployment would lock all clients out: the read-back shows no trace of it."""
    wire.deployed(*whole("order"))
    before = wire.read(GLOBAL, "order_glbloauth", "consumerKey")

    refused = wire.deploy(global_oauth("order", shouldRotateConsumerKey=True))
    assert ("Failed", "Warning") == (refused.status, refused.failures[0]["problemType"])
    assert before == wire.read(GLOBAL, "order_glbloauth", "consumerKey")

    done = wire.deployed(global_oauth("order", shouldRotateConsumerKey=True), options={"ignoreWarnings": True})

    assert "Warning" == done.successes["order_glbloauth"]["problemType"]
    assert before != wire.read(GLOBAL, "order_glbloauth", "consumerKey")
    assert "false" == wire.read(GLOBAL, "order_glbloauth", "shouldRotateConsumerKey")


def test_links_are_generated_and_another_org_s_are_refused(wire: Wire, org: Org) -> None:
    """A file retrieved elsewhere brings them along."""
    wire.deployed(*whole("order"))

    link = wire.read(OAUTH, "order_oauth", "oauthLink") or ""
    assert re.fullmatch(rf"{org.org_id[:15]}:888\w{{12}}", link)
    assert f"{org.org_id[:15]}:order" == wire.read("ExternalClientApplication", "order", "orgScopedExternalApp")
    wire.deployed(oauth("order", oauthLink=link))
    assert "oauthLink" in wire.refused(oauth("order", oauthLink="00Dbm000004ELiD:888bm000002gH3J"))
    assert "orgScopedExternalApp" in wire.refused(app("order", orgScopedExternalApp="00Dbm000004ELiD:order"))


def test_scopes_are_checked_against_the_server_s_own_list(wire: Wire) -> None:
    """The two app types spell one scope differently."""
    problem = wire.refused(app("order"), oauth("order", commaSeparatedOauthScopes="Api, SFAP,Nonsense"))

    assert problem.startswith("There's a problem with your scope(s): SFAP, Nonsense")
    assert all(scope in problem for scope in SCOPES)


def test_a_comma_list_is_normalised(wire: Wire) -> None:
    """With blanks and without, the same list."""
    wire.deployed(app("order"), oauth("order", commaSeparatedOauthScopes="Api,Web , RefreshToken,Web"))

    assert "Api, Web, RefreshToken" == wire.read(OAUTH, "order_oauth", "commaSeparatedOauthScopes")


def test_contact_email_is_demanded_unless_switched_off(wire: Wire, org: Org) -> None:
    """The schema says optional, an org said no."""
    piece = component("ExternalClientApplication", "order", label="order")
    assert "Required field is missing: contactEmail" == wire.refused(piece)

    org.switch("contact_email_required", False)

    wire.deployed(piece)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"commaSeparatedPermissionSet": "Nobody, Order_Portal_User"}, "INVALID_FIELD: We couldn't find permission sets called Nobody"),
        ({"commaSeparatedProfile": "Nobody"}, "INVALID_FIELD: We couldn't find profiles called Nobody"),
        ({"clientCredentialsFlowUser": "nobody@acme.example"}, "In field: clientCredentialsFlowUser - no User named nobody@acme.example found"),
        ({"clientCredentialsFlowUser": "former@acme.example"}, "In field: clientCredentialsFlowUser - no User named former@acme.example found"),
        ({"executeHandlerAs": "nobody@acme.example"}, "In field: executeHandlerAs - no User named nobody@acme.example found"),
        ({"apexHandler": "Nothing"}, "In field: apexHandler - no ApexClass named Nothing found"),
        ({"commaSeparatedCustomScopes": "Nothing"}, "In field: commaSeparatedCustomScopes - no OauthCustomScope named Nothing found"),
        ({"isClientCredentialsFlowEnabled": True}, "Required field is missing: clientCredentialsFlowUser"),
        ({"namedUserJwtSessionTimeoutType": "UserSession"}, "Invalid plugin settings"),
    ],
)  # fmt: skip
def test_what_a_policy_names_must_exist(wire: Wire, values: dict[str, Any], problem: str) -> None:
    """A policy that points at nobody protects nothing."""
    assert problem == wire.refused(*whole("order"), oauth_policy("order", **values))


def test_what_a_policy_names_may_come_with_it(wire: Wire) -> None:
    """Class and scope in the same package are found."""
    scope = component("OauthCustomScope", "orders", description="orders", developerName="orders", masterLabel="orders")
    wire.deployed(
        *whole("order"),
        scope,
        apex("Plugin"),
        oauth_policy(
            "order", commaSeparatedCustomScopes="orders", apexHandler="Plugin", executeHandlerAs="dana@acme.example"
        ),
    )


def test_a_run_as_user_may_have_to_be_api_only(wire: Wire, org: Org) -> None:
    """The guide says so; a switch, since no report confirms it."""
    org.switch("client_credentials_user_api_only", True)

    problem = wire.refused(*whole("order"), oauth_policy("order", clientCredentialsFlowUser="dana@acme.example"))
    assert "clientCredentialsFlowUser: dana@acme.example isn't an API Only user" == problem
    wire.deployed(*whole("order"), oauth_policy("order", clientCredentialsFlowUser="integration@acme.example"))


def test_profiles_are_named_in_the_org_s_language(wire: Wire, org: Org) -> None:
    """An English name fails in a Japanese org, as people found out."""
    org.switch("profile_locale", "ja")

    assert "profiles" in wire.refused(
        *whole("order"), oauth_policy("order", commaSeparatedProfile="System Administrator")
    )
    wire.deployed(*whole("order"), oauth_policy("order", commaSeparatedProfile="システム管理者"))


def test_an_omitted_certificate_is_wiped_or_kept(wire: Wire, org: Org) -> None:
    """The reported lock-out, and the org in which it does not happen."""
    sent = {"certificate": "MIIC"}
    wire.deployed(app("order"), oauth("order"), global_oauth("order", **sent))
    wire.deployed(global_oauth("order"))
    assert wire.read(GLOBAL, "order_glbloauth", "certificate") is None

    org.switch("certificate_omitted_on_update", "kept")
    wire.deployed(global_oauth("order", **sent))
    wire.deployed(global_oauth("order"))

    assert "MIIC" == wire.read(GLOBAL, "order_glbloauth", "certificate")


def test_a_certificate_may_not_come_back(wire: Wire, org: Org) -> None:
    """Reports disagree; a client must live with both."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", certificate="MIIC"))
    org.switch("certificate_readback", "omitted")

    assert wire.read(GLOBAL, "order_glbloauth", "certificate") is None


def test_a_large_certificate_is_refused(wire: Wire) -> None:
    """4,000 characters and 4 KB (S003)."""
    assert "4,000" in wire.refused(app("order"), oauth("order"), global_oauth("order", certificate="M" * 4001))


def test_a_validity_of_zero_is_accepted(wire: Wire) -> None:
    """Salesforce's own sample sends it, outside its documented range."""
    wire.deployed(
        app("order"),
        oauth("order"),
        global_oauth("order", idTokenConfig="<idTokenValidityInMinutes>0</idTokenValidityInMinutes>"),
    )


def test_security_settings_may_be_closed_to_the_api(wire: Wire, org: Org) -> None:
    """Whether the API may create them is disputed."""
    wire.deployed(app("order"))
    org.switch("security_settings_creatable", False)
    piece = component("ExtlClntAppOauthSecuritySettings", "order_oauthSecurity", externalClientApplication="order")

    assert "can't be created by the Metadata API" in wire.refused(piece)


def test_a_namespaced_component_cannot_be_created(wire: Wire) -> None:
    """What a package installs, only a package brings."""
    assert "Cannot create a new component with the namespace: pkg" == wire.refused(app("pkg__order"))


def test_deleting_an_app_takes_all_that_hangs_on_it(wire: Wire, org: Org) -> None:
    """Satellites, policies that the org made, and the key, which is free again."""
    wire.deployed(app("order"), oauth("order"), global_oauth("order", consumerKey="OurOwnKey0001"))

    done = wire.destroy("ExternalClientApplication", "order")

    assert "deleted" == done.state("order")
    read = wire.retrieve({kind: ["*"] for kind in ("ExternalClientApplication", GLOBAL, OAUTH, OAUTH_POLICY, POLICY)})
    assert not any("order" in name for name in read.files)
    wire.deployed(app("other"), oauth("other"), global_oauth("other", consumerKey="OurOwnKey0001"))
