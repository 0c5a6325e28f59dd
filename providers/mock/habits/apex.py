"""Apex classes: kept as text; all that is understood of them is what they extend."""

from __future__ import annotations

import re

from providers.mock.record import one
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Landing, World

_NOISE = re.compile(r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_DECLARATION = re.compile(r"\bclass\s+(\w+)\b([^{]*)\{", re.IGNORECASE)
_EXTENDS = re.compile(r"\bextends\s+([\w.]+)", re.IGNORECASE)


def extends(source: str, parent: str) -> bool:
    """Whether the class that `source` declares first extends `parent`; letter case, comments and texts do not count."""
    declared = _DECLARATION.search(_NOISE.sub(" ", source))
    found = _EXTENDS.search(declared.group(2)) if declared else None
    return found is not None and found.group(1).lower() == parent.lower()


def settle(landing: Landing, _: World) -> None:
    """Refuse a class whose source does not declare it: the name in the source must be the component's."""
    source = (landing.content or b"").decode("utf-8", "replace")
    declared = _DECLARATION.search(_NOISE.sub(" ", source))
    if declared is None and not re.search(r"\b(interface|enum)\s+\w+", _NOISE.sub(" ", source), re.IGNORECASE):
        raise Refusal("Unexpected token '<EOF>'.", "FIELD_INTEGRITY_EXCEPTION")
    if declared is not None and declared.group(1).lower() != landing.name.rpartition("__")[2].lower():
        raise Refusal(f"Invalid class name: {declared.group(1)} does not match {landing.name}")


def still_needed(name: str, world: World) -> Refusal | None:
    for found in world.components("OauthTokenExchangeHandler"):
        if (one(found.values(), "tokenHandlerApex") or "").lower() == name.lower():
            text = "This apex class is referenced elsewhere in salesforce.com. Remove the usage and try again."
            return Refusal(f"{text} : Token Exchange Handler - {found.name}", "DEPENDENCY_EXISTS")
    return None
