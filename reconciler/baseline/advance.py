"""What the baseline becomes: after an apply, when drift is accepted, when a resource is given up. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import NamedTuple

from reconciler.kinds import HANDLER
from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Action, Change
from reconciler.model.declared import Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState
from reconciler.model.ownership import is_of_ours
from reconciler.model.record_identity import has_identity, owners
from reconciler.plan.components import class_named
from reconciler.plan.draft import without
from reconciler.schema.body import overlaid, same
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Certificate, Immutable, OrgBound, Owner, WriteOnly
from reconciler.schema.paths import at, exists, get, put, walk
from reconciler.schema.record_id import same_id
from reconciler.schema.stored import recalled
from reconciler.schema.values import Body, Path, SecretRef


class Seen(NamedTuple):
    """What the org had when a plan was made, as far as a baseline has to know of it. What others change afterwards is
    drift, and must not become part of a baseline by being read last."""

    resources: Mapping[Address, LiveResource]
    """Everything that the baseline does not hold."""
    ids: Mapping[Address, str]
    """The record's id of everything that can be made anew under its name, where the org gives one."""

    def of_updates(self, changes: Collection[Change]) -> dict[Address, Applied]:
        """Return entries for what is about to be changed and is not in the baseline yet, as it was: an apply that is
        cut off leaves no other trace."""
        found = ((c.address, self.resources.get(c.address)) for c in changes if c.action is Action.UPDATE)
        return {address: as_watched(have) for address, have in found if have is not None}


def as_watched(have: LiveResource) -> Applied:
    """Return the baseline's entry for a record that no file declares: as the org has it, watched."""
    return Applied(have.body, have.record, watched=True, id=have.id)


def seen(live: LiveState, baseline: Baseline) -> Seen:
    """Return the part of a live state that `advanced` needs, so that the whole is not in memory twice once it is read
    again."""
    new = {address: have for address, have in live.resources.items() if address not in baseline.resources}
    ids = {address: have.id for address, have in live.resources.items() if have.id and has_identity(address)}
    return Seen(new, ids)


def advanced(
    baseline: Baseline,
    desired: Snapshot,
    before: Seen,
    live: LiveState,
    changes: Collection[Change],
    *,
    chosen: Collection[Address],
    secrets: Mapping[SecretRef, str] | None = None,
    ids: Mapping[Address, str] | None = None,
    watch_all: bool = True,
) -> Baseline:
    """Return the baseline after `changes` landed; an unfinished apply passes the landed ones only.

    It takes what the apply itself brought about, and nothing else: of what was sent the declared values as they were sent,
    of what was created also what the org filled in. What was not sent stays as the baseline has it; what the baseline does
    not hold yet is taken as it was when the plan was made (`before`). So whatever differs from `live`, the org as it was
    read afterwards, is drift. `chosen` are the declared addresses that were looked at (all, or the targets); `secrets`
    maps references to salted digests of what was sent, `ids` are those that the org gave to what landed. With `watch_all`
    everything that no file declares is kept, too.
    """
    by_address = {change.address: change for change in changes}
    resources = dict(baseline.resources)
    for address in chosen:
        want = desired.resources.get(address)
        if want is not None:
            held, change = baseline.resources.get(address), by_address.get(address)
            applied = _applied(want, before, live, held, change, secrets or {}, (ids or {}).get(address, ""))
            if applied is not None:
                resources[address] = applied
    for address in sorted(baseline.resources):
        if address not in desired.resources and (address in chosen or address in by_address):
            have = live.resources.get(address)
            _given_up(address, by_address.get(address), have, resources, watch_all=watch_all)
    _take_over(changes, before, resources)
    _add_handler_classes(desired, before, live, resources)
    if watch_all:
        unmanaged = _watch_all(baseline, before, live, by_address, resources)
    else:
        known = _unmanaged(baseline, before, live, resources, by_address)
        unmanaged = _watching(baseline, known, before, live, resources)
    _drop_what_went_along(changes, live, resources)
    same = resources == baseline.resources and unmanaged == baseline.unmanaged and baseline.exists
    if same and baseline.api_version == live.org.api_version:
        return baseline
    return replace(
        baseline,
        serial=baseline.serial + 1,
        api_version=live.org.api_version,
        resources=resources,
        unmanaged=unmanaged,
    )


def remembered(baseline: Baseline, live: LiveState) -> Baseline:
    """Return the baseline with secrets of Apex sources put back that its file does not hold, where the org still has them."""
    again = {
        address: replace(applied, body=body)
        for address, applied in baseline.resources.items()
        if (have := live.resources.get(address)) is not None
        and (body := recalled(address.struct, applied.body, have.body, baseline.salt)) is not applied.body
    }
    return replace(baseline, resources={**baseline.resources, **again}) if again else baseline


