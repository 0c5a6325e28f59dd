"""Baseline against live."""

from dataclasses import replace

import pytest

from reconciler.drift import compare
from reconciler.model.applied import Applied
from reconciler.model.finding import GONE, UNMANAGED, Finding
from reconciler.schema.severity import Direction, Severity
from tests.build import DANA, NOTHING_OWNED, ORG, address, baseline, live

APP = "ExternalClientApplication/portal"
GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
OAUTH = "ExtlClntAppOauthSettings/portal"
POLICY = "ExtlClntAppOauthConfigurablePolicies/portal"
SECURITY = "ExtlClntAppOauthSecuritySettings/portal"
CODE = "ApexClass/PartnerIdpHandler"
CA = "ConnectedApp/legacy"
ENABLED = "OauthTokenExchangeHandler/idp/enablements/portal"


def found(base: dict[str, dict], have: dict[str, dict], **more) -> list[Finding]:
    return list(compare.findings(baseline(base), live(have), **more))


def test_a_secret_requirement_switched_off_is_high_and_names_who():
    (finding,) = found(
        {GLOBAL: {"isSecretRequiredForTokenExchange": True}}, {GLOBAL: {"isSecretRequiredForTokenExchange": False}}
    )

    assert (Severity.HIGH, Direction.WEAKENS) == (finding.severity, finding.direction)
    assert ("isSecretRequiredForTokenExchange", True, False) == (finding.path[0], finding.old, finding.new)
    assert DANA == finding.modified


def test_a_field_that_no_file_declares_is_watched_too():
    (finding,) = compare.findings(
        baseline({CA: {"description": "a"}}, declared=False), live({CA: {"description": "b"}})
    )

    assert ("description", Severity.LOW) == (finding.path[0], finding.severity)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"callbackUrl": "https://a\nhttps://b"}, {"callbackUrl": "https://b\r\nhttps://a\r\n"}),
        ({"isTokenExchangeEnabled": False}, {}),
        ({"label": " x"}, {"label": "x"}),
        ({"shouldRotateConsumerKey": True}, {}),
        ({"consumerSecret": {"$digest": "d", "$ref": "r"}}, {}),
    ],
)
def test_what_means_the_same_is_no_drift(before, after):
    assert [] == found({GLOBAL: before}, {GLOBAL: after})


def test_an_element_that_no_schema_knows_is_watched():
    (finding,) = found({GLOBAL: {"isMystery": "true"}}, {GLOBAL: {"isMystery": "false"}})

    assert ("isMystery",) == finding.path


def test_a_vanished_app_is_reported():
    (finding,) = found({CA: {"label": "x"}}, {})

    assert (GONE, Severity.HIGH) == (finding.id, finding.severity)


def test_an_app_that_nobody_declared_is_reported_until_it_is_accepted():
    base = baseline({})
    (finding,) = compare.findings(base, live({CA: {"label": "x"}}))

    assert UNMANAGED == finding.id
    assert [] == list(compare.findings(replace(base, unmanaged=frozenset({CA})), live({CA: {"label": "x"}})))


def test_an_enablement_added_in_setup_is_high():
    """Somebody let another app exchange tokens."""
    (finding,) = found({}, {ENABLED: {"apexExecutionUser": "x"}})

    assert (Severity.HIGH, Direction.WEAKENS) == (finding.severity, finding.direction)


def test_what_could_not_be_read_is_not_gone():
    assert [] == list(compare.findings(baseline({CA: {"label": "x"}}), live({}, unreadable={"ConnectedApp": "no"})))


def test_ignored_drift_is_reported_and_marked():
    (finding,) = found(
        {CA: {"description": "a"}}, {CA: {"description": "b"}}, ignored={address(CA): (("description",),)}
    )

    assert finding.ignored


def test_a_certificate_that_never_comes_back_is_no_drift():
    body = {"certificate": "PEM", "label": "x"}
    applied = Applied(body, "portal", (("certificate",),), unseen=(("certificate",),))
    base = replace(NOTHING_OWNED, serial=1, resources={address(GLOBAL): applied})

    assert [] == list(compare.findings(base, live({GLOBAL: {"label": "x"}})))


