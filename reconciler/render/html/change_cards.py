"""The section of the HTML page that shows the changes, each with a table of its fields."""

from collections.abc import Iterator, Sequence

from reconciler.model.changes import Action, Change, FieldChange
from reconciler.model.deployment import Landing
from reconciler.render.grouped import (
    FEW,
    AppChanges,
    changes_by_app,
)
from reconciler.render.html.difference import difference
from reconciler.render.html.element import Markup, element, joined
from reconciler.render.html.page_parts import CHANGES, NOTES, card_list, limited
from reconciler.render.report import Report
from reconciler.render.topology import Topology
from reconciler.render.words import value_text
from reconciler.render.words.safe import line
from reconciler.schema.severity import Direction, Severity

_SIGNS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "−", Action.REPLACE: "∓"}


# -- changes ----------------------------------------------------------------------------------------------------------


def changes_section(report: Report, drawn: Topology) -> Iterator[Markup]:
    """The section of the changes: a few are shown one by one in their order, many are grouped by app."""
    few = len(report.changes) <= FEW
    apps = () if few else changes_by_app(report.changes)
    ordered = report.changes if few else tuple(change for app in apps for change in app.changes)
    shown = limited((_change(c, report.landings.get(c.address), drawn, unfolded=few) for c in ordered), CHANGES)
    if few:
        yield element("div", shown, class_=card_list(shown))
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
        element("div", changes, class_=card_list(changes)),
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
    """A paragraph that says that the field also changed in the org, or that its last applied value is restored."""
    if field.conflict:
        return element("p", "Conflict: the org moved too; the file wins.", class_="conflict")
    return element("p", "Restores what was last applied.") if field.restores else None
