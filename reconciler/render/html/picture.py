"""The topology as SVG: one column for each role, trust handed on from left to right, and the same as tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reconciler.render.html.element import Markup, element, joined
from reconciler.render.topology import Edge, Mark, Node, Role, Topology
from reconciler.render.words.safe import line
from reconciler.schema.severity import Severity

WIDTH, HEIGHT, ROW = 212, 62, 78
"""Of a node, and from one node to the next below it."""
GAP = 72
"""Between two columns."""
LANE = 26
"""Height that is kept free where an edge passes a column."""
HEAD = 34
"""Above the nodes, for the columns' titles."""
WIDE = 3
"""More columns than this are shrunk to fit, down to a size that can still be read."""
NAME, STATE = 22, 29
"""As many characters fit into a node."""

HUB = 8
"""A node has very many neighbours beyond this."""

_SWEEPS = 6


@dataclass(slots=True)
class _Slot:
    """A place in a column: a node, or the lane of an edge that passes."""

    column: int
    room: int
    before: list["_Slot"]
    after: list["_Slot"]
    y: float = 0.0
    """Of its centre."""

    @property
    def x(self) -> int:
        return self.column * (WIDTH + GAP)


def picture(drawn: Topology) -> Markup:
    """Draw the topology as SVG. Nodes link to the rows of `tables`; the page's script makes them filters."""
    roles = [role for role in Role if any(node.role is role for node in drawn.nodes)]
    slots, ways = _laid_out(drawn, roles)
    width = len(roles) * (WIDTH + GAP) - GAP
    height = HEAD + round(max(slot.y + slot.room / 2 for slot in slots.values()))
    titles = (
        element(
            "text",
            role.capitalize(),
            class_="column",
            x=column * (WIDTH + GAP) + WIDTH // 2,
            y=16,
            text_anchor="middle",
        )
        for column, role in enumerate(roles)
    )
    by_id = {node.id: node for node in drawn.nodes}
    edges = [(edge, _edge(edge, way, by_id)) for edge, way in zip(drawn.edges, ways, strict=True)]
    # What a finding touches is drawn last, so that nothing hides it.
    edges.sort(key=lambda item: (item[0].mark.words != "", item[0].mark.severity or 0))
    return element(
        "svg",
        element("title", "Who trusts whom", id="picture-title"),
        element("desc", _told(drawn), id="picture-desc"),
        element("clipPath", Markup(f'<rect x="12" y="0" width="{WIDTH - 20}" height="{HEIGHT}"/>'), id="inside"),
        titles,
        element("g", (shape for _, shape in edges), class_="edges"),
        element("g", (_node(node, slots[node.id]) for node in drawn.nodes), class_="nodes"),
        viewBox=f"-6 -6 {width + 12} {height + 12}",
        width=width + 12,
        height=height + 12,
        role="group",
        class_="wide" if len(roles) > WIDE else None,
        aria_labelledby="picture-title",
        aria_describedby="picture-desc",
    )


def tables(drawn: Topology) -> Markup:
    """The topology as two tables: the nodes, and which node trusts which."""
    by_id = {node.id: node for node in drawn.nodes}
    nodes = (
        _row(
            element("th", node.name, scope="row"), str(node.role), node.about, _state(node.mark), id=f"about-{node.id}"
        )
        for node in drawn.nodes
    )
    edges = (
        _row(
            element("th", _called(by_id[edge.source]), scope="row"),
            edge.words,
            _called(by_id[edge.target]),
            _state(edge.mark),
        )
        for edge in drawn.edges
    )
    return joined(
        (
            _table("Who takes part", ("Name", "Role", "About", "State"), nodes),
            _table("Who trusts whom", ("From", "How", "To", "State"), edges),
        )
    )


def tone(mark: Mark) -> str:
    """The CSS class that colours a node or an edge."""
    if mark.severity is not None:
        return str(Severity(mark.severity))
    return "absent" if mark.absent else str(mark.action or "")


def _classes(name: str, mark: Mark) -> str:
    return " ".join(filter(None, (name, tone(mark), "marked" if mark.words else "", "missing" if mark.absent else "")))


def _node(node: Node, slot: _Slot) -> Markup:
    # Of an app the first line says it already.
    state = node.mark.words or ("" if node.role is Role.APP else node.about)
    # The words that can be seen, in their order: people who steer by voice say them.
    title = " ".join(text for text in (_kind(node), line(node.name, 200), state) if text)
    return element(
        "a",
        element("title", title),
        Markup(f'<rect class="box" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'),
        Markup(f'<rect class="edge-mark" width="6" height="{HEIGHT}" rx="3"/>'),
        element(
            "g",
            element("text", _kind(node), class_="role", x=16, y=17),
            element("text", line(node.name, NAME), class_="name", x=16, y=36),
            element("text", line(state, STATE), class_="state", x=16, y=53),
            clip_path="url(#inside)",
            aria_hidden="true",  # the title says the same, and long names in full
        ),
        class_=_classes("node", node.mark),
        href=f"#about-{node.id}",
        data_node=node.id,
        data_called=f"{node.role} {line(node.name, NAME)}",
        transform=f"translate({slot.x} {HEAD + slot.y - HEIGHT / 2:.0f})",
    )


