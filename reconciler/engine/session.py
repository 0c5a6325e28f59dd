"""One run: an org, a project's files and baselines, and how they are read. What could not be read is never judged."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Protocol

from reconciler.baseline.advance import remembered
from reconciler.baseline.journal import Journal
from reconciler.errors import (
    Complaint,
    InputError,
    NotAllowedError,
    Place,
    ReconcilerError,
    RefusedError,
)
from reconciler.kinds import kind
from reconciler.model import unread
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.declared import Snapshot
from reconciler.model.facts import Facts
from reconciler.model.live import NOT_RECORDED, LiveState, OrgInfo, reason_unreadable
from reconciler.model.ownership import is_of_ours
from reconciler.model.reports import CheckReport, DriftReport
from reconciler.model.spelling import Spelling
from reconciler.provider import Progress, Provider, Records
from reconciler.rules import judging
from reconciler.rules.settings import RuleSettings
from reconciler.schema.marks import Ref
from reconciler.schema.record_id import same_id
from reconciler.schema.severity import Severity
from reconciler.schema.values import SecretRef


class Baselines(Protocol):
    """Reads, writes and locks baselines and journals. `store.Store` is one implementation."""

    def load(self, org_id: str) -> Baseline: ...

    def save(self, baseline: Baseline) -> None: ...

    def journal(self, org_id: str) -> Journal | None: ...

    def note(self, journal: Journal) -> None: ...

    def forget_journal(self, org_id: str) -> None: ...

    def lock(self, org_id: str) -> AbstractContextManager[None]: ...


def silent(_: str) -> None:
    """Report no progress."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """One run: an org, a project's files and baselines, and what the user decided on the command line."""

    provider: Provider
    baselines: Baselines
    desired: Snapshot
    pinned_org_id: str = ""
    protected: bool = False
    secret: Callable[[SecretRef], str] = str
    deploy_options: Mapping[str, object] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    rules: RuleSettings = field(default_factory=RuleSettings)
    fail_on: Severity = Severity.HIGH
    """Findings from this severity on stop an apply."""
    progress: Progress = silent
    now: Callable[[], datetime] = utc_now
    watch_all: bool = True
    """Whether everything in the org is watched, declared or not; else only what is managed and what belongs to it."""


def read(session: Session) -> tuple[Baseline, LiveState]:
    """Read the baseline and the org. Raises NotAllowedError if something could not be read that is declared or in the
    baseline."""
    baseline, live = read_all(session)
    refuse_too_new(session.desired, live)
    found = unreadable(session.desired.resources.keys() | _planned_on(baseline), live)
    if found:
        raise unread_error(found, session.desired)
    return baseline, live


def _planned_on(baseline: Baseline) -> set[Address]:
    """The resources of the baseline that a plan depends on: what we manage, and what belongs to it.

    What is only watched, because the whole org is, may be unreadable without stopping a plan; drift says so.
    """
    resources = baseline.resources
    return {a for a, one in resources.items() if not one.watched or a.kind == "ApexClass" or is_of_ours(a, resources)}


def read_all(session: Session) -> tuple[Baseline, LiveState]:
    """Read the baseline and the org, after checking that it is the right org."""
    org = identified(session)
    baseline = Spelling(session.desired.resources).baseline(session.baselines.load(org.id))
    live = read_live(session.provider, session.desired, baseline, session.progress)
    return remembered(baseline, live), live


def identified(session: Session) -> OrgInfo:
    org = session.provider.org()
    if session.pinned_org_id and not same_id(session.pinned_org_id, org.id):
        message = f"this is org {org.id} ({org.name}); reconciler.yaml pins {session.pinned_org_id}"
        raise RefusedError(
            Complaint(message, mend="log in to the pinned org, or change org_id (a refreshed sandbox has a new one)")
        )
    return org


def read_live(provider: Records, desired: Snapshot, baseline: Baseline, progress: Progress) -> LiveState:
    """Read the org, including the Apex classes that the files or the baseline name."""
    return spelled(provider.read(sorted(_class_names(desired, baseline)), progress), desired, baseline)


def spelled(live: LiveState, desired: Snapshot, baseline: Baseline) -> LiveState:
    """Spell the org's names as the files and the baseline do: the org ignores letter case."""
    return Spelling(desired.resources, baseline.resources).live(live)


def _class_names(desired: Snapshot, baseline: Baseline) -> set[str]:
    """Classes that are declared, applied, or named by a record: handlers and plug-ins."""
    bodies = [(a, r.body) for a, r in desired.resources.items()] + [(a, r.body) for a, r in baseline.resources.items()]
    names: set[str] = set()
    for address, body in bodies:
        if address.kind == "ApexClass":
            names.add(address.name)
        for name in _class_fields(address.kind):
            if isinstance(body.get(name), str):
                names.add(body[name])
    # Classes of installed packages cannot be retrieved.
    return {name for name in names if name and "__" not in name}


@cache
def _class_fields(name: str) -> tuple[str, ...]:
    fields = kind(name).fields().items()
    return tuple(name for name, field in fields if (ref := field.mark(Ref)) is not None and ref.kind == "ApexClass")


def refuse_too_new(desired: Snapshot, live: LiveState) -> None:
    too_new = live.too_new
    newer = [
        Complaint(
            f"{address.kind} needs API version {address.schema.since:.1f}; the org is read at {live.org.api_version}",
            want.origin.at(),
            "raise api_version in reconciler.yaml, or remove it",
        )
        for address, want in desired.resources.items()
        if address.kind in too_new
    ]
    if newer:
        raise InputError(*newer)


def unreadable(addresses: Iterable[Address], live: LiveState) -> dict[str, str]:
    """Which of the addresses could not be read from the org, and why."""
    hidden = live.hidden
    if not hidden:
        return {}
    return {str(a): why for a in sorted(addresses) if (why := reason_unreadable(hidden, a, live.resources)) is not None}


def unread_error(unreadable: Mapping[str, str], desired: Snapshot) -> ReconcilerError:
    """What to raise for what could not be read: the login may not only where the org says so, or nothing was recorded."""
    complaints = unread_complaints(unreadable, desired)
    allowed = not any(why == NOT_RECORDED or unread.lacks_permission(why) for why in unreadable.values())
    return ReconcilerError(*complaints) if allowed else NotAllowedError(*complaints)


def unread_complaints(unreadable: Mapping[str, str], desired: Snapshot) -> Iterator[Complaint]:
    for what, why in unreadable.items():
        place = _place(desired, Address.parse(what)) if "/" in what else None
        if why == NOT_RECORDED:
            message = f"{what} is in the org and not in the recording"
            yield Complaint(message, place, unread.mend(why))
            continue
        yield Complaint(f"{what} could not be read", place, unread.mend(why), quote=why)


def _place(desired: Snapshot, address: Address) -> Place | None:
    want = desired.resources.get(address)
    return want.origin.at() if want is not None else None


def ask_facts(session: Session, users: Collection[str], secrets: Collection[str] = ()) -> Facts:
    if not judging.asks_org(session.rules):
        return Facts()
    return session.provider.facts(sorted(users), session.progress, secrets=secrets)


def time_of(session: Session) -> str:
    return stamp(session.now())


def stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse_unread(report: DriftReport | CheckReport, desired: Snapshot) -> None:
    """Raise an error if something could not be read: what was found is true, but may not be all.

    NotAllowedError, or ReconcilerError where no permission is lacking.
    """
    if report.unreadable:
        raise unread_error(report.unreadable, desired)
