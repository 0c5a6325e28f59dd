r"""Markdown for a comment on a pull request (GitHub's flavour), cut to fit without losing the worst.

How text from an org or a file is kept from being markup: a word that is not plain is shown as code, where Markdown
knows no markup, no entity, no link and no escape. GitHub finds no @mention, no #1 and no address in code either, while
it finds them behind entities and backslashes: it looks at the finished HTML (`IGNORE_PARENTS` in the mention filter of
its html-pipeline).

What remains dangerous inside code is written out: `\x60` is a backtick, `\x7c` a pipe, which would end a table's cell.
Doubling the backticks around it, as the specification proposes, does not hold on GitHub: its parser gives up on code
between more than 80 backticks (`MAXBACKTICKS` in github/cmark-gfm, `src/inlines.c`) and would read it as markup.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from reconciler.model.address import Address
from reconciler.model.changes import Action, Change, FieldChange, Reason
from reconciler.model.deployment import Landing
from reconciler.model.finding import Finding
from reconciler.model.live import OrgInfo
from reconciler.plan.guards import lifted
from reconciler.render.grouped import (
    FEW,
    AppChanges,
    change_tables,
    changes_by_app,
    finding_tables,
    grouped,
    groups,
)
from reconciler.render.markdown_words import NAME, WORDS, code, fenced, prose
from reconciler.render.report import Report
from reconciler.render.text.calls import SIGNS
from reconciler.render.words import value_text
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import line
from reconciler.render.words.safe import page as joined
from reconciler.render.words.what import moved, way, where
from reconciler.render.words.who import uncounted, who
from reconciler.schema.kind import Struct
from reconciler.schema.severity import Direction, Severity
from reconciler.verify.verdicts import Verdict

LIMIT = 64_000
"""Bytes, which are never fewer than characters; a CI job has room left to add a line of its own.

