"""The formats of a result, in the order in which help names them. A new one is a line here and a file in `render/`."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """Which function makes a format, and what help says about the format."""

    page: str = ""
    """The function that makes it of a `Report`, by its module in `reconciler.render`: `junit.page`. Empty for what every
    command makes by itself."""
    about: str = ""
    """What it is, where the name alone does not say it."""
    marked_up: bool = False
    """True for what says of itself that it is UTF-8."""


FORMATS: Mapping[str, Format] = {
    "text": Format(),
    "json": Format(),
    "markdown": Format("markdown.page"),
    "sarif": Format("sarif.page"),
    "junit": Format("junit.page", marked_up=True),
    "html": Format("html.html_page.page", marked_up=True),
    "graph": Format("graph.mermaid", about="Mermaid"),
    "dot": Format("graph.dot"),
}
PLAIN = tuple(name for name, one in FORMATS.items() if not one.page)
"""Those that every command knows."""
REPORTS = tuple(name for name, one in FORMATS.items() if one.page)
"""Those that are made of a report."""


def listed() -> str:
    """Return the names of the formats as help lists them: `text, json, …, graph (Mermaid) or dot`."""
    *names, last = (f"{name} ({one.about})" if one.about else name for name, one in FORMATS.items())
    return f"{', '.join(names)} or {last}"
