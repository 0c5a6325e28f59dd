"""Text that somebody else chose, through every format: none of it becomes markup, a command, or another structure.

What is compared is the skeleton of an output: what a parser sees when the words are taken out. It has to be that of the
same report with an `x` for every character.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import html5lib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from markdown_it import MarkdownIt

from reconciler.errors import Place
from reconciler.model.address import Address, enablement
from reconciler.model.changes import Change, FieldChange, Plan, Reason, Refusal, Release, Step
from reconciler.model.deployment import ComponentFailure, Deployed, Landing
from reconciler.model.facts import Deployment
from reconciler.model.finding import Attribution, Confidence, Finding, Touch, Unchecked
from reconciler.model.formats import REPORTS
from reconciler.model.live import Modified, OrgInfo
from reconciler.model.reports import ApplyResult, CheckReport, DriftReport, StepResult
from reconciler.render import graph, junit, markdown, report, sarif
from reconciler.render.html import html_page
from reconciler.render.json import documents, schemas
from reconciler.render.text import outcome, plain
from reconciler.schema.severity import Direction, Severity
from reconciler.schema.values import Body

from .test_text import obeyed

TOKENS = [
    *(
        "<script>alert(1)</script>",
        "</title>",
        "<!--",
        "-->",
        "]]>",
        "<![CDATA[",
        "&lt;",
        "&#60;",
        '" onload="x',
        "'",
        "<",
    ),
    *("|", "`", "```\n", "\\", "*", "_", "#", "- ", "1. ", "[a](b)", "![a](b)", "<details>", "</details>", "~~", "@a"),
    *("\n", "\r\n", "\u2028", "\x85", "\x0b", "\x1b[2J", "\x00", "\x7f", "\ufffe", "\U0010ffff", "\u202e", "\u2066"),
    *(
        "\u200b",
        "\ud800",
        "\udfff",
        "\U000e0041",
        "::error::x",
        "##[group]",
        "%%{init}%%",
        "end",
        '"];',
        "-->|",
        "{{",
        "/*",
    ),
    *("http://a.example", "javascript:x", "éñ漢🙂", "a b", "true", "${x}", "\t"),
]
HOSTILE = st.lists(
    st.sampled_from(TOKENS) | st.text(st.characters(exclude_characters="/"), max_size=3), min_size=1, max_size=5
).map("".join)


def harmless(told: str) -> str:
    """The same text with nothing in it: blanks and line breaks stay."""
    return "".join(c if c.isspace() else "x" for c in told)


def org(t: str) -> OrgInfo:
    return OrgInfo("00D000000000001EAA", f"o{t}.", f"i{t}.", True, f"t{t}.", "63.0", f"u{t}.", alias=f"p{t}.")


def resources(t: str) -> dict[Address, Body]:
    """An app, its settings, a handler with its class and user, and the tie between them, all called after `t`.

    The first letter fixes their order. The full stop is there because blanks at the end of a value mean nothing.
    """
    return {
        Address("ExternalClientApplication", f"a{t}."): {"label": f"l{t}."},
        Address("ExtlClntAppGlobalOauthSettings", f"a{t}."): {
            "callbackUrl": [f"c{t}."],
            "isTokenExchangeEnabled": True,
        },
        Address("OauthTokenExchangeHandler", f"h{t}."): {"tokenHandlerApex": f"k{t}.", "isEnabled": True},
        enablement(f"h{t}.", f"a{t}."): {
            "externalClientApp": f"a{t}.",
            "apexExecutionUser": f"u{t}.",
            "isDefault": True,
        },
        Address("ApexClass", f"k{t}."): {"content": f"s{t}."},
    }


def findings(t: str) -> tuple[Finding, ...]:
    app, settings_of, handler, tie, source = resources(t)
    who = Attribution(
        f"b{t}.",
        f"i{t}.",
        f"d{t}.",
        Confidence.MEDIUM,
        f"g{t}.",
        f"y{t}.",
        True,
        f"w{t}.",
        (Touch(f"b{t}.", f"i{t}.", f"d{t}.", f"g{t}."),),
    )
    by = Modified(f"b{t}.", "", f"d{t}.")
    place = Place(f"desired/f{t}.", 3, 7, t)
    changed = (
        ("label", app, "before", t, Severity.LOW),
        ("callbackUrl", settings_of, frozenset({f"c{t}."}), frozenset({f"c{t}.", f"e{t}."}), Severity.CRITICAL),
        (f"n{t}.", handler, None, {f"q{t}.": [t]}, Severity.HIGH),
        ("apexExecutionUser", tie, f"u{t}.", f"v{t}.", Severity.CRITICAL),
        ("content", source, f"a\nb{t}.", f"a\nc{t}.", Severity.MEDIUM),
    )
    return (
        *(
            Finding(
                "drift.changed",
                severity,
                address,
                t,
                (path,),
                old,
                new,
                Direction.WEAKENS,
                by,
                place,
                mend=t,
                meaning=t,
            )
            for path, address, old, new, severity in changed
        ),
        Finding("drift.unmanaged", Severity.MEDIUM, Address("ConnectedApp", f"z{t}."), t, attribution=who),
        Finding(
            "TX01", Severity.HIGH, handler, t, subject=t, position=(2, 3), also=(app,), mend=t, meaning=t, known=True
        ),
        Finding("TX02", Severity.HIGH, app, t, waived=f"w{t}."),
        Finding("TX03", Severity.HIGH, app, t, deferred=f"d{t}."),
    )


def plan(t: str) -> Plan:
    app, settings_of, handler, tie, source = resources(t)
    bodies = resources(t)
    changes = (
        Change(app, None, bodies[app], Reason.DECLARED, place=Place(f"desired/f{t}.", 1), record=t),
        Change(
            settings_of,
            {f"n{t}.": t},
            {f"n{t}.": [t]},
            Reason.EDITED,
            (
                FieldChange(
                    (f"n{t}.",),
                    t,
                    [t],
                    Direction.WEAKENS,
                    Severity.HIGH,
                    conflict=True,
                    place=Place(f"desired/f{t}.", 2),
                ),
            ),
            modified=Modified(f"b{t}.", t, t),
        ),
        Change(
            source,
            {"content": f"a\nb{t}."},
            {"content": f"a\nc{t}."},
            Reason.EDITED,
            (FieldChange(("content",), f"a\nb{t}.", f"a\nc{t}."),),
        ),
        Change(tie, bodies[tie], None, Reason.REMOVED, modified=Modified(f"b{t}.", t, t)),
        Change(handler, bodies[handler], bodies[handler], Reason.ASKED, replace=True),
    )
    return Plan(
        org(t),
        (Step(changes, ()),),
        drift=findings(t)[:5],
        findings=findings(t)[6:],
        unchecked=(Unchecked("TX08", handler, t, (f"n{t}.",), Place(f"desired/f{t}.", 1)),),
        bodies=bodies,
        refusals=(Refusal("delete", tie, t, f"--allow {t}"),),
        released=(Release(app, (f"n{t}.",)),),
        adopted=(app,),
        notes=(t,),
        targets=(f"k{t}.",),
        created=f"d{t}.",
    )


def result(t: str) -> ApplyResult:
    made = plan(t)
    failure = ComponentFailure(
        f"k{t}.", f"r{t}.", t, 1, 2, f"desired/f{t}.", made.changes[1].address, Place(f"desired/f{t}.", 2, 1, t)
    )
    deployed = Deployed(f"i{t}.", False, f"s{t}.", (failure,), t, (t,))
    return ApplyResult(made, (StepResult(made.steps[0], Landing.NOT_LANDED, deployed),), made.changes[:2], 1.0, t)


def drift(t: str) -> DriftReport:
    deployment = Deployment(f"i{t}.", f"s{t}.", f"b{t}.", f"j{t}.", f"d{t}.")
    bodies = resources(t)
    return DriftReport(
        org(t),
        findings(t),
        compared=tuple(bodies),
        in_flight=(deployment,),
        notes=(t,),
        resolved=(t,),
        bodies=bodies,
        created=f"d{t}.",
    )


def check(t: str) -> CheckReport:
    bodies = resources(t)
    unchecked = Unchecked("TX08", next(iter(bodies)), t, (f"n{t}.",), Place(f"desired/f{t}.", 1))
    return CheckReport(
        findings(t)[5:],
        unchecked=(unchecked,),
        checked=tuple(bodies),
        org=org(t),
        notes=(t,),
        resolved=(t,),
        bodies=bodies,
        created=f"d{t}.",
    )


COMMANDS: dict[
    str, tuple[Callable[[str], Any], Callable[[Any], str], Callable[[Any], str], Callable[[Any], report.Report]]
] = {
    "plan": (plan, plain.plan, documents.plan, report.of_plan),
    "apply": (result, outcome.apply_result, documents.apply_result, report.of_apply),
    "drift": (drift, plain.drift, documents.drift, report.of_drift),
    "check": (check, plain.check, documents.check, report.of_check),
}


def whole(content: str) -> str:
    """What every output has to be: encodable."""
    content.encode("utf-8")
    return content


def lines(content: str) -> int:
    """Of text: nothing that is obeyed, and as many lines."""
    assert [] == obeyed(whole(content))
    return content.count("\n")


def shape(value: Any) -> Any:
    """Of JSON: what is left without texts and numbers, and without names that nobody gave but the org."""
    if isinstance(value, dict):
        named = ((name if name in NAMES else "", shape(item)) for name, item in value.items())
        return sorted(named, key=repr)
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def of_json(content: str) -> Any:
    assert [] == obeyed(whole(content))
    return shape(json.loads(content, parse_constant=pytest.fail))


def names(schema: Any) -> set[str]:
    """Every key that a schema names."""
    inner = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    found = set(schema.get("properties", {})) if isinstance(schema, dict) else set()
    return found.union(*map(names, inner))


NAMES = set().union(*(names(json.loads(schemas.schema(name))) for name in schemas.NAMES))


def of_xml(content: str) -> Any:
    root = etree.fromstring(whole(content).encode())
    return [(element.tag, tuple(element.attrib)) for element in root.iter()]


def of_html(content: str) -> Any:
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    tree = parser.parse(whole(content))
    assert [] == parser.errors
    return [(str(element.tag), tuple(sorted(element.attrib))) for element in tree.iter()]


def of_markdown(content: str) -> Any:
    """Blocks one by one; of what is inside a line, all that is more than words and code."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(whole(content))
    return [
        (token.type, token.tag, [_inside(child) for child in token.children or () if _inside(child)])
        for token in tokens
    ]


