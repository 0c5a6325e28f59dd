"""Custom OAuth scopes: unique label and description; connected apps are assigned here, external client apps are not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.mock.habits.texts import no_such
from providers.mock.record import Body, default, one, parts
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Landing, World

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ]{1,60}")


def settle(landing: Landing, _: World) -> None:
    default(landing.body, {"isProtected": "false", "isPublic": "false"})
    if not _LABEL.fullmatch(one(landing.body, "masterLabel") or ""):
        raise Refusal("masterLabel must begin with a letter and contain only alphanumeric characters and underscores")
    if not _DESCRIPTION.fullmatch(one(landing.body, "description") or ""):
        raise Refusal("description must be alphanumeric and at most 60 characters long")


def check(name: str, body: Body, world: World) -> Iterator[Refusal]:
    for assigned in parts(body, "assignedTo"):
        app = one(assigned, "connectedApp") or ""
        if not world.has("ConnectedApp", app):
            yield no_such("connectedApp", "ConnectedApp", app)
    for other in world.components("OauthCustomScope"):
        if other.name.lower() == name.lower():
            continue
        values = other.values()
        for field in ("masterLabel", "description"):
            if one(values, field) == one(body, field):
                yield Refusal(
                    f"duplicate value found: {field} duplicates value on record with id: {other.id}", "DUPLICATE_VALUE"
                )


def forget_app(app: str, world: World) -> None:
    """Take a connected app that is gone out of the scopes that it was assigned to."""
    for scope in world.components("OauthCustomScope"):
        old = scope.values()
        kept = [one_ for one_ in parts(old, "assignedTo") if (one(one_, "connectedApp") or "").lower() != app.lower()]
        if len(kept) != len(parts(old, "assignedTo")):
            new: Body = {**old, "assignedTo": list(kept)}
            if not kept:
                new.pop("assignedTo")
            world.save(Landing(scope.kind, scope.name, new, before=scope, old=old))