def at_version(baseline: Baseline, live: LiveState) -> Baseline:
    """Return the records of the baseline as the API version that the org was read at shows them.

    A baseline is of one version. What only one of two versions has cannot have drifted from the one to the other, so it
    is taken as the org has it.
    """
    if not (baseline.api_version and live.org.api_version) or baseline.api_version == live.org.api_version:
        return baseline
    before, after = float(baseline.api_version), float(live.org.api_version)
    if after < before:
        # What only the newer version has is not seen now, and not forgotten.
        return baseline
    resources = dict(baseline.resources)
    for address, applied in baseline.resources.items():
        have = live.resources.get(address)
        if have is not None:
            body = applied.body
            for path in _in_one(address.struct, before, after, ()):
                if path not in applied.declared and get(address.struct, body, path) is None:
                    body = put(address.struct, body, path, get(address.struct, have.body, path))
            resources[address] = replace(applied, body=body)
    return replace(baseline, resources=resources)


@cache
def _in_one(struct: type[Struct], before: float, after: float, path: Path) -> tuple[Path, ...]:
    """Return the paths of the fields that only one of two API versions has."""
    found: list[Path] = []
    for name, field in struct.fields().items():
        if exists(struct, (name,), before) != exists(struct, (name,), after):
            found.append((*path, name))
        elif field.struct is not None and not field.repeated:
            found += _in_one(field.struct, before, after, (*path, name))
    return tuple(found)