GitHub refuses a body of more than 65,536 characters. It counts code points in the body of a pull request and bytes
(of 262,144) in a comment, though its message says "characters" for both: measured in
https://github.com/dead-claudia/github-limits/pull/13. Below 65,536 bytes both accept it.
"""
LINES = 60
"""So many lines of one change."""
ROW = 120
"""So many characters of what a row of an overview is about."""
STOPPING = 40
"""So many refusals, failures and deployments under way are listed."""
RULES = 40
"""So many rules that could not be judged are listed."""
_MARKER = re.compile(r"[^0-9A-Za-z]+")
FINDING, CHANGE, APPS = "findings", "changes", "apps with changes"
_ADDRESS = re.compile(r"https://[A-Za-z0-9._~:/%-]+")
_ALWAYS = int(Severity.CRITICAL) + 1
_NEVER = int(Severity.INFO) - 1
_CALLS = ("| result | app | flow | call |", "|---|---|---|---|")
_SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.REPLACE: "±"}


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a section: a line, and details that are shown where there is room."""

    rank: int
    """What is least is left out first: a severity, or one beyond the scale."""
    noun: str
    line: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the comment: a heading and the parts below it."""

    title: str
    parts: tuple[Part, ...]
    head: tuple[str, ...] = ()
    """Above the lines: the head of a table, or what is true of all parts."""
    apart: bool = False
    """Whether the details stand below all lines: in a table there is no room between rows."""
    collapsed: bool = False
    level: int = 4
    before: tuple[str, ...] = ()
    """Above the heading: the heading of several sections together."""
    summary: str = ""
    """Finished HTML in the place of the title, where it is collapsed."""

    def lines(self) -> Iterator[str]:
        """The lines of the section; none if it has no parts."""
        if not self.parts:
            return
        yield from self.before
        if self.collapsed:
            told = self.summary or f"{escape(self.title)} ({len(self.parts)})"
            yield from ("<details>", f"<summary>{told}</summary>", "")
        else:
            yield from (f"{'#' * self.level} {self.title}", "")
        yield from self.head
        for part in self.parts:
            yield part.line
            yield from () if self.apart else part.details
        yield ""
        if self.apart:
            yield from (text for part in self.parts for text in part.details)
        if self.collapsed:
            yield from ("</details>", "")


def page(report: Report, run: str = "", whose: str = "") -> str:
    """The comment: head, tables of what was found, changes, findings, and what does not count; at most `LIMIT` bytes.

    The first line is a hidden marker, the same for every run of one command on one org, whatever comes of it: CI finds
    its comment by it. `whose` says which org was asked about (else its id does); `run` is the address of the pipeline's
    run, where its artifacts are.
    """
    head = [*_head(report, whose), *_table(report), *_tables(report)]
    room = LIMIT - _bytes(head) - 2_000
    sections, note = _fitted(_sections(report, room), room)
    if note:
        note = [*note, "", _elsewhere(run)]
    lines = [*head, *(text for section in sections for text in section.lines()), *note]
    return joined(lines if lines[-1] else lines[:-1])


def _elsewhere(run: str) -> str:
    """A sentence that says where to read the parts that the comment leaves out."""
    artifacts = (
        f"[the artifacts of this run]({run})"
        if _ADDRESS.fullmatch(run)
        else "the artifacts of the run, if it keeps any"
    )
    return f"The files of `--output html=FILE`, to be read, and `--output json=FILE`, whole, are in {artifacts}."


def _fitted(sections: Sequence[Section], room: int) -> tuple[list[Section], list[str]]:
    """Leave out the least severe until the rest fits, and say what: first details, then whole entries.

    Changes go last: who reviews a plan must see all that it does. Of findings, nothing that is high or worse is left out
    before everything else has gone.
    """
    parts = {(at, number): part for at, section in enumerate(sections) for number, part in enumerate(section.parts)}

    def order(step: tuple[tuple[int, int], bool]) -> tuple[object, ...]:
        at, whole = step
        part = parts[at]
        # Within a severity the last goes first.
        return _stage(part, whole=whole), part.rank, -at[0], -at[1]

    used = _bytes(text for section in sections for text in section.lines())
    kept = dict(parts)
    left = [len(section.parts) for section in sections]
    for at, whole in sorted(((at, whole) for at in parts for whole in (False, True)), key=order):
        if used <= room:
            break
        used -= _bytes([kept[at].line]) if whole else _bytes(kept[at].details)
        if whole:
            del kept[at]
            left[at[0]] -= 1
            if not left[at[0]]:
                # A section without parts is not there at all.
                used -= _frame(sections[at[0]])
        else:
            kept[at] = replace(kept[at], details=())
    cut = Counter(_left_out(part, kept.get(at)) for at, part in parts.items() if part != kept.get(at))
    if not cut:
        return list(sections), []
    fitted = [
        replace(section, parts=tuple(part for (own, _), part in kept.items() if own == at))
        for at, section in enumerate(sections)
    ]
    told = ", ".join(f"{noun}: {number:,}" for noun, number in sorted(cut.items()))
    return fitted, [f"**Left out, because GitHub takes no longer comment.** {told}."]


def _frame(section: Section) -> int:
    """How many bytes a section takes without its parts: heading, table head, folding."""
    return _bytes(section.lines()) - sum(_bytes([part.line, *part.details]) for part in section.parts)


def _stage(part: Part, *, whole: bool) -> int:
    """Return the order in which a part, or its details alone, is left out of a long comment: the lowest goes first."""
    grave = part.rank >= Severity.HIGH
    if part.rank == _ALWAYS:
        return 8 if whole else 7
    if part.noun in (CHANGE, APPS):
        return 6 if whole else 4 if grave else 2
    return (5 if whole else 3) if grave else (1 if whole else 0)


def _left_out(part: Part, kept: Part | None) -> str:
    """The name of what was left out of the comment: `low findings`, `details of changes`."""
    noun = f"{Severity(part.rank)} {part.noun}" if part.noun == FINDING else part.noun
    return noun if kept is None else f"details of {noun}"


def _called(org: OrgInfo) -> str:
    """The org's alias and name as Markdown code, since both are texts that others chose; see `OrgInfo.called`."""
    names = [code(name, 80) for name in (org.alias, org.name) if name]
    return f"{names[0]} ({names[1]})" if len(names) > 1 else (names or [code("(no name)")])[0]


