"""Looking at a baseline, accepting drift into it, giving resources up: what a person decides about ownership."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.baseline.accept import accepted, forgotten
from reconciler.drift import compare
from reconciler.drift.as_of import dated
from reconciler.engine.session import Session, read
from reconciler.errors import Complaint, InputError, RefusedError, suggestion
from reconciler.kinds import all_kinds, suggested_kind
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.finding import Finding
from reconciler.model.record_identity import is_another
from reconciler.model.spelling import Spelling, fits
from reconciler.schema.paths import path_of


def baseline(session: Session, only: Sequence[Address] = ()) -> Baseline:
    """The baseline of the session's org, or the part of it that was asked for. Raises InputError, RefusedError."""
    found = session.baselines.load(session.provider.org().id)
    if not found.exists:
        raise RefusedError(Complaint("there is no baseline for this org yet", mend="apply once"))
    only = _known(only, found)
    kept = {a: r for a, r in found.resources.items() if a in only} if only else found.resources
    return replace(found, resources=kept)


def accept(session: Session, chosen: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Take what the org has now as what should be, and return what was accepted, address and field. All or nothing.

    `chosen` are addresses, or patterns with `*` and `?` that stand for every drifted resource that they match, and a field
    or an empty text for the whole. Raises InputError for what is unknown, or for a pattern that nothing matches.
    """
    with session.baselines.lock(session.provider.org().id):
        found, live = read(session)
        before = found
        if not found.exists:
            raise RefusedError(Complaint("there is no baseline for this org yet", mend="apply once"))
        drifted = list(compare.findings(found, live))
        names = Spelling(found.resources, live.resources)
        several = [(names.address(a), name) for text, field in chosen for a, name in _matching(text, field, drifted)]
        # Another record is taken with its parts: they are not what they were either.
        several += [
            (one.address, "")
            for address, field in several
            if not field and is_another(address, found, live)
            for one in drifted
            if one.address.belongs_to(address)
        ]
        for address, field in dict.fromkeys(several):
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
            found = accepted(found, live, address, path, watch_all=session.watch_all)
        session.baselines.save(dated(before, found, live))
    return tuple(f"{address}.{field}" if field else str(address) for address, field in dict.fromkeys(several))


def _matching(text: str, field: str, drifted: Sequence[Finding]) -> list[tuple[Address, str]]:
    """The addresses, each with its field, that a text names: one, or all drifted ones that match a pattern."""
    if not {"*", "?"} & set(text):
        return [(typed_address(text), field)]
    fitting = [
        one.address
        for one in drifted
        if fits(one.address, text) and (not field or field in (".".join(one.path), *one.path[:1]))
    ]
    if not fitting:
        what = f"no drift of {field} in what fits {text}" if field else f"nothing that drifted fits {text}"
        raise InputError(Complaint(what, mend="reconciler drift lists what drifted"))
    return [(address, field) for address in dict.fromkeys(fitting)]


def typed_address(text: str) -> Address:
    """Parse an address that a user typed. Raises InputError that says what is wrong."""
    try:
        parsed = Address.parse(text)
    except ValueError as wrong:
        raise InputError(Complaint(str(wrong), mend="for example ExternalClientApplication/order_portal")) from None
    if parsed.kind not in all_kinds():
        raise InputError(
            Complaint(f"{parsed.kind} is not a kind", mend=suggested_kind(parsed.kind, all_kinds(), every=True))
        )
    return parsed


def forget(session: Session, chosen: Sequence[Address]) -> tuple[Address, ...]:
    """Take resources out of the baseline, and return which; they stay in the org. All or nothing.

    Raises InputError for what the baseline does not have.
    """
    org_id = session.provider.org().id
    with session.baselines.lock(org_id):
        found = session.baselines.load(org_id)
        chosen = _known(chosen, found)
        for address in chosen:
            if found.resources[address].watched:
                raise InputError(Complaint(f"{address} is not managed, only watched: there is nothing to give up"))
        for address in chosen:
            # A handler takes its enablements along, so they may be named beside it.
            if address in found.resources:
                found = forgotten(found, address, watch_all=session.watch_all)
        session.baselines.save(found)
    return tuple(dict.fromkeys(chosen))


def _known(typed: Sequence[Address], found: Baseline) -> list[Address]:
    """Return typed addresses in the baseline's spelling. Raises InputError for one that it does not have."""
    names = Spelling(found.resources)
    known = [names.address(address) for address in typed]
    for address in known:
        if address not in found.resources:
            mend = suggestion(str(address), map(str, found.resources))
            raise InputError(Complaint(f"{address} is not in the baseline", mend=mend))
    return known
