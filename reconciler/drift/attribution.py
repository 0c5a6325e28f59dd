"""Finds out who changed what, and how sure that is, from records' last changes, the audit trail and deployments. Pure.

No source is enough alone. A record's last change names one person for the whole record, who may have touched another
field of it; an enablement changed by DML leaves its handler's date alone; the audit trail says in prose what happened,
and some changes write nothing into it. So a person is named as the one who changed a field only with an entry of the
trail to show for it. Who else touched the record since its value was last known is listed beside, as having touched
it, which says no more than it means.

high      the trail has an entry of that user, within two minutes of the record's last change, that names the record (or,
          less precisely, its app or handler), and no one else has one. Or it names the field, and no one else has one.
          Entries that our own deployments wrote are neither proof nor doubt: the baseline holds what they brought.
medium    the trail alone: no one else has an entry, and the record's last change is not that one; or an entry names the
          field, and others have entries that may be about anything; or, of what is gone or has appeared, the latest entry
          that names it and speaks of that.
unknown   several people touched the record and no entry tells them apart; or only the record's last change has a name.
          They are listed, and no one is named rather than the wrong one.

What the trail tells is bounded by where it was asked to begin: it should begin at the baseline, or someone who changed
the record before its last change goes unseen. A trail of which only a part could be read proves no one the only one.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.model.address import Address
from reconciler.model.facts import AuditEntry, Deployment, History, moment
from reconciler.model.finding import DESIRED, GONE, UNMANAGED, Attribution, Confidence, Finding, Touch
from reconciler.model.live import Modified
from reconciler.schema.paths import field_at
from reconciler.schema.record_id import same_id, short_id
from reconciler.schema.severity import Direction, Severity

TOLERANCE = timedelta(seconds=120)
"""So far may an audit entry lie from the record's date: one is written when the edit begins, the other when it is stored."""
_WORD = re.compile(r"\w+")
_DELETION = frozenset({"delete", "deleted", "deletes", "remove", "removed", "removes", "uninstalled"})
_CREATION = frozenset({"add", "added", "adds", "create", "created", "creates", "inserted", "installed"})
_VALUES = re.compile(r"\"[^\"]*\"|'[^']*'|\b(?:from|to)\b.*", re.DOTALL)
"""What an entry quotes, or says after from and to: values, which may be anything, the name of another field too."""
_HUMPS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_NO_TRACE = ("Failed", "Canceled")
"""A deployment that ended like this was rolled back."""


def attributed(
    findings: Iterable[Finding],
    history: History,
    ours: Collection[str],
    records: Mapping[Address, str],
    as_of: Mapping[Address, Modified] | None = None,
) -> tuple[Finding, ...]:
    """The findings, each with who and when, and with the deployment under way that explains it.

    `ours` are ids of our own deployments, `records` the records' names in the org, `as_of` the last change of each record
    that the baseline has seen: what was done before is not what changed it. The date of an attribution is in whole seconds,
    which is what Salesforce keeps.
    """
    evidence = _Evidence(history, ours, records, as_of or {})
    known: dict[tuple[Address, Modified, str, tuple[str, ...]], tuple[Attribution, str]] = {}
    found = []
    for finding in findings:
        key = finding.address, finding.modified, finding.id, finding.path
        if key not in known:
            known[key] = evidence.judge(finding, records.get(finding.address, finding.address.name))
        attribution, deferred = known[key]
        found.append(replace(finding, attribution=attribution, deferred="" if _is_grave(finding) else deferred))
    return tuple(found)


