"""What others did between the last look at a record and the deployment that replaced it."""

import pytest

from reconciler.drift.as_of import newest
from reconciler.drift.meanwhile import looked_at, undone
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.facts import AuditEntry, Deployment, History
from reconciler.model.live import LiveResource, LiveState, Modified
from tests.build import ORG

CI, DANA = "005000000000009AAA", "005000000000001AAA"
GLOBAL, HANDLER = Address.parse("ExtlClntAppGlobalOauthSettings/portal"), Address.parse("OauthTokenExchangeHandler/Idp")
SENT = [Component(GLOBAL, "portal_glbloauth", {"label": "x"}), Component(HANDLER, "Idp", {})]
LOOKED = Modified("Dana", DANA, "2026-03-01T11:59:00.000Z")
OURS = Deployment("0Af000000000001AAA", "Succeeded", "ci", CI, "2026-03-01T12:00:10Z", "2026-03-01T12:00:20Z")
THEIRS = Deployment("0Af000000000002AAA", "Succeeded", "ci", CI, "2026-03-01T12:00:05Z", "2026-03-01T12:00:15Z")


def told(
    *entries: tuple[str, str, str], others: tuple[Deployment, ...] = (), ours: bool = True
) -> list[tuple[str, str]]:
    """Which records, and by which deployment, of entries (user, time, text)."""
    lines = tuple(AuditEntry(by, by, f"2026-03-01T{time}Z", "", text) for by, time, text in entries)
    history = History(lines, (*((OURS,) if ours else ()), *others))
    looked = dict.fromkeys((GLOBAL, HANDLER), LOOKED)
    found = undone(SENT, looked, history, (OURS.id[:15],), {"portal"}, {"Idp"})
    return [(str(one.address), one.attribution.deployment if one.attribution else "") for one in found]


@pytest.mark.parametrize(
    ("by", "time", "text", "expected"),
    [
        (DANA, "12:00:12", "Changed portal_glbloauth", True),
        ("005000000000003AAA", "11:59:30", "Changed portal_glbloauth", True),
        (CI, "12:00:05", "Changed portal_glbloauth", True),
        (CI, "12:00:12", "Changed portal_glbloauth", False),
        (DANA, "11:59:30", "Changed portal_glbloauth", False),
        ("005000000000003AAA", "11:58:59", "Changed portal_glbloauth", False),
        (DANA, "12:00:21", "Changed portal_glbloauth", False),
        (DANA, "12:00:12", "Changed ExternalClientApplication portal", False),
        (DANA, "12:00:12", "Changed app portal", False),
        (DANA, "12:00:12", "Changed ExtlClntAppOauthSettings portal_oauth", False),
    ],
)
def test_an_entry_counts_that_is_of_others_names_the_record_and_lies_in_between(
    by: str, time: str, text: str, expected: bool
):
    """Dates are the org's: the record's last change at the last look, and the end of our deployment."""
    assert ([(str(GLOBAL), "")] if expected else []) == told((by, time, text))


def test_an_enablement_s_entry_counts_only_within_our_deployment():
    """No look shows when a row was changed last: an edit of long before is no news."""
    text = "Changed enablement of portal for Idp"

    assert [] == told(("005000000000003AAA", "12:00:05", text))
    assert [(str(HANDLER), "")] == told(("005000000000003AAA", "12:00:12", text))


def test_an_enablement_s_entry_is_none_of_its_app():
    """The app's record has nothing of it: an edit of before would be called undone at the next apply of the app."""
    app = Address.parse("ExternalClientApplication/portal")
    entry = AuditEntry("d", DANA, "2026-03-01T12:00:12Z", "", "Changed OauthTokenExchHandlerApp Idp portal")
    sent, history = [Component(app, "portal", {})], History((entry,), (OURS,))

    assert [] == list(undone(sent, {app: LOOKED}, history, (OURS.id,), {"portal"}, {"Idp"}))
    assert [app] == [one.address for one in undone(sent, {app: LOOKED}, history, (OURS.id,), {"portal"}, set())]


def test_two_deployments_of_one_user_at_one_time_are_told_apart_by_their_entries():
    """Two clones of one project, with one login: each deployment leaves one entry, and the later is what stands."""
    two = (CI, "12:00:12", "Changed portal_glbloauth"), (CI, "12:00:18", "Changed portal_glbloauth")

    assert [(str(GLOBAL), THEIRS.id)] == told(*two, others=(THEIRS,))
    assert [] == told(two[1], others=(THEIRS,))
    assert [] == told(*two)


def test_without_our_own_deployment_nothing_is_told():
    """Its entries would be taken for a stranger's."""
    assert [] == told((DANA, "12:00:12", "Changed portal_glbloauth"), ours=False)


def test_the_org_s_clock_was_at_least_at_its_latest_change():
    """Ours may be an hour off."""
    live = LiveState(
        ORG,
        {
            GLOBAL: LiveResource(GLOBAL, {}, "x", LOOKED),
            HANDLER: LiveResource(HANDLER, {}, "Idp", Modified("", "", "once")),
        },
    )

    assert (LOOKED.date, "") == (newest(live).date, newest(LiveState(ORG, {})).date)
    assert {GLOBAL: LOOKED} == looked_at(SENT[:1], live)
