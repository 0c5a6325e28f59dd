"""Since when a record is as the baseline has it: what was done before is not what changed it."""

from dataclasses import replace

import pytest

from reconciler.drift.as_of import dated
from reconciler.model.applied import Applied, Baseline
from reconciler.model.live import LiveResource, LiveState, Modified
from tests.build import ORG, address

APP, OTHER = address("ExternalClientApplication/a"), address("ExternalClientApplication/b")
ENABLED = address("OauthTokenExchangeHandler/Idp/enablements/a")
NINE, TEN, NOON = (Modified("Dana", "005D", f"2026-01-02T{hour}:00:00.000Z") for hour in ("09", "10", "12"))


def live(label: str = "x", modified: Modified = TEN, **enablement: bool) -> LiveState:
    found = {APP: LiveResource(APP, {"label": label}, "a", modified), OTHER: LiveResource(OTHER, {}, "b", NOON)}
    tie = {"isDefault": False, **enablement}
    return LiveState(ORG, {**found, ENABLED: LiveResource(ENABLED, tie, "Idp", NINE)})


def baseline(label: str = "x", known: Modified | None = None, **enablement: bool) -> Baseline:
    resources = {APP: Applied({"label": label}, "a"), ENABLED: Applied({"isDefault": False, **enablement}, "Idp")}
    return Baseline(ORG.id, "p", 1, resources=resources, as_of={} if known is None else {APP: known})


def test_a_record_as_it_should_be_has_the_date_of_its_last_change_and_no_name():
    """A baseline is committed: who it was belongs to the org."""
    found = dated(baseline(), baseline(), live()).as_of

    assert replace(TEN, by="") == found[APP]
    assert OTHER not in found


@pytest.mark.parametrize(("known", "expected"), [(None, None), (NINE, NINE)])
def test_a_record_with_drift_keeps_its_date(known: Modified | None, expected: Modified | None):
    """Eli's edit of yesterday is what is different, though somebody touched another field today."""
    assert expected == dated(baseline(known=known), baseline(), live("changed")).as_of.get(APP)


@pytest.mark.parametrize("date", ["", "once", "2026-01-02T09:00:00.000Z"])
def test_a_date_never_goes_back(date: str):
    """A record that could not be read back has none."""
    known = replace(TEN, by="")

    assert known == dated(baseline(known=known), baseline(), live(modified=Modified("", "", date))).as_of[APP]


def test_an_enablement_that_the_baseline_takes_up_is_as_new_as_the_newest_record():
    """Its own row has a date that no reading tells; its handler's would be that of last year's deployment."""
    assert replace(NOON, by="") == dated(baseline(isDefault=True), baseline(), live()).as_of[ENABLED]
    assert replace(NINE, by="") == dated(baseline(), baseline(), live()).as_of[ENABLED]


def test_what_is_gone_keeps_its_date():
    """Who deleted it did so after it was last seen."""
    assert NINE == dated(baseline(known=NINE), baseline(), LiveState(ORG, {})).as_of[APP]
