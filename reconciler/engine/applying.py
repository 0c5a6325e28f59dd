"""Applies: plan → read again, compare fingerprints → deploy each step → read → plan again."""

import secrets as randomness
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from time import monotonic

from reconciler import guards, planner
from reconciler.baseline import advanced
from reconciler.causes import explained
from reconciler.components import fingerprints
from reconciler.engine.planning import draft_plan, placed, stopping
from reconciler.engine.session import Session, read, read_live, silent, time_of
from reconciler.errors import (
    Complaint,
    DeploymentError,
    InputError,
    NotConvergedError,
    ReconcilerError,
    RefusedError,
    UnreachableError,
)
from reconciler.kind import SecretRef
from reconciler.model import (
    Address,
    ApplyResult,
    Baseline,
    Change,
    Deployed,
    Landing,
    LiveResource,
    LiveState,
    Plan,
    Snapshot,
    Step,
    StepResult,
)
from reconciler.planner import Request
from reconciler.render.saved_plan import SavedPlan
from reconciler.security import Severity

KEPT_DEPLOYMENTS = 200
WAIVE = "mend the files, or waive it in reconciler.yaml with a reason, an owner and an end"


def validate(session: Session, plan: Plan) -> tuple[Deployed, ...]:
    """Let the org check each step without doing it. Stops at the first that fails."""
    found: list[Deployed] = []
    for step in plan.steps:
        session.progress(f"validating {len(step.components)} components")
        done = _deploy(session, step, check_only=True, secret=session.secret, started=silent)
        found.append(done)
        if not done.success:
            break
    return tuple(found)


def apply(
    session: Session,
    request: Request = Request(),
    *,
    saved: SavedPlan | None = None,
    confirm: Callable[[Plan], bool] = lambda _: True,
) -> ApplyResult:
    """Make the org equal to the files, and prove it by a second, empty plan.

    A saved plan is planned anew and must come out the same: nothing in its file is ever executed. Raises RefusedError
    for guards, for a plan that no longer holds, and for an apply that was not confirmed.
    """
    begun = monotonic()
    with session.baselines.lock(session.provider.org().id):
        baseline, live = read(session)
        made = draft_plan(session, request, baseline, live)
        _refuse_other(saved, made)
        _refuse(session, made, saved)
        if made.changes:
            session.progress("")
            asked = monotonic()
            if not confirm(made):
                raise RefusedError("not confirmed: nothing was changed")
            # How long somebody thinks it over is not how long it takes.
            begun += monotonic() - asked
        if made.steps:
            # It is read again before anything is sent, and one copy of a large org is enough.
            live, made = LiveState(live.org, {}), replace(made, bodies={})
        return _execute(session, request, made, baseline, live, begun)


def check(validated: Sequence[Deployed], made: Plan, desired: Snapshot) -> None:
    """Raise InputError with everything that the org objected to in a validation: the files are what has to change."""
    complaints = []
    for done, step in zip(validated, made.steps, strict=False):
        for failure in explained(done.failures, step, desired):
            where = str(failure.address or f"{failure.kind}/{failure.record}")
            complaints.append(Complaint(f"the org would refuse {where}", failure.place, quote=failure.problem))
        if not done.success and not done.failures:
            complaints.append(Complaint("the org would refuse the deployment", quote=done.error or done.status))
    if complaints:
        raise InputError(*complaints)


def _refuse_other(saved: SavedPlan | None, made: Plan) -> None:
    """A saved plan is a promise: same org, same live state of what it touches, same payload."""
    if saved is None:
        return
    if saved.org_id[:15] != made.org.short_id:
        raise RefusedError(
            Complaint(f"the plan is for org {saved.org_id}, this is {made.org.id}", mend="plan again for this org")
        )
    mend = "review a new plan"
    moved = [
        address
        for address in sorted(saved.fingerprints.keys() | made.fingerprints.keys())
        if saved.fingerprints.get(address) != made.fingerprints.get(address)
    ]
    if moved:
        raise RefusedError(
            *(Complaint(f"{address} has changed in the org since the plan was made", mend=mend) for address in moved)
        )
    if saved.payload != made.payload:
        what = (
            "the desired files have changed since"
            if saved.desired != made.desired
            else "what would be sent is not what was planned"
        )
        raise RefusedError(Complaint(what, mend=mend))


