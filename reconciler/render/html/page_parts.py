"""Parts of the page that sections have in common: folded lists, alerts, rows of choices."""

from collections.abc import Iterable, Sequence

from reconciler.render.html.element import Markup, element, void

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


def section(id: str, title: str, *content: object, intro: str = "") -> Markup:
    about_it = element("p", intro) if intro else None
    return element(
        "section", element("h2", title, id=f"{id}-title"), about_it, content, id=id, aria_labelledby=f"{id}-title"
    )


def alert(id: str, title: str, rows: Iterable[Markup]) -> Markup:
    return element("div", section(id, title, element("ul", rows)), class_="alert")


def boxes(name: str, legend: str, choices: Sequence[tuple[str, str, int]]) -> Markup:
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


def card_list(items: Sequence[Markup]) -> str:
    return "cards many" if len(items) > MANY else "cards"


def limited(made: Iterable[Markup], count: int) -> list[Markup]:
    """Return the first items: at most `count`, and no more bytes than a browser shows easily."""
    kept: list[Markup] = []
    size = 0
    for one in made:
        size += len(one)
        if len(kept) == count or size > BYTES:
            break
        kept.append(one)
    return kept


def nothing(items: Sequence[object], noun: str) -> str:
    return "" if items else f"No {noun}."
