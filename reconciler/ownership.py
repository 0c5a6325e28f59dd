"""Looking at a baseline, accepting drift into it, giving resources up: what a person decides about ownership."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.as_of import dated
from reconciler.baseline import accepted, forgotten
from reconciler.body import path_of
from reconciler.engine import Session, read
from reconciler.errors import Complaint, InputError, RefusedError
from reconciler.kind import suggestion
from reconciler.model import Address, Baseline


def baseline(session: Session, only: Sequence[Address] = ()) -> Baseline:
    """The baseline of the session's org, or the part of it that was asked for. Raises InputError, RefusedError."""
    found = session.baselines.load(session.provider.org().id)
    if not found.exists:
        raise RefusedError(Complaint("there is no baseline for this org yet", mend="apply once"))
    for address in only:
        _refuse_unknown(address, found)
    kept = {a: r for a, r in found.resources.items() if a in only} if only else found.resources
    return replace(found, resources=kept)


def accept(session: Session, chosen: Sequence[tuple[Address, str]]) -> None:
    """Take what the org has now as what should be. All or nothing. Raises InputError for an address nobody knows."""
    with session.baselines.lock(session.provider.org().id):
        found, live = read(session)
        before = found
        if not found.exists:
            raise RefusedError(Complaint("there is no baseline for this org yet", mend="apply once"))
        for address, field in chosen:
            held, have = found.resources.get(address), live.resources.get(address)
            if held is None and have is None:
                known = [*map(str, found.resources), *map(str, live.resources)]
                message = f"{address} is neither in the baseline nor in the org"
                raise InputError(Complaint(message, mend=suggestion(str(address), known)))
            if field and (held is None or have is None):
                what = "is new in the org" if held is None else "is no longer in the org"
                mend = f"accept it as a whole: reconciler baseline accept {address}"
                raise InputError(Complaint(f"{address} {what}: one field of it cannot be accepted", mend=mend))
            bodies = [one.body for one in (held, have) if one is not None]
            path = path_of(address.struct, field, *bodies) if field else ()
            if path is None:
                mend = suggestion(field, address.struct.fields())
                raise InputError(Complaint(f"{field} is not a field of {address}", mend=mend))
            found = accepted(found, live, address, path)
        session.baselines.save(dated(before, found, live))


def forget(session: Session, chosen: Sequence[Address]) -> None:
    """Give resources up; they stay in the org. All or nothing. Raises InputError for what the baseline does not hold."""
    org_id = session.provider.org().id
    with session.baselines.lock(org_id):
        found = session.baselines.load(org_id)
        for address in chosen:
            _refuse_unknown(address, found)
        for address in chosen:
            # A handler takes its enablements along, so they may be named beside it.
            if address in found.resources:
                found = forgotten(found, address)
        session.baselines.save(found)


def _refuse_unknown(address: Address, found: Baseline) -> None:
    if address not in found.resources:
        mend = suggestion(str(address), map(str, found.resources))
        raise InputError(Complaint(f"{address} is not in the baseline", mend=mend))
