"""Rules of the client credentials flow, beyond their two examples."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.facts import NOT_ASKED, Facts, User
from reconciler.rules import Example, Rule, all_rules, judge
from reconciler.rules import client_credentials as cc
from reconciler.rules.examples import CLIENT_CREDENTIALS as GOOD
from reconciler.rules.examples import WEB_SERVER
from reconciler.schema.severity import Severity
from tests.rules.build import found, world

USER = "integration@acme.example"
APP = "ExternalClientApplication/reporting_service"
POLICIES = "ExtlClntAppOauthConfigurablePolicies/reporting_service"
CONNECTED_APP = "ConnectedApp/Partner_Portal"
CONNECTED = cc.connected_app_user.good
RULES = [value for value in vars(cc).values() if isinstance(value, Rule)]

IN_SETTINGS = "isClientCredentialsFlowEnabled: true\n  isConsumerSecretOptional"
IN_POLICIES = "isClientCredentialsFlowEnabled: true\n  clientCredentialsFlowUser"


def broken(example: Example, folder: Path, *rules: Rule) -> list[tuple[str, str, str]]:
    """Rule, address and field of every finding."""
    findings, _ = found(example, folder, rules or RULES)
    return [(f.id, str(f.address), ".".join(f.path)) for f in findings]


def unchecked(example: Example, folder: Path, *rules: Rule) -> list[tuple[str, str, str]]:
    findings, not_checked = found(example, folder, rules or RULES, offline=True)
    assert () == findings
    return [(u.id, str(u.address), ".".join(u.path)) for u in not_checked]


def knowing(**user: Any) -> Facts:
    of = User(USER, **{"active": True, "api_only": True, "profile": "Minimum Access - API Only Integrations", **user})
    return Facts({USER: of}, secrets={"reporting_service": "2026-11-01", "Partner_Portal": "2026-11-01"})


def off(example: Example, where: str) -> Example:
    return example.but(where, where.replace("true", "false"))


# -- switches ---------------------------------------------------------------------------------------------------------------


def test_an_app_of_which_nothing_is_said_is_named_once(tmp_path: Path) -> None:
    """Silence would be read as "fine", and one line a rule would be read by nobody."""
    expected = [("CC01", "ExtlClntAppGlobalOauthSettings/help_desk", "isClientCredentialsFlowEnabled")]

    assert expected == unchecked(WEB_SERVER, tmp_path)


def test_an_app_that_says_it_does_not_use_the_flow_hears_nothing(tmp_path: Path) -> None:
    """A page of "not checked" about a flow that nobody uses hides what matters."""
    example = WEB_SERVER.but(
        "  isPkceRequired: true\n", "  isPkceRequired: true\n  isClientCredentialsFlowEnabled: false\n"
    )

    assert [] == unchecked(example, tmp_path)


def test_each_half_of_a_switch_is_named_where_it_is_off(tmp_path: Path) -> None:
    """Whoever reads it must see which of the two files to change, and where the other is."""
    ((finding,), _) = found(off(GOOD, IN_POLICIES), tmp_path, RULES)

    assert ("CC01", POLICIES, ("isClientCredentialsFlowEnabled",)) == (finding.id, str(finding.address), finding.path)
    assert "isClientCredentialsFlowEnabled is off here, but on in ExtlClntAppGlobalOauthSettings/reporting_service" == (
        finding.message
    )
    assert (
        "write isClientCredentialsFlowEnabled: true under oauthPolicies, or"
        " isClientCredentialsFlowEnabled: false under globalOauthSettings" == finding.mend
    )
    assert ["ExtlClntAppGlobalOauthSettings/reporting_service"] == [str(address) for address in finding.also]


def test_a_switch_that_is_on_in_the_settings_alone_needs_no_user_yet(tmp_path: Path) -> None:
    """One mistake, one finding: the user belongs to the policies, and those say that the flow is off."""
    example = off(GOOD, IN_POLICIES).but(f"  clientCredentialsFlowUser: {USER}\n", "")

    assert [("CC01", POLICIES, "isClientCredentialsFlowEnabled")] == broken(example, tmp_path)


def test_a_half_that_no_file_declares_is_not_checked(tmp_path: Path) -> None:
    """The policies may be another team's."""
    example = GOOD.but(IN_POLICIES, "clientCredentialsFlowUser")

    assert [("CC01", POLICIES, "isClientCredentialsFlowEnabled")] == unchecked(example, tmp_path, cc.both_switches)


