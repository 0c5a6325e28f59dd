"""Mermaid and DOT: readable by their own readers, and no name of an org can break out."""

import re
from functools import cache
from html import unescape

import pydot
import pytest

from reconciler.model.address import Address, enablement
from reconciler.render.graph import NAME, dot, mermaid
from reconciler.render.topology import Role, topology
from reconciler.render.words.safe import line
from reconciler.schema.severity import Severity

from .reports_html import (
    APEX,
    BODIES,
    CHANGES,
    DRIFT,
    ECA,
    EXECUTION_USER,
    HANDLER,
    HOSTILE_TEXTS,
    NOTHING,
    SECRET_SWITCH,
    enabled,
    handler,
    hostile,
    report,
)

# pydot calls pyparsing by names that pyparsing has newer ones for.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

HOSTILE = hostile(*HOSTILE_TEXTS)
TEXT = r'"(?:[^"\\#&<>`;]|#\d+;|<br>)*"'
MERMAID = [
    r"flowchart LR",
    rf"  n\d+(\(\[{TEXT}\]\)|\[{TEXT}\]|\{{\{{{TEXT}\}}\}}|\[\[{TEXT}\]\]|\({TEXT}\))",
    rf"  n\d+ (-->|==>|-\.->)\|{TEXT}\| n\d+",
    rf"  remark\[{TEXT}\]",
    r"  classDef [a-z]+ fill:#[0-9a-f]{6},color:#[0-9a-f]{6},stroke:#[0-9a-f]{6}",
    r"  class n\d+(,n\d+)* [a-z]+",
    r"  linkStyle \d+ stroke:#[0-9a-f]{6}",
]
"""All that a line may be."""


def shown(text: str) -> list[str]:
    """What Mermaid shows of a quoted text, line by line."""
    return [re.sub(r"#(\d+);", lambda code: chr(int(code[1])), part) for part in text.strip('"').split("<br>")]


@cache
def parsed(text: str) -> pydot.Dot:
    graphs = pydot.graph_from_dot_data(text)
    assert graphs is not None
    (graph,) = graphs
    return graph


@pytest.mark.parametrize("drawn", [DRIFT, NOTHING, report(changes=CHANGES), HOSTILE])
def test_every_line_of_mermaid_is_one_that_we_mean(drawn):
    """A name that ended its quotes could add a link, a style, or a click that runs a script."""
    lines = mermaid(drawn).splitlines()

    assert [] == [text for text in lines if not any(re.fullmatch(form, text) for form in MERMAID)]


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_mermaid_shows_a_hostile_name_as_it_is(name):
    """Whoever has to find the app that is really called that."""
    texts = [shown(text) for text in re.findall(TEXT, mermaid(hostile(name)))]

    assert ["app", line(name, NAME)] in [text[:2] for text in texts]


@pytest.mark.parametrize("drawn", [DRIFT, NOTHING, report(changes=CHANGES), HOSTILE])
def test_a_reader_of_dot_finds_every_node_and_edge(drawn):
    """A name that ended its quotes could add a URL, or an image that is loaded."""
    graph, meant = parsed(dot(drawn)), topology(drawn)
    nodes = {node.get_name(): node for node in graph.get_nodes()} | {}
    nodes.pop("node"), nodes.pop("remark", None)

    assert {node.id for node in meant.nodes} == set(nodes)
    assert sorted((e.source, e.target) for e in meant.edges) == sorted(
        (e.get_source(), e.get_destination()) for e in graph.get_edges()
    )
    allowed = {"label", "shape", "style", "color", "fillcolor", "fontcolor", "class", "penwidth"}
    assert {name for each in (*nodes.values(), *graph.get_edges()) for name in each.get_attributes()} <= allowed


@pytest.mark.parametrize("name", HOSTILE_TEXTS)
def test_dot_shows_a_hostile_name_as_it_is(name):
    """Graphviz reads `\\N` as the node's own name, and entities as what they stand for."""
    labels = [node.get_label() for node in parsed(dot(hostile(name))).get_nodes() if node.get_label()]
    texts = [[unescape(part).replace("\\\\", "\\") for part in label.strip('"').split("\\n")] for label in labels]

    assert ["app", line(name, NAME)] in [text[:2] for text in texts]


def test_what_a_finding_touches_is_thick_and_has_the_colour_of_its_severity():
    """Whoever looks at the drawing in a pull request for two seconds."""
    drawn = report(EXECUTION_USER, SECRET_SWITCH)
    text = mermaid(drawn)
    ids = {node.name: node.id for node in topology(drawn).nodes}

    assert (
        f'  {ids["PartnerIdpTokenHandler"]} ==>|"runs as<br>critical#58; 1 finding"| {ids["dana@acme.example"]}' in text
    )
    assert f"  class {ids['order_portal']} high" in text.splitlines()
    (thick,) = [edge for edge in parsed(dot(drawn)).get_edges() if edge.get("penwidth")]
    assert ("critical", ids["dana@acme.example"]) == (thick.get("class").strip('"'), thick.get_destination())


def test_an_edge_to_what_is_missing_is_dashed():
    """A handler without its class looks whole otherwise."""
    drawn = report(bodies={address: body for address, body in BODIES.items() if address.kind != APEX})
    ids = {(node.role, node.name): node.id for node in topology(drawn).nodes}
    handler_id, apex_id = ids[Role.HANDLER, "PartnerIdp"], ids[Role.APEX, "PartnerIdpTokenHandler"]

    assert f'  {handler_id} -.->|"decides with<br>not seen in the org"| {apex_id}' in mermaid(drawn).splitlines()
    assert [(handler_id, apex_id)] == [
        (edge.get_source(), edge.get_destination())
        for edge in parsed(dot(drawn)).get_edges()
        if edge.get("style") == "dashed" and edge.get_source() == handler_id
    ]


@pytest.mark.parametrize(("handlers", "apps", "name"), [(12, 25, "x"), (1, 180, "#" * 60)])
def test_mermaid_stays_below_what_it_draws_at_all(handlers, apps, name):
    """Beyond 50,000 characters or 500 edges a pull request shows an error in place of the drawing."""
    bodies = {Address(HANDLER, f"h{number}"): handler() for number in range(handlers)}
    for number in range(apps):
        called = f"{number}{name}"
        bodies[Address(ECA, called)] = {}
        bodies |= {enablement(f"h{n}", called): enabled(called) for n in range(handlers)}
    text = mermaid(report(bodies=bodies))

    assert len(text) <= 50_000
    assert 0 < len(re.findall(r"n\d+ [-=]", text)) <= 500
    assert "are folded" in text


def test_dot_takes_no_backslash_for_an_escape():
    """Graphviz would show an app called `a\\N` under the number that we gave it."""
    bodies = {enablement("h", "a\\N"): enabled("a\\N")}

    assert r'"app\na&#92;&#92;N\nnot seen in the org"' in dot(report(bodies=bodies))


def test_nothing_to_draw_is_said():
    """An empty picture looks like a fault of the tool."""
    assert "nothing takes part" in mermaid(NOTHING)
    assert "nothing takes part" in dot(NOTHING)


def test_severities_have_colours():
    """A new severity would be drawn like nothing at all."""
    for severity in Severity:
        drawn = report(EXECUTION_USER.__class__("drift.changed", severity, SECRET_SWITCH.address, "x"))
        assert f"classDef {severity} " in mermaid(drawn)
