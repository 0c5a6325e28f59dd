"""Baseline -> live: what changed behind the files' back. Desired plays no part in it. Pure."""

from collections.abc import Iterator, Mapping

from reconciler.diff import field_changes
from reconciler.kind import Weaker
from reconciler.kinds import ENABLEMENT
from reconciler.model import Address, Baseline, FieldChange, Finding, LiveResource, LiveState, Path
from reconciler.planner import completed
from reconciler.security import Direction, Severity

CHANGED, GONE, UNMANAGED = "drift.changed", "drift.gone", "drift.unmanaged"


def findings(
    baseline: Baseline, live: LiveState, ignored: Mapping[Address, tuple[Path, ...]] | None = None
) -> Iterator[Finding]:
    """Yield what differs, ordered by address. What could not be read is not judged: the engine reports it."""
    for address in sorted(baseline.resources.keys() | live.resources.keys()):
        if live.reason_unreadable(address) is not None:
            continue
        applied, have = baseline.resources.get(address), live.resources.get(address)
        if applied is None:
            if have is not None and str(address) not in baseline.unmanaged:
                yield _appeared(have)
        elif have is None:
            yield Finding(GONE, _gone_severity(address), address, "is no longer in the org")
        elif have.body != applied.body:
            body = completed(address.struct, have.body, applied)
            for change in field_changes(address.struct, applied.body, body):
                yield _changed(have, change, (ignored or {}).get(address, ()))


def _changed(have: LiveResource, change: FieldChange, ignored: tuple[Path, ...]) -> Finding:
    return Finding(
        CHANGED,
        change.severity,
        have.address,
        f"{change.name} changed",
        change.path,
        change.old,
        change.new,
        change.direction,
        have.modified,
        ignored=any(change.path[: len(path)] == path for path in ignored),
    )


def _appeared(have: LiveResource) -> Finding:
    severity = Severity.MEDIUM
    if have.address.is_enablement:
        mark = have.address.schema.fields()[ENABLEMENT].mark(Weaker)
        verdict = mark.judge(frozenset(), frozenset({have.address.part})) if mark is not None else None
        severity = verdict[1] if verdict is not None else severity
    return Finding(
        UNMANAGED,
        severity,
        have.address,
        "appeared in the org; no file declares it",
        direction=Direction.WEAKENS if have.address.is_enablement else Direction.NEUTRAL,
        modified=have.modified,
        mend=f"declare it, remove it, or: reconciler baseline accept {have.address}",
    )


def _gone_severity(address: Address) -> Severity:
    """A vanished app or handler is an outage; a vanished record of the rest may be repaired by the next apply."""
    return Severity.HIGH if address.schema.removable and not address.is_enablement else Severity.MEDIUM
