"""Baseline against live."""

from dataclasses import replace

import pytest

from reconciler import drift
from reconciler.model import Applied, Finding
from reconciler.security import Direction, Severity
from tests.core.build import DANA, NOTHING_OWNED, address, baseline, live

GLOBAL = "ExtlClntAppGlobalOauthSettings/portal"
CA = "ConnectedApp/legacy"
ENABLED = "OauthTokenExchangeHandler/idp/enablements/portal"


def found(base: dict[str, dict], have: dict[str, dict], **more) -> list[Finding]:
    return list(drift.findings(baseline(base), live(have), **more))


def test_a_secret_requirement_switched_off_is_high_and_names_who():
    (finding,) = found(
        {GLOBAL: {"isSecretRequiredForTokenExchange": True}}, {GLOBAL: {"isSecretRequiredForTokenExchange": False}}
    )

    assert (Severity.HIGH, Direction.WEAKENS) == (finding.severity, finding.direction)
    assert ("isSecretRequiredForTokenExchange", True, False) == (finding.path[0], finding.old, finding.new)
    assert DANA == finding.modified


def test_a_field_that_no_file_declares_is_watched_too():
    (finding,) = drift.findings(baseline({CA: {"description": "a"}}, declared=False), live({CA: {"description": "b"}}))

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

    assert (drift.GONE, Severity.HIGH) == (finding.id, finding.severity)


def test_an_app_that_nobody_declared_is_reported_until_it_is_accepted():
    base = baseline({})
    (finding,) = drift.findings(base, live({CA: {"label": "x"}}))

    assert drift.UNMANAGED == finding.id
    assert [] == list(drift.findings(replace(base, unmanaged=frozenset({CA})), live({CA: {"label": "x"}})))


def test_an_enablement_added_in_setup_is_high():
    """Somebody let another app exchange tokens."""
    (finding,) = found({}, {ENABLED: {"apexExecutionUser": "x"}})

    assert (Severity.HIGH, Direction.WEAKENS) == (finding.severity, finding.direction)


def test_what_could_not_be_read_is_not_gone():
    assert [] == list(drift.findings(baseline({CA: {"label": "x"}}), live({}, unreadable={"ConnectedApp": "no"})))


def test_ignored_drift_is_reported_and_marked():
    (finding,) = found(
        {CA: {"description": "a"}}, {CA: {"description": "b"}}, ignored={address(CA): (("description",),)}
    )

    assert finding.ignored


def test_a_certificate_that_never_comes_back_is_no_drift():
    body = {"certificate": "PEM", "label": "x"}
    applied = Applied(body, "portal", (("certificate",),), unseen=(("certificate",),))
    base = replace(NOTHING_OWNED, serial=1, resources={address(GLOBAL): applied})

    assert [] == list(drift.findings(base, live({GLOBAL: {"label": "x"}})))


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
