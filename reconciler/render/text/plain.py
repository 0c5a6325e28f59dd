"""Plans, drift and the baseline as text for people. The last line is the trailer, which scripts may search for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Action, Change, FieldChange, Plan
from reconciler.model.facts import Deployment
from reconciler.model.finding import CHANGED, REFERENCE, Finding, Unchecked
from reconciler.model.live import Modified
from reconciler.model.reports import CheckReport, DriftReport
from reconciler.plan.guards import lifted
from reconciler.render.grouped import FEW, Table, change_tables, finding_tables, groups
from reconciler.render.text.outcome import org
from reconciler.render.words import value_text
from reconciler.render.words.paint import Paint
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import line, page
from reconciler.render.words.what import moved, undeclared, undeclared_beside, way
from reconciler.render.words.who import last_touch, uncounted, who
from reconciler.rules import all_rules
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body, Path

NAME = 200
"""So many characters of what a row of a table is about."""
NAMED = 3
"""So many resources are named beside a rule that could not be judged."""


def plan(plan: Plan, *, colour: bool = False, summary: bool = False) -> str:
    """A plan, ending in `Plan: 1 to create, 2 to update, 0 to delete.` or `No changes.`

    With `summary` each change is one line, without its fields.
    """
    paint = Paint(colour)
    lines = [
        *_replay(heading(plan.org, plan.created), paint),
        *org(plan.org, paint),
        *_section("Only what was asked for", (line(t) for t in plan.targets), paint),
        *_tables([*change_tables(plan.changes), *finding_tables([*plan.drift, *plan.findings])], paint),
        # Before what was found: who reviews a plan looks for what it does, be the findings ever so many.
        *_steps(plan, paint, summary=summary),
        *_section("Released (no longer managed, stays in the org as it is)", (line(r) for r in plan.released), paint),
        *_section("To adopt (already as declared, managed once applied)", (line(a) for a in plan.adopted), paint),
        *_section("Drift since the baseline", _findings(plan.drift, paint, summary=summary), paint),
        *_section("Findings on what changes", _findings(plan.findings, paint, summary=summary), paint),
        *_section("Refused", _refusals(plan, paint), paint),
        *_section("Notes", (line(note) for note in plan.notes), paint),
        "",
        *_blind(plan.unchecked, paint, ""),
    ]
    if plan.unchanged:
        lines.append(f"{value_text.count(plan.unchanged, 'resource')} as declared.")
    return page([*lines, paint(plan_trailer(plan), "bold")])


def drift(report: DriftReport, *, colour: bool = False, summary: bool = False) -> str:
    """What changed since the baseline, worst first, ending in `Drift: 2 findings (1 high, 1 low).` or `No drift.`"""
    paint = Paint(colour)
    blocks = [*_findings(report.findings, paint, summary=summary), ""] if report.findings else []
    return page(
        [
            *_replay(heading(report.org, report.created), paint),
            *org(report.org, paint),
            *_section("Deployments under way (what they change is not drift)", _under_way(report.in_flight), paint),
            *_tables(finding_tables(report.findings), paint),
            "",
            *blocks,
            *_end(report, paint),
            paint(drift_trailer(report), "bold"),
        ]
    )


def compare(report: DriftReport, *, colour: bool = False, summary: bool = False) -> str:
    """Where an org differs from another, worst first, ending in `Compare: 2 differences.` or `Compare: alike.`"""
    paint = Paint(colour)
    blocks = [*_findings(report.findings, paint, summary=summary), ""] if report.findings else []
    return page(
        [
            *_replay(heading(report.org, report.created), paint),
            *org(report.org, paint),
            f"Compared with: {line(report.against)}",
            *_tables(finding_tables(report.findings), paint),
            "",
            *blocks,
            *_end(report, paint),
            paint(compare_trailer(report), "bold"),
        ]
    )


def check(report: CheckReport, *, colour: bool = False, summary: bool = False) -> str:
    """What the rules say, worst first, and what could not be judged, ending in `Check: 12 resources, no findings.`"""
    paint = Paint(colour)
    head = org(report.org, paint) if report.org is not None else ["The files alone; no org was asked."]
    blocks = [*_findings(report.findings, paint, summary=summary), ""] if report.findings else []
    return page(
        [
            *_replay(heading(report.org, report.created), paint),
            *head,
            *_tables(finding_tables(report.findings), paint),
            "",
            *blocks,
            *_blind(report.unchecked, paint, "plan, or check --live, asks the org" if report.org is None else ""),
            *_end(report, paint),
            paint(check_trailer(report), "bold"),
        ]
    )


def _replay(told: str, paint: Paint) -> list[str]:
    return [paint(told, "alarm")] if told else []


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort findings, the worst first; those that do not count come last."""
    return tuple(sorted(findings, key=lambda f: (not f.counts, -f.severity, f.address, f.id, f.path, f.subject)))