def _is_grave(finding: Finding) -> bool:
    """Whether drift is reported at once although a deployment under way may explain it: it opens the org, and a
    deployment shows nothing before it lands."""
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

    def __init__(
        self, history: History, ours: Collection[str], records: Iterable[Address], as_of: Mapping[Address, Modified]
    ) -> None:
        self._ours = {short_id(one) for one in ours}
        self._as_of = as_of
        self._unread = "" if "audit" not in history.unknown else _unread(history)
        # A trail that was read in part is whole for what happened after its oldest entry.
        self._from = moment(history.entries[-1].date) if history.entries and self._unread else None
        self._windows: dict[str, list[_Window]] = {}
        for window in sorted(filter(None, map(_window, history.deployments)), key=_begin):
            self._windows.setdefault(short_id(window.deployment.by_id), []).append(window)
        self._rows = {(handler.casefold(), app.casefold()): row for (handler, app), row in history.enablements.items()}
        self._usernames = {short_id(entry.by_id): entry.by for entry in history.entries if entry.by_id and entry.by}
        self._usernames |= {short_id(one.by_id): one.by for one in history.deployments if one.by_id and one.by}
        self._naming: dict[str, list[_Entry]] = {}
        self._of_user: dict[str, list[_Entry]] = {}
        for entry in history.entries:
            one = self._entry(entry)
            for word in one.words:
                self._naming.setdefault(word, []).append(one)
            if one.when is not None:
                self._of_user.setdefault(short_id(entry.by_id), []).append(one)
        for dated in self._of_user.values():
            dated.sort(key=_date)
        self._of_enablements: set[int] = set()
        for address in records:
            if address.is_enablement:
                of_app = {id(entry) for entry in self._entries(_app(address))}
                self._of_enablements |= {id(entry) for entry in self._entries(address.name)} & of_app

    def _entry(self, entry: AuditEntry) -> _Entry:
        when = moment(entry.date)
        deployment = self._deployment(short_id(entry.by_id), when)
        words = frozenset(_WORD.findall(entry.display.casefold()))
        return _Entry(entry, when, words, deployment is not None and short_id(deployment.id) in self._ours)

    def judge(self, finding: Finding, record: str) -> tuple[Attribution, str]:
        """Return who changed something, and the id of a deployment under way that explains it, or an empty text."""
        known = self._as_of.get(finding.address, Modified())
        since = moment(known.date)
        whole = [self._without_other(finding.address, scope) for scope in self._scopes(finding.address, record)]
        scopes = tuple(_since(known, scope) for scope in whole)
        last = self._modified(finding)
        precise = bool(whole[0]) or finding.address.is_enablement
        around = _around(finding.address, scopes, precise=precise)
        touches = self._touches(around, last)
        named = self._named(finding, record, scopes, around, last, len(touches), since)
        if named is None:
            return self._unnamed(finding, around, last, touches)
        (modified, entry), confidence, because = named
        return self._made(modified, entry, confidence, because, touches, sole=len(touches) < 2)

    def _modified(self, finding: Finding) -> Modified:
        if not finding.address.is_enablement:
            return finding.modified
        # The finding carries the handler's last change, which an edit of an enablement's row does not touch.
        address = finding.address
        row = self._rows.get((address.name.casefold(), _app(address).casefold()))
        return Modified(*row) if row is not None and not _is_gone(finding) else Modified()

    def _named(
        self,
        finding: Finding,
        record: str,
        scopes: tuple[list[_Entry], ...],
        around: list[_Entry],
        last: Modified,
        people: int,
        since: datetime | None,
    ) -> tuple[tuple[Modified, _Entry], Confidence, str] | None:
        """The one who did it, the entry that shows it, how sure that is, and why; `None` if no entry does."""
        if finding.id in (GONE, UNMANAGED):
            words, what = (_DELETION, "deletion") if _is_gone(finding) else (_CREATION, "creation")
            # What came into being with its app or handler is the business of the record's own entries.
            spoken = _speaking(scopes if _is_gone(finding) else scopes[:1], words)
            only = None if _is_gone(finding) else self._only(finding, scopes, around, last, people, since)
            if spoken is not None and only is None:
                because = f"the latest audit entry that names it and speaks of its {what}"
                return (self._said(spoken), spoken), Confidence.MEDIUM, because
        elif finding.id != DESIRED and (says := _says(finding, record)) is not None:
            naming = [entry for entry in around if entry.says.by_id and not entry.ours and says(entry)]
            if naming and (latest := _latest(naming)) is not None:
                return (self._said(latest), latest), *_of_field(naming, people)
        # What was deleted, a change of it does not explain.
        return None if _is_gone(finding) else self._only(finding, scopes, around, last, people, since)

    def _only(
        self,
        finding: Finding,
        scopes: tuple[list[_Entry], ...],
        around: list[_Entry],
        last: Modified,
        people: int,
        since: datetime | None,
    ) -> tuple[tuple[Modified, _Entry], Confidence, str] | None:
        """The one person who touched the record, if the trail shows that there was no other."""
        others = [entry for entry in around if not entry.ours]
        if people != 1 or not others or not others[0].says.by_id or finding.id == DESIRED:
            return None
        if self._unread and (since is None or self._from is None or self._from > since):
            return None
        user, when = short_id(others[0].says.by_id), moment(last.date)
        entry = _nearest(others, when) if short_id(last.by_id) == user else None
        if entry is not None and not self._is_ours(last):
            return (last, entry), Confidence.HIGH, "the audit trail agrees, and has no entry of another user"
        own = [entry for entry in others if entry in scopes[0]]
        if not own:
            # What only names the app may be about another record of it.
            return None
        latest = max(own, key=_date)
        because = "the only user with audit entries about it; the record's last change is another"
        return (self._said(latest), latest), Confidence.MEDIUM, because

    def _unnamed(
        self, finding: Finding, around: list[_Entry], last: Modified, touches: tuple[Touch, ...]
    ) -> tuple[Attribution, str]:
        """Return an attribution without a name: who touched the record, and why no more can be said."""
        deployment = self._deployment(short_id(last.by_id), moment(last.date))
        ours = deployment is not None and short_id(deployment.id) in self._ours
        if not touches and not (last.by or last.by_id or last.date):
            return Attribution(because=self._unread), ""
        if ours and not touches:
            touches = (self._touch(last, None),)
        others = [entry for entry in around if not entry.ours]
        if finding.id == DESIRED:
            because = "no change of it since the last apply is known"
        elif len(touches) > 1:
            because = "which of them changed it, no audit entry tells"
        elif self._unread:
            because = f"{self._unread}, so others may have touched it before"
        elif ours:
            because = "our own deployment touched it last, and brought what the baseline has"
        elif others:
            because = "the audit entries do not say that it was this change"
        else:
            because = "no audit entry names it, so others may have touched it before"
        sole = len(touches) < 2
        made = Attribution(
            because=because,
            also=touches,
            deployment=deployment.id if deployment is not None and sole else "",
            ours=ours and sole,
        )
        return made, deployment.id if deployment is not None and deployment.in_flight and sole else ""

    def _made(
        self,
        modified: Modified,
        entry: _Entry,
        confidence: Confidence,
        because: str,
        touches: tuple[Touch, ...],
        *,
        sole: bool,
    ) -> tuple[Attribution, str]:
        deployment = self._deployment(short_id(modified.by_id), moment(modified.date))
        author = self._touch(modified, entry)
        attribution = Attribution(
            by=author.by,
            by_id=author.by_id,
            date=author.date,
            confidence=confidence,
            delegate=author.delegate,
            deployment=deployment.id if deployment is not None else "",
            ours=deployment is not None and short_id(deployment.id) in self._ours,
            because=because,
            also=tuple(one for one in touches if not same_id(one.by_id, author.by_id) or not one.by_id),
        )
        return attribution, deployment.id if deployment is not None and deployment.in_flight and sole else ""

    def _touches(self, around: list[_Entry], last: Modified) -> tuple[Touch, ...]:
        """Everyone who touched it, our own deployments aside, each at the last time; the latest first."""
        found: dict[str, tuple[datetime, Touch]] = {}
        seen: list[tuple[Modified, _Entry | None]]
        seen = [(self._said(entry), entry) for entry in around if not entry.ours]
        if (last.by or last.by_id) and not self._is_ours(last):
            seen.append((last, self._near(last)))
        for modified, entry in seen:
            person, when = short_id(modified.by_id) or f"named {modified.by}", moment(modified.date) or _LONG_AGO
            if person not in found or when >= found[person][0]:
                found[person] = when, self._touch(modified, entry)
        # Dates are in seconds: of two in one, the record's last change is the later.
        latest = short_id(last.by_id)
        order = sorted(found.values(), key=lambda pair: (pair[0], short_id(pair[1].by_id) == latest), reverse=True)
        return tuple(touch for _, touch in order)

    def _near(self, modified: Modified) -> _Entry | None:
        """Return the entry nearest in time that tells who had logged in as that user."""
        when = moment(modified.date)
        dated = self._of_user.get(short_id(modified.by_id), []) if modified.by_id else []
        at = bisect_right(dated, when, key=_date) if when is not None else 0
        return _nearest(dated[max(at - 1, 0) : at + 1], when)

    def _said(self, entry: _Entry) -> Modified:
        return Modified(entry.says.by, entry.says.by_id, entry.says.date)

    def _touch(self, modified: Modified, entry: _Entry | None) -> Touch:
        when = moment(modified.date)
        return Touch(
            self._usernames.get(short_id(modified.by_id), modified.by),
            modified.by_id,
            f"{when:%Y-%m-%dT%H:%M:%S}Z" if when is not None else modified.date,
            entry.says.delegate if entry is not None else "",
        )

    def _without_other(self, address: Address, entries: list[_Entry]) -> list[_Entry]:
        """The entries without those of an enablement that is another resource: one that names a handler and an app that it
        is enabled for is about that, and neither about the one nor about the other."""
        own = {id(entry) for entry in self._entries(_app(address))} if address.is_enablement else set()
        return [entry for entry in entries if id(entry) not in self._of_enablements or id(entry) in own]

    def _is_ours(self, modified: Modified) -> bool:
        deployment = self._deployment(short_id(modified.by_id), moment(modified.date))
        return deployment is not None and short_id(deployment.id) in self._ours

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
    return address.app


