"""What a person decides about the baseline: drift is accepted into it, a resource is given up. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from reconciler.baseline.advance import as_watched, is_there, no_longer_watched
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.live import LiveState
from reconciler.model.ownership import is_of_ours
from reconciler.schema.paths import at, get, put
from reconciler.schema.values import Body, Path


def accepted(
    baseline: Baseline, live: LiveState, address: Address, path: Path = (), *, watch_all: bool = True
) -> Baseline:
    """Take the live value of a field, of a whole resource, or its absence, as what should be. Raises KeyError."""
    have, known, struct = live.resources.get(address), baseline.resources.get(address), address.struct
    resources, unmanaged = dict(baseline.resources), baseline.unmanaged
    if known is None:
        if have is None:
            raise KeyError(str(address))
        if watch_all or is_of_ours(address, resources):
            resources[address] = as_watched(have)
            unmanaged = unmanaged - {str(address)}
        else:
            unmanaged = unmanaged | {str(address)}
    elif have is None:
        with_it = (a for a in resources if a.is_satellite and a.belongs_to(address) and a not in live.resources)
        for gone in [address, *with_it]:
            del resources[gone]
        if not watch_all:
            unmanaged |= {text for text in no_longer_watched(resources, live.resources) if is_there(text, live)}
    elif path:
        resources[address] = replace(known, body=put(struct, known.body, path, get(struct, have.body, path)))
    else:
        body = have.body
        for seen in known.unseen:
            body = put(struct, body, seen, at(known.body, seen))
        for hidden in _digests(known.body, ()):
            body = put(struct, body, hidden, at(known.body, hidden))
        resources[address] = replace(known, body=body, record=have.record, id=have.id)
    return replace(baseline, serial=baseline.serial + 1, resources=resources, unmanaged=unmanaged)


def _digests(body: Body, path: Path) -> Iterator[Path]:
    for name, value in body.items():
        if isinstance(value, dict):
            if "$ref" in value:
                yield (*path, name)
            else:
                yield from _digests(value, (*path, name))


def forgotten(baseline: Baseline, address: Address, *, watch_all: bool = True) -> Baseline:
    """Give a resource up: it stays in the org, and we no longer own it. Raises KeyError."""
    if address not in baseline.resources:
        raise KeyError(str(address))
    if watch_all:
        given_up = {
            a: replace(applied, declared=(), protect=frozenset(), watched=True)
            for a, applied in baseline.resources.items()
            if address in (a, a.component)
        }
        return replace(baseline, serial=baseline.serial + 1, resources={**baseline.resources, **given_up})
    resources = {a: r for a, r in baseline.resources.items() if address not in (a, a.component)}
    no_longer_watched(resources, {})
    gone = {str(a) for a in baseline.resources if a not in resources}
    return replace(baseline, serial=baseline.serial + 1, resources=resources, unmanaged=baseline.unmanaged | gone)
