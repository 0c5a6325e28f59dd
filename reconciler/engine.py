"""Plan, apply, drift: the only place where things happen in order. What is decided is decided elsewhere, on values.

read baseline → read org → draft → pack into steps → guards                      plan
plan → read again, compare fingerprints → deploy each step → read → plan again   apply
read baseline → read org → compare                                               drift
"""

import secrets as randomness
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from time import monotonic
from typing import Protocol

from reconciler import drift as drifting
from reconciler import guards, judging, planner
from reconciler.attribution import attributed
from reconciler.baseline import advanced
from reconciler.causes import explained
from reconciler.components import fingerprints
from reconciler.desired import dangling, undeclared
from reconciler.errors import (
    Complaint,
    DeploymentError,
    InputError,
    NotAllowedError,
    NotConvergedError,
    Place,
    ReconcilerError,
    RefusedError,
    UnreachableError,
)
from reconciler.facts import Facts, History
from reconciler.kind import Body, Ref, SecretRef, suggestion
from reconciler.kinds import all_kinds, kind
from reconciler.model import (
    Action,
    Address,
    ApplyResult,
    Baseline,
    Change,
    CheckReport,
    Component,
    Deployed,
    DriftReport,
    Finding,
    Landing,
    LiveResource,
    LiveState,
    OrgInfo,
    Path,
    Plan,
    Refusal,
    Snapshot,
    Step,
    StepResult,
    Unchecked,
)
from reconciler.planner import Draft, Request
from reconciler.provider import Progress, Provider
from reconciler.render.saved_plan import SavedPlan
from reconciler.rule_settings import RuleSettings
from reconciler.security import Severity

PLACED = 1_000
"""So many changes get the exact line of each field; the rest gets the line of its document."""
KEPT_DEPLOYMENTS = 200
WAIVE = "mend the files, or waive it in reconciler.yaml with a reason, an owner and an end"


class Baselines(Protocol):
    """Where baselines are kept. `store.Store` is one."""

    def load(self, org_id: str) -> Baseline: ...

    def save(self, baseline: Baseline) -> None: ...

    def lock(self, org_id: str) -> AbstractContextManager[None]: ...


def _silent(_: str) -> None:
    """No progress."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Session:
    """One run: an org, a project's files and baselines, and what the user decided on the command line."""

    provider: Provider
    baselines: Baselines
    desired: Snapshot
    pinned_org_id: str = ""
    protected: bool = False
    secret: Callable[[SecretRef], str] = str
    deploy_options: Mapping[str, object] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()
    rules: RuleSettings = field(default_factory=RuleSettings)
    fail_on: Severity = Severity.HIGH
    """Findings from this severity on stop an apply."""
    progress: Progress = _silent
    now: Callable[[], datetime] = _now


def plan(session: Session, request: Request = Request()) -> Plan:
    """What an apply would do. Changes nothing."""
    baseline, live = read(session)
    return _plan(session, request, baseline, live)


def validate(session: Session, plan: Plan) -> tuple[Deployed, ...]:
    """Let the org check each step without doing it. Stops at the first that fails."""
    found: list[Deployed] = []
    for step in plan.steps:
        session.progress(f"validating {len(step.components)} components")
        done = _deploy(session, step, check_only=True, secret=session.secret, started=_silent)
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
        made = _plan(session, request, baseline, live)
        _refuse_other(saved, made)
        _refuse(session, made, saved)
        if made.changes and not confirm(made):
            raise RefusedError("not confirmed: nothing was changed")
        if made.steps:
            # It is read again before anything is sent, and one copy of a large org is enough.
            live, made = LiveState(live.org, {}), replace(made, bodies={})
        return _execute(session, request, made, baseline, live, begun)


