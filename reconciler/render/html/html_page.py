"""A report as one page that needs nothing else: no server, no network, no script to be read.

The page forbids itself everything that it does not hold (`Content-Security-Policy`), so that even a text that got past
the escaping could load and run nothing. No text of an org or a file becomes a link, an id, a class or a part of a script.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from reconciler.model.changes import Action
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.plan.guards import lifted
from reconciler.render.grouped import (
    Table,
    change_tables,
    finding_tables,
)
from reconciler.render.html.change_cards import changes_section
from reconciler.render.html.element import Markup, element, joined, void
from reconciler.render.html.finding_cards import filters, findings_section
from reconciler.render.html.page_parts import CHANGES, NOTES, PLACES, alert, limited, nothing, section
from reconciler.render.html.picture import picture, tables
from reconciler.render.report import Report
from reconciler.render.text.calls import SIGNS
from reconciler.render.topology import Topology, topology
from reconciler.render.words import value_text
from reconciler.render.words.about import about
from reconciler.render.words.recorded import heading
from reconciler.render.words.safe import line
from reconciler.schema.severity import Severity
from reconciler.verify.verdicts import Verdict

_NAMES = {"check": "Check", "plan": "Plan", "apply": "Apply", "drift": "Drift", "verify": "Verify"}


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
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


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
    yield section("topology", "Who trusts whom", _topology(drawn))
    yield filters(report, counted)
    # Before what was found: who reviews a plan looks for what it does, be the findings ever so many.
    if report.changes:
        title = "Changes" if report.landings else "Planned changes"
        yield section("changes", f"{title} ({len(report.changes):,})", changes_section(report, drawn))
    yield section(
        "findings", f"Findings ({len(counted):,})", findings_section(counted, drawn), intro=nothing(counted, "finding")
    )
    if report.verdicts:
        yield section("calls", f"Calls ({len(report.verdicts):,})", _calls(report.verdicts))
    if others:
        shown = findings_section(others, drawn)
        yield section("uncounted", f"Shown and not counted ({len(others):,})", shown)
    if report.unchecked:
        yield section("unchecked", f"Not checked ({len(report.unchecked):,})", _unchecked(report.unchecked))
    yield from _lists(report)


def _summary(report: Report, counted: Sequence[Finding]) -> Markup:
    """Count the findings of each severity, in words and not only in colours."""
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
    return section("summary", "Findings by severity", element("ul", tiles, class_="tiles"), unnamed, overview)


def _overview(table: Table) -> Markup:
    """A table of counts that can be folded; a table by app is folded at first."""
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
    """Yield alerts on refusals, on what the org refused, and on deployments under way."""
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
        yield alert("refused", f"Refused ({len(report.refusals):,})", rows)
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
        yield alert("failed", f"Refused by the org ({len(report.failures):,})", rows)
    if report.in_flight:
        rows = (
            element(
                "li", f"{line(d.id)} by {line(d.by or 'unknown')}, {line(d.status)}, since {line(d.started or 'now')}"
            )
            for d in report.in_flight[:NOTES]
        )
        yield alert("in-flight", f"Deployments under way ({len(report.in_flight):,})", rows)


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


# -- the rest ---------------------------------------------------------------------------------------------------------


def _unchecked(unchecked: Sequence[Unchecked]) -> Iterator[Markup]:
    """A table of what was not checked, with one row for each rule and reason, as many apps may share a reason."""
    places: dict[tuple[str, str], list[Unchecked]] = {}
    for one in unchecked:
        places.setdefault((one.id, one.message), []).append(one)
    rows = limited((_unchecked_row(id, message, at) for (id, message), at in places.items()), CHANGES)
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
    """The section of the calls that `verify` made, in the order in which they were made."""
    rows = limited((_call_row(verdict) for verdict in verdicts), CHANGES)
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
            yield section(id, f"{title} ({len(texts):,})", element("ul", rows, more))
