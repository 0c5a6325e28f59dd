"""Applies: settle what was cut off → plan → read again, compare fingerprints → deploy each step → read → plan again."""

import secrets as randomness
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from time import monotonic

from reconciler.baseline.advance import Seen, advanced, at_version, seen
from reconciler.drift import compare as drifting
from reconciler.drift.as_of import dated, newest
from reconciler.drift.meanwhile import looked_at, undone
from reconciler.engine.authors import by_others, with_ids
from reconciler.engine.plan import draft_plan, ignored, placed, spelled_request, stopping
from reconciler.engine.resume import Logbook, ids_of, is_same, left_to_itself, resumed, settled
from reconciler.engine.session import Session, identified, read, read_live, spelled, time_of
from reconciler.errors import (
    Complaint,
    DeploymentError,
    InputError,
    NotAllowedError,
    NotConvergedError,
    ReconcilerError,
    RefusedError,
    UnreachableError,
)
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.changes import Change, Plan, Step
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.model.effects import effects
from reconciler.model.finding import REPLACED, Finding
from reconciler.model.live import LiveResource, LiveState, Modified
from reconciler.model.reports import ApplyResult, StepResult
from reconciler.model.request import Request
from reconciler.model.saved_plan import SavedPlan
from reconciler.plan import draft, guards
from reconciler.plan.components import fingerprints
from reconciler.plan.failures import explained
from reconciler.rules import judging
from reconciler.schema.severity import Severity
from reconciler.schema.values import SecretRef

WAIVE = "mend the files, or waive it in reconciler.yaml with a reason, an owner and an end"


def validate(session: Session, plan: Plan) -> tuple[Deployed, ...]:
    """Let the org check each step without doing it. Stops at the first that fails."""
    found: list[Deployed] = []
    for step in plan.steps:
        session.progress(f"validating {len(step.components)} components")
        sent: list[Sent | None] = []
        try:
            done = _deploy(session, step, check_only=True, secret=session.secret, started=sent.append)
        except KeyboardInterrupt:
            if sent and sent[-1] is not None:
                _cancelled(session, sent[-1])
            raise
        found.append(done)
        if not done.success:
            break
    return tuple(found)


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
        _refuse_other(None if approved else saved, made)
        _refuse(session, made, reviewed=approved or saved is not None)
        if made.steps and (missing := session.provider.may_deploy()):
            raise NotAllowedError(Complaint("our user may not deploy", mend=missing))
        if made.changes and not approved:
            session.progress("")
            asked = monotonic()
            if not confirm(made):
                raise RefusedError("not confirmed: nothing was changed")
            # How long somebody thinks it over is not how long it takes.
            begun += monotonic() - asked
        if made.steps:
            baseline = _noted_first(session, request, made, baseline, before, live)
            # It is read again before anything is sent, and one copy of a large org is enough.
            live, made = LiveState(live.org, {}), replace(made, bodies={})
        return _execute(session, request, made, baseline, before, live, frozenset(one.key for one in known), begun)


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
        if address in made.record_ids and made.record_ids[address][:15] != id[:15]
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
    """Which of the files that a plan rests on are not what they were, a line each."""
    if not before:
        return ["the desired files have changed since the plan was made"]
    changed = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    words = ("is gone" if name not in now else "is new" if name not in before else "has changed" for name in changed)
    found = [f"{name} {what} since the plan was made" for name, what in zip(changed, words, strict=True)]
    return found or ["the desired files have changed since the plan was made"]


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


def _refuse(session: Session, made: Plan, *, reviewed: bool) -> None:
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
    run = _Run(session, request, made, secret, sent, log, baseline, before, live, known=known)
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