def drift(session: Session, *, against: str = "baseline") -> DriftReport:
    """What changed behind the files' back, and who did it. Raises RefusedError if there is nothing to compare with, and
    InputError for files that no org could be equal to. What could not be read hides nothing else: see `refuse_unread`."""
    baseline, live = _read(session)
    notes: tuple[str, ...] = ()
    if against == "desired":
        _refuse_too_new(session.desired, live)
        draft = planner.draft(session.desired, live, baseline)
        if draft.problems:
            # What cannot be planned cannot be compared either, and must not pass for equal.
            raise InputError(*(problem.complaint() for problem in draft.problems))
        found = [finding for change in _placed(draft.changes, session.desired) for finding in _against_desired(change)]
        compared = set(session.desired.resources)
    else:
        if not baseline.exists:
            raise RefusedError(
                Complaint(
                    "there is no baseline for this org yet: nothing is known of what it should be",
                    mend="apply once, or compare with the files: reconciler drift --against desired",
                )
            )
        found = list(drifting.findings(baseline, live, _ignored(session.desired)))
        compared = set(baseline.resources) | live.resources.keys()
        notes = drifting.unwatched(baseline, live)
    history = _history(session, found, baseline)
    records = {address: applied.record for address, applied in baseline.resources.items()}
    records |= {address: have.record for address, have in live.resources.items()}
    return DriftReport(
        live.org,
        judging.placed(attributed(found, history, baseline.deployments, records), session.desired),
        against,
        tuple(sorted(compared)),
        in_flight=tuple(deployment for deployment in history.deployments if deployment.in_flight),
        unreadable=_unreadable(session.desired.resources if against == "desired" else baseline.resources, live),
        notes=(
            *notes,
            *(f"who did it is less sure: {topic}: {why}" for topic, why in history.unknown.items()),
        ),
        bodies={address: have.body for address, have in live.resources.items()},
        created=_time(session),
    )


def _history(session: Session, found: Sequence[Finding], baseline: Baseline) -> History:
    """Who did what since the baseline began. An org in which nothing changed is only asked what is under way."""
    enablements = any(finding.address.is_enablement for finding in found)
    since = baseline.begun if found else _time(session)
    return session.provider.history(since, session.progress, enablements=enablements)


def _ignored(desired: Snapshot) -> Mapping[Address, tuple[Path, ...]]:
    """The fields that keep their live value: their drift is shown and not counted."""
    return {a: want.lifecycle.ignore for a, want in desired.resources.items() if want.lifecycle.ignore}


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


def check_files(desired: Snapshot, rules: RuleSettings, now: datetime) -> CheckReport:
    """What the rules say of the files. What only an org can tell is not checked, and said so."""
    findings, unchecked = judging.files(desired, rules, now.date())
    return CheckReport(
        judging.placed(findings, desired),
        (*undeclared(desired), *unchecked),
        tuple(sorted(desired.resources)),
        bodies={address: want.body for address, want in desired.resources.items()},
        created=_stamp(now),
    )


def check_org(session: Session, *, secrets: bool = False) -> CheckReport:
    """What the rules say of an org as it is, whoever made it so. What could not be read: see `refuse_unread`.

    `secrets` asks when the apps' consumer secrets were made, which brings the secrets along: not every login should.
    """
    _identified(session)
    live = read_live(session.provider, session.desired, Baseline(), session.progress)
    hidden = {what: why for what, why in live.unreadable.items() if what not in _too_new(live)}
    bodies = {address: have.body for address, have in live.resources.items()}
    apps = [address.name for address in bodies if address.kind == "ExternalClientApplication"] if secrets else []
    facts = _facts(session, judging.users(bodies), apps)
    findings, unchecked = judging.org(live, facts, session.rules, session.now().date())
    return CheckReport(
        judging.placed(findings, session.desired, bodies),
        unchecked,
        tuple(sorted(live.resources)),
        live.org,
        unreadable=hidden,
        bodies=bodies,
        created=_time(session),
    )


def _facts(session: Session, users: Collection[str], secrets: Collection[str] = ()) -> Facts:
    if not judging.asks_org(session.rules):
        return Facts()
    return session.provider.facts(sorted(users), session.progress, secrets=secrets)


def _time(session: Session) -> str:
    return _stamp(session.now())


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- reading ---------------------------------------------------------------------------------------------------------


def read(session: Session) -> tuple[Baseline, LiveState]:
    """Baseline and org. Raises NotAllowedError if something could not be read that is declared or in the baseline."""
    baseline, live = _read(session)
    _refuse_too_new(session.desired, live)
    found = _unreadable(session.desired.resources.keys() | baseline.resources.keys(), live)
    if found:
        raise NotAllowedError(*_hidden(found, session.desired))
    return baseline, live


def _read(session: Session) -> tuple[Baseline, LiveState]:
    """The org's identity is checked before anything else is believed, and before anything is sent to it."""
    org = _identified(session)
    baseline = session.baselines.load(org.id)
    return baseline, read_live(session.provider, session.desired, baseline, session.progress)


def _identified(session: Session) -> OrgInfo:
    org = session.provider.org()
    if session.pinned_org_id and session.pinned_org_id[:15] != org.short_id:
        message = f"this is org {org.id} ({org.name}); reconciler.yaml pins {session.pinned_org_id}"
        raise RefusedError(
            Complaint(message, mend="log in to the pinned org, or change org_id (a refreshed sandbox has a new one)")
        )
    return org


