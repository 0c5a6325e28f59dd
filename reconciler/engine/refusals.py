"""Reasons to refuse an apply: another plan than was reviewed, broken rules, guards, an org that has moved."""

from collections.abc import Mapping

from reconciler.engine.plan import stopping
from reconciler.engine.session import Session
from reconciler.errors import (
    Complaint,
    InputError,
    RefusedError,
)
from reconciler.model.address import Address
from reconciler.model.changes import Plan
from reconciler.model.effects import effects
from reconciler.model.live import LiveState
from reconciler.model.saved_plan import SavedPlan
from reconciler.plan import guards
from reconciler.schema.record_id import same_id
from reconciler.schema.severity import Severity

WAIVE = "mend the files, or waive it in reconciler.yaml with a reason, an owner and an end"


def refuse_other(saved: SavedPlan | None, made: Plan) -> None:
    """Refuse a fresh plan that is not the saved one: same org, same live state of what it touches, same payload."""
    if saved is None:
        return
    if not same_id(saved.org_id, made.org.id):
        raise RefusedError(
            Complaint(f"the plan is for org {saved.org_id}, this is {made.org.id}", mend="plan again for this org")
        )
    mend = "review a new plan"
    if saved.desired != made.desired or (saved.files and saved.files != made.files):
        raise RefusedError(*(Complaint(text, mend=mend) for text in _changed_files(saved.files, made.files)))
    is_same_work = saved.effects == effects(made)
    if not is_same_work and not (made.changes or made.adopted or made.released):
        message = "the plan has been applied already, or the org is as it wants it by now: there is nothing to do"
        raise RefusedError(Complaint(message, mend="plan again"))
    touched = saved.fingerprints.keys() & made.fingerprints.keys()
    moved = [address for address in sorted(touched) if saved.fingerprints[address] != made.fingerprints[address]]
    again = [
        address
        for address, id in sorted(saved.record_ids.items())
        if address in made.record_ids and not same_id(made.record_ids[address], id)
    ]
    if moved or again:
        raise RefusedError(
            *(Complaint(f"{address} has changed in the org since the plan was made", mend=mend) for address in moved),
            *(Complaint(f"{a} was deleted and made anew since the plan was made", mend=mend) for a in again),
        )
    if is_same_work:
        return
    if saved.baseline_serial != made.baseline_serial:
        was, now = (
            f"baseline serial {n}" if n else "no baseline" for n in (saved.baseline_serial, made.baseline_serial)
        )
        message = f"the plan was made with {was}, this is {now}: what is to be done is not the same"
        where = "plan where the baseline is: it is a file of .reconciler/baselines, kept with the project"
        raise RefusedError(Complaint(message, mend=f"{mend}; {where}"))
    gone = sorted(saved.fingerprints.keys() ^ made.fingerprints.keys())
    if gone:
        raise RefusedError(
            *(Complaint(f"{address} has changed in the org since the plan was made", mend=mend) for address in gone)
        )
    raise RefusedError(Complaint("what would be done is not what was planned", mend=mend))


def _changed_files(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name the files that changed since the plan was saved, one line each."""
    if not before:
        return ["the desired files have changed since the plan was made"]
    changed = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    words = ("is gone" if name not in now else "is new" if name not in before else "has changed" for name in changed)
    found = [f"{name} {what} since the plan was made" for name, what in zip(changed, words, strict=True)]
    return found or ["the desired files have changed since the plan was made"]


class StoppedError(InputError):
    """Raised when broken rules stop an apply; carries the plan that it would have carried out."""

    def __init__(self, plan: Plan, *complaints: Complaint) -> None:
        super().__init__(*complaints)
        self.plan = plan


def refuse_findings(plan: Plan, fail_on: Severity) -> None:
    """Raise StoppedError with the broken rules that are too grave to apply."""
    found = stopping(plan, fail_on)
    if found:
        raise StoppedError(
            plan,
            *(Complaint(f"{f.id} ({f.severity}): {f.address}: {f.message}", f.place, f.mend or WAIVE) for f in found),
        )


def refuse(session: Session, made: Plan, *, reviewed: bool) -> None:
    refuse_findings(made, session.fail_on)
    complaints = [
        Complaint(
            f"{refusal.address}: {refusal.message}",
            mend=f"if you mean it: {refusal.allow}" if refusal.allow else guards.lifted(refusal),
        )
        for refusal in made.refusals
    ]
    if made.changes and session.protected and not reviewed and guards.PROTECTED_ORG not in session.allowed:
        mend = f"apply a plan that was saved and reviewed (plan --out), or --allow {guards.PROTECTED_ORG}"
        complaints.append(Complaint("the org is protected in reconciler.yaml", mend=mend))
    if complaints:
        raise RefusedError(*complaints)


def refuse_moved(planned: Mapping[str, str], now: Mapping[str, str]) -> None:
    moved = sorted(address for address in planned if planned[address] != now.get(address))
    if moved:
        mend = "nothing was sent; plan again"
        raise RefusedError(
            *(Complaint(f"{a} changed in the org while this apply was under way", mend=mend) for a in moved)
        )


def refuse_other_records(planned: Mapping[str, str], live: LiveState) -> None:
    """Refuse where a record was deleted and made anew since the plan: it is another one, even if it holds the same."""
    moved = [
        address
        for address, id in sorted(planned.items())
        if (have := live.resources.get(Address.parse(address))) is None or (have.id and not same_id(have.id, id))
    ]
    if moved:
        mend = "nothing was sent; plan again"
        raise RefusedError(
            *(Complaint(f"{a} was deleted and made anew while this apply was under way", mend=mend) for a in moved)
        )