def _meanwhile(run: "_Run", made: Plan) -> tuple[Finding, ...]:
    """The drift that was not there when the plan was made, with who: others changed it while the apply was under way.

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


def _undone(run: "_Run") -> tuple[Finding, ...]:
    """What others did to the records that were sent, between the last look at them and the end of our deployments."""
    session = run.session
    try:
        history = session.provider.history(run.since, session.progress, enablements=False, exact=True)
    except ReconcilerError as hidden:
        session.progress(f"what others did meanwhile could not be asked: {hidden}")
        return ()
    components = [component for step in run.made.steps for component in step.components]
    apps = {a.name for a in run.live.resources if a.kind in ("ConnectedApp", "ExternalClientApplication")}
    handlers = {a.name for a in run.live.resources if a.kind == "OauthTokenExchangeHandler"}
    return tuple(undone(components, run.looked, history, run.baseline.deployments, apps, handlers))


def _wait_for_others(session: Session) -> None:
    """A deployment that others have queued behind ours may replace what was just sent: what is read then is what counts."""
    try:
        for one in session.provider.others(session.progress):
            session.progress(
                f"deployment {one.id} of {one.by or one.by_id} is still under way, and may change what was sent"
            )
    except ReconcilerError as hidden:
        session.progress(f"whether others are deploying could not be asked: {hidden}")


@dataclass(slots=True)
class _Run:
    """One apply while it deploys: what became of each step, and what is known of the org and of what is ours."""

    session: Session
    request: Request
    made: Plan
    secret: Callable[[SecretRef], str]
    digests: Mapping[SecretRef, str]
    log: Logbook
    baseline: Baseline
    before: Seen
    live: LiveState
    looked: Mapping[Address, Modified] = field(default_factory=dict)
    """The last change of each record that was sent, at the last look before."""
    known: frozenset[str] = frozenset()
    """Keys of the drift that there was when the plan was made, with what is not shown of a record that is another one."""
    since: str = ""
    """By the org's clock: before the first look."""
    results: list[StepResult] = field(default_factory=list)
    unread: str = ""
    """Why the org could not be read back after a step landed."""

    def look(self, index: int) -> None:
        """Read the org for the last time before a step is sent. Raises RefusedError if it is not what was planned for."""
        step, provider, progress = self.made.steps[index], self.session.provider, self.session.progress
        progress("checking once more that nothing has changed")
        if index:
            # An earlier step may have changed what a later one rests on: it was read when that had landed.
            addresses = [component.address for component in step.components]
            planned = fingerprints(addresses, self.live)
            known = ((str(c.address), self.live.resources.get(c.address)) for c in step.components)
            ids = {address: have.id for address, have in known if have is not None and have.id}
            touched = spelled(provider.read_records(step.components, progress), self.session.desired, self.baseline)
            self.live = _with_read(self.live, step, touched)
            _refuse_moved(planned, fingerprints(addresses, self.live))
            _refuse_other_records(ids, self.live)
        else:
            self.live = read_live(provider, self.session.desired, self.baseline, progress)
            addresses = [component.address for step in self.made.steps for component in step.components]
            sent = {str(address): self.made.fingerprints[str(address)] for address in addresses}
            _refuse_moved(sent, fingerprints(addresses, self.live))
            _refuse_other_records(self.made.record_ids, self.live)
            self.since = newest(self.live).date
        self.looked = {**self.looked, **looked_at(step.components, self.live)}

    def step(self, index: int) -> bool:
        """Deploy one step and write down what became of it. False if no other may follow."""
        steps = self.made.steps
        where = f" (step {index + 1} of {len(steps)})" if len(steps) > 1 else ""
        number = len(steps[index].components)
        self.session.progress(f"deploying {number} component{'' if number == 1 else 's'}{where}")
        self.log.begin(index + 1, steps[index])
        try:
            result = _land(self.session, steps[index], self.secret, self.log, lambda: self.look(index))
        except ReconcilerError as stopped:
            if not self.results:
                raise
            # Refused before it was sent; what landed before is listed all the same.
            error = Deployed("", False, "not sent", error=str(stopped), why=tuple(stopped.complaints))
            result = StepResult(steps[index], Landing.NOT_LANDED, error)
        self.results.append(result)
        self._remember(result)
        if result.landing is Landing.LANDED:
            self._look(index)
        if result.landing is Landing.LANDED and not self.unread and not self.log.interrupted:
            return True
        self.results += [StepResult(later, Landing.NOT_LANDED) for later in steps[index + 1 :]]
        return False

    def _remember(self, result: StepResult) -> None:
        if result.landing is Landing.NOT_LANDED:
            self.log.settle(landed=False)
        elif result.deployed is not None and result.deployed.id:
            ids = with_ids(self.baseline.deployments, [result.deployed.id])
            self.baseline = replace(self.baseline, deployments=ids)
            if result.landing is Landing.UNKNOWN and self.baseline.exists:
                # It may have landed: then the next look at the org finds it, and it was we who did it.
                self.session.baselines.save(self.baseline)

    def _look(self, index: int) -> None:
        """Read back and write down at once: an apply that is cut off must not lose what it did. The whole org is read
        after the last step; between two, only what this one touched."""
        step, later = self.made.steps[index], self.made.steps[index + 1 :]
        landed = step.changes
        planned = {change.address for other in later for change in other.changes}
        provider, progress = self.session.provider, self.session.progress
        try:
            if later:
                read_back = provider.read_records(step.components, progress)
                touched = spelled(read_back, self.session.desired, self.baseline)
                self.live = _with_read(self.live, step, touched)
            else:
                _wait_for_others(self.session)
                self.live = read_live(provider, self.session.desired, self.baseline, progress)
        except (ReconcilerError, KeyboardInterrupt) as lost:
            # The journal stays: the next apply reads what we could not.
            self.log.interrupted |= isinstance(lost, KeyboardInterrupt)
            self.unread = _in_words(lost) if isinstance(lost, ReconcilerError) else "interrupted"
            self.live = _as_sent(self.live, step)
            self.advance(landed, planned)
            return
        self.advance(landed, planned)
        self.log.settle(landed=True)

    def advance(self, landed: Sequence[Change], planned: Collection[Address]) -> None:
        """Write what landed into the baseline."""
        baseline, live = self.baseline, self.live
        done = self.results[-1].deployed if self.results else None
        ids = ids_of(landed, [done] if done is not None else [])
        self.baseline = _advance(
            self.session, self.request, baseline, self.before, live, landed, self.digests, planned, ids
        )


