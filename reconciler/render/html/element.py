"""Builds HTML elements: every text that goes into an element is escaped, unless it is finished HTML already."""

from collections.abc import Iterable
from html import escape

from reconciler.render.words.safe import line

TEXT = 1_000
"""As many characters of one text are shown."""


class Markup(str):
    """Finished HTML. Only this module and the two files beside it make any."""

    __slots__ = ()


Child = object
"""Markup stays as it is, `None` is left out, an iterable is joined, anything else is a text from somewhere."""


def element(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Make an HTML element: `element("p", "a < b", class_="note")` -> `<p class="note">a &lt; b</p>`.

    Attributes that are `None` or false are left out, `True` is one without a value, `data_node` is `data-node`.
    """
    # `aria_hidden` and the like need the word: there "true" and "false" are texts.
    shown = "".join(
        f" {key}" if value is True else f' {key}="{escape(line(value, TEXT))}"'
        for key, value in ((k.rstrip("_").replace("_", "-"), v) for k, v in attributes.items())
        if value is not None and value is not False
    )
    return Markup(f"<{name}{shown}>{joined(children)}</{name}>")


def joined(children: Iterable[Child]) -> Markup:
    """Join elements and texts into one piece of HTML; texts are escaped."""
    return Markup("".join(map(_child, children)))


def void(name: str, /, **attributes: str | int | bool | None) -> Markup:
    """Make an element that has no content and no end tag: `<input …>`, `<meta …>`."""
    return Markup(element(name, **attributes).removesuffix(f"</{name}>"))


def _child(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if child is None:
        return ""
    if isinstance(child, Iterable) and not isinstance(child, str):
        return joined(child)
    return escape(line(child, TEXT))