@pytest.mark.parametrize(
    ("before", "after", "severity", "direction"),
    [
        (("SpecificLifetime", 1, "Days"), ("SpecificLifetime", 24, "Hours"), None, None),
        (("SpecificLifetime", 1, "Days"), ("SpecificLifetime", 2, "Days"), Severity.MEDIUM, Direction.WEAKENS),
        (("SpecificLifetime", 1, "Days"), ("Infinite", None, None), Severity.HIGH, Direction.WEAKENS),
        (("Infinite", None, None), ("Zero", None, None), Severity.LOW, Direction.TIGHTENS),
    ],
)
def test_refresh_token_fields_only_have_a_direction_together(before, after, severity, direction):
    """24 hours and 1 day are the same lifetime; 2 days are not, though only a number moved."""
    names = ("refreshTokenPolicyType", "refreshTokenValidityPeriod", "refreshTokenValidityUnit")
    address_ = "ExtlClntAppOauthConfigurablePolicies/portal"
    reported = found(
        {address_: dict(zip(names, before, strict=True))}, {address_: dict(zip(names, after, strict=True))}
    )

    assert {(severity or Severity.LOW, direction or Direction.NEUTRAL)} == {(f.severity, f.direction) for f in reported}


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        (True, False, "Anybody who learns the client id can now exchange tokens without the secret."),
        (False, True, "Clients that exchange tokens without the secret are refused from now on."),
    ],
)
def test_a_change_says_what_it_means_for_the_apps_clients(old, new, meaning):
    """Whoever has to decide at night whether this can wait."""
    field = "isSecretRequiredForTokenExchange"
    (finding,) = found({GLOBAL: {field: old}}, {GLOBAL: {field: new}})

    assert meaning == finding.meaning


def test_fields_that_have_a_direction_together_mean_something_together():
    fields = {"refreshTokenPolicyType": "SpecificLifetime", "refreshTokenValidityUnit": "Hours"}
    before, after = ({**fields, "refreshTokenValidityPeriod": hours} for hours in (1, 2))
    (finding,) = found({POLICY: before}, {POLICY: after})

    assert "Refresh tokens of the app now work for longer, stolen ones too." == finding.meaning


def test_what_has_no_direction_means_nothing_in_particular():
    """A sentence that does not fit is worse than none."""
    (finding,) = found({GLOBAL: {"label": "a"}}, {GLOBAL: {"label": "b"}})

    assert (Direction.NEUTRAL, "") == (finding.direction, finding.meaning)


def test_the_class_of_a_handler_that_changed_is_critical():
    """The code that decides whose token is given out is not the code that was reviewed."""
    (finding,) = found({CODE: {"content": "class A {}\n"}}, {CODE: {"content": "class A { }\n"}})

    assert (Severity.CRITICAL, Direction.WEAKENS) == (finding.severity, finding.direction)
    assert "The code that decides about logins or tokens is no longer the code that was applied." == finding.meaning


@pytest.mark.parametrize(
    ("address_", "meaning"),
    [
        (APP, "The app's clients get invalid_client_id, and the tokens that they hold are revoked."),
        (CA, "The app's clients get invalid_client_id, and in most orgs a connected app cannot be created again."),
        ("OauthTokenExchangeHandler/idp", "No app can exchange tokens through the handler any more."),
    ],
)
def test_what_is_gone_is_an_outage_and_says_whose(address_, meaning):
    """Whoever runs the clients that are refused now."""
    (finding,) = found({address_: {"label": "x"}}, {})

    assert (Severity.HIGH, meaning) == (finding.severity, finding.meaning)


def test_an_enablement_that_is_gone_tightens():
    """Nobody gets in who could not before; somebody's client is refused."""
    (finding,) = found({ENABLED: {"apexExecutionUser": "x"}}, {})

    assert (GONE, Severity.MEDIUM, Direction.TIGHTENS) == (finding.id, finding.severity, finding.direction)
    assert "Clients of the app can no longer exchange tokens through the handler." == finding.meaning


def test_policies_that_are_gone_are_as_grave_as_what_they_kept_out():
    """The platform's defaults let every user of the org in."""
    held = {POLICY: {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}, APP: {"label": "x"}}
    (finding,) = found(held, {APP: {"label": "x"}})

    assert (Severity.CRITICAL, Direction.WEAKENS) == (finding.severity, finding.direction)


def test_an_app_that_lost_its_key_is_an_outage_and_nothing_is_laxer():
    held = {GLOBAL: {"consumerKey": "k", "isSecretRequiredForTokenExchange": True}, APP: {"label": "x"}}
    (finding,) = found(held, {APP: {"label": "x"}})

    assert (Severity.HIGH, Direction.NEUTRAL) == (finding.severity, finding.direction)


def test_what_went_with_its_app_is_no_second_alarm():
    """One deleted app must not read like six incidents."""
    held = {POLICY: {"permittedUsersPolicyType": "AdminApprovedPreAuthorized"}, APP: {"label": "x"}}

    assert [APP] == [str(f.address) for f in found(held, {})]


