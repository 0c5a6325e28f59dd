"""Baseline -> live: what changed behind the files' back. Desired plays no part in it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.kinds import APP, ENABLEMENT
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import FieldChange
from reconciler.model.comparable import with_scrubbed_from, with_unseen
from reconciler.model.finding import CHANGED, GONE, REPLACED, UNMANAGED, Finding
from reconciler.model.live import NOT_RECORDED, LiveResource, LiveState
from reconciler.model.ownership import is_of_ours
from reconciler.model.record_identity import has_identity, is_another, other_owner
from reconciler.plan.diff import field_changes
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Immutable, Means, OrgBound
from reconciler.schema.paths import exists, field_at, get, references
from reconciler.schema.severity import Direction, Severity, Verdict, Weaker
from reconciler.schema.values import Body, Path


def findings(
    baseline: Baseline,
    live: LiveState,
    ignored: Mapping[Address, tuple[Path, ...]] | None = None,
    *,
    whole: bool = False,
) -> Iterator[Finding]:
    """Yield what differs, ordered by address; of another record under an old name also the keys, if `whole` is asked for.

    What could not be read is not judged: the engine reports it. Nor is what only one of two API versions has, that of
    the baseline and that of the org: it was there all the time, or still is. `unwatched` says so.
    """
    versions = _versions(baseline, live)
    for address in sorted(baseline.resources.keys() | live.resources.keys()):
        if live.reason_unreadable(address) is not None:
            continue
        applied, have = baseline.resources.get(address), live.resources.get(address)
        if applied is None:
            known = str(address) in baseline.unmanaged or any(address.schema.since > one for one in versions)
            if have is not None and not known:
                yield _appeared(have, baseline)
        elif have is None:
            # One deletion is one finding: what goes with an app went with it.
            if not (address.is_satellite and _went(Address(APP, address.name), baseline, live)):
                yield _marked(_gone(address, applied, live), baseline)
        else:
            if has_identity(address) and is_another(address, baseline, live):
                yield _marked(_made_anew(applied, have), baseline)
            if have.body != applied.body:
                other = not whole and other_owner(address, baseline, live) is not None
                for finding in _moved(applied, have, live, (ignored or {}).get(address, ()), versions, other=other):
                    yield _marked(finding, baseline)


def _moved(
    applied: Applied,
    have: LiveResource,
    live: LiveState,
    ignored: tuple[Path, ...],
    versions: frozenset[float],
    *,
    other: bool,
) -> Iterator[Finding]:
    """Yield a finding for each field of a record that differs."""
    struct = have.address.struct
    body = with_scrubbed_from(live, have, with_unseen(struct, have.body, applied), applied.body)
    changes = [c for c in field_changes(struct, applied.body, body) if _comparable(struct, c, body, versions)]
    if other:
        # That another record has other keys and links goes without saying.
        changes = [c for c in changes if not any(f.has(Immutable, OrgBound) for f in field_at(struct, c.path))]
    for change in changes:
        yield _changed(have, change, ignored)


def _marked(finding: Finding, baseline: Baseline) -> Finding:
    """Mark a finding as unmanaged, unless it is about what we manage or a part of that."""
    address = finding.address
    ours = not baseline.resources[address].watched or is_of_ours(address, baseline.resources)
    return (
        finding
        if ours or (address.kind == "ApexClass" and _runs(address, baseline))
        else replace(finding, unmanaged=True)
    )


def _runs(code: Address, baseline: Baseline) -> bool:
    """Whether an Apex class is run by a handler or an app that is managed."""
    managed = ((address, one.body) for address, one in baseline.resources.items() if not one.watched)
    return any(
        name == code.name for address, body in managed for _, _, name in references(address.struct, body, _CLASSES)
    )


_CLASSES = frozenset({"ApexClass"})


def _made_anew(applied: Applied, have: LiveResource) -> Finding:
    """Return the finding for a record that was deleted and made again under its old name."""
    ids = f" ({applied.id}, now {have.id})" if applied.id and have.id else ""
    has_keys = have.address.kind in (APP, "ConnectedApp")
    return Finding(
        REPLACED,
        Severity.CRITICAL if has_keys else Severity.HIGH,
        have.address,
        f"is another record of that name{ids}: the one that we knew is gone",
        direction=Direction.WEAKENS if has_keys else Direction.NEUTRAL,
        modified=have.modified,
        mend=f"if it is to be taken as it is: reconciler baseline accept {have.address}",
        meaning="Clients of the former one are locked out, and whoever made this one may own its keys.",
    )


def unwatched(baseline: Baseline, live: LiveState) -> tuple[str, ...]:
    """What could not be compared, and why, a line each: an empty report says nothing about it."""
    notes = [*unread(live), *live.not_comparable]
    names = len(baseline.unmanaged)
    if names:
        them = (
            "resource is known by name only, and its" if names == 1 else "resources are known by name only, and their"
        )
        notes.append(f"{names:,} {them} fields are not watched")
    if len(_versions(baseline, live)) > 1:
        notes.append(
            f"the baseline was written at API version {baseline.api_version}, the org is read at "
            f"{live.org.api_version}: what only one of them has is not compared"
        )
    return tuple(notes)


def unread(live: LiveState) -> Iterator[str]:
    """What the org did not show, and why, a line each. Of a kind, what came all the same is judged."""
    for what, why in live.hidden.items():
        if why != NOT_RECORDED:
            some = any(address.kind == what for address in live.resources)
            which = f"a record of {what}" if some else what
            yield f"{which} could not be read, and is not judged: {why}"


def meaning(struct: type[Struct], path: Path, direction: Direction) -> str:
    """What a change of a field means for the clients of the app, in one sentence; empty where no mark says so."""
    if direction is Direction.NEUTRAL:
        return ""
    weakens = direction is Direction.WEAKENS
    for group in struct.groups:
        if path[0] in group.fields:
            return group.weakened if weakens else group.tightened
    # The innermost field that has a direction decided it, so it also says what that means.
    judged = next((field for field in reversed(list(field_at(struct, path))) if field.has(Weaker)), None)
    means = judged.mark(Means) if judged is not None else None
    return "" if means is None else means.weakened if weakens else means.tightened


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
        meaning=meaning(have.address.struct, change.path, change.direction),
    )


# --- what appeared ---------------------------------------------------------------------------------------------------


def _appeared(have: LiveResource, baseline: Baseline) -> Finding:
    address = have.address
    direction, severity = Direction.NEUTRAL, Severity.MEDIUM
    message, means = "appeared in the org; no file declares it", address.schema.appeared
    if address.is_enablement:
        direction, severity = _enabled(address) or (Direction.WEAKENS, severity)
        means = meaning(address.schema, (ENABLEMENT, address.part), direction)
    elif is_of_ours(address, baseline.resources):
        # Graver than a new app, which no reviewer has seen yet: this changes how an app behaves that someone reviewed.
        message = "appeared in the org beside an app that we manage; no file declares it"
        direction, severity = _worst(address.struct, field_changes(address.struct, {}, have.body))
    return Finding(
        UNMANAGED,
        severity,
        address,
        message,
        direction=direction,
        modified=have.modified,
        mend=f"declare it, remove it, or: reconciler baseline accept {address}",
        meaning=means,
        unmanaged=not is_of_ours(address, baseline.resources),
    )


def _enabled(address: Address) -> Verdict | None:
    mark = address.schema.fields()[ENABLEMENT].mark(Weaker)
    return mark.judge(frozenset(), frozenset({address.part})) if mark is not None else None


def _went(app: Address, baseline: Baseline, live: LiveState) -> bool:
    return app in baseline.resources and app not in live.resources and live.reason_unreadable(app) is None


# --- what is gone ----------------------------------------------------------------------------------------------------


def _gone(address: Address, applied: Applied, live: LiveState) -> Finding:
    schema = address.schema
    direction, means = Direction.NEUTRAL, schema.gone
    # A vanished app or handler is an outage; a vanished record of the rest may be repaired by the next apply.
    severity = Severity.HIGH if schema.removable else Severity.MEDIUM
    if address.is_enablement:
        direction, severity = Direction.TIGHTENS, Severity.MEDIUM
        means = meaning(schema, (ENABLEMENT, address.part), direction)
    elif address.is_satellite and Address(APP, address.name) not in live.resources:
        means = "It went with its app, which nobody here manages."
    elif address.is_satellite:
        direction, severity = _worst(schema, field_changes(schema, applied.body, {}))
        if any(field.has(Immutable) for field in schema.fields().values()):
            # Without the record that holds its key the app has no clients at all, and nothing of it is laxer.
            direction, severity = Direction.NEUTRAL, Severity.HIGH
    return Finding(GONE, severity, address, "is no longer in the org", direction=direction, meaning=means)


def _worst(struct: type[Struct], changes: Iterable[FieldChange]) -> Verdict:
    """A whole record of a managed app that came or went: high, or as grave as the worst that it brought or took."""
    weaker = [
        change.severity
        for change in changes
        if change.direction is Direction.WEAKENS
        # That a record has a key says nothing; only another key does.
        and not any(field.has(Immutable) for field in field_at(struct, change.path))
    ]
    return Direction.WEAKENS if weaker else Direction.NEUTRAL, max([Severity.HIGH, *weaker])


# --- two API versions ------------------------------------------------------------------------------------------------


def _versions(baseline: Baseline, live: LiveState) -> frozenset[float]:
    """The API versions that the two were read at, one if they are the same."""
    return frozenset(float(text) for text in (baseline.api_version, live.org.api_version) if text)


def _comparable(struct: type[Struct], change: FieldChange, live: Body, versions: frozenset[float]) -> bool:
    """True if all versions have the field. Of two versions, one that no schema knows has not changed if it only came or
    went; of one, what it shows counts, whatever we know of it."""
    if len(versions) < 2 and get(struct, live, change.path) is not None:
        return True
    if change.path[0] not in struct.fields():
        return len(versions) < 2 or (change.old is not None and change.new is not None)
    return all(exists(struct, change.path, version) for version in versions)