def _inside(token: Any) -> str:
    return token.content if token.type == "html_inline" else "" if token.type in ("text", "code_inline") else token.type


def of_drawing(content: str) -> Any:
    """Everything that is not quoted, and no hidden character anywhere."""
    assert [] == [c for c in whole(content) if c != "\n" and not c.isprintable()]
    assert 0 == re.sub(r"\\.", "", content).count('"') % 2
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', content)


PUBLISHED = json.loads(schemas.schema("drift"))
FORMATS: dict[str, tuple[Callable[[report.Report], str], Callable[[str], Any]]] = {
    "markdown": (markdown.page, of_markdown),
    "sarif": (sarif.page, of_json),
    "junit": (junit.page, of_xml),
    "html": (html_page.page, of_html),
    "graph": (graph.mermaid, of_drawing),
    "dot": (graph.dot, of_drawing),
}


def test_every_format_is_tried_with_hostile_text() -> None:
    """Whoever adds a format whose text a name from an org can break out of."""
    assert set(REPORTS) == FORMATS.keys(), "add it to FORMATS above, with what its structure is apart from texts"


def skeletons(command: str, t: str) -> Iterator[tuple[str, Any]]:
    make, as_text, as_json, as_report = COMMANDS[command]
    made = make(t)
    yield "text", lines(as_text(made))
    yield "json", of_json(as_json(made))
    for name, (page, skeleton) in FORMATS.items():
        yield name, skeleton(page(as_report(made)))