def _in_words(error: ReconcilerError) -> str:
    """What went wrong on one line, with what the org said of it."""
    return "; ".join(f"{one.message} ({one.quote})" if one.quote else one.message for one in error.complaints)


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
    before: Seen,
    live: LiveState,
    landed: Sequence[Change],
    sent: Mapping[SecretRef, str],
    planned: Collection[Address],
    ids: Mapping[Address, str],
) -> Baseline:
    known = baseline.resources.keys() | session.desired.resources.keys()
    chosen = [a for a in known if draft.targeted(a, request.targets) and a not in planned]
    desired = Snapshot({}) if request.destroy else session.desired
    new = advanced(
        baseline,
        desired,
        before,
        live,
        landed,
        chosen=chosen,
        secrets=sent,
        ids=ids,
        watch_all=session.watch_all,
    )
    if not new.begun and not baseline.exists:
        new = replace(new, begun=time_of(session))
    if new.serial != baseline.serial or (landed and new is baseline):
        new = dated(baseline, new, live)
        session.baselines.save(new)
    return new


def _noted_first(
    session: Session, request: Request, made: Plan, baseline: Baseline, before: Seen, live: LiveState
) -> Baseline:
    """Write down what the org has, as the plan saw it, before anything is sent: of an apply that is cut off nothing else
    would remember it, and what others change until the next one would pass for what was there."""
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


def _refuse_moved(planned: Mapping[str, str], now: Mapping[str, str]) -> None:
    moved = sorted(address for address in planned if planned[address] != now.get(address))
    if moved:
        mend = "nothing was sent; plan again"
        raise RefusedError(
            *(Complaint(f"{a} changed in the org while this apply was under way", mend=mend) for a in moved)
        )


def _refuse_other_records(planned: Mapping[str, str], live: LiveState) -> None:
    """A record that was deleted and made anew meanwhile holds the same, perhaps, and is another one all the same."""
    moved = [
        address
        for address, id in sorted(planned.items())
        if (have := live.resources.get(Address.parse(address))) is None or (have.id and have.id[:15] != id[:15])
    ]
    if moved:
        mend = "nothing was sent; plan again"
        raise RefusedError(
            *(Complaint(f"{a} was deleted and made anew while this apply was under way", mend=mend) for a in moved)
        )


def _land(
    session: Session, step: Step, secret: Callable[[SecretRef], str], log: Logbook, look: Callable[[], None]
) -> StepResult:
    try:
        done = _deploy(session, step, check_only=False, secret=secret, started=log.note_sent, look=look)
    except KeyboardInterrupt:
        if log.sent is None:
            raise
        log.interrupted = True
        done = _cancelled(session, log.sent)
    except ReconcilerError as lost:
        if log.sent is None:
            raise
        if not log.sent.id and not isinstance(lost, UnreachableError):
            # The org has answered, and it did not take it.
            log.settle(landed=False)
            raise
        # The org may have taken it. Only a look at the org can tell, and that is what the next apply begins with.
        return _unknown(step, log.sent, lost)
    return StepResult(step, done.landing, replace(done, failures=explained(done.failures, step, session.desired)))


def _cancelled(session: Session, sent: Sent) -> Deployed:
    """Stop a deployment in the org. Whoever is impatient interrupts this too: then the journal tells the next apply."""
    session.progress("interrupted: cancelling the deployment in the org; once more to leave it there as it is")
    try:
        return session.provider.cancel(sent, session.progress)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(left_to_itself(sent)) from None
    except ReconcilerError as lost:
        return Deployed(sent.id, False, "unknown", error=str(lost), why=tuple(lost.complaints))


def _unknown(step: Step, sent: Sent, why: ReconcilerError) -> StepResult:
    done = Deployed(sent.id, False, "unknown", error=str(why), why=tuple(why.complaints))
    return StepResult(step, Landing.UNKNOWN, done)


def _deploy(
    session: Session,
    step: Step,
    *,
    check_only: bool,
    secret: Callable[[SecretRef], str],
    started: Callable[[Sent | None], None],
    look: Callable[[], None] = lambda: None,
) -> Deployed:
    return session.provider.deploy(
        step.components,
        session.progress,
        check_only=check_only,
        secrets=secret,
        options=session.deploy_options,
        started=started,
        last_look=look,
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
    if any(not finding.unmanaged for finding in result.meanwhile):
        return NotConvergedError("applied, and others changed meanwhile what is managed here")
    return None