class StoppedError(InputError):
    """An apply that broken rules stop, and the plan that it would have carried out."""

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


def _refuse(session: Session, made: Plan, saved: SavedPlan | None) -> None:
    refuse_findings(made, session.fail_on)
    complaints = [
        Complaint(
            f"{refusal.address}: {refusal.message}", mend=f"if you mean it: {refusal.allow}" if refusal.allow else ""
        )
        for refusal in made.refusals
    ]
    if made.changes and session.protected and saved is None and guards.PROTECTED_ORG not in session.allowed:
        mend = f"apply a plan that was saved and reviewed (plan --out), or --allow {guards.PROTECTED_ORG}"
        complaints.append(Complaint("the org is protected in reconciler.yaml", mend=mend))
    if complaints:
        raise RefusedError(*complaints)


def _execute(
    session: Session, request: Request, made: Plan, baseline: Baseline, live: LiveState, begun: float
) -> ApplyResult:
    sent: dict[SecretRef, str] = {}
    salt = baseline.salt or randomness.token_hex(16)
    baseline = replace(baseline, salt=salt)

    def secret(ref: SecretRef) -> str:
        value = session.secret(ref)
        sent[ref] = sha256(f"{salt}:{value}".encode()).hexdigest()
        return value

    if made.steps:
        session.progress("checking once more that nothing has changed")
        live = read_live(session.provider, session.desired, baseline, session.progress)
        components = [component for step in made.steps for component in step.components]
        _refuse_moved(made.fingerprints, fingerprints(components, live))
    results: list[StepResult] = []
    for index, step in enumerate(made.steps):
        where = f" (step {index + 1} of {len(made.steps)})" if len(made.steps) > 1 else ""
        session.progress(f"deploying {len(step.components)} components{where}")
        try:
            result = _land(session, step, secret)
        except ReconcilerError as stopped:
            if not results:
                raise
            # Refused before it was sent; what landed before is listed all the same.
            result = StepResult(step, Landing.NOT_LANDED, Deployed("", False, "not sent", error=str(stopped)))
        results.append(result)
        if result.landing is not Landing.NOT_LANDED and result.deployed is not None and result.deployed.id:
            ids = (*baseline.deployments, result.deployed.id)[-KEPT_DEPLOYMENTS:]
            baseline = replace(baseline, deployments=ids)
        if result.landing is not Landing.LANDED:
            if result.landing is Landing.UNKNOWN and baseline.exists:
                # It may have landed: then the next look at the org finds it, and it was we who did it.
                session.baselines.save(baseline)
            results += [StepResult(later, Landing.NOT_LANDED) for later in made.steps[index + 1 :]]
            break
        # Each landed step is written at once: an apply that is cut off must not lose what it did. The whole org is read
        # after the last one; between two, only what this one touched.
        landed = [c for done in results for c in done.step.changes]
        planned = {c.address for s in made.steps[index + 1 :] for c in s.changes}
        try:
            if index + 1 < len(made.steps):
                live = _with_read(live, step, session.provider.read_records(step.components, session.progress))
            else:
                live = read_live(session.provider, session.desired, baseline, session.progress)
        except ReconcilerError as lost:
            _advance(session, request, baseline, _as_sent(live, step), landed, sent, planned)
            results += [StepResult(later, Landing.NOT_LANDED) for later in made.steps[index + 1 :]]
            return ApplyResult(made, tuple(results), unread=str(lost), seconds=monotonic() - begun)
        baseline = _advance(session, request, baseline, live, landed, sent, planned)
    if not made.steps:
        baseline = _advance(session, request, baseline, live, (), sent, set())
    if any(result.landing is not Landing.LANDED for result in results):
        return ApplyResult(made, tuple(results), seconds=monotonic() - begun)
    left = planner.draft(session.desired, live, baseline, replace(request, replace=frozenset()))
    made = replace(made, bodies={address: have.body for address, have in live.resources.items()})
    return ApplyResult(made, tuple(results), placed(left.changes, session.desired), seconds=monotonic() - begun)