@settings(max_examples=20, deadline=None)
@given(command=st.sampled_from([*COMMANDS]), t=HOSTILE)
@example(command="plan", t="\uf900")
@example(command="check", t="a\u0301")
@example(command="plan", t="\n\t")
def test_no_text_changes_what_an_output_is(command, t):
    """Whoever opens a report on an org in which somebody else chooses the names."""
    assert [] == [
        name
        for (name, told), (_, expected) in zip(skeletons(command, t), skeletons(command, harmless(t)), strict=True)
        if told != expected
    ]


@pytest.mark.parametrize("unit", ["<b>", "|`", "\u202e", "a\n"], ids=ascii)
def test_a_hundred_thousand_characters_are_an_output_still(unit):
    """Whoever's org holds one such name: the report has to come, and as what it is."""
    t = (unit * 100_000)[:100_000]
    app = Address("ExternalClientApplication", t)
    one = Finding("drift.changed", Severity.HIGH, app, t, ("description",), "a", t, mend=t, meaning=t)
    made = DriftReport(org(""), (one,), compared=(app,), bodies={app: {"description": t}})
    shown = report.of_drift(made)

    assert lines(plain.drift(made))
    assert [] == list(Draft202012Validator(PUBLISHED).iter_errors(json.loads(whole(documents.drift(made)))))
    assert all(skeleton(page(shown)) for page, skeleton in FORMATS.values())
    assert 65_536 > len(markdown.page(shown).encode())