# -- the user ---------------------------------------------------------------------------------------------------------------


def test_a_user_who_is_left_over_is_named(tmp_path: Path) -> None:
    """One flipped switch, and whoever has the secret acts as that user."""
    example = off(off(GOOD, IN_POLICIES), IN_SETTINGS)

    ((finding,), _) = found(example, tmp_path, RULES)
    assert ("CC02", POLICIES, Severity.MEDIUM) == (finding.id, str(finding.address), finding.severity)
    assert f"clientCredentialsFlowUser is {USER}" in finding.message

    connected = CONNECTED.but("isClientCredentialEnabled: true", "isClientCredentialEnabled: false")
    assert [("CC06", CONNECTED_APP, "oauthConfig.oauthClientCredentialUser")] == broken(
        connected, tmp_path / "connected"
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(), ("CC02", Severity.HIGH, f"the org has no user {USER}")),
        (knowing(active=False), ("CC02", Severity.HIGH, f"{USER} is inactive")),
        (knowing(api_only=False), ("CC02", Severity.MEDIUM, f"{USER} is not API-only, so it may log in like a person")),
        (
            knowing(profile="System Administrator"),
            ("CC03", Severity.MEDIUM, f"{USER} has the profile System Administrator"),
        ),
        (knowing(profile="Systeembeheerder"), ("CC03", Severity.MEDIUM, f"{USER} has the profile Systeembeheerder")),
    ],
)
@pytest.mark.parametrize(
    ("example", "address", "path"),
    [
        (GOOD, POLICIES, ("clientCredentialsFlowUser",)),
        (CONNECTED, CONNECTED_APP, ("oauthConfig", "oauthClientCredentialUser")),
    ],
)
def test_who_must_not_run_the_flow(
    tmp_path: Path,
    example: Example,
    address: str,
    path: tuple[str, ...],
    facts: Facts,
    expected: tuple[str, Severity, str],
) -> None:
    """Whoever has the key and the secret can do what that user can, whichever sort of app it is."""
    ((finding,), _) = found(replace(example, facts=facts), tmp_path, RULES)

    assert (*expected, address, path) == (
        finding.id,
        finding.severity,
        finding.message,
        str(finding.address),
        finding.path,
    )


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            Facts(unknown={"users": "INSUFFICIENT_ACCESS"}, secrets={"reporting_service": "2026-11-01"}),
            ["CC02", "CC03"],
        ),
        (knowing(api_only=None), ["CC02"]),
        (knowing(profile=""), ["CC03"]),
    ],
)
def test_what_the_org_does_not_say_of_the_user_is_not_checked(
    tmp_path: Path, facts: Facts, expected: list[str]
) -> None:
    """Without the permission to see users, neither "fine" nor an alarm is true."""
    findings, not_checked = found(replace(GOOD, facts=facts), tmp_path, RULES)

    assert ((), expected) == (findings, [one.id for one in not_checked])


def test_offline_the_user_is_not_checked_and_one_that_is_not_declared_neither(tmp_path: Path) -> None:
    """Only an org knows its users."""
    rules = (cc.flow_user, cc.no_administrator)
    expected = [(id, POLICIES, "clientCredentialsFlowUser") for id in ("CC02", "CC03")]

    assert expected == unchecked(GOOD, tmp_path, *rules)
    assert expected == unchecked(GOOD.but(f"  clientCredentialsFlowUser: {USER}\n", ""), tmp_path / "none", *rules)


