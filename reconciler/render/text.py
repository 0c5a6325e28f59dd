"""Plans, drift and the baseline as text for people. The last line is the trailer, which scripts may search for."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model import Action, Address, Applied, Baseline, Change, FieldChange, Finding, Modified, OrgInfo, Plan
from reconciler.render import values
from reconciler.render.outcome import apply_result, complaints, org
from reconciler.render.paint import Paint
from reconciler.render.safe import line, page
from reconciler.security import Direction, Severity

__all__ = ["apply_result", "baseline_list", "baseline_show", "complaints", "drift", "plan"]

CHANGED = "drift.changed"


def plan(plan: Plan, *, colour: bool = False, summary: bool = False) -> str:
    """A plan, ending in `Plan: 1 to create, 2 to update, 0 to delete.` or `No changes.`

    With `summary` each change is one line, without its fields.
    """
    paint = Paint(colour)
    lines = [
        *org(plan.org, paint),
        *_section("Only what was asked for", (line(t) for t in plan.targets), paint),
        *_section("Drift since the baseline", _findings(plan.drift, paint), paint),
        *_steps(plan, paint, summary=summary),
        *_section("Released (no longer managed, stays in the org as it is)", (line(r) for r in plan.released), paint),
        *_section("Adopted (already as declared, managed from now on)", (line(a) for a in plan.adopted), paint),
        *_section("Findings", _findings(plan.findings, paint), paint),
        *_section("Refused", _refusals(plan, paint), paint),
        *_section("Notes", (line(note) for note in plan.notes), paint),
        "",
    ]
    if plan.unchanged:
        lines.append(f"{_count(plan.unchanged, 'resource')} as declared.")
    return page([*lines, paint(_plan_trailer(plan), "bold")])


def drift(org_info: OrgInfo, findings: Sequence[Finding], *, colour: bool = False) -> str:
    """What changed since the baseline, worst first, ending in `Drift: 2 findings (1 high, 1 low).` or `No drift.`"""
    paint = Paint(colour)
    worst_first = sorted(findings, key=lambda f: (f.ignored, -f.severity, f.address, f.path))
    blocks = [*_findings(worst_first, paint), ""] if findings else []
    return page([*org(org_info, paint), "", *blocks, paint(_drift_trailer(findings), "bold")])


def baseline_list(baseline: Baseline, *, colour: bool = False) -> str:
    """The addresses that we manage, and those that we only saw."""
    paint = Paint(colour)
    lines = [_baseline_head(baseline, paint), ""]
    lines += [f"  {line(address)}" for address in sorted(baseline.resources)]
    lines += _section("Seen, not managed", (line(text) for text in sorted(baseline.unmanaged)), paint)
    return page([*lines, "", paint(f"Baseline: {_count(len(baseline.resources), 'resource')}.", "bold")])


def baseline_show(baseline: Baseline, only: Iterable[Address] | None = None, *, colour: bool = False) -> str:
    """What we last applied, field by field; of the addresses `only`, if given. Secrets show as `(secret)`."""
    paint = Paint(colour)
    wanted = baseline.resources if only is None else {a: baseline.resources[a] for a in only if a in baseline.resources}
    lines = [_baseline_head(baseline, paint)]
    for address in sorted(wanted):
        lines += ["", *_applied(address, wanted[address], paint)]
    return page([*lines, "", paint(f"Baseline: {_count(len(wanted), 'resource')}.", "bold")])


def _steps(plan: Plan, paint: Paint, *, summary: bool) -> Iterator[str]:
    width = max((len(line(change.address)) for change in plan.changes), default=0)
    for number, step in enumerate(plan.steps, 1):
        if not step.changes:
            continue
        count = f" {number} of {len(plan.steps)} ({_count(len(step.changes), 'change')})" if len(plan.steps) > 1 else ""
        yield from ("", paint(f"Step{count}:" if count else "Changes:", "bold"))
        for change in step.changes:
            place = _place(change)
            name = line(change.address).ljust(width if place else 0)
            yield f"{paint.symbol(change.action)} {paint(name, 'bold')}{place}"
            if not summary:
                yield from (f"        {text}" for text in _change_details(change, paint))


def _place(change: Change) -> str:
    return f"   {line(change.place.file)}:{change.place.line}" if change.place is not None else ""


def _change_details(change: Change, paint: Paint) -> Iterator[str]:
    if change.action in (Action.DELETE, Action.REPLACE) or change.reason.name not in ("DECLARED", "EDITED"):
        yield paint(line(change.reason), "dim")
    if change.action is Action.DELETE:
        yield from _who("last changed by", change.modified)
    elif change.action is Action.CREATE:
        schema = values.schema(change.address)
        for path, value in values.leaves(values.hidden(schema, change.after or {})):
            yield f"{line('.'.join(path))}: {values.shown(value)}"
    else:
        yield from (text for field in change.fields for text in _field(change, field, paint))


def _field(change: Change, field: FieldChange, paint: Paint) -> Iterator[str]:
    text = values.change(values.schema(change.address), field)
    yield f"{line(field.name)}: {text}{_verdict(field.direction, field.severity, paint)}"
    if field.conflict:
        yield paint("  conflict: the org moved too, the file wins", "alarm")
        yield from (f"  {who}" for who in _who("org last changed by", change.modified))


def _verdict(direction: Direction, severity: Severity, paint: Paint) -> str:
    if direction is Direction.NEUTRAL:
        return ""
    if direction is Direction.TIGHTENS:
        return paint("   (tightens)", "green")
    return paint.severity(severity, f"   ({direction}, {severity})")


def _who(words: str, modified: Modified) -> Iterator[str]:
    if modified.by or modified.date:
        yield f"{words} {line(modified)}"


def _findings(findings: Iterable[Finding], paint: Paint) -> Iterator[str]:
    for finding in findings:
        first, *rest = _finding(finding, paint)
        yield first
        yield from (f"    {text}" for text in rest)


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    """One block: how bad, what, from what to what, who and when, where, what to do."""
    where = line(finding.address) + "".join(f".{line(part)}" for part in finding.path)
    moved = finding.old is not None or finding.new is not None
    is_drift = finding.id.startswith("drift.")
    yield (
        f"{paint.severity(finding.severity)}  {where}"
        + (f": {_moved(finding)}{_direction(finding, paint)}" if moved and is_drift else "")
        + ("" if is_drift else f"  [{line(finding.id)}]")
        + ("   (ignored by lifecycle.ignore)" if finding.ignored else "")
    )
    if not (moved and finding.id == CHANGED) and finding.message:
        yield line(finding.message)
    yield from _who("changed by", finding.modified)
    if finding.place is not None:
        yield line(finding.place)
    if finding.mend:
        yield f"mend: {line(finding.mend)}"


def _moved(finding: Finding) -> str:
    return values.difference(values.schema(finding.address), finding.path, finding.old, finding.new)


def _direction(finding: Finding, paint: Paint) -> str:
    colour = "red" if finding.direction is Direction.WEAKENS else "green"
    return "" if finding.direction is Direction.NEUTRAL else paint(f"   ({finding.direction})", colour)


def _refusals(plan: Plan, paint: Paint) -> Iterator[str]:
    for refusal in plan.refusals:
        what = f"{line(refusal.address)}: " if refusal.address is not None else ""
        yield f"{paint(line(refusal.guard), 'red')}  {what}{line(refusal.message)}"
        yield f"    lifted by {line(refusal.allow)}" if refusal.allow else "    nothing lifts this"


def _section(title: str, lines: Iterable[str], paint: Paint) -> list[str]:
    body = [f"  {text}" for text in lines]
    return ["", paint(f"{title}:", "bold"), *body] if body else []


def _baseline_head(baseline: Baseline, paint: Paint) -> str:
    words = f"Baseline of org {line(baseline.org_id)}, project {line(baseline.project)}, serial {baseline.serial}"
    return paint(words + (f", API {line(baseline.api_version)}" if baseline.api_version else ""), "bold")


def _applied(address: Address, applied: Applied, paint: Paint) -> Iterator[str]:
    yield paint(line(address), "bold")
    declared = set(applied.declared)
    for path, value in values.leaves(values.hidden(values.schema(address), applied.body)):
        ours = "" if not declared or path in declared else "   (not declared)"
        yield f"    {line('.'.join(path))}: {values.shown(value)}{ours}"
    if applied.protect:
        yield f"    protected against: {line(', '.join(sorted(applied.protect)))}"


def _plan_trailer(plan: Plan) -> str:
    if not plan.changes:
        return "No changes."
    counts = {action: plan.count(action) for action in Action}
    replaced = f", {counts[Action.REPLACE]} to replace" if counts[Action.REPLACE] else ""
    return (
        f"Plan: {counts[Action.CREATE]} to create, {counts[Action.UPDATE]} to update, "
        f"{counts[Action.DELETE]} to delete{replaced}."
    )


def _drift_trailer(findings: Sequence[Finding]) -> str:
    counted = [finding for finding in findings if not finding.ignored]
    ignored = len(findings) - len(counted)
    beside = f", {ignored} ignored" if ignored else ""
    if not counted:
        return f"No drift{beside}."
    return f"Drift: {_count(len(counted), 'finding')} ({_by_severity(counted)}){beside}."


def _by_severity(findings: Sequence[Finding]) -> str:
    """`1 high, 2 low`, worst first."""
    severities = [finding.severity for finding in findings]
    return ", ".join(f"{severities.count(s)} {s}" for s in sorted(set(severities), reverse=True))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