def _edge(edge: Edge, way: Sequence[_Slot], by_id: Mapping[str, Node]) -> Markup:
    first, *_, last = way
    x, y = first.x + WIDTH, HEAD + first.y
    line_to = [f"M{x} {y:.0f}"]
    for slot in way[1:]:
        end = slot.x - (8 if slot is last else 0)
        middle, to = (x + end) / 2, HEAD + slot.y
        line_to.append(f"C{middle:.0f} {y:.0f} {middle:.0f} {to:.0f} {end} {to:.0f}")
        if slot is not last:
            line_to.append(f"H{slot.x + WIDTH}")
        x, y = slot.x + WIDTH, to
    tip = f"M{last.x - 9} {HEAD + last.y - 5:.0f}l9 5l-9 5z"
    shapes = [Markup(f'<path class="way" d="{"".join(line_to)}"/><path class="tip" d="{tip}"/>')]
    if edge.mark.words:
        at, height = first.x + WIDTH + GAP / 2, HEAD + (first.y + way[1].y) / 2
        shapes.append(Markup(f'<circle cx="{at:.0f}" cy="{height:.0f}" r="9"/>'))
        sign = "!" if edge.mark.severity is not None else "?" if edge.mark.absent else "~"
        shapes.append(element("text", sign, x=f"{at:.0f}", y=f"{height + 4:.0f}", text_anchor="middle"))
    title = f"{_called(by_id[edge.source])} {edge.words} {_called(by_id[edge.target])}"
    return element(
        "g",
        element("title", f"{title}: {edge.mark.words}" if edge.mark.words else title),
        shapes,
        class_=_classes("link", edge.mark),
        data_from=edge.source,
        data_to=edge.target,
    )


# -- layout -----------------------------------------------------------------------------------------------------------


def _laid_out(drawn: Topology, roles: Sequence[Role]) -> tuple[dict[str, _Slot], list[list[_Slot]]]:
    """Compute where each node is drawn, and which slots each edge passes from its source to its target.

    Layers after Sugiyama, the simplest of them: an edge that passes a column gets a lane of its own there; each column is
    ordered by the middle of its neighbours, to and fro a few times; then each moves as near to these as there is room.
    """
    columns: list[list[_Slot]] = [[] for _ in roles]

    def slot(column: int, room: int) -> _Slot:
        made = _Slot(column, room, [], [])
        columns[column].append(made)
        return made

    slots = {node.id: slot(roles.index(node.role), ROW) for node in drawn.nodes}
    ways = []
    for edge in drawn.edges:
        source, target = slots[edge.source], slots[edge.target]
        way = [source, *(slot(column, LANE) for column in range(source.column + 1, target.column)), target]
        for one, other in pairwise(way):
            one.after.append(other)
            other.before.append(one)
        ways.append(way)
    for column in columns:
        _stack(column)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wish = {id(s): _middle(s.before if sweep % 2 == 0 else s.after, s.y) for s in column}
            column.sort(key=lambda s: wish[id(s)])
            _stack(column)
    # The highest column stays as it is, without gaps; the others follow it.
    highest = max(columns, key=lambda column: sum(s.room for s in column))
    for _ in range(_SWEEPS):
        for column in columns:
            if column is not highest:
                _settle(column)
    top = min(s.y - s.room / 2 for column in columns for s in column)
    for column in columns:
        for one in column:
            one.y -= top
    return slots, ways


def _stack(column: Iterable[_Slot]) -> None:
    y = 0.0
    for slot in column:
        slot.y = y + slot.room / 2
        y += slot.room


def _settle(column: Sequence[_Slot]) -> None:
    """Move each slot towards the middle of its neighbours, in order and without touching another."""
    wish = [_middle([*slot.before, *slot.after], slot.y) for slot in column]
    down, up = list(wish), list(wish)
    for i in range(1, len(column)):
        down[i] = max(down[i], down[i - 1] + _apart(column[i - 1], column[i]))
    for i in range(len(column) - 2, -1, -1):
        up[i] = min(up[i], up[i + 1] - _apart(column[i], column[i + 1]))
    # Both keep their distances, so what lies half way between them does too.
    for slot, low, high in zip(column, down, up, strict=True):
        slot.y = (low + high) / 2


def _apart(one: _Slot, other: _Slot) -> float:
    return (one.room + other.room) / 2


def _middle(neighbours: Sequence[_Slot], otherwise: float) -> float:
    """The height that a slot is moved to: the mean height of its neighbours, or `otherwise` if it has none.

    A slot with very many neighbours stands with the first of them, to be seen at the top.
    """
    heights = sorted(slot.y for slot in neighbours)[:HUB]
    return sum(heights) / len(heights) if heights else otherwise


# -- words ------------------------------------------------------------------------------------------------------------


def _told(drawn: Topology) -> str:
    marked = sum(bool(node.mark.words) for node in drawn.nodes), sum(bool(edge.mark.words) for edge in drawn.edges)
    return (
        f"{len(drawn.nodes)} nodes and {len(drawn.edges)} connections from identity providers to execution users; "
        f"{marked[0]} nodes and {marked[1]} connections are marked. The tables below say the same in words."
    )


def _kind(node: Node) -> str:
    return node.about if node.role is Role.APP else str(node.role)


def _called(node: Node) -> str:
    return f"{node.role} {node.name}"


def _state(mark: Mark) -> Markup:
    return element("span", mark.words, class_=f"chip {tone(mark)}") if mark.words else element("span", "no finding")


def _table(caption: str, heads: Sequence[str], rows: Iterable[Markup]) -> Markup:
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", (element("th", head, scope="col") for head in heads))),
        element("tbody", rows),
    )


def _row(head: Markup, *cells: object, id: str | None = None) -> Markup:
    return element("tr", head, (element("td", cell) for cell in cells), id=id)
