"""Rules on flows, beyond their two examples: PKCE, secrets, introspection, the org's switches."""

import pytest

from reconciler.model.address import Address
from reconciler.rules import Broken
from reconciler.schema.severity import Severity
from tests.rules.apps import broken, connected, external, in_files, in_org, org_flows, unchecked, verdicts

WEB, PHONE, LOOPBACK = "https://erp.acme.example/callback", "acmeerp://callback", "http://localhost:1717/OauthRedirect"
GLOBAL = "ExtlClntAppGlobalOauthSettings/shop"


def test_an_org_that_demands_pkce_of_everybody_covers_each_app():
    """A team whose org is stricter than its apps would be told to change fifty apps for nothing."""
    app = connected(callbackUrl=WEB, isPkceRequired=False)

    assert [] == broken("OA01", in_org(app, org_flows(isPkceRequired=True)))
    assert 1 == len(broken("OA01", in_org(app, org_flows(isPkceRequired=False))))


def test_pkce_that_was_never_set_is_off_in_a_connected_app():
    """The old apps, which say nothing of it, are the ones in danger."""
    expected = ["ConnectedApp/erp oauthConfig.isPkceRequired: authorization codes are given out without PKCE"]
    assert expected == broken("OA01", in_org(connected(callbackUrl=WEB)))


def test_an_app_without_oauth_has_no_codes_to_protect():
    """A SAML app would be reported for what it does not do."""
    assert [] == verdicts("OA01", in_org(connected(), external()))


def test_an_external_client_app_that_lives_without_pkce_is_found_and_one_that_a_file_asks_for_is_the_other_rules():
    """An auditor has to see the first; a person who wrote the second must read one finding, not two."""
    app = external(flows={"isPkceRequired": False})

    assert (1, 0) == (len(broken("OA01", in_org(app))), len(broken("OA02", in_org(app))))
    assert (0, 1) == (len(broken("OA01", in_org(app, declared=app))), len(broken("OA02", in_org(app, declared=app))))


@pytest.mark.parametrize("value", [True, None])
def test_a_file_may_ask_for_pkce_or_for_the_platforms_default(value: bool | None):
    """null is the default, and the default is on."""
    app = external(flows={"isPkceRequired": value})
    assert [] == verdicts("OA02", in_files(app))


def test_neither_secret_nor_pkce_is_one_finding():
    """Two findings for one hole make a reader look for two."""
    app = in_org(connected(callbackUrl=PHONE, isConsumerSecretOptional=True, isPkceRequired=False))
    assert ([], 1) == (broken("OA01", app), len(broken("OA04", app)))


def test_an_app_on_phones_may_do_without_a_secret_if_it_has_pkce():
    """Mobile developers do what the standard says and would be told off."""
    app = {"isConsumerSecretOptional": True, "isPkceRequired": True}
    assert [] == verdicts("OA04", in_org(connected(callbackUrl=PHONE, **app)))
    assert [] == verdicts("OA04", in_org(connected(callbackUrl=LOOPBACK, **app)))
    assert [] == verdicts("OA04", in_org(connected(callbackUrl=WEB, isDeviceFlowEnabled=True, **app)))


def test_a_web_site_that_shows_no_secret_is_asked_about():
    """A server can keep a secret; that it stopped showing it is how a stolen key becomes enough."""
    app = external(flows={"callbackUrl": WEB, "isConsumerSecretOptional": True})
    message = "the web server flow needs no secret, although all callback URLs are web sites"
    assert [f"{GLOBAL} isConsumerSecretOptional: {message}"] == broken("OA04", in_org(app))


def test_the_mend_of_an_open_app_is_pkce_and_on_a_server_the_secret_too():
    """Whoever asks a phone for a secret breaks it; whoever asks a server for it alone is told of PKCE the next day."""

    def mend(url: str) -> list[str]:
        app = connected(callbackUrl=[url], isConsumerSecretOptional=True, isPkceRequired=False)
        return [one.mend.partition(", once")[0] for one in verdicts("OA04", in_org(app)) if isinstance(one, Broken)]

    secret = "isConsumerSecretOptional: false under oauthConfig"
    assert ["write isPkceRequired: true under oauthConfig"] == mend(PHONE)
    assert [f"write isPkceRequired: true and {secret}"] == mend(WEB)


def test_files_that_do_not_say_whether_pkce_is_required_leave_a_connected_app_open():
    """Silence would be read as fine."""
    app = connected(callbackUrl=[PHONE], isConsumerSecretOptional=True)
    assert ["ConnectedApp/erp oauthConfig.isPkceRequired"] == unchecked("OA04", in_files(app))


REFRESHING = {"scopes": ["Api", "RefreshToken"]}


