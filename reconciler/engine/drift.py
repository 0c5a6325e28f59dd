"""Drift: read baseline → read org → compare → who did it. Nothing here writes."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.drift import compare as drifting
from reconciler.engine.authors import with_authors
from reconciler.engine.plan import ignored, placed, undeclared_apps
from reconciler.engine.resume import cut_off
from reconciler.engine.session import (
    Session,
    read_all,
    refuse_too_new,
    time_of,
    unreadable,
)
from reconciler.errors import (
    Complaint,
    InputError,
    RefusedError,
)
from reconciler.model.changes import Change
from reconciler.model.declared import Snapshot
from reconciler.model.finding import DESIRED, GONE, UNMANAGED, Finding
from reconciler.model.reports import DriftReport
from reconciler.plan import draft
from reconciler.rules import judging
from reconciler.schema.severity import Severity


def drift(session: Session, *, against: str = "baseline") -> DriftReport:
    """Report what changed in the org without the files, and who did it.

    Raises RefusedError if there is nothing to compare with, and InputError for files that no org could be equal to. What
    could not be read hides nothing else: see `refuse_unread`.
    """
    baseline, live = read_all(session)
    notes: tuple[str, ...] = ()
    if against == "desired":
        refuse_too_new(session.desired, live)
        drafted = draft.draft(session.desired, live, baseline)
        if drafted.problems:
            # What cannot be planned cannot be compared either, and must not pass for equal.
            raise InputError(*(problem.complaint() for problem in drafted.problems))
        found = [finding for change in placed(drafted.changes, session.desired) for finding in _against_desired(change)]
        compared = set(session.desired.resources)
        notes = live.not_comparable
    else:
        if not baseline.exists:
            raise RefusedError(
                Complaint(
                    "there is no baseline for this org yet: nothing is known of what it should be",
                    mend="apply once, or compare with the files: reconciler drift --against desired",
                )
            )
        found = list(drifting.findings(baseline, live, ignored(session.desired)))
        compared = set(baseline.resources) | live.resources.keys()
        notes = drifting.unwatched(baseline, live)
    named, history = with_authors(session, baseline, live, found)
    return DriftReport(
        live.org,
        judging.placed([_with_next_step(one, session.desired) for one in named], session.desired),
        against,
        tuple(sorted(compared)),
        in_flight=tuple(deployment for deployment in history.deployments if deployment.in_flight),
        unreadable=unreadable(session.desired.resources if against == "desired" else baseline.resources, live),
        notes=(
            *([said] if (said := cut_off(session)) else []),
            *notes,
            *(f"who did it is less sure: {topic}: {why}" for topic, why in history.unknown.items()),
        ),
        undeclared_apps=undeclared_apps(session.desired, live),
        bodies={address: have.body for address, have in live.resources.items()},
        created=time_of(session),
    )


def _with_next_step(finding: Finding, desired: Snapshot) -> Finding:
    """Add to a finding the commands that resolve it: those that undo the change, and those that accept it."""
    if finding.mend or finding.ignored or not desired.digest:
        return finding
    address, want = finding.address, desired.resources.get(finding.address)
    pull, accept = f"reconciler pull {address}", f"reconciler baseline accept {address}"
    if want is None:
        owner = next((one for one in address.owners if one in desired.resources), None)
        known = finding.id == UNMANAGED or owner is None
        mend = f"{pull} takes it into the files; {accept} only watches it as it is now" if known else ""
        if finding.id == GONE:
            mend = f"{accept} takes it that it is gone"
    elif finding.id == GONE:
        mend = f"reconciler apply makes it anew; {pull} takes it out of the files"
    elif finding.path and want.declares(finding.path):
        mend = f"reconciler apply puts it back; {pull} takes it into the files"
    else:
        field = f".{'.'.join(finding.path)}" if finding.path else ""
        mend = f"{pull} writes it into the files; {accept}{field} takes it as it is"
    return replace(finding, mend=mend)


def _against_desired(change: Change) -> Iterator[Finding]:
    if change.before is None or change.after is None:
        severity = max((f.severity for f in change.fields), default=Severity.MEDIUM)
        word = "is declared, and the org does not have it" if change.before is None else str(change.reason)
        yield Finding(DESIRED, severity, change.address, word, modified=change.modified, place=change.place)
        return
    # The files are what should be, so the change went from the file's value to the org's.
    for f in draft.reversed_fields(change):
        yield Finding(
            DESIRED, f.severity, change.address, f"{f.name} is not as declared", f.path, f.old, f.new,
            f.direction, change.modified, f.place,
        )  # fmt: skip
