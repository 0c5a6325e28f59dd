"""The topology for drawing tools: Mermaid, which pull requests show, and DOT, which Graphviz draws."""

from reconciler.render.report import Report
from reconciler.render.topology import LIMIT, Edge, Mark, Node, Role, Topology, topology
from reconciler.render.words.safe import line
from reconciler.schema.severity import Severity

NAME = 60
"""As much of a name is shown."""
TEXT, EDGES = 50_000, 500
"""Mermaid refuses more (`maxTextSize` and `maxEdges`; mermaid.js.org, "Configuration")."""

_SHAPES = {
    Role.PROVIDER: ("([", "])"),
    Role.APP: ("[", "]"),
    Role.HANDLER: ("{{", "}}"),
    Role.APEX: ("[[", "]]"),
    Role.USER: ("(", ")"),
}
_DOT_SHAPES = {
    Role.PROVIDER: "ellipse",
    Role.APP: "box",
    Role.HANDLER: "hexagon",
    Role.APEX: "component",
    Role.USER: "oval",
}
_PLAIN = ("#ffffff", "#1b1f24", "#57606a")
_COLOURS = {
    "critical": ("#8f1020", "#ffffff", "#8f1020"),
    "high": ("#b03a00", "#ffffff", "#b03a00"),
    "medium": ("#f2c744", "#1b1f24", "#9a7400"),
    "low": ("#cfe4ff", "#1b1f24", "#2f7bd0"),
    "info": ("#e6e9ed", "#1b1f24", "#6b7682"),
    "changed": ("#d3f0d8", "#1b1f24", "#2c8a43"),
    "absent": _PLAIN,
}
"""Class -> background, text, line. Readable on light and dark pages alike."""


def mermaid(report: Report) -> str:
    """A Mermaid flowchart. Nodes that findings touch have the class of their severity, such edges are thick."""
    limit = LIMIT
    drawn = topology(report, limit)
    text = _mermaid(drawn)
    while limit and (len(text) > TEXT or len(drawn.edges) > EDGES):
        limit //= 2
        drawn = topology(report, limit)
        text = _mermaid(drawn)
    return text


def dot(report: Report) -> str:
    """A DOT drawing for Graphviz. Nodes that findings touch have the colour of their severity, such edges are thick."""
    drawn = topology(report)
    lines = [
        "digraph topology {",
        "  rankdir=LR",
        '  node [fontname="sans-serif", style="filled", fillcolor="#ffffff"]',
    ]
    lines += [f"  {node.id} [{_dot_node(node)}]" for node in drawn.nodes]
    lines += [f"  {edge.source} -> {edge.target} [{_dot_edge(edge)}]" for edge in drawn.edges]
    if remark := _remark(drawn):
        lines.append(f"  remark [label={_dot_text(remark)}, shape=note]")
    return "\n".join([*lines, "}", ""])


def _mermaid(drawn: Topology) -> str:
    lines = ["flowchart LR"]
    for node in drawn.nodes:
        opened, closed = _SHAPES[node.role]
        lines.append(f"  {node.id}{opened}{_mermaid_text(*_label(node))}{closed}")
    for edge in drawn.edges:
        arrow = "-.->" if edge.mark.absent else "==>" if edge.mark.words else "-->"
        lines.append(f"  {edge.source} {arrow}|{_mermaid_text(*_edge_label(edge))}| {edge.target}")
    if remark := _remark(drawn):
        lines.append(f"  remark[{_mermaid_text(remark)}]")
    for name, (fill, colour, stroke) in _COLOURS.items():
        if members := [node.id for node in drawn.nodes if _class(node.mark) == name]:
            lines.append(f"  classDef {name} fill:{fill},color:{colour},stroke:{stroke}")
            lines.append(f"  class {','.join(members)} {name}")
    for number, edge in enumerate(drawn.edges):
        if kind := _class(edge.mark):
            lines.append(f"  linkStyle {number} stroke:{_COLOURS[kind][2]}")
    return "\n".join([*lines, ""])


def _dot_node(node: Node) -> str:
    kind = _class(node.mark)
    fill, colour, stroke = _COLOURS.get(kind, _PLAIN)
    style = "filled,dashed" if node.mark.absent else "filled"
    said = (
        f'shape={_DOT_SHAPES[node.role]}, style="{style}", color="{stroke}", fillcolor="{fill}", fontcolor="{colour}"'
    )
    return f"label={_dot_text(*_label(node))}, {said}" + (f', class="{kind}"' if kind else "")


def _dot_edge(edge: Edge) -> str:
    kind = _class(edge.mark)
    drawn = [f"label={_dot_text(*_edge_label(edge))}"]
    if kind:
        drawn += [f'color="{_COLOURS[kind][2]}"', f'class="{kind}"', "penwidth=3"]
    if edge.mark.absent:
        drawn.append("style=dashed")
    return ", ".join(drawn)


def _label(node: Node) -> list[str]:
    return [text for text in (str(node.role), line(node.name, NAME), node.mark.words) if text]


def _edge_label(edge: Edge) -> list[str]:
    return [text for text in (edge.words, edge.mark.words) if text]


def _remark(drawn: Topology) -> str:
    if drawn.folded:
        return f"{drawn.folded:,} are folded; the worst are drawn one by one"
    return "" if drawn.nodes else "nothing takes part in token exchange or client credentials"


def _class(mark: Mark) -> str:
    if mark.severity is not None:
        return str(Severity(mark.severity))
    return "absent" if mark.absent else "changed" if mark.action is not None else ""


def _mermaid_text(*lines: str) -> str:
    """Return a text quoted for Mermaid.

    All but letters, digits and harmless signs is written as its entity code (`#35;`), the number of the character:
    mermaid.js.org, "Flowcharts", "Entity codes to escape characters".
    """
    return '"' + "<br>".join("".join(c if _is_plain(c) else f"#{ord(c)};" for c in text) for text in lines) + '"'


def _dot_text(*lines: str) -> str:
    r"""Return a text quoted for Graphviz, each backslash doubled.

    A backslash would be an escape to Graphviz even as an entity (`\N` is the node's name): graphviz.org, "escString" and
    "Character entities".
    """
    shown = (text.replace("\\", "\\\\") for text in lines)
    return '"' + "\\n".join("".join(c if _is_plain(c) else f"&#{ord(c)};" for c in text) for text in shown) + '"'


def _is_plain(character: str) -> bool:
    return character.isalnum() or character in " .,-_()"