@pytest.mark.parametrize(
    ("callbacks", "required", "optional", "expected"),
    [
        (WEB, True, False, 0),
        (WEB, False, False, 1),
        (WEB, False, True, 0),  # the web server flow already needs none: OA04
        (PHONE, True, False, 1),
        (PHONE, False, False, 0),
        (LOOPBACK, True, False, 0),  # a placeholder, as often as not
        (LOOPBACK, True, True, 1),
        (f"{WEB}\n{LOOPBACK}", True, False, 0),  # a server, and the laptops of those who write it
        (f"{WEB}\n{LOOPBACK}", False, False, 0),
    ],
)
def test_who_can_keep_a_secret_is_read_from_the_callbacks(
    callbacks: str, required: bool, optional: bool, expected: int
):
    """A wrong guess either breaks the app on the phone or leaves the server's tokens open."""
    app = connected(
        callbackUrl=callbacks,
        isSecretRequiredForRefreshToken=required,
        isConsumerSecretOptional=optional,
        **REFRESHING,
    )
    assert expected == len(broken("OA05", in_org(app)))


@pytest.mark.parametrize(
    ("scopes", "expected"), [("Api", 0), ("Full", 0), ("Api, RefreshToken", 1), ("OfflineAccess", 1)]
)
def test_only_an_app_that_gets_refresh_tokens_is_asked_how(scopes: str, expected: int):
    """Full does not include refresh tokens; OfflineAccess is another name for them."""
    flows = {"callbackUrl": WEB, "isSecretRequiredForRefreshToken": False}
    app = external(flows=flows, oauth={"commaSeparatedOauthScopes": scopes})
    assert expected == len(broken("OA05", in_org(app)))


def test_a_scope_that_was_added_explains_the_finding_on_the_other_record():
    """Without it, a plan that adds RefreshToken would not be stopped: the finding is on a record that it leaves alone."""
    flows = {"callbackUrl": WEB, "isSecretRequiredForRefreshToken": False}
    app = external(flows=flows, oauth={"commaSeparatedOauthScopes": "RefreshToken"})
    (found,) = verdicts("OA05", in_org(app))
    assert isinstance(found, Broken)
    assert (Address("ExtlClntAppOauthSettings", "shop"),) == found.also


SEES_ALL = {"callbackUrl": WEB, "isIntrospectAllTokens": True}


def test_of_three_apps_that_introspect_all_tokens_two_are_too_many():
    """The one that may stay is not reported: the others say which it is."""
    world = in_org(connected("a", **SEES_ALL), connected("b", **SEES_ALL), external("c", flows=SEES_ALL))
    message = "a may introspect all tokens too; an org has one such app"
    assert [
        f"ConnectedApp/b oauthConfig.isIntrospectAllTokens: {message}",
        f"ExtlClntAppGlobalOauthSettings/c isIntrospectAllTokens: {message}",
    ] == broken("OA10", world)


def test_a_plan_for_the_first_app_is_told_of_the_second_that_it_does_not_touch():
    """Whoever switches it on is to be stopped, whatever the alphabet says."""
    apps = connected("a", **SEES_ALL) | connected("b", **SEES_ALL)
    expected = [
        "ConnectedApp/a oauthConfig.isIntrospectAllTokens: b may introspect all tokens too; an org has one such app"
    ]
    assert expected == broken("OA10", in_org(apps, only={"a"}))


def test_two_such_apps_that_have_long_been_there_are_graver_once_a_file_asks_for_one():
    """An audit is not to stop anybody; a change that makes it so is."""
    apps = connected("a", **SEES_ALL) | connected("b", **SEES_ALL)
    live, declared = in_org(apps, live=apps), in_org(apps, live=apps, declared=apps)
    severities = [found.severity for world in (live, declared) for found in verdicts("OA10", world)]  # type: ignore[union-attr]
    assert [Severity.MEDIUM, None] == severities


def test_files_cannot_tell_whether_another_app_introspects():
    """The org may have one that no file names."""
    assert ["ConnectedApp/a oauthConfig.isIntrospectAllTokens"] == unchecked(
        "OA10", in_files(connected("a", **SEES_ALL))
    )


def test_a_packaged_app_may_mix_the_device_flow_with_others():
    """What was seen concerns local apps only."""
    flows = {"isDeviceFlowEnabled": True, "isClientCredentialsFlowEnabled": True}
    assert 1 == len(broken("OA11", in_org(external(flows=flows))))
    assert [] == verdicts("OA11", in_org(external(app={"distributionState": "Packaged"}, flows=flows)))


def test_guests_log_in_through_the_same_switch_of_the_org():
    """Headless guests are locked out as silently as anybody else."""
    app = external(policies={"isGuestCodeCredFlowEnabled": True})
    assert 1 == len(broken("OA15", in_org(app, org_flows())))
    assert [] == verdicts("OA15", in_org(app, org_flows(oAuthCdCrdtFlowEnable=True)))


@pytest.mark.parametrize("rule", ["OA15", "OA23"])
def test_settings_that_the_org_did_not_show_are_not_judged(rule: str):
    """Every org has these settings: not seeing them says nothing about them."""
    app = external(flows={"isCodeCredFlowEnabled": True})
    assert [] == broken(rule, in_org(app))
    assert 1 == len(unchecked(rule, in_org(app)))
    assert 1 == len(unchecked(rule, in_org(app, unreadable={"OauthOidcSettings": "INSUFFICIENT_ACCESS"})))