def _head(report: Report, whose: str) -> Iterator[str]:
    """The head of the comment: a hidden marker, the org or the files, and the result in one line."""
    org = report.org
    which = whose or (org.id[:18] if org is not None else "")
    yield f"<!-- reconciler:{_MARKER.sub('', report.command)}:{_MARKER.sub('.', which)[:NAME] or 'files'} -->"
    if org is None:
        yield f"### reconciler {prose(report.command)}: the files"
    else:
        kind = "sandbox" if org.is_sandbox else "production"
        api = f", API {code(org.api_version, 20)}" if org.api_version else ""
        yield f"### reconciler {prose(report.command)}: {_called(org)}"
        yield ""
        yield f"Org {code(org.id, 20)}, {code(org.instance, 80) + ', ' if org.instance else ''}**{kind}**{api}"
    if told := heading(org, report.created):
        yield from ("", f"**{prose(told)}**")
    yield from ("", f"**{prose(report.trailer)}**", "")


def _table(report: Report) -> Iterator[str]:
    """Yield the table of how many findings there are of each severity, of those that count."""
    counted = [finding for finding in report.findings if finding.counts]
    if not counted or report.verdicts:
        return
    since = any(finding.known is not None for finding in counted)
    yield f"| severity | drift | rules |{' new |' if since else ''}"
    yield f"|---|--:|--:|{'--:|' if since else ''}"
    for severity in sorted(Severity, reverse=True):
        found = [finding for finding in counted if finding.severity is severity]
        if found:
            drifted = sum(finding.is_drift for finding in found)
            new = f" {sum(finding.known is False for finding in found)} |" if since else ""
            yield f"| {severity} | {drifted or ''} | {len(found) - drifted or ''} |{new}"
    yield ""


def _tables(report: Report) -> Iterator[str]:
    """Tables of counts by rule, app and kind, where there is much: an overview that is never cut."""
    for table in (*change_tables(report.changes), *finding_tables(report.findings)):
        folded = table.noun == "app"
        told = any(row.about for row in table.rows)
        yield from ("<details>", f"<summary>{escape(table.title)}</summary>", "") if folded else ()
        yield f"| {table.noun} | {' | '.join(table.columns)} |{' what it is |' if told else ''}"
        yield f"|---|{'--:|' * len(table.columns)}{'---|' if told else ''}"
        for row in table.all_rows:
            name = prose(row.name, ROW) if row in (table.rest, table.total) else code(row.name, ROW)
            numbers = " | ".join(f"{number:,}" if number else "" for number in row.counts)
            about = f" {prose(row.about, ROW) if row.about else ''} |" if told else ""
            yield f"| {name} | {numbers} |{about}"
        yield from ("", "</details>", "") if folded else ("",)


def _sections(report: Report, room: int) -> list[Section]:
    stopping = [
        Section("Refused", _always("refusals", _refusals(report))),
        Section("Failed", _always("failures", _failures(report))),
    ]
    under_way = Section("Deployments under way", _always("deployments under way", _under_way(report)))
    room -= _bytes(text for section in (*stopping, under_way) for text in section.lines())
    return [
        *stopping,
        *_changes(report, room),
        *_findings([finding for finding in report.findings if finding.counts]),
        Section("Calls", tuple(_call(verdict) for verdict in report.verdicts), _CALLS, collapsed=True),
        under_way,
        Section("Notes", tuple(Part(Severity.LOW, "notes", f"- {prose(note)}") for note in report.notes)),
        Section("Rules not checked", tuple(_unchecked(report)), collapsed=True),
        Section("Not counted", tuple(_not_counted(f) for f in report.findings if not f.counts), collapsed=True),
        Section(
            "Resolved since the earlier report",
            tuple(Part(_NEVER, "resolved findings", f"- {code(text)}") for text in report.resolved),
            collapsed=True,
        ),
    ]


def _always(noun: str, lines: Iterable[str]) -> tuple[Part, ...]:
    """Return the parts that are shown in any case, cut to a number of lines so that they do not take all the room."""
    told = list(lines)
    if len(told) > STOPPING:
        told = [*told[:STOPPING], f"- and {len(told) - STOPPING:,} more {noun}"]
    return tuple(Part(_ALWAYS, noun, text) for text in told)


