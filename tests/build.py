"""Builders that show only what matters in a test."""

from collections.abc import Mapping
from typing import Any

from reconciler.model.address import Address
from reconciler.model.applied import Applied, Baseline
from reconciler.model.changes import Action
from reconciler.model.declared import Lifecycle, Origin, Resource, Snapshot
from reconciler.model.live import LiveResource, LiveState, Modified, OrgInfo
from reconciler.model.request import Request
from reconciler.plan.diff import new_fields
from reconciler.plan.draft import Draft, draft
from reconciler.schema.paths import walk
from reconciler.schema.values import Body

ORG = OrgInfo("00D000000000001EAA", "Acme", api_version="63.0")
DANA = Modified("Dana Admin", "005000000000001AAA", "2026-01-02T03:04:05.000Z")


def address(text: str) -> Address:
    return Address.parse(text)


def desired(
    resources: Mapping[str, Body],
    *,
    authoritative: tuple[str, ...] = (),
    lifecycle: Mapping[str, Lifecycle] | None = None,
    records: Mapping[str, str] | None = None,
) -> Snapshot:
    found = {}
    for text, body in resources.items():
        a = address(text)
        found[a] = Resource(
            a, body, Origin("app.yaml", 1), (lifecycle or {}).get(text, Lifecycle()), (records or {}).get(text, "")
        )
    return Snapshot(found, frozenset(authoritative))


def live(
    resources: Mapping[str, Body],
    *,
    unreadable: Mapping[str, str] | None = None,
    records: Mapping[str, str] | None = None,
    org: OrgInfo = ORG,
    **more: Any,
) -> LiveState:
    found = {}
    for text, body in resources.items():
        a = address(text)
        found[a] = LiveResource(a, body, (records or {}).get(text, a.name), DANA, **more)
    return LiveState(org, found, unreadable or {})


def baseline(resources: Mapping[str, Body], *, declared: bool = True, protect: tuple[str, ...] = ()) -> Baseline:
    applied = {
        address(text): Applied(body, address(text).name, tuple(walk(body)) if declared else (), (), frozenset(protect))
        for text, body in resources.items()
    }
    return Baseline(ORG.id, "p", 1, "salt", "63.0", applied)


NOTHING_OWNED = Baseline(ORG.id, "p")


def plan(want: Snapshot, have: LiveState, base: Baseline = NOTHING_OWNED, **request: Any) -> Draft:
    return draft(want, have, base, Request(**request))


def shown(made: Draft) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Each change as `{"action address": {field: (old, new)}}`."""
    return {
        f"{c.action} {c.address}": {
            f.name: (f.old, f.new)
            for f in (new_fields(c.address.struct, c.after or {}) if c.action is Action.CREATE else c.fields)
        }
        for c in made.changes
    }
