"""Who changed what, and how sure that is: a record's last change held against the audit trail and the deployments. Pure.

No source is enough alone. A record's last change names one person for the whole record, who may have touched another
field of it; an enablement changed by DML leaves its handler's date alone; the audit trail says in prose what happened,
and some changes write nothing into it. So a name is given with a confidence:

high      the trail has an entry of that user, within two minutes of the record's last change, that names the record (or,
          less precisely, its app or handler), and no entry of anybody else names it that precisely. Entries that our own
          deployments wrote are neither proof nor doubt: the baseline holds what they brought.
medium    one source only: the last change, without such an entry or with somebody else's beside it; or, of what is gone,
          the latest entry that names it and speaks of a deletion, ours only if there is no other; or, of an enablement
          whose own row does not say it, the one person who has entries naming its handler.
unknown   neither. Nobody is named rather than the wrong one.

What the trail tells is bounded by where it was asked to begin: it should begin at the baseline, or somebody who changed
the record before its last change goes unseen.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.facts import AuditEntry, Deployment, History, moment
from reconciler.kinds import ENABLEMENT
from reconciler.model import GONE, Address, Attribution, Confidence, Finding, Modified
from reconciler.security import Direction, Severity

TOLERANCE = timedelta(seconds=120)
"""So far may an audit entry lie from the record's date: one is written when the edit begins, the other when it is stored."""
_WORD = re.compile(r"\w+")
_DELETION = frozenset({"delete", "deleted", "deletes", "remove", "removed", "removes", "uninstalled"})
_NO_TRACE = ("Failed", "Canceled")
"""A deployment that ended like this was rolled back."""


def attributed(
    findings: Iterable[Finding], history: History, ours: Collection[str], records: Mapping[Address, str]
) -> tuple[Finding, ...]:
    """The findings, each with who and when, and with the deployment under way that explains it.

    `ours` are ids of our own deployments, `records` the records' names in the org. The date of an attribution is in whole
    seconds, which is what Salesforce keeps.
    """
    evidence = _Evidence(history, ours)
    known: dict[tuple[Address, Modified, str], tuple[Attribution, str]] = {}
    found = []
    for finding in findings:
        key = finding.address, finding.modified, finding.id
        if key not in known:
            known[key] = evidence.judge(finding, records.get(finding.address, finding.address.name))
        attribution, deferred = known[key]
        found.append(replace(finding, attribution=attribution, deferred="" if _is_grave(finding) else deferred))
    return tuple(found)


def _is_grave(finding: Finding) -> bool:
    """A deployment lands as a whole, so what is seen while it is under way may well be somebody's hand. What opens the org
    is not put off for it."""
    return finding.direction is Direction.WEAKENS and finding.severity >= Severity.HIGH


@dataclass(frozen=True, slots=True)
class _Entry:
    """An audit entry, with its date and words made comparable."""

    says: AuditEntry
    when: datetime | None
    words: frozenset[str]
    ours: bool
    """True if one of our own deployments wrote it."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A deployment that changed the org, or may still."""

    deployment: Deployment
    begin: datetime
    end: datetime | None

    def holds(self, when: datetime) -> bool:
        return self.begin <= when and (self.end is None or when <= self.end)