def _is_gone(finding: Finding) -> bool:
    return finding.id == GONE


def _begin(window: _Window) -> datetime:
    return window.begin


def _window(deployment: Deployment) -> _Window | None:
    """Return the time in which a deployment changed the org; `None` for a validation, a failure, or one that has not
    begun."""
    begin, end = moment(deployment.started), moment(deployment.completed)
    if begin is None or deployment.check_only or deployment.status in _NO_TRACE:
        return None
    if end is None and not deployment.in_flight:
        return None
    return _Window(deployment, begin, None if deployment.in_flight else end)


def _unread(history: History) -> str:
    """Return why the audit trail does not show everything, in a few words."""
    if history.entries:
        return f"the audit trail was read back to {history.entries[-1].date} only"
    return "the audit trail could not be read"


def _since(known: Modified, entries: list[_Entry]) -> list[_Entry]:
    """Return the audit entries after a change that the baseline has seen; those without a date stay.

    Dates are in seconds: of the very second only that user's own entry is certainly the one of that change.
    """
    since, user = moment(known.date), short_id(known.by_id)
    if since is None:
        return entries
    return [
        entry
        for entry in entries
        if entry.when is None or entry.when > since or (entry.when == since and short_id(entry.says.by_id) != user)
    ]


def _around(address: Address, scopes: tuple[list[_Entry], ...], *, precise: bool) -> list[_Entry]:
    """Return the audit entries that may be about a resource: those that name it, or else what it belongs to.

    A trail that names the records of an app apart is taken at its word. A deployment of a handler may have brought its
    enablements along and is named by the handler alone, so of an enablement the handler's entries count in any case.
    """
    if address.is_enablement:
        return scopes[1]
    return scopes[0] if precise else scopes[-1]


