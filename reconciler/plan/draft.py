"""Desired + live + baseline -> what must change, in which order, and what would be sent. Pure.

The flow: `draft` asks `_declared` for each resource of the files, `_removed` for what only the baseline knows, and
`_strangers` for enablements that a handler's own list does not name; then `_groups` turns changes into whole records.

Three promises: a resource is deleted only if the baseline says that we applied it (or its handler's list is
authoritative); what no file declares keeps its live value; what could not be read is not judged.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from reconciler.errors import Complaint
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Change, Component, FieldChange, Reason, Release
from reconciler.model.comparable import with_scrubbed_from, with_unseen
from reconciler.model.declared import Origin, Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState, Modified
from reconciler.model.request import Request
from reconciler.plan.components import groups, record_name
from reconciler.plan.diff import field_changes
from reconciler.schema.body import aligned, alike, canonical, covers, overlaid, same
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Forced, Immutable, OrgBound, Since, Until, WriteOnly
from reconciler.schema.paths import at, field_at, put, walk
from reconciler.schema.record_id import short_id
from reconciler.schema.values import Body, Path


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing can be planned for a resource. Its place in the file is looked up when it is shown."""

    origin: Origin
    path: Path
    message: str
    mend: str = ""

    def complaint(self) -> Complaint:
        return Complaint(self.message, self.origin.at(self.path), self.mend)


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan before it is packed into deployments."""

    changes: tuple[Change, ...] = ()
    groups: tuple[tuple[Component, ...], ...] = ()
    """Records to send, related ones together, in an order in which each group's references are there before it."""
    overridden: tuple[Address, ...] = ()
    """Declared resources of which the org will hold something else than the files say."""
    released: tuple[Release, ...] = ()
    adopted: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    unchanged: int = 0


def draft(desired: Snapshot, live: LiveState, baseline: Baseline, request: Request = Request()) -> Draft:
    """Compare the three, field by field. Changes come ordered by address."""
    wanted = {} if request.destroy else desired.resources
    found = _Found()
    for address in sorted(wanted):
        if targeted(address, request.targets) and live.reason_unreadable(address) is None:
            _declared(wanted[address], live, baseline, request, found)
    for address in sorted(baseline.resources.keys() - wanted.keys()):
        if targeted(address, request.targets) and live.reason_unreadable(address) is None:
            _removed(address, live, baseline, request, found)
    if not request.destroy:
        _strangers(desired, live, request, found)
    _taken_along(live, request, found)
    changes = tuple(sorted(found.changes.values(), key=lambda change: change.address))
    sent = groups(changes, live)
    return Draft(
        changes,
        sent,
        tuple(dict.fromkeys(found.overridden)),
        tuple(sorted(found.released, key=str)),
        tuple(found.adopted),
        tuple(found.notes),
        tuple(found.problems),
        found.unchanged,
    )


class _Found:
    """What `draft` gathers on its way."""

    def __init__(self) -> None:
        self.changes: dict[Address, Change] = {}
        self.overridden: list[Address] = []
        self.released: list[Release] = []
        self.adopted: list[Address] = []
        self.notes: list[str] = []
        self.problems: list[Problem] = []
        self.unchanged = 0


def targeted(address: Address, targets: tuple[Address, ...]) -> bool:
    """Whether an address is among the targets. A target brings along its enablements, and an app its satellites."""
    if not targets:
        return True
    return any(
        target in (address, address.component)
        or (target.kind == "ExternalClientApplication" and target.name == address.name and address.is_satellite)
        for target in targets
    )


# --- what the files declare ------------------------------------------------------------------------------------------


def _declared(want: Resource, live: LiveState, baseline: Baseline, request: Request, found: _Found) -> None:
    address, applied = want.address, baseline.resources.get(want.address)
    have = live.resources.get(address)
    held = (
        with_scrubbed_from(live, have, with_unseen(address.struct, have.body, applied), want.body)
        if have is not None
        else {}
        if address.schema.singleton
        else None
    )
    body = without(address.struct, want.body, want.lifecycle.ignore) if held is not None else want.body
    if applied is not None:
        found.released += [
            Release(address, path)
            for path in applied.declared
            if path[0] not in want.body or (len(path) > 1 and not want.declares(path))
        ]
    if held is None or _replaced(address, request):
        _create(want, held, live, request, found)
        return
    if covers(address.struct, held, body):
        found.unchanged += 1
        if applied is None or applied.watched:
            found.adopted.append(address)
        if have is not None and want.record and want.record != have.record:
            found.problems.append(_other_record(want, have))
        _remark(want, held, applied, found)
        return
    found.problems += _impossible(want, body, held, live, have)
    _remark(want, held, applied, found)
    after = overlaid(address.struct, held, body)
    fields = field_changes(address.struct, held, after)
    if not fields:
        found.unchanged += 1
        return
    fields = tuple(_marked(f, address, applied, held) for f in fields)
    found.problems += [
        Problem(want.origin, tuple(str(p) for p in path), f"{path[-1]} is required", "declare it")
        for path in address.struct.missing(after)
    ]
    found.problems += [
        Problem(want.origin, (name,), f"{name} cannot be emptied: the org demands it", "give it a value")
        for name in address.struct.lacking(after)
        if held.get(name)
    ]
    modified = have.modified if have is not None else Modified()
    record = have.record if have is not None else record_name(address, want.record, live)
    found.changes[address] = Change(address, held, after, Reason.EDITED, fields, record=record, modified=modified)