def _under_way(deployments: Iterable[Deployment]) -> Iterator[str]:
    for one in deployments:
        since = f" since {line(one.started)}" if one.started else ""
        yield f"{line(one.id)} by {line(one.by or one.by_id or 'unknown')}: {line(one.status)}{since}"


def _blind(unchecked: Sequence[Unchecked], paint: Paint, mend: str) -> list[str]:
    """List what could not be judged, so that a missing finding is not taken for a good result.

    What no file says is one line for all rules.
    """
    if not unchecked:
        return []
    asking = {id for id, rule in all_rules().items() if rule.asks_org}
    by_id: dict[str, list[Unchecked]] = {}
    by_class: dict[tuple[Address, str], list[str]] = {}
    for one in unchecked:
        if one.address.kind == "ApexClass" and one.id != REFERENCE:
            by_class.setdefault((one.address, one.message), []).append(one.id)
        else:
            by_id.setdefault(one.id, []).append(one)
    told = [paint(f"Not checked{f' ({mend})' if mend else ''}:", "bold")]
    # What decides who gets in is named, whichever reviewer has to look at it.
    for (address, message), ids in list(by_class.items())[:NAMED]:
        told.append(f"  {', '.join(map(line, ids))}  {line(address)}: {line(message)}")
    if len(by_class) > NAMED:
        told.append(f"  and {len(by_class) - NAMED} more of Apex classes")
    for id, found in sorted(by_id.items()):
        if id in asking or id == REFERENCE:
            where = list(dict.fromkeys(line(one.address) for one in found))
            more = f" and {len(where) - NAMED} more" if len(where) > NAMED else ""
            told.append(f"  {line(id)}  {', '.join(where[:NAMED])}{more}: {line(found[0].message)}")
    silent = [line(id) for id in sorted(by_id) if id not in asking and id != REFERENCE]
    if silent:
        told.append(f"  No file says what these rules ask about (reconciler explain ID names it): {', '.join(silent)}")
    return [*told, ""]


def _block(title: str, lines: Iterable[str], paint: Paint) -> list[str]:
    """A section of the text with a blank line after it, and none before; nothing if it has no lines."""
    found = _section(title, lines, paint)
    return [*found[1:], ""] if found else []


def _end(report: DriftReport | CheckReport, paint: Paint) -> Iterator[str]:
    """The lines after the findings of `drift` and `check`."""
    yield from _block("Resolved since the earlier report", (line(text) for text in report.resolved), paint)
    yield from _block("Notes", (line(note) for note in report.notes), paint)
    hidden = (f"{line(what)}: {line(why)}" for what, why in report.unreadable.items())
    yield from _block("Could not be read, and is not judged", hidden, paint)


def baseline_list(baseline: Baseline, *, alias: str = "", colour: bool = False) -> str:
    """The addresses that we manage, and those that we only saw. `alias` is the org's name in the project file."""
    paint = Paint(colour)
    lines = [_baseline_head(baseline, alias, paint), ""]
    lines += [
        f"  {line(address)}{'   (not declared, watched)' if applied.watched else ''}"
        for address, applied in sorted(baseline.resources.items(), key=lambda item: item[0])
    ]
    lines += _section("Seen, not managed", (line(text) for text in sorted(baseline.unmanaged)), paint)
    return page([*lines, "", paint(f"Baseline: {value_text.count(len(baseline.resources), 'resource')}.", "bold")])


def baseline_show(
    baseline: Baseline, only: Iterable[Address] | None = None, *, alias: str = "", colour: bool = False
) -> str:
    """What we last applied, field by field; of the addresses `only`, if given. Secrets show as `(secret)`."""
    paint = Paint(colour)
    wanted = baseline.resources if only is None else {a: baseline.resources[a] for a in only if a in baseline.resources}
    lines = [_baseline_head(baseline, alias, paint)]
    for address in sorted(wanted):
        lines += ["", *_applied(address, wanted[address], paint)]
    return page([*lines, "", paint(f"Baseline: {value_text.count(len(wanted), 'resource')}.", "bold")])


def _steps(plan: Plan, paint: Paint, *, summary: bool) -> Iterator[str]:
    width = max((len(line(change.address)) for change in plan.changes), default=0)
    for number, step in enumerate(plan.steps, 1):
        if not step.changes:
            continue
        count = (
            f" {number} of {len(plan.steps)} ({value_text.count(len(step.changes), 'change')})"
            if len(plan.steps) > 1
            else ""
        )
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
        yield from _who("", change.modified)
    elif change.action is Action.CREATE:
        schema = value_text.schema(change.address)
        for path, value in value_text.leaves(value_text.hidden(schema, change.after or {})):
            yield f"{line('.'.join(path))}: {value_text.shown(value)}"
    else:
        yield from (text for field in change.fields for text in _field(change, field, paint))
        hidden = _unchanged(change)
        if hidden:
            yield paint(f"({value_text.count(hidden, 'unchanged field')} hidden)", "dim")


