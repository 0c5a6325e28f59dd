"""What others did to a record between the last look at it and our deployment, which replaced the record whole. Pure.

An org keeps no earlier version of a record: once it is replaced, what somebody had changed a moment before is gone, and only
the audit trail still has a line about it. All dates are the org's own. A record's last change at the last look is where the
window begins, the end of our deployment is where it ends; what comes later is not undone, and is drift like any other.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from reconciler.attribution import TOLERANCE
from reconciler.facts import AuditEntry, Deployment, History, moment
from reconciler.kinds import all_kinds
from reconciler.model import UNDONE, Address, Attribution, Component, Confidence, Finding, LiveState, Modified
from reconciler.security import Severity

_HANDLER = "OauthTokenExchangeHandler"
_Window = tuple[Deployment, datetime, datetime]


def looked_at(components: Sequence[Component], live: LiveState) -> Mapping[Address, Modified]:
    """The last change of each record that is going to be replaced, as of now."""
    return {one.address: have.modified for one in components if (have := live.resources.get(one.address)) is not None}


def undone(
    components: Sequence[Component],
    looked: Mapping[Address, Modified],
    history: History,
    ours: Collection[str],
    apps: Collection[str],
    handlers: Collection[str],
) -> Iterator[Finding]:
    """Yield a finding for each audit entry of others about a record that we replaced, made since the last look at it.

    `apps` and `handlers` are the names of all of them: an entry that names one of each is about an enablement. That is sent
    with its handler and not with its app, and no look shows its own last change: what lies within our deployment counts.
    """
    known = {one[:15] for one in ours}
    windows = [(one, begin, end) for one in history.deployments for begin, end in _times(one)]
    own = [(one, begin, end) for one, begin, end in windows if one.id[:15] in known]
    if not own:
        # Without our own deployment nobody can tell its entries from those of others.
        return
    begun, ended = max(begin for _, begin, _ in own), max(end for _, _, end in own)
    foreign = [window for window in windows if window not in own]
    for component in components:
        for said, moved, other in _beside(component, history, looked, own, foreign, handlers):
            yield _finding(component, said, moved, other)
    for entry in history.entries:
        when = moment(entry.date)
        if when is None or when > ended or any(_did(one, begin, end, entry, when) for one, begin, end in own):
            continue
        brought = next(((one, begin) for one, begin, end in windows if _did(one, begin, end, entry, when)), None)
        # By a deployment it was done when that had begun, and not before.
        first = brought[1] if brought is not None else begun
        for component in components:
            if _is_about(entry, component, handlers) and _is_new(
                entry, when, component, looked, min(first, begun), begun, apps
            ):
                yield _finding(component, entry, when, brought[0] if brought is not None else None)


def _beside(
    component: Component,
    history: History,
    looked: Mapping[Address, Modified],
    own: Sequence[_Window],
    foreign: Sequence[_Window],
    handlers: Collection[str],
) -> Iterator[tuple[AuditEntry, datetime, Deployment]]:
    """Entries that lie within our own deployment and within one of others of the same user, whose times overlap.

    A deployment writes one entry for a record. Of more than that the last is ours: what it left is what was read back.
    """
    since = moment(looked.get(component.address, Modified()).date)
    found = sorted(
        (
            (when, entry)
            for entry in history.entries
            if (when := moment(entry.date)) is not None
            and (since is None or when > since)
            and _is_about(entry, component, handlers)
            and any(_did(*window, entry, when) for window in own)
        ),
        key=lambda pair: pair[0],
    )
    mine = sum(any(_did(*window, entry, when) for when, entry in found) for window in own)
    for when, entry in found[: max(0, len(found) - mine)]:
        other = next((window[0] for window in foreign if _did(*window, entry, when)), None)
        if other is not None:
            yield entry, when, other


def _times(one: Deployment) -> Iterator[tuple[datetime, datetime]]:
    begin, end = moment(one.started), moment(one.completed)
    if begin is not None and end is not None and not one.check_only:
        yield begin, end


def _did(one: Deployment, begin: datetime, end: datetime, entry: AuditEntry, when: datetime) -> bool:
    return one.by_id[:15] == entry.by_id[:15] and begin <= when <= end


def _is_about(entry: AuditEntry, component: Component, handlers: Collection[str]) -> bool:
    """Whether an entry names the record, and no other kind than its own: an app's satellites are called after it."""
    text = entry.display
    if component.address.kind != _HANDLER and any(_names(text, handler) for handler in handlers):
        return False
    kinds = {name for name in all_kinds() if _names(text, name)} - {component.address.kind}
    return (
        not kinds
        and any(_names(text, name) for name in {component.record, component.address.name} if name)
        and (_names(text, component.record) or not component.address.is_satellite)
    )


def _is_new(
    entry: AuditEntry,
    when: datetime,
    component: Component,
    looked: Mapping[Address, Modified],
    begun: datetime,
    own_begun: datetime,
    apps: Collection[str],
) -> bool:
    last = looked.get(component.address, Modified())
    since = moment(last.date)
    if component.address.kind == _HANDLER and any(_names(entry.display, app) for app in apps):
        return when >= begun
    if since is None:
        # There was no record at the last look: what is older than our deployment is of an earlier one of that name.
        return when >= own_begun
    if entry.by_id[:15] != last.by_id[:15]:
        return when >= since
    # An entry is written a little before or after its edit is stored: near the last change of the same user it is that one.
    return when > since and (when - since > TOLERANCE or when >= begun > since)


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _finding(component: Component, entry: AuditEntry, when: datetime, brought: Deployment | None) -> Finding:
    user = entry.by or entry.by_id or "the user"
    return Finding(
        UNDONE,
        Severity.HIGH,
        component.address,
        "was touched between the last look at the org and this deployment, which replaced the whole record: what that "
        "changed may be undone",
        place=component.place,
        subject=f"{entry.date} {entry.by_id}",
        attribution=Attribution(
            by=entry.by,
            by_id=entry.by_id,
            date=f"{when:%Y-%m-%dT%H:%M:%S}Z",
            confidence=Confidence.HIGH,
            delegate=entry.delegate,
            deployment=brought.id if brought is not None else "",
            because=f"the audit trail says: {entry.display}",
        ),
        mend=f"ask {user} what was changed; declare it, or set it once more in Setup",
    )