# -- the secret ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("2025-11-22T10:00:00.000+0000", []),
        ("2025-11-21", ["CC04"]),
        ("2019-01-01T00:00:00Z", ["CC04"]),
        ("2027-01-01", []),
    ],
)
def test_a_secret_lives_a_year(tmp_path: Path, made: str, expected: list[str]) -> None:
    """Everybody who ever had it still has it. (Today is 22 November 2026.)"""
    facts = replace(knowing(), secrets={"reporting_service": made})

    assert expected == [id for id, *_ in broken(replace(GOOD, facts=facts), tmp_path)]


def test_an_old_secret_is_named_for_an_app_of_any_flow(tmp_path: Path) -> None:
    """A web server's secret leaks like any other; the date and the age say how urgent it is."""
    facts = Facts(secrets={"help_desk": "2024-11-22"})

    ((finding,), _) = found(replace(WEB_SERVER, facts=facts), tmp_path, [cc.young_secret])
    assert "ExternalClientApplication/help_desk" == str(finding.address)
    assert "the secret of help_desk was made on 2024-11-22, 730 days ago; 365 are the limit" == finding.message


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (knowing(), "the org tells it of staged and rotated secrets only"),
        (
            replace(knowing(), unknown={"secrets": "not currently enabled"}),
            "the org did not tell (not currently enabled)",
        ),
        (
            replace(knowing(), secrets={"reporting_service": "soon"}),
            "the org tells it of staged and rotated secrets only",
        ),
    ],
)
def test_a_secret_of_unknown_age_is_not_checked_and_why(tmp_path: Path, facts: Facts, reason: str) -> None:
    """An app whose secret is all that a client needs; of others it would be noise."""
    if facts.secrets.get("reporting_service") != "soon":
        facts = replace(facts, secrets={})

    findings, (not_checked,) = found(replace(GOOD, facts=facts), tmp_path, [cc.young_secret])
    assert ((), APP) == (findings, str(not_checked.address))
    assert reason in not_checked.message
    assert ((), ()) == found(replace(WEB_SERVER, facts=facts), tmp_path / "web", [cc.young_secret])


# -- scopes -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "severity", "message"),
    [
        ("[Api, Web, Full]", Severity.MEDIUM, "reporting_service has Full and Web, which the client credentials flow never gives"),
        ("[Api, OfflineAccess]", Severity.MEDIUM, "reporting_service has OfflineAccess, which the client credentials flow never gives"),
        ("[Full]", Severity.HIGH, "reporting_service has no scope but Full, so the client credentials flow gives it no token"),
        ("[]", Severity.HIGH, "reporting_service has no scope, so the client credentials flow gives it no token"),
        ("[Full]\n  commaSeparatedCustomScopes: [Orders]", Severity.MEDIUM, "reporting_service has Full, which the client credentials flow never gives"),
    ],
)  # fmt: skip
def test_scopes_that_the_flow_never_gives(tmp_path: Path, scopes: str, severity: Severity, message: str) -> None:
    """The app seems to have them; the program finds out in production."""
    example = GOOD.but("commaSeparatedOauthScopes: [Api]", f"commaSeparatedOauthScopes: {scopes}")

    ((finding,), _) = found(example, tmp_path, RULES)
    assert ("CC05", severity, message) == (finding.id, finding.severity, finding.message)
    assert finding.mend.startswith("write commaSeparatedOauthScopes: [Api] under oauthSettings")


def test_scopes_that_no_file_declares_are_not_checked(tmp_path: Path) -> None:
    """The org may hold any."""
    example = GOOD.but("oauthSettings:\n  commaSeparatedOauthScopes: [Api]\n", "")
    expected = [("CC05", "ExtlClntAppOauthSettings/reporting_service", "commaSeparatedOauthScopes")]

    assert expected == unchecked(example, tmp_path, cc.scopes_that_are_given)


