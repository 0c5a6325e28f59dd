"""Dates the baseline: when each record was last known to be as the baseline has it, by the org's own clock. Pure.

An org gives no date of a reading, but each record has the date of its last change. A record that is as the baseline has it
when it is read was last changed at that date, so whatever changed it afterwards was done later. That bounds whom a change
may be put down to: without it, everyone who ever touched an app would come into question for good.
"""

from dataclasses import replace

from reconciler.drift import compare
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.facts import moment
from reconciler.model.live import LiveState, Modified


def dated(before: Baseline, after: Baseline, live: LiveState) -> Baseline:
    """The baseline `after` with the date of each record that `live` has just as it should be.

    A record with drift keeps its date: what changed it may be older than its last change.
    """
    drifted = {finding.address for finding in compare.findings(after, live)}
    latest = newest(live)
    dates: dict[Address, Modified] = {}
    for address, applied in after.resources.items():
        known, have = before.as_of.get(address), live.resources.get(address)
        if have is not None and address not in drifted:
            # A row of an enablement has a date of its own, which no reading tells. It is no newer than the newest of all.
            is_new = address.is_enablement and applied != before.resources.get(address)
            known = _later(known, latest if is_new else have.modified)
        if known is not None:
            dates[address] = known
    return replace(after, as_of=dates)


def newest(live: LiveState) -> Modified:
    """The latest change in the org that a reading shows: the org's clock was at least there."""
    latest = max((have.modified for have in live.resources.values()), key=_date, default=Modified())
    return latest if moment(latest.date) is not None else Modified()


def _later(known: Modified | None, found: Modified) -> Modified | None:
    if moment(found.date) is None or (known is not None and _date(known) >= _date(found)):
        return known
    return Modified("", found.by_id, found.date)


def _date(modified: Modified) -> float:
    found = moment(modified.date)
    return found.timestamp() if found is not None else float("-inf")
