"""What the baseline becomes: after an apply, when drift is accepted, when a resource is given up. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache

from reconciler.body import at, exists, get, put, recalled
from reconciler.drift import is_of_ours
from reconciler.kind import Body, Certificate, SecretRef, Struct, WriteOnly
from reconciler.model import (
    Action,
    Address,
    Applied,
    Baseline,
    Change,
    LiveResource,
    LiveState,
    Path,
    Resource,
    Snapshot,
    walk,
)


def advanced(
    baseline: Baseline,
    desired: Snapshot,
    live: LiveState,
    changes: Collection[Change],
    *,
    chosen: Collection[Address],
    secrets: Mapping[SecretRef, str] | None = None,
) -> Baseline:
    """The baseline after `changes` landed and `live` was read back; an unfinished apply passes the landed ones only.

    It advances for what is declared or was created, and for nothing else: drift of undeclared fields, and resources
    that appeared by themselves, stay reported until somebody accepts them. `chosen` are the declared addresses that
    were looked at (all, or the targets); `secrets` maps references to salted digests of what was sent.
    """
    by_address = {change.address: change for change in changes}
    known, baseline = baseline, _at_version(baseline, live)
    resources = dict(baseline.resources)
    for address in chosen:
        want, have = desired.resources.get(address), live.resources.get(address)
        if want is None or have is None:
            continue
        resources[address] = _applied(
            want, have, baseline.resources.get(address), by_address.get(address), secrets or {}
        )
    for address in sorted(baseline.resources):
        if address not in desired.resources and (address in chosen or address in by_address):
            _given_up(address, by_address.get(address), live.resources.get(address), resources)
    _drop_what_went_along(changes, live, resources)
    _add_handler_classes(desired, live, resources)
    unmanaged = _watching(baseline, _unmanaged(baseline, live, resources, by_address), live, resources)
    same = resources == known.resources and unmanaged == known.unmanaged and known.exists
    if same and known.api_version == live.org.api_version:
        return known
    return replace(
        baseline,
        serial=baseline.serial + 1,
        api_version=live.org.api_version,
        resources=resources,
        unmanaged=unmanaged,
    )


def remembered(baseline: Baseline, live: LiveState) -> Baseline:
    """The baseline with what was withheld from its file, where the org still has it."""
    again = {
        address: replace(applied, body=body)
        for address, applied in baseline.resources.items()
        if (have := live.resources.get(address)) is not None
        and (body := recalled(address.struct, applied.body, have.body, baseline.salt)) is not applied.body
    }
    return replace(baseline, resources={**baseline.resources, **again}) if again else baseline


def _at_version(baseline: Baseline, live: LiveState) -> Baseline:
    """The records of the baseline as the API version that the org was read at shows them.

    A baseline is of one version. What only one of two versions has cannot have drifted from the one to the other, so it
    is taken as the org has it.
    """
    if not (baseline.api_version and live.org.api_version) or baseline.api_version == live.org.api_version:
        return baseline
    before, after = float(baseline.api_version), float(live.org.api_version)
    resources = dict(baseline.resources)
    for address, applied in baseline.resources.items():
        have = live.resources.get(address)
        if have is not None:
            body = applied.body
            for path in _in_one(address.struct, before, after, ()):
                if path not in applied.declared:
                    body = put(address.struct, body, path, get(address.struct, have.body, path))
            resources[address] = replace(applied, body=body)
    return replace(baseline, resources=resources)


@cache
def _in_one(struct: type[Struct], before: float, after: float, path: Path) -> tuple[Path, ...]:
    """The fields that only one of two API versions has."""
    found: list[Path] = []
    for name, field in struct.fields().items():
        if exists(struct, (name,), before) != exists(struct, (name,), after):
            found.append((*path, name))
        elif field.struct is not None and not field.repeated:
            found += _in_one(field.struct, before, after, (*path, name))
    return tuple(found)


@lru_cache(4096)
def _same(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """One object for equal ones: most records of a kind declare the same fields."""
    return paths


def _applied(
    want: Resource, have: LiveResource, known: Applied | None, change: Change | None, secrets: Mapping[SecretRef, str]
) -> Applied:
    struct = want.address.struct
    created = change is not None and change.action in (Action.CREATE, Action.REPLACE)
    declared = _same(tuple(sorted(walk(want.body))))
    ignored = want.lifecycle.ignore
    managed = [path for path in declared if not any(path[: len(other)] == other for other in ignored)]
    # A whole record is taken when it is ours from the start; later only what the files speak of.
    body = have.body if known is None or created else _merged(struct, known.body, have.body, managed)
    unseen = {path: at(want.body, path) for path in _unseen(struct, want.body, have.body, ())}
    if known is not None and not created:
        # Released, and still only we know it.
        kept = (path for path in known.unseen if path not in declared and at(have.body, path) is None)
        unseen |= {path: at(known.body, path) for path in kept}
    for path, value in unseen.items():
        body = put(struct, body, path, value)
    for path, ref in _secrets(struct, want.body, ()):
        before = at(known.body, path) if known is not None else None
        digest = secrets.get(ref) if created else None
        held = {"$digest": digest, "$ref": str(ref)} if digest else before or {"$ref": str(ref)}
        body = put(struct, body, path, held)
    return Applied(body, have.record, declared, tuple(unseen), want.lifecycle.protect)


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
    """The old record with the live values of some fields."""
    body = old
    for path in paths:
        body = put(struct, body, path, get(struct, live, path))
    return body


def _given_up(
    address: Address, change: Change | None, have: LiveResource | None, resources: dict[Address, Applied]
) -> None:
    """Deleted, or released: either way no longer ours. What is watched stays, with the key that a replacement gave it."""
    applied = resources[address]
    if not applied.watched or (change is not None and change.after is None):
        del resources[address]
    elif change is not None and change.replace and have is not None:
        body = _merged(address.struct, applied.body, have.body, [field.path for field in change.fields])
        resources[address] = replace(applied, body=body, record=have.record)


def _drop_what_went_along(changes: Collection[Change], live: LiveState, resources: dict[Address, Applied]) -> None:
    """What belongs to a deleted app or handler went with it. One look at each resource, however many owners go."""
    owners = {change.address for change in changes if change.after is None and not change.address.is_enablement}
    if not owners:
        return
    for address in list(resources):
        if address not in live.resources and not owners.isdisjoint(address.owners):
            del resources[address]


def _add_handler_classes(desired: Snapshot, live: LiveState, resources: dict[Address, Applied]) -> None:
    """The class of a managed handler is kept, declared or not: it decides whom tokens are given to."""
    for address in list(resources):
        if address.kind == "OauthTokenExchangeHandler" and not address.is_enablement and address in live.resources:
            name = str(live.resources[address].body.get("tokenHandlerApex", ""))
            code = Address("ApexClass", name)
            if code not in resources and code in live.resources and code not in desired.resources:
                resources[code] = Applied(live.resources[code].body, name, watched=True)


def _watching(
    baseline: Baseline, unmanaged: frozenset[str], live: LiveState, resources: dict[Address, Applied]
) -> frozenset[str]:
    """Keep whole what belongs to something that we manage, though no file declares it: a policy that the org made for an
    app decides who may use it, an enablement of another team decides as whom. Returns what is left of the strangers.

    What was released stays released: only what is new, or belongs to what was not ours before, is taken up.
    """
    unmanaged |= {text for text in _no_longer_watched(resources, live.resources) if _is_there(text, live)}
    taken: set[str] = set()
    for text in unmanaged:
        address = Address.parse(text)
        have = live.resources.get(address)
        new = text not in baseline.unmanaged and address not in baseline.resources
        if have is not None and is_of_ours(address, resources) and (new or not is_of_ours(address, baseline.resources)):
            resources[address] = Applied(have.body, have.record, watched=True)
            taken.add(text)
    return unmanaged - taken


def _no_longer_watched(resources: dict[Address, Applied], live: Mapping[Address, LiveResource]) -> set[str]:
    """Let go of what was watched for the sake of something that we no longer manage."""
    watched = [address for address, applied in resources.items() if applied.watched]
    classes = _handler_classes(resources, live) if watched else set()
    gone = {a for a in watched if not (a.name in classes if a.kind == "ApexClass" else is_of_ours(a, resources))}
    for address in gone:
        del resources[address]
    return {str(address) for address in gone}


def _handler_classes(resources: Mapping[Address, Applied], live: Mapping[Address, LiveResource]) -> set[str]:
    """The classes of the managed handlers: those that they had, and those that they have now."""
    handlers = [a for a in resources if a.kind == "OauthTokenExchangeHandler" and not a.is_enablement]
    bodies = [resources[a].body for a in handlers] + [live[a].body for a in handlers if a in live]
    return {str(body.get("tokenHandlerApex", "")) for body in bodies}


def _unmanaged(
    baseline: Baseline,
    live: LiveState,
    resources: Mapping[Address, Applied],
    changes: Mapping[Address, Change],
) -> frozenset[str]:
    """Strangers that we know of. At the first apply those are all; later only what came along with what we created."""
    strangers = {address for address in live.resources if address not in resources}
    if not baseline.exists:
        return frozenset(str(address) for address in strangers)
    created = {c.address.name for c in changes.values() if c.action in (Action.CREATE, Action.REPLACE)}
    came_along = {str(a) for a in strangers if a.schema.section and a.name in created}
    released = {str(a) for a in baseline.resources if a not in resources}
    # A kind that the baseline's API version did not have was there all the time.
    version = float(baseline.api_version or 0)
    unseen = {str(a) for a in strangers if version and a.schema.since > version}
    known = baseline.unmanaged | came_along | released | unseen
    return frozenset(text for text in known if Address.parse(text) not in resources and _is_there(text, live))


def _is_there(text: str, live: LiveState) -> bool:
    """Whether the org has it. What could not be read this time is no less known than before."""
    address = Address.parse(text)
    return address in live.resources or live.reason_unreadable(address) is not None


def accepted(baseline: Baseline, live: LiveState, address: Address, path: Path = ()) -> Baseline:
    """Take the live value of a field, of a whole resource, or its absence, as what should be. Raises KeyError."""
    have, known, struct = live.resources.get(address), baseline.resources.get(address), address.struct
    resources, unmanaged = dict(baseline.resources), baseline.unmanaged
    if known is None:
        if have is None:
            raise KeyError(str(address))
        if is_of_ours(address, resources):
            resources[address] = Applied(have.body, have.record, watched=True)
        else:
            unmanaged = unmanaged | {str(address)}
    elif have is None:
        with_it = (a for a in resources if a.is_satellite and a.belongs_to(address) and a not in live.resources)
        for gone in [address, *with_it]:
            del resources[gone]
        unmanaged |= {text for text in _no_longer_watched(resources, live.resources) if _is_there(text, live)}
    elif path:
        resources[address] = replace(known, body=put(struct, known.body, path, get(struct, have.body, path)))
    else:
        body = have.body
        for seen in known.unseen:
            body = put(struct, body, seen, at(known.body, seen))
        for hidden in _digests(known.body, ()):
            body = put(struct, body, hidden, at(known.body, hidden))
        resources[address] = replace(known, body=body, record=have.record)
    return replace(baseline, serial=baseline.serial + 1, resources=resources, unmanaged=unmanaged)


def _digests(body: Body, path: Path) -> Iterator[Path]:
    for name, value in body.items():
        if isinstance(value, dict):
            if "$ref" in value:
                yield (*path, name)
            else:
                yield from _digests(value, (*path, name))


def forgotten(baseline: Baseline, address: Address) -> Baseline:
    """Give a resource up: it stays in the org, and we no longer own it. Raises KeyError."""
    if address not in baseline.resources:
        raise KeyError(str(address))
    resources = {a: r for a, r in baseline.resources.items() if address not in (a, a.component)}
    _no_longer_watched(resources, {})
    gone = {str(a) for a in baseline.resources if a not in resources}
    return replace(baseline, serial=baseline.serial + 1, resources=resources, unmanaged=baseline.unmanaged | gone)
