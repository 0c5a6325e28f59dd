"""Applies that are cut off: keeps a journal of a running apply, finds out how the last one ended, carries it on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.baseline.advance import advanced, at_version, seen
from reconciler.baseline.journal import Journal, approval, variables
from reconciler.drift import compare
from reconciler.drift.as_of import dated
from reconciler.engine.authors import by_others, with_ids
from reconciler.engine.session import Session, read, time_of
from reconciler.errors import Complaint, NotAllowedError, ReconcilerError, RefusedError, UnreachableError
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.changes import Change, Plan, Step
from reconciler.model.declared import Snapshot
from reconciler.model.deployment import Deployed, Landing, Sent
from reconciler.model.effects import beside
from reconciler.model.facts import moment
from reconciler.model.live import LiveState
from reconciler.model.request import Request
from reconciler.model.saved_plan import SavedPlan
from reconciler.schema.record_id import same_id
from reconciler.schema.values import SecretRef

LOOK = 10.0
"""Seconds after a deployment was sent in which the org may still come to list it."""
OVER = 3600.0
"""Seconds after which a deployment that an org does not show counts as over. We wait for the end of one as long."""


class Logbook:
    """Keeps the journal of one apply beside the baseline, so that it can be carried on wherever it ends."""

    def __init__(
        self, session: Session, request: Request, made: Plan, baseline: Baseline, secrets: Mapping[SecretRef, str]
    ) -> None:
        self._session, self._secrets = session, secrets
        self._journal = Journal(
            made.org.id,
            baseline.project,
            time_of(session),
            request,
            session.allowed,
            made.desired,
            made.payload,
            approval(component for step in made.steps for component in step.components),
            steps=len(made.steps),
            salt=baseline.salt,
            variables=variables(made.files),
            effects=beside(made),
        )
        self.interrupted = False
        """Whether someone wants this apply to stop."""

    @property
    def sent(self) -> Sent | None:
        """The deployment that is on its way; `None` if nothing was sent, or if it is known what became of it."""
        return self._journal.sent

    def begin(self, number: int, step: Step) -> None:
        """Write into the journal that a step is about to be sent."""
        self._journal = self._journal.next_step(number, step, self._session.desired)

    def note_sent(self, sent: Sent | None) -> None:
        """Write a deployment into the journal: called just before it is sent, again when its id is known, and with
        `None` if the org did not take it."""
        is_new = sent is not None and not sent.id
        at = time_of(self._session) if is_new else self._journal.sent_at
        self._journal = replace(self._journal, sent=sent, sent_at=at, secrets=dict(self._secrets))
        try:
            self._session.baselines.note(self._journal)
        except (ReconcilerError, OSError) as full:
            # Once it is under way, finding out what becomes of it matters more than writing down its id.
            if is_new:
                raise
            self._session.progress(f"what became of the deployment could not be noted: {full}")

    def settle(self, *, landed: bool) -> None:
        """Write into the journal that a step is settled: the baseline holds what became of it."""
        if self._journal.sent is not None:
            self._journal = self._journal.settled(landed=landed)
            self._session.baselines.note(self._journal)

    def close(self, *, landed: bool) -> None:
        """Remove the journal at the end of an apply, unless the apply can still be carried on from it."""
        if (landed or not self.interrupted) and self._journal.sent is None:
            self._session.baselines.forget_journal(self._journal.org_id)


def resumed(session: Session, journal: Journal | None) -> tuple[Session, Request]:
    """The session and the request of the apply that was cut off. Raises RefusedError if it cannot be carried on."""
    if journal is None:
        raise RefusedError(Complaint("there is no apply to carry on", mend="apply without --resume"))
    same_variables = not journal.variables or journal.variables == variables(session.desired.files)
    if journal.desired != session.desired.digest or not same_variables:
        message = f"the desired files have changed since the apply of {journal.begun} was cut off"
        mend = "apply without --resume: it finds out what became of that one, and plans anew"
        raise RefusedError(Complaint(message, mend=mend))
    return replace(session, allowed=session.allowed | journal.allowed), journal.request


def is_same(journal: Journal, saved: SavedPlan, desired: Snapshot) -> bool:
    """True if the apply that was cut off was of this very plan: running the same job again then carries it on."""
    same_org = same_id(saved.org_id, journal.org_id)
    same_files = not saved.files or saved.files == desired.files
    same_desired = saved.desired == journal.desired == desired.digest
    return same_org and saved.payload == journal.payload and same_desired and same_files


def settled(session: Session, journal: Journal, request: Request) -> tuple[Baseline, LiveState, Request, str]:
    """Find out what became of the deployment of an apply that was cut off, and write it into the baseline.

    Returns baseline and org, the request without replacements that were made already, and what is to be said. Raises
    UnreachableError if that cannot be found out now: then the journal stays.
    """
    if journal.sent is None:
        return *read(session), request, ""
    name = f"deployment {journal.sent.id}" if journal.sent.id else "its deployment"
    session.progress(f"an apply of {journal.begun} was cut off: asking what became of {name}")
    age = _age(session, journal)
    try:
        found = _ended(session, journal.sent, age)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(left_to_itself(journal.sent)) from None
    # Read as the files were then, too: what landed is ours, whether it is still declared or not.
    both = Snapshot({**journal.declared.resources, **session.desired.resources})
    baseline, live = read(replace(session, desired=both))
    landing = journal.landing(found, live, may_come=age < OVER)
    if landing is Landing.UNKNOWN:
        mend = (
            "look at Setup, Deployment Status: when it is over, remove the journal beside the baseline, and plan again"
        )
        raise UnreachableError(Complaint(f"nobody can tell what became of {name} of {journal.sent_at}", mend=mend))
    landed = landing is Landing.LANDED
    if landed:
        known = baseline
        done = [one for one in found or () if one.success]
        earlier = {finding.key for finding in compare.findings(baseline, live)}
        baseline = _advanced(baseline, journal, live, done, watch_all=session.watch_all)
        sent = {intent.address for intent in journal.intents}
        drifted = [one for one in compare.findings(baseline, live) if one.address in sent and one.key not in earlier]
        baseline, _ = by_others(session, baseline, live, drifted, sent)
        baseline = dated(known, baseline, live)
        session.baselines.save(baseline)
        if journal.desired == session.desired.digest:
            request = replace(request, replace=request.replace - {intent.address for intent in journal.intents})
    session.baselines.note(journal.settled(landed=landed))
    said = f"an apply of {journal.begun} was cut off: {name} has {'landed' if landed else 'not landed'}"
    session.progress(said)
    return baseline, live, request, said


def left_to_itself(sent: Sent) -> str:
    """The message for a user who does not wait until a deployment is cancelled."""
    name = f"deployment {sent.id}" if sent.id else "the deployment"
    if sent.check_only:
        return f"{name} may go on in the org; it only checks, and changes nothing"
    return f"{name} may go on in the org; apply --resume finds out, and carries on"


def _age(session: Session, journal: Journal) -> float:
    """Seconds since the deployment was sent. A clock that was set back makes nothing old."""
    before = moment(journal.sent_at)
    return max(0.0, (session.now() - before).total_seconds()) if before is not None else 0.0


def _ended(session: Session, sent: Sent, age: float) -> Sequence[Deployed] | None:
    """How a deployment ended, as the org says; `None` where the org does not say it."""
    try:
        return session.provider.ended(sent, session.progress, wait=max(0.0, LOOK - age))
    except NotAllowedError as hidden:
        # What the org has is read in any case, and may tell as well.
        session.progress(f"the org does not tell: {hidden}")
        return None


def ids_of(changes: Iterable[Change], done: Iterable[Deployed]) -> dict[Address, str]:
    """Return the ids that the org gave to the records of deployments, by address."""
    given = {record: id for one in done for record, id in one.ids.items()}
    found = ((one.address, given.get((one.address.kind, one.record), "")) for one in changes)
    return {address: id for address, id in found if id and not address.is_enablement}


def _advanced(
    baseline: Baseline, journal: Journal, live: LiveState, done: Sequence[Deployed], *, watch_all: bool
) -> Baseline:
    """The baseline after a step of an apply that was cut off has landed, made from what the journal says was sent.

    What others changed since is drift.
    """
    baseline = at_version(baseline, live)
    known = replace(baseline, salt=baseline.salt or journal.salt)
    known = replace(known, deployments=with_ids(known.deployments, [one.id for one in done]))
    chosen = [intent.address for intent in journal.intents]
    new = advanced(
        known,
        journal.declared,
        seen(live, known),
        live,
        journal.changes,
        chosen=chosen,
        secrets=journal.secrets,
        ids=ids_of(journal.changes, done),
        watch_all=watch_all,
    )
    return new if baseline.exists or new.begun else replace(new, begun=journal.begun)


def cut_off(session: Session) -> str:
    """The plan's note about an apply that was cut off, or an empty text."""
    journal = session.baselines.journal(session.provider.org().id)
    if journal is None or journal.sent is None:
        return ""
    return f"an apply of {journal.begun} was cut off while it deployed, or is under way: the next apply finds out first"