def _changes(report: Report, room: int) -> Iterator[Section]:
    """Every change in a row of its own; where not even the rows fit, by app, and in rows only what weakens or removes."""
    parts = tuple(_change(report, change) for change in report.changes)
    columns = _columns(report)
    if _bytes(part.line for part in parts) <= room:
        yield Section("Changes", parts, columns, apart=True)
        return
    grave = [part for part in parts if part.rank >= Severity.HIGH]
    while _bytes(part.line for part in grave) > room // 2:
        grave = grave[: len(grave) // 2]
    yield Section("Changes that weaken, delete or replace", tuple(grave), columns, apart=True)
    yield Section("Changes by app", tuple(map(_app_changes, changes_by_app(report.changes))))


def _app_changes(app: AppChanges) -> Part:
    weakens = f", **weakens ({app.weakens})**" if app.weakens is not None else ""
    rank = Severity.LOW if app.weakens is None else app.weakens
    return Part(int(rank), APPS, f"- {code(app.app)}: {app.told}{weakens}")


def _findings(counted: Sequence[Finding]) -> Iterator[Section]:
    """The section of the findings, worst first; many in groups, of which those that are not high are closed."""
    if len(counted) <= FEW:
        yield Section("Findings", tuple(_finding(finding) for finding in grouped(counted)))
        return
    for number, group in enumerate(groups(counted)):
        shared = [f"Means: {prose(group.meaning)}"] if group.meaning else []
        shared += [f"Mend: {prose(group.mend)}"] if group.mend else []
        many = f"({len(group.findings):,})"
        own = [
            replace(f, meaning="" if group.meaning else f.meaning, mend="" if group.mend else f.mend)
            for f in group.findings
        ]
        told = f"{escape(line(f'{group.name} {group.about}', NAME))}"
        yield Section(
            f"{group.severity} {code(group.name)} {prose(group.about, NAME)} {many}",
            tuple(_finding(finding) for finding in own),
            tuple(text for one in shared for text in (one, "")),
            collapsed=group.severity < Severity.HIGH,
            level=5,
            before=("#### Findings", "") if number == 0 else (),
            summary=f"{group.severity} <code>{told}</code> {many}",
        )


def _refusals(report: Report) -> Iterator[str]:
    for refusal in report.refusals:
        what = f"{code(refusal.address)}: " if refusal.address is not None else ""
        how = f"lifted by {code(refusal.allow)}" if refusal.allow else prose(lifted(refusal))
        yield f"- **{prose(refusal.guard)}**: {what}{prose(refusal.message)} ({how})"


def _failures(report: Report) -> Iterator[str]:
    for failure in report.failures:
        where = f", {code(failure.place)}" if failure.place is not None else ""
        what = code(failure.address or f"{failure.kind}/{failure.record}")
        yield f"- {what}{where}: Salesforce says {code(failure.problem, WORDS)}"


def _finding(finding: Finding) -> Part:
    names = "" if finding.is_drift else f" (rule {code(finding.id)})"
    new = " (new)" if finding.known is False else ""
    first = f"- **{finding.severity}**{new} {code(where(finding))}{names}: {_happened(finding)}"
    return Part(int(finding.severity), FINDING, first, tuple(f"  - {text}" for text in _details(finding)))


def _details(finding: Finding) -> Iterator[str]:
    if told := who(finding):
        # The time and the name are not ours; what stands around them is.
        yield prose(told[:1].upper() + told[1:])
    if finding.meaning:
        yield f"Means: {prose(finding.meaning)}"
    if finding.place is not None:
        yield f"Declared at {code(finding.place)}"
    if finding.position is not None:
        yield f"In the source: line {finding.position[0]}, column {finding.position[1]}"
    if finding.mend:
        yield f"Mend: {prose(finding.mend)}"


def _happened(finding: Finding) -> str:
    """What happened, in words: of drift what changed and in which direction, of a rule what is wrong."""
    told = moved(finding)
    if not told:
        return prose(finding.message or finding.id)
    return f"{code(told, WORDS)}, {way(finding)}" if way(finding) else code(told, WORDS)


def _columns(report: Report) -> tuple[str, ...]:
    landed = " outcome |" if report.landings else ""
    return f"| action | resource | security | declared at |{landed}", f"|---|---|---|---|{'---|' if landed else ''}"


def _change(report: Report, change: Change) -> Part:
    """One change: a row of the table, and a block to open that shows what differs."""
    weaker = [field.severity for field in change.fields if field.direction is Direction.WEAKENS]
    tighter = any(field.direction is Direction.TIGHTENS for field in change.fields)
    security = f"**weakens ({max(weaker)})**" if weaker else "tightens" if tighter else ""
    row = f"| {change.action} | {code(change.address)} | {security} | {code(change.place) if change.place else ''} |"
    landing = report.landings.get(change.address)
    if report.landings:
        row += f" {landing if landing in (None, Landing.LANDED) else f'**{landing}**'} |"
    grave = change.action in (Action.DELETE, Action.REPLACE)
    rank = max([*map(int, weaker), int(Severity.HIGH) if grave else int(Severity.LOW)])
    differs = list(_differs(change))
    if len(differs) > LINES:
        differs = [*differs[: LINES - 1], f"! … and {len(differs) - LINES + 1} more lines"]
    if not differs:
        return Part(rank, CHANGE, row)
    why = () if change.reason in (Reason.DECLARED, Reason.EDITED) else (prose(change.reason), "")
    # Inside an HTML block there is no Markdown; inside <code> GitHub looks for no mention.
    title = f"<code>{_SYMBOLS[change.action]} {escape(line(change.address, NAME))}</code>"
    block = ("<details>", f"<summary>{title}</summary>", "", *why, *fenced(differs), "", "</details>", "")
    return Part(rank, CHANGE, row, block)


def _differs(change: Change) -> Iterator[str]:
    """Lines of a diff. Each starts with its sign and a blank, so that none can end the block that it stands in."""
    schema = value_text.schema(change.address)
    if change.fields:
        for one in change.fields:
            yield from _field(schema, one)
        return
    for sign, body in (("-", change.before), ("+", change.after)):
        for path, value in value_text.leaves(value_text.hidden(schema, body or {})):
            yield f"{sign} {line('.'.join(path), NAME)}: {value_text.shown(value, NAME)}"


def _field(schema: type[Struct] | None, one: FieldChange) -> Iterator[str]:
    name = line(one.name, NAME)
    verdict = "" if one.direction is Direction.NEUTRAL else f"   ({one.direction}, {one.severity})"
    told = value_text.change(schema, one)
    old, new = (value_text.hidden_at(schema, one.path, value) for value in (one.old, one.new))
    listed = value_text.is_list(old) or value_text.is_list(new)
    gone, come = (value_text.entries(v) if v is not None and listed else [] if v is None else [v] for v in (old, new))
    if one.secret or not (listed or told == f"{value_text.shown(old)} → {value_text.shown(new)}") or gone == come:
        yield f"! {name}: {told}{verdict}"
    else:
        yield from (f"- {name}: {value_text.shown(item)}" for item in gone if item not in come)
        yield from (f"+ {name}: {value_text.shown(item)}{verdict}" for item in come if item not in gone)
    if one.restores:
        yield "! restores what was last applied: the org moved"
    if one.conflict:
        yield "! conflict: the org moved too, the file wins"


def _under_way(report: Report) -> Iterator[str]:
    for one in report.in_flight:
        yield f"- {code(one.id)} by {code(one.by or one.by_id or 'unknown')}: {code(one.status)}"


def _unchecked(report: Report) -> Iterator[Part]:
    """What could not be judged, one line for each rule, so that a missing finding is not taken for a good result."""
    by_id: dict[str, list[tuple[Address, str]]] = {}
    for one in report.unchecked:
        by_id.setdefault(one.id, []).append((one.address, one.message))
    for id, found in sorted(by_id.items())[:RULES]:
        resources = len({address for address, _ in found})
        text = f"- {code(id)} on {value_text.count(resources, 'resource')}, such as {code(found[0][0])}: {prose(found[0][1])}"
        yield Part(_NEVER, "rules not checked", text)
    if len(by_id) > RULES:
        yield Part(_NEVER, "rules not checked", f"- and {len(by_id) - RULES} more rules")


def _call(verdict: Verdict) -> Part:
    """Return the table row of one `verify` call: app, what was asked, what became of it."""
    sign = SIGNS[verdict.standing]
    told = f"**{sign}**" if verdict.counts else sign
    said = f": {prose(verdict.message)}" if verdict.message not in ("", sign, "refused", "granted") else ""
    row = f"| {told} | {code(verdict.probe.app)} | {verdict.probe.flow} | {prose(verdict.probe.what)}{said} |"
    return Part(int(verdict.severity) if verdict.counts else int(Severity.INFO), "calls", row)


def _not_counted(finding: Finding) -> Part:
    what = f"{code(where(finding))} ({code(finding.id)}): {_happened(finding)}"
    return Part(_NEVER, "findings that do not count", f"- {finding.severity} {what}; {prose(uncounted(finding))}")


def _bytes(lines: Iterable[str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) + 1 for text in lines)
