"""Applies: settle what was cut off → plan → read again, compare fingerprints → deploy each step → read → plan again."""

import secrets as randomness
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from time import monotonic

from reconciler.baseline.advance import Seen, advanced, at_version, seen
from reconciler.drift import compare as drifting
from reconciler.drift.as_of import dated
from reconciler.drift.meanwhile import undone
from reconciler.engine.authors import by_others
from reconciler.engine.deploying import Run
from reconciler.engine.plan import draft_plan, ignored, placed, spelled_request
from reconciler.engine.refusals import refuse, refuse_other
from reconciler.engine.resume import Logbook, is_same, resumed, settled
from reconciler.engine.session import Session, identified, read, time_of
from reconciler.errors import (
    Complaint,
    DeploymentError,
    NotAllowedError,
    NotConvergedError,
    ReconcilerError,
    RefusedError,
    UnreachableError,
)
from reconciler.kinds import HANDLER
from reconciler.model.applied import Baseline
from reconciler.model.changes import Plan
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import Landing
from reconciler.model.finding import REPLACED, Finding
from reconciler.model.live import LiveState
from reconciler.model.reports import ApplyResult
from reconciler.model.request import Request
from reconciler.model.saved_plan import SavedPlan
from reconciler.plan import draft
from reconciler.rules import judging
from reconciler.schema.values import SecretRef


def apply(
    session: Session,
    request: Request = Request(),
    *,
    saved: SavedPlan | None = None,
    resume: bool = False,
    confirm: Callable[[Plan], bool] = lambda _: True,
) -> ApplyResult:
    """Make the org equal to the files, and prove it by a second, empty plan.

    A saved plan is planned anew and must come out the same: nothing in its file is ever executed. An apply that was cut
    off is settled first; `resume` then does what was asked of it, and needs no new yes for what was approved. Raises
    RefusedError for guards, for a plan that no longer holds, and for an apply that was not confirmed.
    """
    begun = monotonic()
    org = identified(session)
    with session.baselines.lock(org.id):
        journal = session.baselines.journal(org.id)
        again = journal is not None and saved is not None and is_same(journal, saved, session.desired)
        if resume or again:
            session, request = resumed(session, journal)
        if journal is None:
            (baseline, live), said = read(session), ""
        else:
            baseline, live, request, said = settled(session, journal, request)
        request = spelled_request(request, session.desired, baseline)
        made = draft_plan(session, request, baseline, live)
        if said:
            made = replace(made, notes=(said, *made.notes))
        known = made.drift
        if made.steps and any(finding.id == REPLACED for finding in made.drift):
            # Once it is taken over, its keys are compared as well.
            known = tuple(drifting.findings(baseline, live, whole=True))
        before, baseline = seen(live, baseline), at_version(baseline, live)
        baseline = replace(baseline, salt=baseline.salt or randomness.token_hex(16))
        approved = (resume or again) and journal is not None and journal.approves(made)
        refuse_other(None if approved else saved, made)
        refuse(session, made, reviewed=approved or saved is not None)
        if made.steps and (missing := session.provider.may_deploy()):
            raise NotAllowedError(Complaint("our user may not deploy", mend=missing))
        if made.changes and not approved:
            session.progress("")
            asked = monotonic()
            if not confirm(made):
                raise RefusedError("not confirmed: nothing was changed")
            # How long someone thinks it over is not how long it takes.
            begun += monotonic() - asked
        if made.steps:
            baseline = noted_first(session, request, made, baseline, before, live)
            # It is read again before anything is sent, and one copy of a large org is enough.
            live, made = LiveState(live.org, {}), replace(made, bodies={})
        return _execute(session, request, made, baseline, before, live, frozenset(one.key for one in known), begun)