def read_live(provider: Provider, desired: Snapshot, baseline: Baseline, progress: Progress) -> LiveState:
    """Read the org, Apex classes included that the files or the baseline speak of."""
    return provider.read(sorted(_class_names(desired, baseline)), progress)


def _class_names(desired: Snapshot, baseline: Baseline) -> set[str]:
    """Classes that are declared, applied, or named by a record: handlers and plug-ins."""
    bodies = [(a, r.body) for a, r in desired.resources.items()] + [(a, r.body) for a, r in baseline.resources.items()]
    names: set[str] = set()
    for address, body in bodies:
        if address.kind == "ApexClass":
            names.add(address.name)
        for name in _class_fields(address.kind):
            if isinstance(body.get(name), str):
                names.add(body[name])
    # Classes of installed packages cannot be retrieved.
    return {name for name in names if name and "__" not in name}


@cache
def _class_fields(name: str) -> tuple[str, ...]:
    fields = kind(name).fields().items()
    return tuple(name for name, field in fields if (ref := field.mark(Ref)) is not None and ref.kind == "ApexClass")


def _too_new(live: LiveState) -> set[str]:
    """The kinds that the API version does not have."""
    version = float(live.org.api_version or 0)
    return {name for name, schema in all_kinds().items() if version and schema.since > version}


def _refuse_too_new(desired: Snapshot, live: LiveState) -> None:
    too_new = _too_new(live)
    newer = [
        Complaint(
            f"{address.kind} needs API version {address.schema.since:.1f}; the org is read at {live.org.api_version}",
            want.origin.at(),
            "raise api_version in reconciler.yaml, or remove it",
        )
        for address, want in desired.resources.items()
        if address.kind in too_new
    ]
    if newer:
        raise InputError(*newer)


def _unreadable(addresses: Iterable[Address], live: LiveState) -> dict[str, str]:
    """Those of the addresses that the org did not show, and why."""
    if not live.unreadable:
        return {}
    # What an API version does not have is hidden from nobody; `drift` says that it was not compared.
    too_new = _too_new(live)
    asked = (address for address in sorted(addresses) if address.kind not in too_new)
    return {str(address): why for address in asked if (why := live.reason_unreadable(address)) is not None}


def _hidden(unreadable: Mapping[str, str], desired: Snapshot) -> Iterator[Complaint]:
    mend = "give the login the permission to read it; what cannot be read is not judged"
    for what, why in unreadable.items():
        place = _place(desired, Address.parse(what)) if "/" in what else None
        yield Complaint(f"{what} could not be read", place, mend, quote=why)


def refuse_unread(report: DriftReport | CheckReport, desired: Snapshot) -> None:
    """Raise NotAllowedError if something could not be read: what was found holds, and it may not be all."""
    if report.unreadable:
        raise NotAllowedError(*_hidden(report.unreadable, desired))


def _place(desired: Snapshot, address: Address) -> Place | None:
    want = desired.resources.get(address)
    return want.origin.at() if want is not None else None


# --- planning --------------------------------------------------------------------------------------------------------


def _plan(session: Session, request: Request, baseline: Baseline, live: LiveState) -> Plan:
    desired = session.desired
    _check_request(request, desired, live, baseline)
    draft = planner.draft(desired, live, baseline, request)
    complaints = [problem.complaint() for problem in draft.problems]
    if not request.destroy:
        # What this plan deletes is as good as gone: nothing that stays may point at it.
        gone = {change.address for change in draft.changes if change.after is None}
        complaints += dangling(desired, lambda address: address in live.resources and address not in gone)
    if complaints:
        raise InputError(*complaints)
    steps = _steps(session.provider, draft, desired)
    components = [component for step in steps for component in step.components]
    drift = tuple(drifting.findings(baseline, live, _ignored(desired))) if baseline.exists else ()
    bodies, findings, unchecked = _judged(session, draft, live)
    return Plan(
        org=live.org,
        steps=tuple(replace(step, changes=_placed(step.changes, desired)) for step in steps),
        drift=judging.placed(drift, desired),
        findings=judging.placed(findings, desired),
        unchecked=unchecked,
        bodies=bodies,
        refusals=tuple(_refusals(session, draft.changes, live, baseline)),
        released=draft.released,
        adopted=draft.adopted,
        notes=draft.notes,
        unchanged=draft.unchanged,
        targets=tuple(str(target) for target in request.targets),
        replaced=tuple(sorted(str(address) for address in request.replace)),
        destroy=request.destroy,
        fingerprints=fingerprints(components, live),
        payload=session.provider.payload(components) if components else "",
        desired=desired.digest,
        baseline_serial=baseline.serial,
        created=_time(session),
    )


