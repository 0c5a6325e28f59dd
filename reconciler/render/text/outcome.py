"""What became of an apply, and what went wrong, as text for people."""

from collections.abc import Iterable, Iterator

from reconciler.model.changes import Action
from reconciler.model.deployment import ComponentFailure, Landing
from reconciler.model.finding import Finding
from reconciler.model.live import OrgInfo
from reconciler.model.reports import ApplyResult, StepResult
from reconciler.render.text.complaints import complaint_lines
from reconciler.render.words import value_text
from reconciler.render.words.paint import Paint
from reconciler.render.words.safe import line, page
from reconciler.render.words.what import moved, undeclared_beside, way, where
from reconciler.render.words.who import who

_LANDING_COLOURS = {Landing.LANDED: "green", Landing.NOT_LANDED: "red", Landing.UNKNOWN: "alarm"}
_LISTED = 20


def apply_result(result: ApplyResult, *, colour: bool = False) -> str:
    """An apply's result as text: what became of each step, ending in `Applied: 5 created, 2 updated, 0 deleted in 3.2 s.`

    The trailer starts with `Interrupted:` if someone stopped it, with `Apply failed:` if a step did not land for sure,
    and with `Not converged:` if everything landed and the second plan is still not empty; it is `No changes.` if there was
    no step.
    """
    paint = Paint(colour)
    lines = [*org(result.plan.org, paint), ""]
    for number, step in enumerate(result.steps, 1):
        lines += [*_step(number, len(result.steps), step, paint), ""]
    if any(step.landing is Landing.UNKNOWN for step in result.steps):
        lines += ["mend: apply --resume: it finds out what became of the deployment, and does what is left to do", ""]
    elif result.interrupted and any(step.landing is Landing.NOT_LANDED for step in result.steps):
        lines += ["to carry on: apply --resume, which does what is left to do", ""]
    lines += _list("Adopted (already as declared, managed from now on)", map(str, result.plan.adopted), paint)
    if result.left:
        lines.append(paint("Left to change, although everything landed:", "alarm"))
        for change in result.left:
            lines.append(f"{paint.symbol(change.action)} {line(change.address)}")
            lines += [f"        {line(field.name)}" for field in change.fields]
        lines.append("")
    lines += _list("Changed while this apply was under way, and not by it", map(_meanwhile, result.meanwhile), paint)
    return page([*lines, paint(trailer(result), "bold")])


def org(info: OrgInfo, paint: Paint) -> list[str]:
    """Return the org on one line, so that a plan for another org is noticed."""
    kind = paint("sandbox", "green") if info.is_sandbox else paint("production", "alarm")
    facts = [paint(line(info.called or "(no name)", 120), "bold"), line(info.id), line(info.instance)]
    facts += [line(info.organization_type), kind, f"API {line(info.api_version)}" if info.api_version else ""]
    facts += [f"as {line(info.username)}" if info.username else ""]
    return ["Org: " + ", ".join(fact for fact in facts if fact)]


def _step(number: int, of: int, result: StepResult, paint: Paint) -> Iterator[str]:
    name = f"Step {number} of {of}" if of > 1 else "Deployment"
    deployed = result.deployed
    known = [] if deployed is None else [deployed.id, deployed.status if deployed.status != result.landing else ""]
    told = f" ({', '.join(map(line, filter(None, known)))})" if any(known) else ""
    yield f"{name}: {paint(str(result.landing), _LANDING_COLOURS[result.landing])}{told}"
    for change in result.step.changes:
        yield f"{paint.symbol(change.action)} {line(change.address)}"
    if deployed is not None:
        for failure in deployed.failures:
            yield from _failure(failure, paint)
        for complaint in deployed.why:
            yield from (f"    {text}" for text in complaint_lines(complaint, paint))
        if deployed.error and not deployed.why:
            yield f"    Salesforce: {line(deployed.error)}"
        for warning in deployed.warnings:
            yield f"    warning from Salesforce: {line(warning)}"


def _failure(failure: ComponentFailure, paint: Paint) -> Iterator[str]:
    where = f"{line(failure.place)}: " if failure.place is not None else ""
    what = line(failure.address or f"{failure.kind}/{failure.record}")
    yield f"    {paint(where + what, 'red')} was refused"
    # Line and column count in the file that we made for the deployment, which no one has at hand; hence last.
    made = f" ({line(failure.file_name)}:{failure.line}:{failure.column})" if failure.file_name and failure.line else ""
    yield f"      Salesforce: {line(failure.problem)}{made}"


def _list(title: str, lines: Iterable[str], paint: Paint) -> list[str]:
    """One section of an apply's text: its first lines, and how many more there are."""
    body = list(lines)
    more = [f"  and {len(body) - _LISTED:,} more"] if len(body) > _LISTED else []
    return [paint(f"{title}:", "bold"), *(f"  {line(text)}" for text in body[:_LISTED]), *more, ""] if body else []


def _meanwhile(finding: Finding) -> str:
    """Return one line on what others changed meanwhile: `low  ConnectedApp/Portal.label: A → B, changed by
    dana@acme.example at …`"""
    what = moved(finding) or finding.message
    direction = f" ({way(finding)})" if way(finding) else ""
    return f"{finding.severity}  {where(finding)}: {what}{direction}, {who(finding) or 'by whom is not known'}"


def _kept(result: ApplyResult) -> str:
    """What an apply that deployed nothing did to the baseline: ` Adopted 70, baseline written.`"""
    if not result.baseline_written:
        return ""
    adopted = len(result.plan.adopted)
    return f" Adopted {adopted:,}, baseline written." if adopted else " Baseline written."


def trailer(result: ApplyResult) -> str:
    took = f"in {result.seconds:.1f} s"
    landings = [step.landing for step in result.steps]
    if result.interrupted or any(landing is not Landing.LANDED for landing in landings):
        told = ", ".join(f"{landings.count(landing)} {landing}" for landing in Landing)
        what = "Interrupted" if result.interrupted else "Apply failed"
        return f"{what}: {value_text.count(len(landings), 'step')}: {told}, {took}."
    if result.left:
        return f"Not converged: {value_text.count(len(result.left), 'change')} left, {took}."
    if any(not finding.unmanaged for finding in result.meanwhile):
        return f"Applied, but others changed {value_text.count(len(result.meanwhile), 'thing')} meanwhile, {took}."
    if not result.steps:
        return f"No changes.{_kept(result)}{undeclared_beside(result.plan)}"
    actions = [change.action for step in result.steps for change in step.step.changes]
    replaced = f", {actions.count(Action.REPLACE)} replaced" if Action.REPLACE in actions else ""
    return (
        f"Applied: {actions.count(Action.CREATE)} created, {actions.count(Action.UPDATE)} updated, "
        f"{actions.count(Action.DELETE)} deleted{replaced} {took}."
    )