@pytest.mark.parametrize(
    ("managed", "body", "expected"),
    [
        ({APP: {"label": "x"}}, {"label": "x"}, (Severity.HIGH, Direction.NEUTRAL)),
        ({APP: {"label": "x"}}, {"commaSeparatedOauthScopes": "Api"}, (Severity.HIGH, Direction.WEAKENS)),
        ({APP: {"label": "x"}}, {"commaSeparatedOauthScopes": "Full"}, (Severity.CRITICAL, Direction.WEAKENS)),
        ({POLICY: {"label": "x"}}, {"label": "x"}, (Severity.HIGH, Direction.NEUTRAL)),
        ({}, {"commaSeparatedOauthScopes": "Full"}, (Severity.MEDIUM, Direction.NEUTRAL)),
    ],
    ids=["of a managed app", "that opens more", "that opens all", "of an app whose policies are ours", "of a stranger"],
)
def test_a_satellite_added_by_hand_is_as_grave_as_the_app_is_ours(managed, body, expected):
    """It changes how an app behaves that somebody reviewed; beside a new app it is one more record of it."""
    (finding,) = found(managed, {**managed, OAUTH: body})

    assert (UNMANAGED, *expected) == (finding.id, finding.severity, finding.direction)
    assert "The app's clients can now ask for scopes that nobody reviewed here." == finding.meaning


def test_a_key_alone_does_not_make_what_appeared_critical():
    """Every new record of that kind has one."""
    managed = {APP: {"label": "x"}}
    (finding,) = found(managed, {**managed, GLOBAL: {"consumerKey": "k"}})

    assert (Severity.HIGH, Direction.NEUTRAL) == (finding.severity, finding.direction)


# --- two API versions ------------------------------------------------------------------------------------------------


def at_versions(base: str, have: str, before: dict, after: dict) -> list[Finding]:
    """A baseline of one version against an org that is read at another."""
    read = live(after, org=replace(ORG, api_version=have))
    return list(compare.findings(replace(baseline(before), api_version=base), read))


@pytest.mark.parametrize(
    ("base", "have", "before", "after"),
    [
        ("60.0", "63.0", {POLICY: {"label": "x"}}, {POLICY: {"label": "x", "guestJwtTimeout": 15}}),
        ("63.0", "60.0", {POLICY: {"label": "x", "guestJwtTimeout": 15}}, {POLICY: {"label": "x"}}),
        ("63.0", "66.0", {POLICY: {"isNamedUserJwtEnabled": True}}, {POLICY: {}}),
        ("63.0", "66.0", {GLOBAL: {"label": "x"}}, {GLOBAL: {"label": "x", "isNewSwitch": "true"}}),
        ("63.0", "66.0", {APP: {"label": "x"}}, {APP: {"label": "x"}, SECURITY: {"label": "x"}}),
    ],
    ids=["a newer field", "an older version", "a field that ended", "a field that nobody knows", "a newer kind"],
)
def test_what_only_one_of_two_api_versions_has_is_no_drift(base, have, before, after):
    """Whoever raises api_version and would get a report of everything that the old one hid."""
    assert [] == at_versions(base, have, before, after)


def test_what_both_versions_have_is_drift_all_the_same():
    """The same read that hides a new field must not hide an old one."""
    before, after = {"isSecretRequiredForRefreshToken": True}, {"isSecretRequiredForRefreshToken": False}
    (finding,) = at_versions("60.0", "63.0", {GLOBAL: before}, {GLOBAL: after})

    assert Severity.HIGH == finding.severity


def test_at_one_version_all_fields_are_compared():
    """Unset to something is a change when both sides could have said it."""
    (finding,) = at_versions("63.0", "63.0", {POLICY: {}}, {POLICY: {"guestJwtTimeout": 15}})

    assert ("guestJwtTimeout",) == finding.path


def test_what_is_not_compared_is_said():
    """An empty report must not read as "nothing changed" where nobody could look."""
    base = replace(baseline({}), api_version="60.0")
    hidden = live({}, unreadable={"ConnectedApp": "INSUFFICIENT_ACCESS"})

    assert ("ConnectedApp could not be read, and is not judged: INSUFFICIENT_ACCESS",) == compare.unwatched(
        replace(base, api_version="63.0"), hidden
    )
    (note,) = compare.unwatched(base, live({}))
    assert "written at API version 60.0, the org is read at 63.0" in note


def test_a_kind_that_the_version_does_not_have_is_no_news():
    """Whoever reads at 63 would otherwise be told in every report that 64 has one kind more."""
    older = live({}, unreadable={"ExtlClntAppOauthSecuritySettings": "API version 63.0 does not have it"})

    assert () == compare.unwatched(baseline({}), older)