class _Evidence:
    """What the org remembers, looked up by name and by user."""

    def __init__(self, history: History, ours: Collection[str]) -> None:
        self._ours = {one[:15] for one in ours}
        self._windows: dict[str, list[_Window]] = {}
        for window in sorted(filter(None, map(_window, history.deployments)), key=_begin):
            self._windows.setdefault(window.deployment.by_id[:15], []).append(window)
        self._rows = {(handler.casefold(), app.casefold()): row for (handler, app), row in history.enablements.items()}
        self._usernames = {entry.by_id[:15]: entry.by for entry in history.entries if entry.by_id and entry.by}
        self._usernames |= {one.by_id[:15]: one.by for one in history.deployments if one.by_id and one.by}
        self._naming: dict[str, list[_Entry]] = {}
        self._of_user: dict[str, list[_Entry]] = {}
        for entry in history.entries:
            one = self._entry(entry)
            for word in one.words:
                self._naming.setdefault(word, []).append(one)
            if one.when is not None:
                self._of_user.setdefault(entry.by_id[:15], []).append(one)
        for dated in self._of_user.values():
            dated.sort(key=_date)

    def _entry(self, entry: AuditEntry) -> _Entry:
        when = moment(entry.date)
        deployment = self._deployment(entry.by_id[:15], when)
        words = frozenset(_WORD.findall(entry.display.casefold()))
        return _Entry(entry, when, words, deployment is not None and deployment.id[:15] in self._ours)

    def judge(self, finding: Finding, record: str) -> tuple[Attribution, str]:
        """Who, and the deployment under way that explains it, or `""`."""
        scopes = self._scopes(finding.address, record)
        modified = self._modified(finding)
        if modified.by_id or modified.by:
            return self._confirmed(modified, scopes)
        entry = _deletion(scopes) if _is_gone(finding) else None
        if entry is None and finding.address.is_enablement:
            entry = _only_person(self._entries(finding.address.name))
        if entry is None:
            return Attribution(), ""
        told = Modified(entry.says.by, entry.says.by_id, entry.says.date)
        return self._made(told, Confidence.MEDIUM, entry)

    def _modified(self, finding: Finding) -> Modified:
        if not finding.address.is_enablement:
            return finding.modified
        # The finding carries the handler's last change, which an edit of an enablement's row does not touch.
        address = finding.address
        row = self._rows.get((address.name.casefold(), _app(address).casefold()))
        return Modified(*row) if row is not None and not _is_gone(finding) else Modified()

    def _confirmed(self, modified: Modified, scopes: tuple[list[_Entry], ...]) -> tuple[Attribution, str]:
        user, when = modified.by_id[:15], moment(modified.date)
        for scope in scopes if user else ():
            named = _nearest((entry for entry in scope if entry.says.by_id[:15] == user), when)
            if named is not None:
                doubt = named.ours or any(entry.says.by_id[:15] != user and not entry.ours for entry in scope)
                return self._made(modified, Confidence.MEDIUM if doubt else Confidence.HIGH, named)
        # Whoever had logged in as that user at that minute is worth knowing, whatever the entry is about.
        dated = self._of_user.get(user, [])
        at = bisect_right(dated, when, key=_date) if when is not None else 0
        return self._made(modified, Confidence.MEDIUM, _nearest(dated[max(at - 1, 0) : at + 1], when))

    def _made(self, modified: Modified, confidence: Confidence, entry: _Entry | None) -> tuple[Attribution, str]:
        when = moment(modified.date)
        deployment = self._deployment(modified.by_id[:15], when)
        attribution = Attribution(
            by=self._usernames.get(modified.by_id[:15], modified.by),
            by_id=modified.by_id,
            date=f"{when:%Y-%m-%dT%H:%M:%S}Z" if when is not None else modified.date,
            confidence=confidence,
            delegate=entry.says.delegate if entry is not None else "",
            deployment=deployment.id if deployment is not None else "",
            ours=deployment is not None and deployment.id[:15] in self._ours,
        )
        return attribution, deployment.id if deployment is not None and deployment.in_flight else ""

    def _deployment(self, user: str, when: datetime | None) -> Deployment | None:
        """The deployment of that user that the moment falls into. An org runs one at a time."""
        windows = self._windows.get(user, []) if user else []
        if when is None or not windows:
            return None
        latest = windows[bisect_right(windows, when, key=_begin) - 1]
        return latest.deployment if latest.holds(when) else None

    def _scopes(self, address: Address, record: str) -> tuple[list[_Entry], ...]:
        """The entries that name the resource, then those that name it or what it belongs to, ever less precisely."""
        whole = self._entries(address.name)
        if not address.is_enablement:
            precise = self._entries(record)
            return precise, _together(precise, whole)
        app = self._entries(_app(address))
        of_app = {id(entry) for entry in app}
        return [entry for entry in whole if id(entry) in of_app], whole, _together(whole, app)

    def _entries(self, name: str) -> list[_Entry]:
        """The entries that say `name` as a word of its own, in whatever case."""
        words = _WORD.findall(name.casefold())
        found = self._naming.get(words[0], []) if words else []
        if words == [name.casefold()]:
            return found
        whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        return [entry for entry in found if whole.search(entry.says.display)]


def _app(address: Address) -> str:
    return address.part.removeprefix(f"{ENABLEMENT}/")


def _is_gone(finding: Finding) -> bool:
    return finding.id == GONE


def _begin(window: _Window) -> datetime:
    return window.begin


def _window(deployment: Deployment) -> _Window | None:
    """`None` for a deployment that changed nothing: a validation, one that was rolled back, one that has not begun."""
    begin, end = moment(deployment.started), moment(deployment.completed)
    if begin is None or deployment.check_only or deployment.status in _NO_TRACE:
        return None
    if end is None and not deployment.in_flight:
        return None
    return _Window(deployment, begin, None if deployment.in_flight else end)


def _nearest(entries: Iterable[_Entry], when: datetime | None) -> _Entry | None:
    """The entry nearest to a moment, if one is near."""
    if when is None:
        return None
    near = [(abs(entry.when - when), entry) for entry in entries if entry.when is not None]
    apart, found = min(near, key=lambda pair: pair[0], default=(TOLERANCE * 2, None))
    return found if apart <= TOLERANCE else None


def _together(some: list[_Entry], more: list[_Entry]) -> list[_Entry]:
    return list({id(entry): entry for entry in (*some, *more)}.values())


def _deletion(scopes: Iterable[list[_Entry]]) -> _Entry | None:
    """The latest entry that speaks of a deletion, in the most precise scope that has one; of ours if there is no other:
    the baseline holds what we deleted and made anew."""
    found = [[entry for entry in scope if entry.words & _DELETION] for scope in scopes]
    others = ([entry for entry in entries if not entry.ours] for entries in found)
    return next((max(entries, key=_date) for entries in (*others, *found) if entries), None)


def _only_person(entries: list[_Entry]) -> _Entry | None:
    """The latest entry, if all but ours are one person's."""
    others = [entry for entry in entries if not entry.ours]
    return max(others, key=_date) if len({entry.says.by_id[:15] for entry in others}) == 1 else None


def _date(entry: _Entry) -> datetime:
    return entry.when or _LONG_AGO


_LONG_AGO = moment("0001-01-02T00:00:00Z") or datetime.min
