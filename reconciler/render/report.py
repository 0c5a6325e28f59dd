"""One view of a check, a plan, an apply or a drift report, for the formats that show them all alike. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.errors import Complaint, ReconcilerError
from reconciler.model.address import Address
from reconciler.model.changes import Change, Plan, Refusal
from reconciler.model.deployment import ComponentFailure, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.model.reports import ApplyResult, CheckReport, DriftReport
from reconciler.render.text import calls, outcome, plain
from reconciler.render.words import value_text
from reconciler.render.words.about import ERROR, about
from reconciler.render.words.what import where as change_of
from reconciler.schema.values import Body
from reconciler.verify.verdicts import Verdict, VerifyReport


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one command, in a form that is the same for all commands."""

    command: str
    """`check`, `plan`, `apply` or `drift`."""
    trailer: str
    """The last line of the text output: the whole in one line."""
    org: OrgInfo | None = None
    """`None` where no org was asked."""
    created: str = ""
    """ISO 8601, UTC; empty if the command does not say."""
    findings: tuple[Finding, ...] = ()
    """Drift and broken rules, worst first; those that do not count (`Finding.counts`) last."""
    unchecked: tuple[Unchecked, ...] = ()
    changes: tuple[Change, ...] = ()
    """What is planned, or was sent."""
    landings: Mapping[Address, Landing] = field(default_factory=dict)
    """What became of each change; empty for a plan."""
    failures: tuple[ComponentFailure, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    in_flight: tuple[Deployment, ...] = ()
    components: tuple[Address, ...] = ()
    """Everything that was looked at, with or without a finding."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """What could not be read -> why. Said in `notes` too."""
    left: tuple[Address, ...] = ()
    """What landed and is still not as declared."""
    notes: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    """What an earlier report had and this one has no more."""
    bodies: Mapping[Address, Body] = field(default_factory=dict)
    """The resources behind it, for drawing them."""
    verdicts: tuple[Verdict, ...] = ()
    """Of a verify, every call; broken promises are findings too."""


def of_plan(plan: Plan) -> Report:
    """Make the report of a plan: its changes, the drift that it is based on, and the rules that it breaks."""
    return Report(
        "plan",
        plain.plan_trailer(plan),
        plan.org,
        plan.created,
        plain.worst_first([*plan.drift, *plan.findings]),
        plan.unchecked,
        plan.changes,
        refusals=plan.refusals,
        components=_addresses(plan.bodies, plan.changes, plan.drift, plan.findings),
        notes=plan.notes,
        bodies=plan.bodies,
    )


def of_apply(result: ApplyResult) -> Report:
    """Make the report of an apply: what became of each change of its plan."""
    landings = {change.address: done.landing for done in result.steps for change in done.step.changes}
    return Report(
        "apply",
        outcome.trailer(result),
        result.plan.org,
        result.plan.created,
        plain.worst_first([*result.plan.drift, *result.meanwhile, *result.plan.findings]),
        result.plan.unchecked,
        result.plan.changes,
        landings,
        tuple(failure for done in result.steps if done.deployed for failure in done.deployed.failures),
        result.plan.refusals,
        components=_addresses(result.plan.bodies, result.plan.changes, result.plan.findings),
        left=tuple(change.address for change in result.left),
        notes=(
            *result.plan.notes,
            *(f"{change.address} landed, and is still not as declared" for change in result.left),
            *(f"{change_of(finding)} was changed while the apply was under way" for finding in result.meanwhile),
            *([f"everything landed, and could not be read back: {result.unread}"] if result.unread else []),
        ),
        bodies=result.plan.bodies,
    )


def of_drift(report: DriftReport) -> Report:
    """Make the report of a drift check: everything compared, and what differs."""
    return Report(
        "drift",
        plain.drift_trailer(report),
        report.org,
        report.created,
        plain.worst_first(report.findings),
        in_flight=report.in_flight,
        components=_addresses(report.compared, report.findings),
        unreadable=report.unreadable,
        notes=(*report.notes, *_hidden(report.unreadable)),
        resolved=report.resolved,
        bodies=report.bodies,
    )


def of_compare(report: DriftReport) -> Report:
    """Make the report of two orgs: everything compared, and where the second differs."""
    return replace(of_drift(report), command="compare", trailer=plain.compare_trailer(report))


def of_check(report: CheckReport) -> Report:
    """Make the report of a check of files or of an org."""
    return Report(
        "check",
        plain.check_trailer(report),
        report.org,
        report.created,
        plain.worst_first(report.findings),
        report.unchecked,
        components=_addresses(report.checked, report.findings),
        unreadable=report.unreadable,
        notes=(*report.notes, *_hidden(report.unreadable)),
        resolved=report.resolved,
        bodies=report.bodies,
    )


def of_verify(report: VerifyReport) -> Report:
    """Make the report of a verify: every call, and the broken promises as findings."""
    return Report(
        "verify",
        calls.trailer(report),
        report.org,
        report.created,
        plain.worst_first(report.findings),
        components=report.apps,
        notes=report.notes,
        bodies=report.bodies,
        verdicts=report.verdicts,
    )


def _hidden(unreadable: Mapping[str, str]) -> Iterator[str]:
    return (f"{what} could not be read, and is not judged: {why}" for what, why in unreadable.items())


def of_error(command: str, error: ReconcilerError) -> Report:
    """Make the report of an error that stopped a command: findings at their places, so that CI shows them where it
    shows the rest."""
    plan = getattr(error, "plan", None)
    if isinstance(plan, Plan):
        # What stopped it is in the plan: its findings say more than the error does.
        trailer = f"Stopped by {value_text.count(len(error.complaints), 'finding')}, exit code {int(error.exit)}."
        return replace(of_plan(plan), command=command, trailer=trailer)
    found = tuple(_stopped(command, complaint) for complaint in error.complaints)
    problems = value_text.count(len(found), "problem")
    return Report(command, f"{command.capitalize()} failed: {problems}, exit code {int(error.exit)}.", findings=found)


def _stopped(command: str, complaint: Complaint) -> Finding:
    place = complaint.place
    quoted = f" Salesforce: {complaint.quote}" if complaint.quote else ""
    return Finding(
        ERROR,
        about(ERROR).severity,
        Address("file", place.file) if place is not None else Address("command", command),
        complaint.message + quoted,
        place=place,
        mend=complaint.mend,
        subject=complaint.message,
    )


def _addresses(seen: Iterable[Address], *about: Iterable[Change | Finding]) -> tuple[Address, ...]:
    return tuple(sorted({*seen, *(one.address for some in about for one in some)}))
