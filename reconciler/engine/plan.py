"""Plans: read baseline → read org → draft → pack into steps → rules → guards."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.desired.load import dangling
from reconciler.drift import compare as drifting
from reconciler.engine.resume import cut_off
from reconciler.engine.session import Session, ask_facts, read, time_of
from reconciler.errors import (
    Complaint,
    InputError,
    Place,
    suggestion,
)
from reconciler.model.address import Address
from reconciler.model.applied import Baseline
from reconciler.model.changes import Action, Change, Component, Plan, Refusal, Step
from reconciler.model.declared import Snapshot
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import LiveState
from reconciler.model.record_identity import owners
from reconciler.model.request import Request
from reconciler.model.spelling import Spelling, folded
from reconciler.plan import draft, guards
from reconciler.plan.components import fingerprints
from reconciler.plan.draft import Draft
from reconciler.provider import Records
from reconciler.rules import judging
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body, Path

APPS = ("ConnectedApp", "ExternalClientApplication")
PLACED = 1_000
"""So many changes get the exact line of each field; the rest gets the line of its document."""


def plan(session: Session, request: Request = Request()) -> Plan:
    """Make the plan: what an apply would do. Changes nothing."""
    baseline, live = read(session)
    made = draft_plan(session, spelled_request(request, session.desired, baseline), baseline, live)
    said = cut_off(session)
    return replace(made, notes=(said, *made.notes)) if said else made


def draft_plan(session: Session, request: Request, baseline: Baseline, live: LiveState) -> Plan:
    desired = session.desired
    _check_request(request, desired, live, baseline)
    managed = baseline.managed
    drafted = draft.draft(desired, live, baseline, request)
    complaints = [problem.complaint() for problem in drafted.problems]
    if not request.destroy:
        # What this plan deletes is as good as gone: nothing that stays may point at it.
        gone = {change.address for change in drafted.changes if change.after is None}
        hidden = (address for address in map(_parsed, live.unreadable) if address is not None)
        there = {folded(address) for address in (*live.resources, *hidden)}

        def is_there(address: Address) -> bool:
            unknown = address not in live.resources and live.reason_unreadable(address) is not None
            return folded(address) in there or unknown

        complaints += dangling(desired, is_there, gone)
    if complaints:
        raise InputError(*complaints)
    steps = _steps(session.provider, drafted, desired)
    components = [component for step in steps for component in step.components]
    drift = tuple(drifting.findings(baseline, live, ignored(desired))) if baseline.exists else ()
    bodies, findings, unchecked = _judged(session, drafted, live)
    return Plan(
        org=live.org,
        steps=tuple(replace(step, changes=placed(step.changes, desired)) for step in steps),
        drift=judging.placed(drift, desired),
        findings=judging.placed(findings, desired),
        unchecked=unchecked,
        bodies=bodies,
        refusals=tuple(_refusals(session, drafted.changes, live, baseline)),
        released=drafted.released,
        adopted=drafted.adopted,
        notes=(*_begins(baseline), *drafted.notes, *drifting.unread(live), *live.not_comparable),
        unchanged=drafted.unchanged,
        targets=tuple(str(target) for target in request.targets),
        replaced=tuple(sorted(str(address) for address in request.replace)),
        destroy=request.destroy,
        # What is adopted counts as well: it may be deleted from then on.
        fingerprints=fingerprints(_touched(components, drafted.adopted), live),
        record_ids={
            str(owner): live.resources[owner].id
            for owner in sorted({owner for change in drafted.changes for owner in owners(change.address)})
            if owner in live.resources and live.resources[owner].id
        },
        payload=session.provider.payload(components) if components else "",
        desired=desired.digest,
        files=desired.files,
        undeclared_apps=undeclared_apps(desired, live),
        managed=len((managed & live.resources.keys()) | (desired.resources.keys() & live.resources.keys())),
        baseline_serial=baseline.serial,
        created=time_of(session),
    )


def _begins(baseline: Baseline) -> tuple[str, ...]:
    """The plan's note if there is no baseline: this may be the first plan, or the baseline may be missing."""
    if baseline.exists:
        return ()
    lost = "if there was one, restore it (.reconciler/baselines): what was removed from the files since is not known"
    return (f"there is no baseline of this org yet, so nothing counts as applied from here; {lost}",)


