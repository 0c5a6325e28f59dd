"""Compare: read both orgs → set aside what belongs to one → what differs. Nothing here writes."""

from reconciler.drift.between import Variables, differences
from reconciler.engine.session import Session, identified, read_live, time_of
from reconciler.model.applied import Baseline
from reconciler.model.live import LiveState
from reconciler.model.reports import DriftReport


def compare(first: Session, second: Session, variables: tuple[Variables, Variables]) -> DriftReport:
    """Where the second org differs from the first; `against` names the first. What could not be read is in the report."""
    one, other = _read(first), _read(second)
    names = tuple(state.org.alias or state.org.name or state.org.id for state in (one, other))
    found = differences(one, other, variables, (names[0], names[1]))
    hidden = {
        f"{what} ({state.org.alias or state.org.name})": why
        for state in (one, other)
        for what, why in state.hidden.items()
    }
    return DriftReport(
        other.org,
        tuple(found),
        names[0],
        tuple(sorted(one.resources.keys() | other.resources.keys())),
        unreadable=hidden,
        notes=(*one.not_comparable, *other.not_comparable),
        bodies={address: have.body for address, have in other.resources.items()},
        created=time_of(second),
    )


def _read(session: Session) -> LiveState:
    identified(session)
    return read_live(session.provider, session.desired, Baseline(), session.progress)
