"""Deploys the steps of an apply: a last look, deploy, read back, write the baseline."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.baseline.advance import Seen, advanced
from reconciler.drift.as_of import dated, newest
from reconciler.drift.meanwhile import looked_at
from reconciler.engine.authors import with_ids
from reconciler.engine.refusals import refuse_moved, refuse_other_records
from reconciler.engine.resume import Logbook, ids_of, left_to_itself
from reconciler.engine.session import Session, read_live, spelled, time_of
from reconciler.errors import (
    ReconcilerError,
    UnreachableError,
)
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.changes import Change, Plan, Step
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.model.live import LiveResource, LiveState, Modified
from reconciler.model.reports import StepResult
from reconciler.model.request import Request
from reconciler.plan import draft
from reconciler.plan.components import fingerprints
from reconciler.plan.failures import explained
from reconciler.schema.values import SecretRef


def _wait_for_others(session: Session) -> None:
    """Wait for deployments of others that are queued behind ours: they may replace what was just sent."""
    try:
        for one in session.provider.others(session.progress):
            session.progress(
                f"deployment {one.id} of {one.by or one.by_id} is still under way, and may change what was sent"
            )
    except ReconcilerError as hidden:
        session.progress(f"whether others are deploying could not be asked: {hidden}")


@dataclass(slots=True)
class Run:
    """One apply while it deploys: the result of each step so far, the org as last read, and the baseline."""

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
            refuse_moved(planned, fingerprints(addresses, self.live))
            refuse_other_records(ids, self.live)
        else:
            self.live = read_live(provider, self.session.desired, self.baseline, progress)
            addresses = [component.address for step in self.made.steps for component in step.components]
            sent = {str(address): self.made.fingerprints[str(address)] for address in addresses}
            refuse_moved(sent, fingerprints(addresses, self.live))
            refuse_other_records(self.made.record_ids, self.live)
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
            result = land(self.session, steps[index], self.secret, self.log, lambda: self.look(index))
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
        """Read back what a step changed, and write it into the baseline.

        This happens at once, since an apply that is cut off must not lose what it did. The whole org is read after the
        last step; between two, only what this one touched.
        """
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
    """An error on one line, with what the org said of it."""
    return "; ".join(f"{one.message} ({one.quote})" if one.quote else one.message for one in error.complaints)


def _as_sent(live: LiveState, step: Step) -> LiveState:
    """The org as it should be after a step, for when it could not be read back."""
    resources = dict(live.resources)
    for change in step.changes:
        if change.after is None:
            resources.pop(change.address, None)
        else:
            resources[change.address] = LiveResource(change.address, change.after, change.record)
    return replace(live, resources=resources)


def _with_read(live: LiveState, step: Step, touched: LiveState) -> LiveState:
    """The state of the org with the records of one step replaced by what was just read."""
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


def land(
    session: Session, step: Step, secret: Callable[[SecretRef], str], log: Logbook, look: Callable[[], None]
) -> StepResult:
    try:
        done = deploy(session, step, check_only=False, secret=secret, started=log.note_sent, look=look)
    except KeyboardInterrupt:
        if log.sent is None:
            raise
        log.interrupted = True
        done = cancelled(session, log.sent)
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


def cancelled(session: Session, sent: Sent) -> Deployed:
    """Stop a deployment in the org. A second Ctrl-C leaves it there: the journal then tells the next apply."""
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


def deploy(
    session: Session,
    step: Step,
    *,
    check_only: bool,
    secret: Callable[[SecretRef], str],
    started: Callable[[Sent | None], None],
    look: Callable[[], None] = lambda: None,
) -> Deployed:
    """Deploy one step, and wait until the org says how it ended. `look` is called just before it is sent."""
    return session.provider.deploy(
        step.components,
        session.progress,
        check_only=check_only,
        secrets=secret,
        options=session.deploy_options,
        started=started,
        last_look=look,
    )
