"""Decides whether the org's record of a name is the one that the baseline knows, or was deleted and made anew under that name.

Pure.

A name is no identity: an app that is deleted and made again has other keys, other tokens and perhaps another owner. What
tells them apart is the record's id, and where an org gives none, the key that it generated.
"""

from collections.abc import Iterator

from reconciler.kinds import satellites
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.live import LiveState
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Immutable
from reconciler.schema.record_id import same_id
from reconciler.schema.values import Body


def has_identity(address: Address) -> bool:
    """True for what can be deleted and made anew on its own: apps, handlers, custom scopes."""
    return address.schema.removable and not address.is_enablement


def owners(address: Address) -> tuple[Address, ...]:
    """Return the resources that an address is deleted and made anew with: itself, or its app, its handler."""
    return (address,) if has_identity(address) else address.owners


def is_another(address: Address, baseline: Baseline, live: LiveState) -> bool:
    """True if the org's record of that name is not the one that the baseline holds."""
    return _is_same(address, baseline, live) is False


def is_sure(address: Address, baseline: Baseline, live: LiveState) -> bool:
    """False if the org gives the record an id, but the baseline has neither id nor key to compare it with."""
    have = live.resources.get(address)
    if have is None or not has_identity(address) or not have.id or address not in baseline.resources:
        return True
    return _is_same(address, baseline, live) is not None


def _is_same(address: Address, baseline: Baseline, live: LiveState) -> bool | None:
    """Whether the org's record is the same as the baseline's; `None` if nothing shows it."""
    applied, have = baseline.resources.get(address), live.resources.get(address)
    if applied is None or have is None or not has_identity(address):
        return None
    if applied.id and have.id:
        return same_id(applied.id, have.id)
    kinds = [address.kind]
    if address.kind == "ExternalClientApplication":
        kinds += [kind.__name__ for kind in satellites().values()]
    for kind in kinds:
        part = Address(kind, address.name)
        known, now = baseline.resources.get(part), live.resources.get(part)
        if known is None or now is None:
            continue
        before, after = (list(_keys(part.struct, body)) for body in (known.body, now.body))
        if before and after:
            return before == after
    return None


def other_owner(address: Address, baseline: Baseline, live: LiveState) -> Address | None:
    """Return the address, or what owns it, if the org has another record there than the baseline; else `None`."""
    return next((owner for owner in owners(address) if is_another(owner, baseline, live)), None)


def _keys(struct: type[Struct], body: Body) -> Iterator[str]:
    """Yield the values that the org generated for a record and never changes."""
    for name, field in struct.fields().items():
        value = body.get(name)
        if field.has(Immutable) and isinstance(value, str) and value:
            yield field.comparison.read(value)
        elif field.struct is not None and not field.repeated and isinstance(value, dict):
            yield from _keys(field.struct, value)
