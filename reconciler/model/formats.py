"""The formats of a result, in the order in which help names them. A new one begins here; CONTRIBUTING.md lists the rest."""

from collections.abc import Mapping

FORMATS: Mapping[str, str] = {
    "text": "",
    "json": "",
    "markdown": "",
    "sarif": "",
    "junit": "",
    "html": "",
    "graph": "Mermaid",
    "dot": "",
}
"""Each with what it is where the name alone does not say it."""
PLAIN = ("text", "json")
"""Those that every command knows."""
MARKED_UP = ("html", "junit")
"""Those that say of themselves that they are UTF-8."""


def listed() -> str:
    """`text, json, …, graph (Mermaid) or dot`, as help has it."""
    *names, last = (f"{name} ({about})" if about else name for name, about in FORMATS.items())
    return f"{', '.join(names)} or {last}"
