"""How much an app opens, for connected apps too."""

from pathlib import Path

import pytest

from reconciler.rules import all_rules
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE as CONNECTED
from reconciler.rules.examples import WEB_SERVER
from tests.rules.build import found

RULES = [all_rules()[id] for id in ("EX01", "EX02", "EX03")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("scopes: [Api]", "scopes: [Api, Full]", ("EX01", "oauthConfig.scopes")),
        ("ipRelaxation: ENFORCE", "ipRelaxation: BYPASS", ("EX02", "oauthPolicy.ipRelaxation")),
        ("permissionSetName: [Partner_Portal_User]", "profileName: [System Administrator]", ("EX03", "profileName")),
    ],
)
def test_a_connected_app_is_judged_by_its_own_fields(
    old: str, new: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    """The same mistake has another name in each sort of app."""
    findings, _ = found(CONNECTED.but(old, new), tmp_path, RULES)

    assert [expected] == [(finding.id, ".".join(finding.path)) for finding in findings]


@pytest.mark.parametrize("value", ["Enforce_RelaxRefresh", "Bypass_2factor"])
def test_what_still_asks_for_something_is_let_through(value: str, tmp_path: Path) -> None:
    """Refresh tokens are used by servers whose addresses change: relaxing for them is what the platform offers."""
    example = WEB_SERVER.but("ipRelaxationPolicyType: Enforce", f"ipRelaxationPolicyType: {value}")

    assert () == found(example, tmp_path, RULES)[0]


def test_another_profile_is_somebodys_business(tmp_path: Path) -> None:
    """Profiles for the users of an app are how an org without permission sets does it."""
    example = CONNECTED.but("permissionSetName: [Partner_Portal_User]", "profileName: [Partner User]")

    assert () == found(example, tmp_path, RULES)[0]