def _execute(
    session: Session,
    request: Request,
    made: Plan,
    baseline: Baseline,
    before: Seen,
    live: LiveState,
    known: frozenset[str],
    begun: float,
) -> ApplyResult:
    serial = baseline.serial
    sent: dict[SecretRef, str] = {}

    def secret(ref: SecretRef) -> str:
        value = session.secret(ref)
        sent[ref] = sha256(f"{baseline.salt}:{value}".encode()).hexdigest()
        return value

    log = Logbook(session, request, made, baseline, sent)
    run = Run(session, request, made, secret, sent, log, baseline, before, live, known=known)
    for index in range(len(made.steps)):
        if not run.step(index):
            break
    if not made.steps:
        run.advance((), set())
    results = tuple(run.results)
    landed = all(result.landing is Landing.LANDED for result in results)
    if not run.unread:
        log.close(landed=landed)
    written = run.baseline.serial != serial
    if run.unread or log.interrupted or not landed:
        return ApplyResult(
            made, results, (), monotonic() - begun, run.unread, log.interrupted, baseline_written=written
        )
    live = run.live
    meanwhile = _meanwhile(run, made) if made.steps else ()
    written = run.baseline.serial != serial
    left = draft.draft(session.desired, live, run.baseline, replace(request, replace=frozenset()))
    made = replace(made, bodies={address: have.body for address, have in live.resources.items()})
    return ApplyResult(
        made,
        results,
        placed(left.changes, session.desired),
        seconds=monotonic() - begun,
        meanwhile=meanwhile,
        baseline_written=written,
    )


def _meanwhile(run: "Run", made: Plan) -> tuple[Finding, ...]:
    """The drift that came up after the plan was made, because others changed the org during the apply, and who did.

    What the org itself made of what was sent is no drift, and is taken into the baseline.
    """
    session = run.session
    found = drifting.findings(run.baseline, run.live, ignored(session.desired))
    sent = {change.address for step in made.steps for change in step.changes}
    baseline, others = by_others(session, run.baseline, run.live, [f for f in found if f.key not in run.known], sent)
    if baseline is not run.baseline:
        run.baseline = dated(run.baseline, baseline, run.live)
        session.baselines.save(run.baseline)
    return judging.placed((*others, *_undone(run)), session.desired)


def _undone(run: "Run") -> tuple[Finding, ...]:
    """What others did to the records that were sent, between the last look at them and the end of our deployments."""
    session = run.session
    try:
        history = session.provider.history(run.since, session.progress, enablements=False, exact=True)
    except ReconcilerError as hidden:
        session.progress(f"what others did meanwhile could not be asked: {hidden}")
        return ()
    components = [component for step in run.made.steps for component in step.components]
    apps = {a.name for a in run.live.resources if a.kind in ("ConnectedApp", "ExternalClientApplication")}
    handlers = {a.name for a in run.live.resources if a.kind == HANDLER}
    return tuple(undone(components, run.looked, history, run.baseline.deployments, apps, handlers))


def noted_first(
    session: Session, request: Request, made: Plan, baseline: Baseline, before: Seen, live: LiveState
) -> Baseline:
    """Write into the baseline, before anything is sent, what the org has, as the plan saw it.

    Of an apply that is cut off nothing else would remember it, and what others change until the next one would pass for
    what was there.
    """
    planned = {change.address for change in made.changes}
    desired = Snapshot({}) if request.destroy else session.desired
    chosen = [a for a in desired.resources if draft.targeted(a, request.targets) and a not in planned]
    noted = advanced(baseline, desired, before, live, (), chosen=chosen, watch_all=session.watch_all)
    first = {**before.of_updates(made.changes), **noted.resources}
    new = {address: applied for address, applied in first.items() if address not in baseline.resources}
    if not new:
        return baseline
    # Of what is in the baseline already nothing changes before it lands.
    begun = replace(
        baseline,
        serial=baseline.serial + 1,
        api_version=baseline.api_version or live.org.api_version,
        resources={**baseline.resources, **new},
        unmanaged=baseline.unmanaged - set(map(str, new)),
        begun=baseline.begun or ("" if baseline.exists else time_of(session)),
    )
    begun = dated(baseline, begun, live)
    session.baselines.save(begun)
    return begun


def failed(result: ApplyResult) -> ReconcilerError | None:
    """The error to raise for an apply's result, or `None` if all is well."""
    if any(step.landing is not Landing.LANDED for step in result.steps):
        return DeploymentError("the apply did not land as a whole")
    if result.unread:
        mend = "plan again: the baseline holds what was sent"
        return UnreachableError(Complaint(f"everything landed, and could not be read back: {result.unread}", mend=mend))
    if result.left:
        return NotConvergedError("applied, but the second plan is not empty")
    if any(not finding.unmanaged for finding in result.meanwhile):
        return NotConvergedError("applied, and others changed meanwhile what is managed here")
    return None