def _says(finding: Finding, record: str) -> Callable[[_Entry], bool] | None:
    """Decides whether an entry names the field that changed: as metadata spells it, or in words, as Setup may.

    `None` for an element of a list, which has a key and no name of its own.
    """
    path = finding.path
    if not path or len(list(field_at(finding.address.struct, path))) != len(path):
        return None
    words = " ".join(_HUMPS.findall(path[-1])).casefold()
    texts = {".".join(path).casefold(), path[-1].casefold(), words}
    field = re.compile("|".join(rf"(?<![\w.]){re.escape(text)}(?!\w)" for text in sorted(texts, key=len, reverse=True)))
    # An app may be called like a field.
    names = [record, finding.address.name, *([_app(finding.address)] if finding.address.is_enablement else [])]
    name = re.compile("|".join(rf"(?<!\w){re.escape(one.casefold())}(?!\w)" for one in names))

    def says(entry: _Entry) -> bool:
        text = _VALUES.sub(" ", name.sub(" ", entry.says.display.casefold()))
        return field.search(text) is not None

    return says


def _of_field(naming: list[_Entry], people: int) -> tuple[Confidence, str]:
    """How sure it is that the latest of those whose entries name the field is the one."""
    number = len({short_id(entry.says.by_id) for entry in naming})
    if number > 1:
        return Confidence.MEDIUM, f"the latest of the {number} people whose audit entries name the field"
    if people > 1:
        return Confidence.MEDIUM, "an audit entry of that user names the field, and no other user's does"
    return Confidence.HIGH, "an audit entry of that user names the field"


def _latest(entries: list[_Entry]) -> _Entry | None:
    """The latest entry; `None` where two people's have the same date."""
    latest = max(entries, key=_date)
    same = {short_id(entry.says.by_id) for entry in entries if _date(entry) == _date(latest)}
    return latest if len(same) == 1 else None


def _nearest(entries: Iterable[_Entry], when: datetime | None) -> _Entry | None:
    """The entry nearest to a moment, if one is near."""
    if when is None:
        return None
    near = [(abs(entry.when - when), entry) for entry in entries if entry.when is not None]
    apart, found = min(near, key=lambda pair: pair[0], default=(TOLERANCE * 2, None))
    return found if apart <= TOLERANCE else None


def _together(some: list[_Entry], more: list[_Entry]) -> list[_Entry]:
    return list({id(entry): entry for entry in (*some, *more)}.values())


def _speaking(scopes: Iterable[list[_Entry]], words: frozenset[str]) -> _Entry | None:
    """The latest entry that speaks of a deletion (or a creation), in the most precise scope that has one; of ours if there
    is no other: the baseline holds what we deleted and made anew. `None` where two people's are equally late."""
    found = [[entry for entry in scope if entry.words & words] for scope in scopes]
    others = ([entry for entry in entries if not entry.ours] for entries in found)
    return next((_latest(entries) for entries in (*others, *found) if entries), None)


def _date(entry: _Entry) -> datetime:
    return entry.when or _LONG_AGO


_LONG_AGO = moment("0001-01-02T00:00:00Z") or datetime.min
