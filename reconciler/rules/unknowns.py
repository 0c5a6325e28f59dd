"""How rules say that a value they need is not known."""

from collections.abc import Iterator
from typing import Any

from reconciler.model.address import Address
from reconciler.rules import NotChecked
from reconciler.schema.values import Path
from reconciler.world.apps import App, Setting
from reconciler.world.world import UNKNOWN, World


def unknown(world: World, address: Address, path: Path = ()) -> NotChecked:
    """Return the verdict "not checked" on a value that a rule needs and that is not known."""
    return NotChecked(address, f"{'.'.join(path) or address} is not known: {world.why_unknown(address)}", path)


def unknowns(app: App, *settings: Setting) -> Iterator[NotChecked]:
    """Yield a verdict for each of these settings that is not known."""
    for setting in settings:
        if app.has(setting) and app.value(setting) is UNKNOWN:
            yield unknown(app.world, *app.spot(setting))


def some(value: Any) -> bool:
    """Whether a value is known, and not empty."""
    return value is not UNKNOWN and bool(value)


def shown(text: str, most: int = 120) -> str:
    """A value as text, short enough for a message."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