def _create(want: Resource, held: Body | None, live: LiveState, request: Request, found: _Found) -> None:
    address, struct = want.address, want.address.struct
    body = {k: v for k, v in want.body.items() if not _elsewhere(struct, k, v, live.org.id)}
    if held is not None:
        body = overlaid(struct, _transferable(struct, held), body)
    after = overlaid(struct, {}, body)
    found.problems += [
        Problem(want.origin, tuple(str(p) for p in path), f"{path[-1]} is required to create {address}", "declare it")
        for path in (*struct.missing(after), *((name,) for name in struct.lacking(after)))
    ]
    found.problems += _not_in_version(want, want.body, live)
    for name in want.body.keys() - body.keys():
        found.notes.append(f"{address}: {name} is of another org and is not sent")
    _remark(want, {}, None, found)
    record = live.resources[address].record if address in live.resources else record_name(address, want.record, live)
    if held is not None:
        fields = field_changes(struct, held, after)
        found.changes[address] = Change(address, held, after, Reason.ASKED, fields, replace=True, record=record)
    else:
        # All of it is new: `diff.new_fields` lists it for code that asks, and fifty thousand creations stay small.
        found.changes[address] = Change(address, None, after, Reason.DECLARED, record=record)


def _replaced(address: Address, request: Request) -> bool:
    """Whether a resource is replaced: named itself, or deleted along with its app or handler that is."""
    if not request.replace:
        return False
    if address in request.replace:
        return True
    if address.is_enablement:
        return address.component in request.replace
    return address.is_satellite and Address("ExternalClientApplication", address.name) in request.replace


def _transferable(struct: type[Struct], held: Body) -> Body:
    """What of a live record may be given to a new one: neither keys nor what the org generated."""
    fields = struct.fields()
    result: Body = {}
    for name, value in held.items():
        field = fields.get(name)
        if field is not None and field.has(Immutable, OrgBound):
            continue
        result[name] = (
            _transferable(field.struct, value) if field and field.struct and isinstance(value, dict) else value
        )
    return result


def _elsewhere(struct: type[Struct], name: str, value: object, org_id: str) -> bool:
    field = struct.fields()[name]
    return field.has(OrgBound) and bool(value) and not str(value).startswith(short_id(org_id))


def _impossible(
    want: Resource, body: Body, held: Body, live: LiveState, have: LiveResource | None
) -> Iterator[Problem]:
    """What the platform would refuse or silently drop, said before anything is sent."""
    address = want.address
    if have is not None and want.record and want.record != have.record:
        yield _other_record(want, have)
    for path in walk(body):
        fields = list(field_at(address.struct, path))
        field = fields[-1] if fields else None
        if field is None or not field.has(Immutable):
            continue
        old, new = at(held, path), at(body, path)
        if old and new and not same(field, old, new):
            yield Problem(
                want.origin,
                path,
                f"{'.'.join(path)} cannot change: the org has {old}, the file says {new}",
                f"write the org's value, or ask for --replace {address}",
            )
    yield from _not_in_version(want, body, live)


def _other_record(want: Resource, have: LiveResource) -> Problem:
    message = f"the record of {want.address} is called {have.record} in the org, the file says {want.record}"
    return Problem(want.origin, (), message, "leave the name out: the org's record is adopted")


def _not_in_version(want: Resource, body: Body, live: LiveState) -> Iterator[Problem]:
    version = float(live.org.api_version or 0)
    if not version:
        return
    for path in walk(body):
        for field in field_at(want.address.struct, path):
            since, until = field.mark(Since), field.mark(Until)
            if since is not None and since.version > version:
                message = f"{field.name} needs API version {since.version:.1f}; the org is read at {version}"
                yield Problem(want.origin, path, message, "raise api_version in reconciler.yaml")
            elif until is not None and until.version < version:
                message = f"{field.name} ended with API version {until.version:.1f}; the org is read at {version}"
                yield Problem(want.origin, path, message, "remove it")