def _unchanged(change: Change) -> int:
    """How many fields of the record an update leaves unchanged."""
    moved = {field.path for field in change.fields}
    return sum(
        not any(path[: len(p)] == p or p[: len(path)] == path for p in moved) for path in _fields(change.after or {})
    )


def _fields(body: Body, path: Path = ()) -> Iterator[Path]:
    """The paths of all fields of a body; a list counts as one."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _fields(value, (*path, name))
        else:
            yield (*path, name)


def _field(change: Change, field: FieldChange, paint: Paint) -> Iterator[str]:
    text = value_text.change(value_text.schema(change.address), field)
    again = "   restores" if field.restores else ""
    yield f"{line(field.name)}: {text}{_verdict(field.direction, field.severity, paint)}{again}"
    if field.conflict:
        yield paint("  conflict: the org moved too, the file wins", "alarm")
        yield from (f"  {who}" for who in _who("in the org ", change.modified))


def _verdict(direction: Direction, severity: Severity, paint: Paint) -> str:
    if direction is Direction.NEUTRAL:
        return ""
    if direction is Direction.TIGHTENS:
        return paint("   (tightens)", "green")
    return paint.severity(severity, f"   ({direction}, {severity})")


def _who(words: str, modified: Modified) -> Iterator[str]:
    if touched := last_touch(modified):
        yield f"{words}{touched}"


def _tables(tables: Sequence[Table], paint: Paint) -> Iterator[str]:
    """Tables of counts as text: numbers in columns, and behind them the rule, app or kind that is counted."""
    for table in tables:
        widths = [
            max(len(c), *(len(f"{r.counts[at]:,}") for r in table.all_rows)) for at, c in enumerate(table.columns)
        ]
        heads = "  ".join(column.rjust(width) for column, width in zip(table.columns, widths, strict=True))
        yield from ("", paint(f"{table.title}:", "bold"), f"  {heads}")
        names = max((len(line(row.name, NAME)) for row in table.rows if row.about), default=0)
        for row in table.all_rows:
            numbers = "  ".join(
                (f"{number:,}" if number else "-").rjust(width)
                for number, width in zip(row.counts, widths, strict=True)
            )
            told = (
                f"{line(row.name, NAME).ljust(names)}  {line(row.about, NAME)}" if row.about else line(row.name, NAME)
            )
            yield f"  {numbers}  {told}"


def _findings(findings: Sequence[Finding], paint: Paint, *, summary: bool = False) -> Iterator[str]:
    """The findings as text, worst first. Many are put into groups, and what is the same for all of a group is said
    once, above them."""
    many = len(findings) > FEW and not summary
    for group in groups(findings):
        if not many or len(group.findings) == 1:
            for finding in group.findings:
                first, *rest = _finding(finding, paint)
                yield first + (f": {line(finding.message)}" if summary and not moved(finding) else "")
                yield from () if summary else (f"    {text}" for text in rest)
            continue
        title = paint(f"{line(group.name)}  {line(group.about)}", "bold")
        yield f"{paint.severity(group.severity)}  {title}: {value_text.count(len(group.findings), 'finding')}"
        if group.meaning:
            yield f"    {line(group.meaning)}"
        if group.mend:
            yield f"    mend: {line(group.mend)}"
        for finding in group.findings:
            own = replace(
                finding,
                meaning="" if group.meaning else finding.meaning,
                mend="" if group.mend else finding.mend,
            )
            first, *rest = _finding(own, paint)
            yield f"  {first}"
            yield from (f"      {text}" for text in rest)


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    """One finding as a block of text: how bad, what, from what to what, what it means, who and when, where, what to do."""
    where = line(finding.address) + "".join(f".{line(part)}" for part in finding.path)
    told = moved(finding)
    beside = uncounted(finding)
    yield (
        f"{paint.severity(finding.severity)}  {where}"
        + (f": {told}" if told else "")
        + _direction(finding, paint)
        + ("" if finding.is_drift else f"  [{line(finding.id)}]")
        + ("" if finding.known is None else "  known" if finding.known else "  new")
        + (f"   ({beside})" if beside else "")
    )
    if not (told and finding.id == CHANGED) and finding.message:
        yield line(finding.message)
    if finding.meaning:
        yield line(finding.meaning)
    person = who(finding)
    if person:
        yield person
    if finding.place is not None:
        yield line(finding.place)
    elif finding.position is not None:
        yield f"line {finding.position[0]}, column {finding.position[1]} of its source"
    if finding.mend:
        yield f"mend: {line(finding.mend)}"


def _direction(finding: Finding, paint: Paint) -> str:
    colour = {Direction.WEAKENS: "red", Direction.TIGHTENS: "green", Direction.NEUTRAL: "dim"}[finding.direction]
    return paint(f"   ({way(finding)})", colour) if way(finding) else ""


def _refusals(plan: Plan, paint: Paint) -> Iterator[str]:
    for refusal in plan.refusals:
        what = f"{line(refusal.address)}: " if refusal.address is not None else ""
        yield f"{paint(line(refusal.guard), 'red')}  {what}{line(refusal.message)}"
        yield f"    {line(lifted(refusal))}"


def _section(title: str, lines: Iterable[str], paint: Paint) -> list[str]:
    body = [f"  {text}" for text in lines]
    return ["", paint(f"{title}:", "bold"), *body] if body else []


def _baseline_head(baseline: Baseline, alias: str, paint: Paint) -> str:
    whose = f"{line(alias)}, org {line(baseline.org_id)}" if alias else f"org {line(baseline.org_id)}"
    words = f"Baseline of {whose}, project {line(baseline.project)}, serial {baseline.serial}"
    return paint(words + (f", API {line(baseline.api_version)}" if baseline.api_version else ""), "bold")


def _applied(address: Address, applied: Applied, paint: Paint) -> Iterator[str]:
    yield paint(line(address), "bold")
    declared = set(applied.declared)
    for path, value in value_text.leaves(value_text.hidden(value_text.schema(address), applied.body)):
        ours = "" if not declared or path in declared else "   (not declared)"
        yield f"    {line('.'.join(path))}: {value_text.shown(value)}{ours}"
    if applied.protect:
        yield f"    protected against: {line(', '.join(sorted(applied.protect)))}"


def plan_trailer(plan: Plan) -> str:
    """`Plan: 1 to create, 2 to update, 0 to delete.` or `No changes.`, and what is in no file."""
    beside = undeclared_beside(plan)
    if not plan.changes:
        adopted = f" {len(plan.adopted):,} to adopt." if plan.adopted else ""
        return f"No changes.{adopted}{beside}"
    counts = {action: plan.count(action) for action in Action}
    replaced = f", {counts[Action.REPLACE]} to replace" if counts[Action.REPLACE] else ""
    return (
        f"Plan: {counts[Action.CREATE]} to create, {counts[Action.UPDATE]} to update, "
        f"{counts[Action.DELETE]} to delete{replaced}.{beside}"
    )


def drift_trailer(report: DriftReport) -> str:
    """`Drift: 2 findings (1 high, 1 low).` or `No drift.`"""
    counted = [finding for finding in report.findings if finding.counts]
    beside = _uncounted(report.findings) + _unseen(report.unreadable)
    apps = undeclared(report.undeclared_apps)
    if not counted:
        return f"No drift{beside}.{apps}"
    return f"Drift: {value_text.count(len(counted), 'finding')} ({_by_severity(counted)}){beside}.{apps}"


def _unseen(unreadable: Mapping[str, str]) -> str:
    return f", {len(unreadable):,} not readable" if unreadable else ""


def compare_trailer(report: DriftReport) -> str:
    """`Compare: 40 resources, 2 differences (1 high, 1 low).` or `Compare: 40 resources, alike.`"""
    said = f"Compare: {value_text.count(len(report.compared), 'resource')}"
    if not report.findings:
        return f"{said}, alike."
    return f"{said}, {value_text.count(len(report.findings), 'difference')} ({_by_severity(report.findings)})."


def check_trailer(report: CheckReport) -> str:
    """`Check: 12 resources, 2 findings (1 high, 1 low).` or `Check: 12 resources, no findings.`"""
    counted = [finding for finding in report.findings if finding.counts]
    beside = _uncounted(report.findings) + _unseen(report.unreadable)
    told = f"{value_text.count(len(counted), 'finding')} ({_by_severity(counted)})" if counted else "no findings"
    return f"Check: {value_text.count(len(report.checked), 'resource')}, {told}{beside}."


def _uncounted(findings: Sequence[Finding]) -> str:
    """Return how many findings do not count, as `, 2 ignored, 1 waived`; empty if all count."""
    words = ["waived" if f.waived else "deferred" if f.deferred else "ignored" for f in findings if not f.counts]
    return "".join(f", {words.count(word)} {word}" for word in ("waived", "deferred", "ignored") if word in words)


def _by_severity(findings: Sequence[Finding]) -> str:
    """How many findings there are of each severity: `1 high, 2 low`, worst first."""
    severities = [finding.severity for finding in findings]
    return ", ".join(f"{severities.count(s)} {s}" for s in sorted(set(severities), reverse=True))
