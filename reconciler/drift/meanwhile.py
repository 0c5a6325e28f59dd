"""What others did to a record between the last look at it and our deployment, which replaced the record whole. Pure.

An org keeps no earlier version of a record: once it is replaced, what someone had changed a moment before is gone, and only
the audit trail still has a line about it. All dates are the org's own. A record's last change at the last look is where the
window begins, the end of our deployment is where it ends; what comes later is not undone, and is drift like any other.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from reconciler.drift.attribution import TOLERANCE
from reconciler.kinds import HANDLER, all_kinds
from reconciler.model.address import Address
from reconciler.model.changes import Component
from reconciler.model.facts import AuditEntry, Deployment, History, moment
from reconciler.model.finding import UNDONE, Attribution, Confidence, Finding
from reconciler.model.live import LiveState, Modified
from reconciler.schema.record_id import same_id, short_id
from reconciler.schema.severity import Severity

_WORD = re.compile(r"\w+")
_Window = tuple[Deployment, datetime, datetime]


def looked_at(components: Sequence[Component], live: LiveState) -> Mapping[Address, Modified]:
    """Return the last change of each record that is about to be replaced."""
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
    known = {short_id(one) for one in ours}
    windows = [(one, begin, end) for one in history.deployments for begin, end in _times(one)]
    own = [(one, begin, end) for one, begin, end in windows if short_id(one.id) in known]
    if not own:
        # Without our own deployment no one can tell its entries from those of others.
        return
    begun, ended = max(begin for _, begin, _ in own), max(end for _, _, end in own)
    foreign = [window for window in windows if window not in own]
    dated = [(entry, when) for entry in history.entries if (when := moment(entry.date)) is not None]
    within = [any(_did(*window, entry, when) for window in own) for entry, when in dated]
    if foreign:
        # Of what lies within our own deployment some may be of another that ran beside it.
        beside = [pair for pair, inside in zip(dated, within, strict=True) if inside]
        entries_of: dict[Address, list[tuple[datetime, AuditEntry]]] = {}
        for (entry, when), named in zip(beside, _about(beside, components, handlers), strict=True):
            for component in named:
                entries_of.setdefault(component.address, []).append((when, entry))
        for component in components:
            entries = entries_of.get(component.address, ())
            for said, moved, other in _beside(component, entries, looked, own, foreign):
                yield _finding(component, said, moved, other)
    outside = [pair for pair, inside in zip(dated, within, strict=True) if not inside and pair[1] <= ended]
    named_apps = _Names(apps)
    for (entry, when), named in zip(outside, _about(outside, components, handlers), strict=True):
        brought = next(((one, begin) for one, begin, end in windows if _did(one, begin, end, entry, when)), None)
        # By a deployment it was done when that had begun, and not before.
        first = brought[1] if brought is not None else begun
        for component in named:
            if _is_new(entry, when, component, looked, min(first, begun), begun, named_apps):
                yield _finding(component, entry, when, brought[0] if brought is not None else None)


class _Names:
    """Names that are looked for in many texts. Of each text only those are compared that begin with a word of it."""

    def __init__(self, names: Collection[str]) -> None:
        self._by_word: dict[str, list[str]] = {}
        for name in sorted(set(names)):
            word = _WORD.search(name)
            self._by_word.setdefault(word[0].lower() if word is not None else "", []).append(name)

    def within(self, text: str) -> Iterator[str]:
        """Yield the names that stand in a text as whole words, in whatever letter case."""
        for word in {"", *(found.lower() for found in _WORD.findall(text))}:
            for name in self._by_word.get(word, ()):
                if _names(text, name):
                    yield name


def _about(
    entries: Sequence[tuple[AuditEntry, datetime]], components: Sequence[Component], handlers: Collection[str]
) -> list[list[Component]]:
    """Return for each entry the components that it is about, in their order.

    A deployment of thousands of records writes as many entries, so not every pair of them is looked at.
    """
    if not entries:
        return []
    by_name: dict[str, list[int]] = {}
    for number, component in enumerate(components):
        for name in {component.record, component.address.name} - {""}:
            by_name.setdefault(name, []).append(number)
    names, kinds, known_handlers = _Names(by_name), _Names(all_kinds()), _Names(handlers)
    result = []
    for entry, _ in entries:
        numbers = {number for name in names.within(entry.display) for number in by_name[name]}
        named = [components[number] for number in sorted(numbers)]
        spoken = frozenset(kinds.within(entry.display)) if named else frozenset()
        has_handler = bool(named) and any(known_handlers.within(entry.display))
        result.append([one for one in named if _is_about(entry, one, spoken, has_handler)])
    return result


def _beside(
    component: Component,
    entries: Sequence[tuple[datetime, AuditEntry]],
    looked: Mapping[Address, Modified],
    own: Sequence[_Window],
    foreign: Sequence[_Window],
) -> Iterator[tuple[AuditEntry, datetime, Deployment]]:
    """Yield audit entries that may be of another deployment by our user, under way at the same time as ours.

    A deployment writes one entry for a record. Of more than that the last is ours: what it left is what was read back.
    """
    since = moment(looked.get(component.address, Modified()).date)
    found = sorted(
        (
            (when, entry)
            for when, entry in entries
            if (since is None or when > since) and any(_did(*window, entry, when) for window in own)
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
    return same_id(one.by_id, entry.by_id) and begin <= when <= end


def _is_about(entry: AuditEntry, component: Component, kinds: frozenset[str], has_handler: bool) -> bool:
    """Whether an entry that names a record is about it: it names no other kind than its own, since an app's satellites are
    called after it, and no handler if it is none."""
    if component.address.kind != HANDLER and has_handler:
        return False
    is_named = _names(entry.display, component.record) or not component.address.is_satellite
    return kinds <= {component.address.kind} and is_named


def _is_new(
    entry: AuditEntry,
    when: datetime,
    component: Component,
    looked: Mapping[Address, Modified],
    begun: datetime,
    own_begun: datetime,
    apps: _Names,
) -> bool:
    last = looked.get(component.address, Modified())
    since = moment(last.date)
    if component.address.kind == HANDLER and any(apps.within(entry.display)):
        return when >= begun
    if since is None:
        # There was no record at the last look: what is older than our deployment is of an earlier one of that name.
        return when >= own_begun
    if not same_id(entry.by_id, last.by_id):
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
