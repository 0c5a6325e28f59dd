"""The section of the HTML page that shows the findings: filters, groups of similar findings, and a card for each."""

from collections.abc import Iterator, Sequence

from reconciler.model.address import Address
from reconciler.model.finding import CHANGED, Finding
from reconciler.render.grouped import (
    FEW,
    Group,
    grouped,
    groups,
)
from reconciler.render.html.difference import difference
from reconciler.render.html.element import Markup, element, joined, void
from reconciler.render.html.page_parts import FINDINGS, OPEN, PLACES, boxes, card_list, limited
from reconciler.render.report import Report
from reconciler.render.topology import Topology
from reconciler.render.words import value_text
from reconciler.render.words.about import about
from reconciler.render.words.safe import line
from reconciler.render.words.who import uncounted, who
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Path, Value

# -- filters ----------------------------------------------------------------------------------------------------------


def filters(report: Report, counted: Sequence[Finding]) -> Markup:
    """The filters above the findings, hidden until the page's script runs, because they need it."""
    severities = [finding.severity for finding in report.findings]
    kinds = [_kind(finding) for finding in report.findings] + ["change"] * len(report.changes)
    sets = [
        boxes("severity", "Severity of findings", [(str(s), str(s), severities.count(s)) for s in reversed(Severity)]),
    ]
    if len(set(kinds)) > 1:
        choices = (("drift", "drift"), ("rule", "rules"), ("change", "changes"))
        sets.append(
            boxes("kind", "Kind", [(kind, words, kinds.count(kind)) for kind, words in choices if kind in kinds])
        )
    if any(finding.known is not None for finding in counted):
        known = ["known" if finding.known else "new" for finding in report.findings]
        sets.append(
            boxes("known", "Compared with the earlier report", [(k, k, known.count(k)) for k in ("new", "known")])
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


# -- findings ---------------------------------------------------------------------------------------------------------


def _kind(finding: Finding) -> str:
    return "drift" if finding.is_drift else "rule"


def findings_section(findings: Sequence[Finding], drawn: Topology) -> Iterator[Markup]:
    """The section of the findings, worst first; many in groups that can be folded, of which the first are open."""
    seen: set[str] = set()
    ordered = grouped(findings)
    cards = limited((_card(finding, drawn, seen) for finding in ordered), FINDINGS)
    if len(findings) <= FEW:
        yield element("div", cards, class_=card_list(cards)) if cards else Markup("")
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
    """A group: findings that say the same of several resources, under one heading."""
    return element(
        "details",
        element(
            "summary",
            element("span", str(group.severity), class_=f"chip {group.severity}"),
            " ",
            element("code", line(group.name, 80)),
            f" {line(group.about, 300)} ({len(group.findings):,})",
        ),
        element("div", cards, class_=card_list(cards)),
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