def _remark(want: Resource, held: Body, applied: Applied | None, found: _Found) -> None:
    """Add notes on what a file asks for and the plan does not do: forced values, secrets that cannot be compared."""
    _remark_in(want, want.address.struct, want.body, held, applied.body if applied else None, (), found)


@cache
def _remarkable(struct: type[Struct]) -> frozenset[str]:
    """Fields that a remark may be about, or that hold such fields."""
    return frozenset(
        name
        for name, field in struct.fields().items()
        if field.has(Forced, WriteOnly)
        or (field.struct is not None and not field.repeated and _remarkable(field.struct))
    )


def _remark_in(
    want: Resource, struct: type[Struct], body: Body, held: Body, base: Body | None, path: Path, found: _Found
) -> None:
    for name in _remarkable(struct) & body.keys():
        field, value, here = struct.fields()[name], body[name], (*path, name)
        forced = field.mark(Forced)
        if forced is not None and value is not None and value != forced.value:
            found.overridden.append(want.address)
        elif field.has(WriteOnly) and held:
            if base is None or at(base, (name, "$ref")) != str(value):
                found.notes.append(
                    f"{want.address}: {name} is not compared, as it is sent on create only; change it in Setup"
                )
        elif field.struct is not None and isinstance(value, dict):
            inner = held.get(name)
            inner_base = (base or {}).get(name)
            _remark_in(
                want,
                field.struct,
                value,
                inner if isinstance(inner, dict) else {},
                inner_base if isinstance(inner_base, dict) else None,
                here,
                found,
            )


def _marked(change: FieldChange, address: Address, applied: Applied | None, held: Body) -> FieldChange:
    """Mark a change by who moved since the baseline: only the org, so that it restores what was, or both sides, a
    conflict."""
    if applied is None or not any(change.path[: len(path)] == path for path in applied.declared):
        return change
    struct, now = address.struct, canonical(address.struct, held)
    base = at(aligned(struct, canonical(struct, applied.body), to=now), change.path)
    if base == at(now, change.path):
        return change
    restores = alike(struct, change.path, base, change.new)
    return replace(change, restores=True) if restores else replace(change, conflict=True)


def without(struct: type[Struct], body: Body, paths: Iterable[Path]) -> Body:
    """Return a body without some fields; whole sections, and fields of list items, may be named."""
    for path in paths:
        if path[0] in body:
            body = put(struct, body, path, None)
    return body


# --- what they no longer declare -------------------------------------------------------------------------------------


def _removed(address: Address, live: LiveState, baseline: Baseline, request: Request, found: _Found) -> None:
    applied = baseline.resources[address]
    if applied.watched:
        return
    have = live.resources.get(address)
    if not (address.is_enablement or address.schema.removable):
        app = Address("ExternalClientApplication", address.name)
        if not (address.is_satellite and _goes(app, baseline, found, request)):
            found.released.append(Release(address))
        return
    if have is None or (address.is_enablement and _goes(address.component, baseline, found, request)):
        return
    reason = Reason.DESTROY if request.destroy else Reason.REMOVED
    found.changes[address] = Change(address, have.body, None, reason, record=have.record, modified=have.modified)


def _goes(owner: Address, baseline: Baseline, found: _Found, request: Request) -> bool:
    """True if the owner is deleted by this plan, so that what belongs to it goes along. Owners sort before."""
    change = found.changes.get(owner)
    return change is not None and change.after is None


def _strangers(desired: Snapshot, live: LiveState, request: Request, found: _Found) -> None:
    for address in sorted(live.resources):
        if (
            address.is_enablement
            and address.name in desired.authoritative
            and address not in desired.resources
            and address not in found.changes
            and targeted(address, request.targets)
        ):
            have = live.resources[address]
            found.changes[address] = Change(
                address, have.body, None, Reason.UNDECLARED, record=have.record, modified=have.modified
            )


def _taken_along(live: LiveState, request: Request, found: _Found) -> None:
    """What goes with its owner has to come back with it, also what no file declares."""
    for address, have in live.resources.items():
        belongs = address.is_satellite or address.is_enablement
        if address not in found.changes and belongs and _replaced(address, request):
            after = _transferable(address.struct, have.body)
            fields = field_changes(address.struct, have.body, after)
            found.changes[address] = Change(
                address, have.body, after, Reason.WITH_OWNER, fields, replace=True, record=have.record
            )


def reversed_fields(change: Change) -> tuple[FieldChange, ...]:
    """An update's fields the other way round: how the org departed from what the files say."""
    if change.before is None or change.after is None:
        return ()
    places = {field.path: field.place for field in change.fields}
    fields = field_changes(change.address.struct, change.after, change.before)
    return tuple(replace(field, place=places.get(field.path)) for field in fields)
