"""A report as one page that needs nothing else: no server, no network, no script to be read.

The page forbids itself everything that it does not hold (`Content-Security-Policy`), so that even a text that got past
the escaping could load and run nothing. No text of an org or a file becomes a link, an id, a class or a part of a script.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from reconciler.model.address import Address
from reconciler.model.changes import Action, Change, FieldChange
from reconciler.model.deployment import Landing
from reconciler.model.finding import CHANGED, Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.plan.guards import lifted
from reconciler.render.grouped import (
    FEW,
    AppChanges,
    Group,
    Table,
    change_tables,
    changes_by_app,
    finding_tables,
    grouped,
    groups,
)
from reconciler.render.html.difference import difference
from reconciler.render.html.element import Markup, element, joined, void
from reconciler.render.html.picture import picture, tables
from reconciler.render.report import Report
from reconciler.render.text.calls import SIGNS
from reconciler.render.topology import Topology, topology
from reconciler.render.words import value_text
from reconciler.render.words.about import about
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import line
from reconciler.render.words.who import uncounted, who
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Path, Value
from reconciler.verify.verdicts import Verdict

FINDINGS, CHANGES, NOTES = 1_000, 1_000, 200
"""As many are shown in full; the rest is counted. A browser takes seconds for more."""
BYTES = 3_000_000
"""As much HTML of one section, whatever it holds."""
PLACES = 12
"""As many places of a rule that could not be judged are named."""
MANY = 200
"""Beyond, the browser lays out what is in sight only."""
OPEN = 20
"""Groups are unfolded from the start as long as they hold no more than so many findings together."""

_NAMES = {"check": "Check", "plan": "Plan", "apply": "Apply", "drift": "Drift", "verify": "Verify"}
_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "−", Action.REPLACE: "∓"}


def page(report: Report) -> str:
    """The report as one HTML file."""
    style, script = _part("page.css"), _part("page.js")
    drawn = topology(report)
    name = f"{_NAMES.get(report.command, report.command)}: {_whose(report.org)}"
    head = (
        void("meta", charset="utf-8"),
        # Before anything that it is about.
        void("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="referrer", content="no-referrer"),
        element("title", line(name, 120)),
        element("style", Markup(style)),
    )
    body = (
        element("a", "Skip to the findings", class_="skip", href="#findings"),
        _header(report, name),
        element("main", _sections(report, drawn), id="main"),
        element("script", Markup(script)),
    )
    return f"<!doctype html>\n{element('html', element('head', head), element('body', body), lang='en')}\n"


@cache
def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    hashes = {
        name: b64encode(sha256(text.encode()).digest()).decode()
        for name, text in (("style", style), ("script", script))
    }
    allowed = "; ".join(f"{name}-src 'sha256-{digest}'" for name, digest in hashes.items())
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


# -- the top ----------------------------------------------------------------------------------------------------------


def _header(report: Report, name: str) -> Markup:
    return element(
        "header",
        element("h1", line(name, 120)),
        element("p", element("strong", told), class_="replay")
        if (told := heading(report.org, report.created))
        else None,
        element("p", report.trailer, class_="trailer"),
        element("p", _org(report.org), class_="org"),
        element("p", "Made at ", element("time", report.created)) if report.created else None,
    )


def _whose(org: OrgInfo | None) -> str:
    return (org.called or org.id) if org is not None else "the files"


def _org(org: OrgInfo | None) -> Markup:
    if org is None:
        return Markup("Files alone: no org was asked.")
    sort = ("sandbox", "sandbox") if org.is_sandbox else ("production", "production")
    facts = [org.called or "(no name)", org.id, org.instance, org.organization_type]
    more = [f"API {org.api_version}" if org.api_version else "", f"as {org.username}" if org.username else ""]
    return joined(
        (
            "Org: ",
            ", ".join(line(fact, 120) for fact in facts if fact),
            ", ",
            element("strong", sort[0], class_=sort[1]),
            "".join(f", {line(fact, 120)}" for fact in more if fact),
        )
    )


def _sections(report: Report, drawn: Topology) -> Iterator[Markup]:
    counted = [finding for finding in report.findings if finding.counts]
    others = [finding for finding in report.findings if not finding.counts]
    yield _summary(report, counted)
    yield from _troubles(report)
    yield _section("topology", "Who trusts whom", _topology(drawn))
    yield _filters(report, counted)
    # Before what was found: who reviews a plan looks for what it does, be the findings ever so many.
    if report.changes:
        title = "Changes" if report.landings else "Planned changes"
        yield _section("changes", f"{title} ({len(report.changes):,})", _changes(report, drawn))
    yield _section(
        "findings", f"Findings ({len(counted):,})", _findings(counted, drawn), intro=_none(counted, "finding")
    )
    if report.verdicts:
        yield _section("calls", f"Calls ({len(report.verdicts):,})", _calls(report.verdicts))
    if others:
        shown = _findings(others, drawn)
        yield _section("uncounted", f"Shown and not counted ({len(others):,})", shown)
    if report.unchecked:
        yield _section("unchecked", f"Not checked ({len(report.unchecked):,})", _unchecked(report.unchecked))
    yield from _lists(report)


def _section(id: str, title: str, *content: object, intro: str = "") -> Markup:
    about_it = element("p", intro) if intro else None
    return element(
        "section", element("h2", title, id=f"{id}-title"), about_it, content, id=id, aria_labelledby=f"{id}-title"
    )


def _summary(report: Report, counted: Sequence[Finding]) -> Markup:
    """How many of each severity, in words: nobody has to tell colours apart."""
    severities = [finding.severity for finding in counted]
    tiles = (
        element(
            "li",
            element("span", f"{severities.count(severity):,}", class_="number"),
            " ",
            element("span", str(severity)),
            class_=f"tile {severity}" + ("" if severity in severities else " zero"),
        )
        for severity in reversed(Severity)
    )
    facts = [f"{value_text.count(len(report.components), 'resource')} looked at"] if report.components else []
    if any(finding.known is not None for finding in counted):
        new = sum(finding.known is False for finding in counted)
        facts.append(f"{new:,} new since the report compared with")
    if report.changes:
        actions = [change.action for change in report.changes]
        facts += [f"{actions.count(action):,} to {action}" for action in Action if action in actions]
    unnamed = element("p", "; ".join(facts) + ".", class_="facts") if facts else None
    tables = [*change_tables(report.changes), *finding_tables(report.findings)]
    overview = element("div", (_overview(table) for table in tables), class_="overview") if tables else None
    return _section("summary", "Findings by severity", element("ul", tiles, class_="tiles"), unnamed, overview)


def _overview(table: Table) -> Markup:
    """What there is much of, by what it is. Closed where it says less than the others."""
    told = any(row.about for row in table.rows)
    heads = [
        element("th", head, scope="col") for head in (table.noun, *table.columns, *(["What it is"] if told else []))
    ]
    rows = (
        element(
            "tr",
            element("th", line(row.name, 200), scope="row"),
            (element("td", f"{number:,}" if number else "", class_="number") for number in row.counts),
            element("td", line(row.about, 300)) if told else None,
        )
        for row in table.all_rows
    )
    inside = element("table", element("thead", element("tr", heads)), element("tbody", rows))
    return element(
        "details",
        element("summary", table.title),
        element("div", inside, class_="scroll", tabindex=0, role="region", aria_label=table.title),
        open=table.noun != "app",
    )


def _troubles(report: Report) -> Iterator[Markup]:
    """What stops an apply, stopped one, or may explain what is seen."""
    if report.refusals:
        rows = (
            element(
                "li",
                element("strong", refusal.guard),
                " ",
                f"{line(refusal.address, 300)}: " if refusal.address is not None else None,
                refusal.message,
                f"; {line(lifted(refusal), 300)}",
            )
            for refusal in report.refusals[:NOTES]
        )
        yield _alert("refused", f"Refused ({len(report.refusals):,})", rows)
    if report.failures:
        rows = (
            element(
                "li",
                element("strong", failure.address or f"{failure.kind}/{failure.record}"),
                element("span", f" {line(failure.place)}", class_="place") if failure.place is not None else None,
                f": {line(failure.problem, 1_000)}",
            )
            for failure in report.failures[:NOTES]
        )
        yield _alert("failed", f"Refused by the org ({len(report.failures):,})", rows)
    if report.in_flight:
        rows = (
            element(
                "li", f"{line(d.id)} by {line(d.by or 'unknown')}, {line(d.status)}, since {line(d.started or 'now')}"
            )
            for d in report.in_flight[:NOTES]
        )
        yield _alert("in-flight", f"Deployments under way ({len(report.in_flight):,})", rows)


def _alert(id: str, title: str, rows: Iterable[Markup]) -> Markup:
    return element("div", _section(id, title, element("ul", rows)), class_="alert")


def _topology(drawn: Topology) -> Iterator[Markup | None]:
    if not drawn.nodes:
        yield element("p", "Nothing here takes part in token exchange or client credentials.")
        return
    yield element(
        "p",
        "From identity providers on the left to the users that code runs as on the right. A thick line or frame is touched by "
        "a finding or a change, a dashed one leads to something that is not there.",
    )
    yield element("p", "Choose a node to see only what belongs to it.", class_="needs-script", hidden=True)
    if drawn.folded:
        many = value_text.count(drawn.folded, "node")
        yield element("p", f"{many} folded; those with the worst findings are drawn one by one.", class_="left-out")
    yield element(
        "div", picture(drawn), class_="scroll", tabindex=0, role="region", aria_label="Picture: who trusts whom"
    )
    yield element(
        "p",
        element("span", id="chosen-name"),
        " ",
        element("a", "Go to the findings", href="#findings"),
        " ",
        element("button", "Show all again", type="button", id="unchoose"),
        id="chosen",
        hidden=True,
    )
    text = element(
        "div", tables(drawn), class_="scroll", tabindex=0, role="region", aria_label="Tables: who trusts whom"
    )
    yield element("details", element("summary", "The picture as text"), text, id="as-text")


# -- filters ----------------------------------------------------------------------------------------------------------


def _filters(report: Report, counted: Sequence[Finding]) -> Markup:
    """Hidden until the script is there to serve them."""
    severities = [finding.severity for finding in report.findings]
    kinds = [_kind(finding) for finding in report.findings] + ["change"] * len(report.changes)
    sets = [
        _boxes("severity", "Severity of findings", [(str(s), str(s), severities.count(s)) for s in reversed(Severity)]),
    ]
    if len(set(kinds)) > 1:
        choices = (("drift", "drift"), ("rule", "rules"), ("change", "changes"))
        sets.append(
            _boxes("kind", "Kind", [(kind, words, kinds.count(kind)) for kind, words in choices if kind in kinds])
        )
    if any(finding.known is not None for finding in counted):
        known = ["known" if finding.known else "new" for finding in report.findings]
        sets.append(
            _boxes("known", "Compared with the earlier report", [(k, k, known.count(k)) for k in ("new", "known")])
        )
    search = element(
        "div",
        element("label", "Text", for_="search"),
        void("input", type="search", id="search", autocomplete="off", spellcheck="false"),
        class_="search",
    )
    status = element("p", id="shown", role="status", aria_live="polite")
    reset = element("button", "Show everything", type="button", id="reset")
    inside = element("div", sets, search, reset, class_="filters")
    return element(
        "section",
        element("h2", "Show only", id="filter-title"),
        inside,
        status,
        id="filter",
        class_="needs-script",
        aria_labelledby="filter-title",
        hidden=True,
    )


def _boxes(name: str, legend: str, choices: Sequence[tuple[str, str, int]]) -> Markup:
    return element(
        "fieldset",
        element("legend", legend),
        (
            element(
                "label",
                void("input", type="checkbox", name=name, value=value, checked=True),
                element("span", words, class_=f"chip {value}" if name == "severity" else None),
                f" {count:,}",
            )
            for value, words, count in choices
        ),
    )


# -- findings ---------------------------------------------------------------------------------------------------------


def _kind(finding: Finding) -> str:
    return "drift" if finding.is_drift else "rule"


def _findings(findings: Sequence[Finding], drawn: Topology) -> Iterator[Markup]:
    """Worst first; many in groups that can be folded, of which the first are open."""
    seen: set[str] = set()
    ordered = grouped(findings)
    cards = _within((_card(finding, drawn, seen) for finding in ordered), FINDINGS)
    if len(findings) <= FEW:
        yield element("div", cards, class_=_cards(cards)) if cards else Markup("")
    else:
        at = 0
        for group in groups(findings):
            own = cards[at : at + len(group.findings)]
            if own:
                yield _group(group, own, unfolded=at + len(own) <= OPEN)
            at += len(group.findings)
    left = ordered[len(cards) :]
    if left:
        by_severity = ", ".join(
            f"{count:,} {severity}"
            for severity in reversed(Severity)
            if (count := sum(finding.severity == severity for finding in left))
        )
        told = (
            f"{value_text.count(len(left), 'more finding')} left out here ({by_severity}). --output json has them all."
        )
        yield element("p", told, class_="left-out")


def _group(group: Group, cards: Sequence[Markup], *, unfolded: bool) -> Markup:
    """Findings that say the same of several resources, under what they say."""
    return element(
        "details",
        element(
            "summary",
            element("span", str(group.severity), class_=f"chip {group.severity}"),
            " ",
            element("code", line(group.name, 80)),
            f" {line(group.about, 300)} ({len(group.findings):,})",
        ),
        element("div", cards, class_=_cards(cards)),
        class_="group",
        open=unfolded,
    )


def _card(finding: Finding, drawn: Topology, seen: set[str]) -> Markup:
    nodes = dict.fromkeys(node for address in (finding.address, *finding.also) for node in drawn.touched(address))
    known = None if finding.known is None else "known" if finding.known else "new"
    moved = finding.old is not None or finding.new is not None
    id, seen_before = f"f-{finding.key}", f"f-{finding.key}" in seen
    seen.add(id)
    return element(
        "article",
        element(
            "h3",
            element("span", str(finding.severity), class_=f"chip {finding.severity}"),
            " ",
            element("span", line(finding.address, 300), class_="address"),
            element("span", f".{line('.'.join(finding.path), 300)}", class_="field") if finding.path else None,
            " " if known else None,
            element("span", known, class_=f"chip {known}") if known else None,
        ),
        element("p", finding.message) if finding.message and not (moved and finding.id == CHANGED) else None,
        _moved(finding.address, finding.path, finding.old, finding.new, finding.direction) if moved else None,
        element("p", finding.meaning, class_="meaning") if finding.meaning else None,
        element("dl", _facts(finding)),
        id=None if seen_before else id,
        class_=f"item finding {finding.severity}",
        data_severity=str(finding.severity),
        data_kind=_kind(finding),
        data_known=known,
        data_nodes=" ".join(nodes) or None,
    )


def _facts(finding: Finding) -> Iterator[Markup]:
    known = about(finding.id)
    facts: list[tuple[str, object]] = [("Not counted", uncounted(finding))]
    if not (finding.old is None and finding.new is None) or finding.direction is not Direction.NEUTRAL:
        facts.append(("Direction", str(finding.direction)))
    facts += [
        ("Who and when", who(finding)),
        ("Where", finding.place or ""),
        ("In the value", "line {}, column {}".format(*finding.position) if finding.position else ""),
        ("About", finding.subject),
        ("Depends on", ", ".join(line(address, 200) for address in finding.also[:PLACES])),
        ("Mend", finding.mend),
        ("Rule", joined((element("code", line(finding.id, 80)), f" {known.title}"))),
        ("Source", known.source if _kind(finding) == "rule" else ""),
    ]
    return (joined((element("dt", name), element("dd", value))) for name, value in facts if value)


def _moved(
    address: Address, path: Path, old: Value, new: Value, direction: Direction, *, secret: bool = False
) -> Markup:
    return element(
        "div", difference(value_text.schema(address), path, old, new, secret=secret), class_=f"difference {direction}"
    )


# -- changes ----------------------------------------------------------------------------------------------------------


def _changes(report: Report, drawn: Topology) -> Iterator[Markup]:
    """One by one in their order; many by app, so that one is found again."""
    few = len(report.changes) <= FEW
    apps = () if few else changes_by_app(report.changes)
    ordered = report.changes if few else tuple(change for app in apps for change in app.changes)
    shown = _within((_change(c, report.landings.get(c.address), drawn, unfolded=few) for c in ordered), CHANGES)
    if few:
        yield element("div", shown, class_=_cards(shown))
    at = 0
    for app in apps:
        if own := shown[at : at + len(app.changes)]:
            yield _app_changes(app, own)
        at += len(app.changes)
    if left := len(report.changes) - len(shown):
        yield element(
            "p",
            f"{value_text.count(left, 'more change')} left out here. --output json has them all.",
            class_="left-out",
        )


def _app_changes(app: AppChanges, changes: Sequence[Markup]) -> Markup:
    weakens = (" ", element("span", f"weakens, {app.weakens}", class_=f"chip {app.weakens}"))
    return element(
        "details",
        element(
            "summary",
            element("span", line(app.app, 300), class_="address"),
            f": {app.told}",
            weakens if app.weakens is not None else None,
        ),
        element("div", changes, class_=_cards(changes)),
        class_="group",
    )


def _change(change: Change, landing: Landing | None, drawn: Topology, *, unfolded: bool) -> Markup:
    summary = element(
        "summary",
        element("span", f"{_SIGNS[change.action]} {change.action}", class_=f"chip {change.action}"),
        " ",
        element("span", line(change.address, 300), class_="address"),
        element("span", f" {line(change.place)}", class_="place") if change.place is not None else None,
        element("span", f" {landing}", class_=f"landing {landing.name.lower()}") if landing is not None else None,
    )
    details = (
        element("p", str(change.reason)),
        element("p", f"Last touched in the org by {line(change.modified, 300)}") if change.modified.by else None,
        _change_table(change),
    )
    return element(
        "details",
        summary,
        details,
        class_=f"item change {change.action}",
        data_kind="change",
        data_nodes=" ".join(drawn.touched(change.address)) or None,
        open=unfolded,
    )


def _change_table(change: Change) -> Markup | None:
    schema = value_text.schema(change.address)
    if change.action is Action.CREATE:
        leaves = list(value_text.leaves(value_text.hidden(schema, change.after or {})))
        rows = [
            element("tr", element("th", ".".join(path), scope="row"), element("td", value_text.shown(value)))
            for path, value in leaves[:NOTES]
        ]
        return _field_table(("Field", "Value"), rows, len(leaves))
    rows = [
        element(
            "tr",
            element("th", field.name, scope="row"),
            element("td", difference(schema, field.path, field.old, field.new, secret=field.secret)),
            element("td", _effect(field.direction, field.severity), _moved_too(field)),
        )
        for field in change.fields[:NOTES]
    ]
    return _field_table(("Field", "From → to", "Effect"), rows, len(change.fields))


def _field_table(heads: Sequence[str], rows: Sequence[Markup], of: int) -> Markup | None:
    if not rows:
        return None
    more = f"{value_text.count(of - len(rows), 'more field')} left out." if of > len(rows) else None
    return joined(
        (
            element(
                "div",
                element(
                    "table",
                    element("thead", element("tr", (element("th", head, scope="col") for head in heads))),
                    element("tbody", rows),
                ),
                class_="fields scroll",
            ),
            element("p", more, class_="left-out") if more else None,
        )
    )


def _effect(direction: Direction, severity: Severity) -> Markup:
    if direction is Direction.WEAKENS:
        return joined(("weakens ", element("span", str(severity), class_=f"chip {severity}")))
    return Markup(direction)


def _moved_too(field: FieldChange) -> Markup | None:
    """What the org did to the field in the meantime."""
    if field.conflict:
        return element("p", "Conflict: the org moved too; the file wins.", class_="conflict")
    return element("p", "Restores what was last applied.") if field.restores else None


# -- the rest ---------------------------------------------------------------------------------------------------------


def _unchecked(unchecked: Sequence[Unchecked]) -> Iterator[Markup]:
    """One row for each rule and reason: a thousand apps fail to be checked for the same one."""
    places: dict[tuple[str, str], list[Unchecked]] = {}
    for one in unchecked:
        places.setdefault((one.id, one.message), []).append(one)
    rows = _within((_unchecked_row(id, message, at) for (id, message), at in places.items()), CHANGES)
    heads = (element("th", head, scope="col") for head in ("Rule", "Why not", "Where"))
    yield element("p", "These could not be judged: they may be in order, or not.")
    yield element(
        "div",
        element("table", element("thead", element("tr", heads)), element("tbody", rows)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="Table: not checked",
    )
    if left := len(places) - len(rows):
        yield element("p", f"{value_text.count(left, 'more row')} left out.", class_="left-out")


def _unchecked_row(id: str, message: str, at: Sequence[Unchecked]) -> Markup:
    named = [f"{one.address}.{'.'.join(one.path)}" if one.path else str(one.address) for one in at[:PLACES]]
    more = element("li", f"and {len(at) - PLACES:,} more") if len(at) > PLACES else None
    return element(
        "tr",
        element("th", element("code", line(id, 80)), " ", about(id).title, scope="row"),
        element("td", message),
        element("td", element("ul", (element("li", line(name, 300)) for name in named), more)),
    )


def _calls(verdicts: Sequence[Verdict]) -> Iterator[Markup]:
    """Every call, in the order in which they were made."""
    rows = _within((_call_row(verdict) for verdict in verdicts), CHANGES)
    heads = (element("th", head, scope="col") for head in ("Result", "App", "Flow", "Call", "What happened"))
    yield element(
        "div",
        element("table", element("thead", element("tr", heads)), element("tbody", rows)),
        class_="scroll",
        tabindex=0,
        role="region",
        aria_label="Table: calls",
    )
    if left := len(verdicts) - len(rows):
        yield element(
            "p", f"{value_text.count(left, 'more call')} left out. --output json has them all.", class_="left-out"
        )


def _call_row(verdict: Verdict) -> Markup:
    result = element("span", SIGNS[verdict.standing], class_=f"chip {verdict.severity}" if verdict.counts else None)
    said = (
        f"{line(verdict.message, 600)}; {line(verdict.quote, 400)}"
        if verdict.counts and verdict.quote
        else verdict.message
    )
    texts = (line(verdict.probe.app, 300), str(verdict.probe.flow), line(verdict.probe.what, 600), said)
    return element("tr", element("th", result, scope="row"), (element("td", text) for text in texts))


def _lists(report: Report) -> Iterator[Markup]:
    for id, title, texts in (
        ("resolved", "Resolved since the earlier report", report.resolved),
        ("notes", "Notes", report.notes),
    ):
        if texts:
            rows = [element("li", text) for text in texts[:NOTES]]
            more = element("li", f"and {len(texts) - NOTES:,} more") if len(texts) > NOTES else None
            yield _section(id, f"{title} ({len(texts):,})", element("ul", rows, more))


def _cards(items: Sequence[Markup]) -> str:
    return "cards many" if len(items) > MANY else "cards"


def _within(made: Iterable[Markup], count: int) -> list[Markup]:
    """As many as a browser takes easily."""
    kept: list[Markup] = []
    size = 0
    for one in made:
        size += len(one)
        if len(kept) == count or size > BYTES:
            break
        kept.append(one)
    return kept


def _none(items: Sequence[object], noun: str) -> str:
    return "" if items else f"No {noun}."