def _as_sent(live: LiveState, step: Step) -> LiveState:
    """The org as it should be now, for want of a look at it: what landed is ours, read back or not."""
    resources = dict(live.resources)
    for change in step.changes:
        if change.after is None:
            resources.pop(change.address, None)
        else:
            resources[change.address] = LiveResource(change.address, change.after, change.record)
    return replace(live, resources=resources)


def _with_read(live: LiveState, step: Step, touched: LiveState) -> LiveState:
    """The org as it was known, with what was read again of one step's records."""
    deployed = {component.address for component in step.components}
    gone = {c.address.name for c in step.components if c.body is None and c.address.schema.removable}
    kept = {
        address: resource
        for address, resource in live.resources.items()
        if address.component not in deployed and not (address.schema.section and address.name in gone)
    }
    return LiveState(touched.org, kept | dict(touched.resources), {**live.unreadable, **touched.unreadable})


def _advance(
    session: Session,
    request: Request,
    baseline: Baseline,
    live: LiveState,
    landed: Sequence[Change],
    sent: Mapping[SecretRef, str],
    planned: Collection[Address],
) -> Baseline:
    known = baseline.resources.keys() | session.desired.resources.keys()
    chosen = [a for a in known if planner.targeted(a, request.targets) and a not in planned]
    desired = Snapshot({}) if request.destroy else session.desired
    new = advanced(baseline, desired, live, landed, chosen=chosen, secrets=sent)
    if not new.begun and not baseline.exists:
        new = replace(new, begun=time_of(session))
    if new.serial != baseline.serial or (landed and new is baseline):
        session.baselines.save(new)
    return new


def _refuse_moved(planned: Mapping[str, str], now: Mapping[str, str]) -> None:
    moved = sorted(address for address in planned if planned[address] != now.get(address))
    if moved:
        mend = "nothing was sent; plan again"
        raise RefusedError(
            *(Complaint(f"{a} changed in the org while this apply was under way", mend=mend) for a in moved)
        )


def _land(session: Session, step: Step, secret: Callable[[SecretRef], str]) -> StepResult:
    ids: list[str] = []
    try:
        done = _deploy(session, step, check_only=False, secret=secret, started=ids.append)
    except UnreachableError as lost:
        # The org may have taken it. Only a look at the org can tell, and that is what the next plan does.
        deployed = Deployed(ids[0] if ids else "", False, "unknown", error=str(lost))
        return StepResult(step, Landing.UNKNOWN, deployed)
    landing = Landing.LANDED if done.success else Landing.NOT_LANDED
    return StepResult(step, landing, replace(done, failures=explained(done.failures, step, session.desired)))


def _deploy(
    session: Session,
    step: Step,
    *,
    check_only: bool,
    secret: Callable[[SecretRef], str],
    started: Callable[[str], None],
) -> Deployed:
    return session.provider.deploy(
        step.components,
        session.progress,
        check_only=check_only,
        secrets=secret,
        options=session.deploy_options,
        started=started,
    )


def failed(result: ApplyResult) -> ReconcilerError | None:
    """The error that an apply's result amounts to, or `None` if all is well."""
    if any(step.landing is not Landing.LANDED for step in result.steps):
        return DeploymentError("the apply did not land as a whole")
    if result.unread:
        mend = "plan again: the baseline holds what was sent"
        return UnreachableError(Complaint(f"everything landed, and could not be read back: {result.unread}", mend=mend))
    if result.left:
        return NotConvergedError("applied, but the second plan is not empty")
    return None