def test_an_app_without_its_settings_record_is_not_told_of_scopes(tmp_path: Path) -> None:
    """That the record is missing is said once, by the rule about records."""
    assert [] == broken(GOOD.but("oauthSettings:\n  commaSeparatedOauthScopes: [Api]\n", ""), tmp_path)


@pytest.mark.parametrize(
    "rule",
    [cc.both_switches, cc.flow_user, cc.no_administrator, cc.scopes_that_are_given],
    ids=lambda rule: rule.id,
)
@pytest.mark.parametrize("kind", ["ExtlClntAppGlobalOauthSettings", "ExtlClntAppOauthConfigurablePolicies"])
def test_a_plan_that_switches_the_flow_on_is_told_what_is_missing(tmp_path: Path, rule: Rule, kind: str) -> None:
    """A plan is judged by what it changes; switching the flow on in one record may break a rule in another."""
    scope = {Address(kind, "reporting_service")}

    findings, _ = judge(world(rule.bad, tmp_path), rules=[rule], scope=scope)
    assert [rule.id] == [f.id for f in findings]


def test_such_scopes_are_fine_in_an_app_without_the_flow(tmp_path: Path) -> None:
    """People who log in through a browser need them."""
    example = WEB_SERVER.but("[Api, RefreshToken]", "[Api, Web, Full, RefreshToken]")

    assert [] == broken(example, tmp_path)


# -- connected apps, and the wrong type -----------------------------------------------------------------------------------------


def test_a_connected_apps_user_that_no_file_declares_is_not_checked(tmp_path: Path) -> None:
    """The org may hold it."""
    example = CONNECTED.but(f"  oauthClientCredentialUser: {USER}\n", "")

    assert [("CC06", CONNECTED_APP, "oauthConfig.oauthClientCredentialUser")] == unchecked(
        example, tmp_path, cc.connected_app_user
    )


@pytest.mark.parametrize("switch", ["  isClientCredentialEnabled: false\n", ""])
def test_a_connected_app_without_the_flow_hears_nothing_of_its_user(tmp_path: Path, switch: str) -> None:
    """Offline, a flow that is off or that no file speaks of asks for nobody."""
    example = CONNECTED.but(f"  isClientCredentialEnabled: true\n  oauthClientCredentialUser: {USER}\n", switch)

    assert [] == unchecked(example, tmp_path, cc.connected_app_user)


def test_a_connected_app_with_its_user_is_in_order(tmp_path: Path) -> None:
    """Nothing to mend, and nothing left to ask."""
    assert ((), ()) == found(CONNECTED, tmp_path, [cc.flow_user, cc.no_administrator, cc.connected_app_user])
    assert [] == unchecked(CONNECTED, tmp_path / "files", cc.connected_app_user)


def test_the_wrong_type_is_told_apart_from_the_right_one(tmp_path: Path) -> None:
    """Salesforce Help names the wrong type; who followed it needs the right one."""
    ((finding,), _) = found(cc.right_policies.bad, tmp_path, RULES)

    assert ("isClientCredentialsFlowEnabled is no field of ExtlClntAppConfigurablePolicies", (POLICIES,)) == (
        finding.message,
        tuple(str(address) for address in finding.also),
    )
    assert "write it under oauthPolicies, which is ExtlClntAppOauthConfigurablePolicies" == finding.mend


def test_a_secrets_age_that_nobody_asked_for_says_how_to_ask(tmp_path: Path) -> None:
    """Asking brings the secrets along, so it is somebody's decision; a line that only says "not known" leads nowhere."""
    here = world(GOOD, tmp_path)
    facts = replace(here.facts or Facts(), secrets={}, unknown={"secrets": NOT_ASKED})
    _, unchecked = judge(replace(here, facts=facts), rules=[all_rules()["CC04"]])

    assert ["--secret-ages" in one.message for one in unchecked] == [True]