@lru_cache(4096)
def _same(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return one shared tuple for equal ones: most records of a kind declare the same fields, which saves memory."""
    return paths


def _applied(
    want: Resource,
    before: Seen,
    live: LiveState,
    known: Applied | None,
    change: Change | None,
    secrets: Mapping[SecretRef, str],
    id: str,
) -> Applied | None:
    """Return the baseline's new entry for a declared resource; `None` if the org never had it."""
    address, struct = want.address, want.address.struct
    first, have = before.resources.get(address), live.resources.get(address)
    created = change is not None and change.action in (Action.CREATE, Action.REPLACE)
    # What stands there by now under the name of what was created may have been made anew by others.
    is_ours = have is not None and not (id and have.id and not same_id(id, have.id))
    body = None
    if created and have is not None and is_ours:
        replaced = known if change is not None and change.replace else None
        body = _as_filled_in(have) if replaced is None else _with_new_keys(struct, replaced.body, have.body)
    elif not created and known is not None:
        body = known.body
    if body is None:
        body = first.body if first is not None and not created else change.after if change is not None else None
    if body is None:
        return known
    declared = _same(tuple(sorted(walk(want.body))))
    body = overlaid(struct, body, want.body if created else without(struct, want.body, want.lifecycle.ignore))
    spelled = have.body if have is not None and (is_ours or not created) else body
    body = _spelled(struct, body, spelled)
    unseen = {path: at(want.body, path) for path in _unseen(struct, want.body, spelled, ())}
    if known is not None and not created:
        # Released, and still only we know it.
        kept = (path for path in known.unseen if path not in declared and at(spelled, path) is None)
        unseen |= {path: at(known.body, path) for path in kept}
    for path, value in unseen.items():
        body = put(struct, body, path, value)
    for path, ref in _secrets(struct, want.body, ()):
        earlier = at(known.body, path) if known is not None else None
        digest = secrets.get(ref) if created else None
        held = {"$digest": digest, "$ref": str(ref)} if digest else earlier or {"$ref": str(ref)}
        body = put(struct, body, path, held)
    record = have.record if have is not None else known.record if known is not None else change.record if change else ""
    # A record keeps the id that it was first seen with: another id is another record, until that is accepted.
    if created:
        id = id or (have.id if have is not None else "")
    else:
        id = known.id if known is not None and known.id else before.ids.get(address, "")
    return Applied(body, record, declared, tuple(unseen), want.lifecycle.protect, id=id)


def _with_new_keys(struct: type[Struct], known: Body, have: Body) -> Body:
    """Return the baseline's body of a record that was replaced.

    What the org generated anew, and else what the baseline had. A weakening that is sent along, because no file speaks of
    the field, stays drift.
    """
    kept = {name: value for name, value in known.items() if not _is_generated(struct, name)}
    body = {**kept, **{name: value for name, value in have.items() if _is_generated(struct, name)}}
    for name, field in struct.fields().items():
        old, new = kept.get(name), have.get(name)
        if field.struct is not None and not field.repeated and isinstance(old, dict) and isinstance(new, dict):
            body[name] = _with_new_keys(field.struct, old, new)
    return body


def _is_generated(struct: type[Struct], name: str) -> bool:
    field = struct.fields().get(name)
    return field is not None and (field.has(Immutable, OrgBound) or not field.compared)


def _spelled(struct: type[Struct], body: Body, have: Body) -> Body:
    """Return a body in the org's own spelling where that means the same: equal bytes are compared quickly."""
    fields = struct.fields()
    return {
        name: have[name]
        if name in have and name in fields and value != have[name] and same(fields[name], value, have[name])
        else value
        for name, value in body.items()
    }


def _as_filled_in(have: LiveResource) -> Body:
    """A record that was just created, with what the org filled in by itself.

    Where another user has touched it since, only what no user can write is sure to be the org's.
    """
    if not have.touched:
        return have.body
    return _generated(have.address.struct, have.body)


def _generated(struct: type[Struct], body: Body) -> Body:
    fields, kept = struct.fields(), Body()
    for name, value in body.items():
        field = fields.get(name)
        if field is None or field.has(Owner) or _is_generated(struct, name):
            kept[name] = value
        elif field.struct is not None and isinstance(value, dict):
            kept[name] = _generated(field.struct, value)
    return kept


def _unseen(struct: type[Struct], want: Body, have: Body, path: Path) -> Iterator[Path]:
    """Certificates that were sent and do not come back."""
    for name, value in want.items():
        field = struct.fields()[name]
        if field.has(Certificate) and value and not have.get(name):
            yield (*path, name)
        elif field.struct is not None and isinstance(value, dict):
            inner = have.get(name)
            yield from _unseen(field.struct, value, inner if isinstance(inner, dict) else {}, (*path, name))


def _secrets(struct: type[Struct], want: Body, path: Path) -> Iterator[tuple[Path, SecretRef]]:
    for name, value in want.items():
        field = struct.fields()[name]
        if field.has(WriteOnly) and isinstance(value, SecretRef):
            yield (*path, name), value
        elif field.struct is not None and isinstance(value, dict):
            yield from _secrets(field.struct, value, (*path, name))


def _merged(struct: type[Struct], old: Body, live: Body, paths: Collection[Path]) -> Body:
    """Return an old body with the live values of some fields."""
    body = old
    for path in paths:
        body = put(struct, body, path, get(struct, live, path))
    return body


def _given_up(
    address: Address,
    change: Change | None,
    have: LiveResource | None,
    resources: dict[Address, Applied],
    *,
    watch_all: bool,
) -> None:
    """Remove what was deleted or released from the entries. What is watched stays, with the key that a replacement gave
    it."""
    applied = resources[address]
    if change is not None and change.after is None:
        del resources[address]
    elif not applied.watched:
        if watch_all and have is not None:
            resources[address] = replace(applied, declared=(), protect=frozenset(), watched=True)
        else:
            del resources[address]
    elif change is not None and change.replace and have is not None:
        body = _merged(address.struct, applied.body, have.body, [field.path for field in change.fields])
        resources[address] = replace(applied, body=body, record=have.record, id=have.id)


def _take_over(changes: Collection[Change], before: Seen, resources: dict[Address, Applied]) -> None:
    """Take over records that were made anew by others and changed all the same, since that was allowed by name."""
    touched = {owner for change in changes if change.after is not None for owner in owners(change.address)}
    fresh = {c.address for c in changes if c.action in (Action.CREATE, Action.REPLACE)}
    for address in touched - fresh:
        applied, id = resources.get(address), before.ids.get(address)
        if applied is not None and id and applied.id and applied.id != id:
            resources[address] = replace(applied, id=id)


def _drop_what_went_along(changes: Collection[Change], live: LiveState, resources: dict[Address, Applied]) -> None:
    """Remove the satellites and enablements of deleted apps and handlers, with one look at each resource."""
    owners = {change.address for change in changes if change.after is None and not change.address.is_enablement}
    if not owners:
        return
    for address in list(resources):
        if address not in live.resources and not owners.isdisjoint(address.owners):
            del resources[address]


def _add_handler_classes(desired: Snapshot, before: Seen, live: LiveState, resources: dict[Address, Applied]) -> None:
    """Add the Apex classes of managed handlers, declared or not: they decide who gets tokens."""
    for address in list(resources):
        if address.kind == HANDLER and not address.is_enablement and address in live.resources:
            name = str(live.resources[address].body.get("tokenHandlerApex", ""))
            code = class_named(name, before.resources) or class_named(name, live.resources)
            if code is not None and code not in resources and code not in desired.resources:
                have = before.resources.get(code) or live.resources[code]
                resources[code] = as_watched(have)


def _watch_all(
    baseline: Baseline,
    before: Seen,
    live: LiveState,
    changes: Mapping[Address, Change],
    resources: dict[Address, Applied],
) -> frozenset[str]:
    """Keep everything that no file declares, too: at the first apply as it was when the plan was made, later only what came
    along with what we created. What appeared by itself is reported until a person accepts it.

    Returns the names of what is known and could not be read this time.
    """
    for address, have in before.resources.items():
        change = changes.get(address)
        gone = change is not None and change.after is None
        if address not in resources and not gone and (not baseline.exists or _was_there(address, baseline)):
            resources[address] = as_watched(have)
    for address, have in _came_along(live, changes, resources).items():
        resources[address] = replace(as_watched(have), body=_as_filled_in(have))
    names = {Address.parse(text) for text in baseline.unmanaged} - resources.keys()
    return frozenset(str(address) for address in names if live.reason_unreadable(address) is not None)


def _was_there(address: Address, baseline: Baseline) -> bool:
    """True for what the baseline knows by name only, and for a kind that its API version did not have."""
    version = float(baseline.api_version or 0)
    return str(address) in baseline.unmanaged or bool(version and address.schema.since > version)


def _came_along(
    live: LiveState, changes: Mapping[Address, Change], resources: Mapping[Address, Applied]
) -> dict[Address, LiveResource]:
    """Return what the org made by itself for an external client app that we created: its policies."""
    apps = {
        change.address.name: app.created
        for change in changes.values()
        if change.action in (Action.CREATE, Action.REPLACE) and change.address.kind == "ExternalClientApplication"
        if (app := live.resources.get(change.address)) is not None
    }
    return {
        address: have
        for address, have in (live.resources.items() if apps else ())
        if address not in resources and address.is_satellite and address.name in apps
        # In one transaction with its app. What came later is looked at with the times of the deployment.
        if (have.created.by_id, have.created.date[:19]) == (apps[address.name].by_id, apps[address.name].date[:19])
    }


def _watching(
    baseline: Baseline,
    unmanaged: frozenset[str],
    before: Seen,
    live: LiveState,
    resources: dict[Address, Applied],
) -> frozenset[str]:
    """Keep whole what belongs to something that we manage, though no file declares it: a policy that the org made for an
    app decides who may use it, an enablement of another team decides as whom. Returns what is left of the strangers.

    What was released stays released: only what is new, or belongs to what was not ours before, is taken up.
    """
    unmanaged |= {text for text in no_longer_watched(resources, live.resources) if is_there(text, live)}
    taken: set[str] = set()
    for text in unmanaged:
        address = Address.parse(text)
        have = before.resources.get(address) or live.resources.get(address)
        new = text not in baseline.unmanaged and address not in baseline.resources
        if have is not None and is_of_ours(address, resources) and (new or not is_of_ours(address, baseline.resources)):
            resources[address] = as_watched(have)
            taken.add(text)
    return unmanaged - taken


def no_longer_watched(resources: dict[Address, Applied], live: Mapping[Address, LiveResource]) -> set[str]:
    """Remove records that were watched only because they belong to something that is no longer managed."""
    watched = [address for address, applied in resources.items() if applied.watched]
    classes = _handler_classes(resources, live) if watched else set()
    gone = {
        a for a in watched if not (a.name.casefold() in classes if a.kind == "ApexClass" else is_of_ours(a, resources))
    }
    for address in gone:
        del resources[address]
    return {str(address) for address in gone}


def _handler_classes(resources: Mapping[Address, Applied], live: Mapping[Address, LiveResource]) -> set[str]:
    """The classes of the managed handlers, in small letters: those that they had, and those that they have now."""
    handlers = [a for a, applied in resources.items() if _is_handler(a) and not applied.watched]
    bodies = [resources[a].body for a in handlers] + [live[a].body for a in handlers if a in live]
    return {str(body.get("tokenHandlerApex", "")).casefold() for body in bodies}


def _is_handler(address: Address) -> bool:
    return address.kind == HANDLER and not address.is_enablement


def _unmanaged(
    baseline: Baseline,
    before: Seen,
    live: LiveState,
    resources: Mapping[Address, Applied],
    changes: Mapping[Address, Change],
) -> frozenset[str]:
    """Return the unmanaged addresses that are known: at the first apply all, later also what came along with what we
    created."""
    strangers = {address for address in before.resources if address not in resources}
    if not baseline.exists:
        gone = {address for address, change in changes.items() if change.after is None}
        return frozenset(str(address) for address in (strangers - gone) | _came_along(live, changes, resources).keys())
    came_along = {str(address) for address in _came_along(live, changes, resources)}
    released = {str(a) for a in baseline.resources if a not in resources}
    # A kind that the baseline's API version did not have was there all the time.
    unseen = {str(address) for address in strangers if _was_there(address, baseline)}
    known = baseline.unmanaged | came_along | released | unseen
    return frozenset(text for text in known if Address.parse(text) not in resources and is_there(text, live))


def is_there(text: str, live: LiveState) -> bool:
    """Whether an address is still in the org; what could not be read this time counts as there."""
    address = Address.parse(text)
    return address in live.resources or live.reason_unreadable(address) is not None