def _judged(
    session: Session, draft: Draft, live: LiveState
) -> tuple[Mapping[Address, Body], tuple[Finding, ...], tuple[Unchecked, ...]]:
    """The org as the plan would leave it, and what the rules say of what changes."""
    bodies = judging.planned(live, draft.changes)
    if not draft.changes and not draft.overridden:
        return bodies, (), ()
    facts = _facts(session, judging.users_of(draft, bodies))
    found = judging.plan(bodies, draft, session.desired, live, facts, session.rules, session.now().date())
    return bodies, *found


def _refusals(session: Session, changes: Collection[Change], live: LiveState, baseline: Baseline) -> Iterable[Refusal]:
    return guards.refusals(changes, session.desired, live, baseline, allowed=session.allowed)


def _check_request(request: Request, desired: Snapshot, live: LiveState, baseline: Baseline) -> None:
    if not desired.resources and baseline.resources and not request.destroy:
        message = f"the desired files declare nothing, and the baseline holds {len(baseline.resources)} resources"
        raise InputError(
            Complaint(message, mend="check the folder in reconciler.yaml; to give everything up ask for plan --destroy")
        )
    known = desired.resources.keys() | baseline.resources.keys()
    for address in (*request.targets, *request.replace):
        if address not in known and not any(a.component == address for a in known):
            raise InputError(
                Complaint(
                    f"{address} is neither declared nor in the baseline", mend=suggestion(str(address), map(str, known))
                )
            )
    for address in request.replace:
        if address.is_enablement or not address.schema.removable or address not in desired.resources:
            raise InputError(
                Complaint(f"{address} cannot be replaced", mend="only declared apps, handlers and custom scopes can")
            )


def _steps(provider: Provider, draft: Draft, desired: Snapshot) -> tuple[Step, ...]:
    """Pack the records into deployments and give each change to the deployment that carries its record."""
    if not draft.groups:
        return ()
    packed = provider.split([[_at_home(component, desired) for component in group] for group in draft.groups])
    home: dict[Address, int] = {}
    for index, components in enumerate(packed):
        for component in components:
            home[component.address] = index
    steps: list[list[Change]] = [[] for _ in packed]
    for change in draft.changes:
        steps[home[change.address.component]].append(change)
    return tuple(Step(tuple(changes), tuple(components)) for changes, components in zip(steps, packed, strict=True))


def _at_home(component: Component, desired: Snapshot) -> Component:
    want = desired.resources.get(component.address)
    return replace(component, place=Place(want.origin.file, want.origin.line)) if want is not None else component


def _placed(changes: Sequence[Change], desired: Snapshot) -> tuple[Change, ...]:
    placed = []
    for index, change in enumerate(changes):
        want = desired.resources.get(change.address)
        if want is None:
            placed.append(change)
            continue
        fields = change.fields
        if index < PLACED and change.action is Action.UPDATE:
            fields = tuple(replace(f, place=want.origin.at(f.path)) for f in fields)
        # The line is known; asking for more reads the file once more, for each of ten thousand changes.
        place = Place(want.origin.file, want.origin.line)
        placed.append(replace(change, place=place, fields=fields))
    return tuple(placed)


def _against_desired(change: Change) -> Iterator[Finding]:
    if change.before is None or change.after is None:
        severity = max((f.severity for f in change.fields), default=Severity.MEDIUM)
        word = "is declared, and the org does not have it" if change.before is None else str(change.reason)
        yield Finding("drift.desired", severity, change.address, word, modified=change.modified, place=change.place)
        return
    # The files are what should be, so the change went from the file's value to the org's.
    for f in planner.reversed_fields(change):
        yield Finding(
            "drift.desired", f.severity, change.address, f"{f.name} is not as declared", f.path, f.old, f.new,
            f.direction, change.modified, f.place,
        )  # fmt: skip


# --- applying --------------------------------------------------------------------------------------------------------


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


def stopping(plan: Plan, fail_on: Severity) -> tuple[Finding, ...]:
    """The broken rules that stop an apply of the plan: all are on what it changes."""
    return tuple(finding for finding in plan.findings if finding.counts and finding.severity >= fail_on)


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
    return ApplyResult(made, tuple(results), _placed(left.changes, session.desired), seconds=monotonic() - begun)


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
        new = replace(new, begun=_time(session))
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
