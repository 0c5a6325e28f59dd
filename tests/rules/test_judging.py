"""Which world rules look at, and what is known of it."""

from dataclasses import replace
from datetime import date

from reconciler.model.facts import Facts
from reconciler.model.live import LiveState
from reconciler.rules import judging
from reconciler.rules.settings import RuleSettings, Waiver
from tests.build import address, baseline, desired, live, plan

APP, POLICIES = "ExternalClientApplication/portal", "ExtlClntAppOauthConfigurablePolicies/portal"
GLOBAL, OTHER = "ExtlClntAppGlobalOauthSettings/portal", "ExtlClntAppOauthConfigurablePolicies/other"
LEGACY, HANDLER = "ConnectedApp/portal", "OauthTokenExchangeHandler/idp"
ENABLED, SCOPE = f"{HANDLER}/enablements/portal", "OauthCustomScope/orders"
TODAY = date(2026, 11, 22)


def users_of(before: LiveState, want: dict[str, dict[str, object]], **request: object) -> set[str]:
    """Whom a plan asks the org about."""
    draft = plan(desired(want), before, **request)
    return judging.users_of(draft, judging.planned(before, draft.changes))


def unused(rule: str, of: str, *, judged: LiveState | None = None, **severities: None) -> bool:
    """Whether a waiver counts as not needed, in files that declare one connected app, or in an org."""
    waiver = Waiver(rule, address(of), "old client", "iam@acme.example", date(2999, 12, 31))
    settings = RuleSettings(severities, (waiver,))
    if judged is not None:
        findings, _ = judging.org(judged, Facts(), settings, TODAY)
    else:
        findings, _ = judging.files(desired({LEGACY: {"label": "x"}}), settings, TODAY)
    return "waiver.unused" in {finding.id for finding in findings}


def test_what_belongs_to_a_deleted_app_goes_with_it():
    """An enablement of another team, for an app that is no more, would look like one that somebody forgot."""
    have = live({APP: {"label": "x"}, POLICIES: {}, HANDLER: {}, ENABLED: {"externalClientApp": "portal"}})
    draft = plan(desired({}), have, baseline({APP: {"label": "x"}}))

    assert {address(HANDLER)} == judging.planned(have, draft.changes).keys()


def test_an_app_of_another_sort_keeps_its_enablement():
    """A connected app and an external client app may be called alike."""
    have = live({APP: {"label": "x"}, HANDLER: {}, LEGACY: {"label": "y"}, ENABLED: {"connectedApp": "portal"}})
    draft = plan(desired({}), have, baseline({APP: {"label": "x"}}))

    assert {address(a) for a in (HANDLER, LEGACY, ENABLED)} == judging.planned(have, draft.changes).keys()


def test_an_org_is_asked_for_the_users_of_records_that_the_plan_leaves_alone():
    """A rule sees the whole app: a user who was never asked for would be taken for one who does not exist."""
    records = {POLICIES: {"clientCredentialsFlowUser": "robot"}, ENABLED: {"apexExecutionUser": "runner"}}
    have = live({APP: {"label": "x"}, OTHER: {"clientCredentialsFlowUser": "stranger"}, HANDLER: {}, **records})

    assert {"robot", "runner"} == users_of(have, {APP: {"label": "new"}})
    assert {"runner", "robot"} == users_of(have, {HANDLER: {"description": "new"}})
    assert set() == users_of(have, {APP: {"label": "x"}})


def test_a_scope_may_be_any_apps():
    """Its name leads to none of the apps that use it."""
    have = live({SCOPE: {"description": "x"}, OTHER: {"clientCredentialsFlowUser": "robot"}})

    assert {"robot"} == users_of(have, {SCOPE: {"description": "y"}})


def test_a_waiver_of_what_no_file_declares_is_not_unused_in_files():
    """It is there for an audit of the org; whoever followed the advice to remove it would be red there the next day."""
    assert [True, True] == [unused("OA02", LEGACY), unused("OA02", "ConnectedApp/por*")]
    assert not unused("OA02", "ConnectedApp/elsewhere")


def test_a_waiver_of_a_rule_that_asks_the_org_is_not_unused_in_files():
    """Files cannot tell whether the user is active: they never break it."""
    assert not unused("CC02", LEGACY)


def test_a_waiver_of_what_could_not_be_read_is_not_unused():
    """What nobody saw may be as bad as it was."""
    have = live({LEGACY: {"label": "x"}})

    assert unused("OA02", "ConnectedApp/gone", judged=have)
    assert not unused("OA02", LEGACY, judged=replace(have, unreadable={"ConnectedApp": "INSUFFICIENT_ACCESS"}))


def test_a_waiver_of_a_rule_that_is_off_here_is_not_unused():
    """It may be on for another org of the project, for which the waiver was written."""
    assert not unused("OA02", LEGACY, OA02=None)