def _touched(components: Iterable[Component], adopted: Iterable[Address]) -> list[Address]:
    """The addresses of the records that a plan deploys or adopts."""
    return list(dict.fromkeys([*(one.address for one in components), *(one.component for one in adopted)]))


def undeclared_apps(desired: Snapshot, live: LiveState) -> int | None:
    """How many apps of the org are in no file; `None` if the files could not be read."""
    if not desired.digest and not desired.resources:
        return None
    return sum(a.kind in APPS and a not in desired.resources for a in live.resources)


def _parsed(text: str) -> Address | None:
    """Return the address of a record that could not be read; `None` for the name of a whole kind."""
    return Address.parse(text) if "/" in text else None


def _judged(
    session: Session, drafted: Draft, live: LiveState
) -> tuple[Mapping[Address, Body], tuple[Finding, ...], tuple[Unchecked, ...]]:
    """Return the org's records as the plan would leave them, and what the rules say of what changes."""
    bodies = judging.planned(live, drafted.changes)
    if not drafted.changes and not drafted.overridden:
        return bodies, (), ()
    facts = ask_facts(session, judging.users_of(drafted, bodies))
    found = judging.plan(bodies, drafted, session.desired, live, facts, session.rules, session.now().date())
    return bodies, *found


def _refusals(session: Session, changes: Collection[Change], live: LiveState, baseline: Baseline) -> Iterable[Refusal]:
    return guards.refusals(changes, session.desired, live, baseline, allowed=session.allowed)


def ignored(desired: Snapshot) -> Mapping[Address, tuple[Path, ...]]:
    """The fields that `lifecycle.ignore` names, by address: their drift is shown and not counted."""
    return {a: want.lifecycle.ignore for a, want in desired.resources.items() if want.lifecycle.ignore}


def spelled_request(request: Request, desired: Snapshot, baseline: Baseline) -> Request:
    """Spell the addresses of a request, typed in any letter case, as the files do, or else as the baseline does."""
    names = Spelling(desired.resources, baseline.resources)
    targets, replaced = map(names.address, request.targets), map(names.address, request.replace)
    return replace(request, targets=tuple(targets), replace=frozenset(replaced))


def _check_request(request: Request, desired: Snapshot, live: LiveState, baseline: Baseline) -> None:
    managed = baseline.managed
    if not desired.resources and managed and not request.destroy:
        message = f"the desired files declare nothing, and {len(managed)} resources of the baseline are ours"
        raise InputError(
            Complaint(message, mend="check the folder in reconciler.yaml; to give everything up ask for plan --destroy")
        )
    known = desired.resources.keys() | managed
    for address in (*request.targets, *request.replace):
        if address not in known and not any(a.component == address for a in known):
            raise InputError(
                Complaint(
                    f"{address} is neither declared nor managed",
                    mend=suggestion(str(address), map(str, known))
                    or ("declare it" if address in live.resources else ""),
                )
            )
    for address in request.replace:
        if address.is_enablement or not address.schema.removable or address not in desired.resources:
            raise InputError(
                Complaint(f"{address} cannot be replaced", mend="only declared apps, handlers and custom scopes can")
            )


def _steps(provider: Records, drafted: Draft, desired: Snapshot) -> tuple[Step, ...]:
    """Pack the records into deployments and give each change to the deployment that carries its record."""
    if not drafted.groups:
        return ()
    packed = provider.split([[_at_home(component, desired) for component in group] for group in drafted.groups])
    home: dict[Address, int] = {}
    for index, components in enumerate(packed):
        for component in components:
            home[component.address] = index
    steps: list[list[Change]] = [[] for _ in packed]
    for change in drafted.changes:
        steps[home[change.address.component]].append(change)
    return tuple(Step(tuple(changes), tuple(components)) for changes, components in zip(steps, packed, strict=True))


def _at_home(component: Component, desired: Snapshot) -> Component:
    want = desired.resources.get(component.address)
    return replace(component, place=Place(want.origin.file, want.origin.line)) if want is not None else component


def placed(changes: Sequence[Change], desired: Snapshot) -> tuple[Change, ...]:
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


def stopping(plan: Plan, fail_on: Severity) -> tuple[Finding, ...]:
    """The broken rules that stop an apply of the plan: all are on what it changes."""
    return tuple(finding for finding in plan.findings if finding.counts and finding.severity >= fail_on)
