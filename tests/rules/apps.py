"""Apps as an org or a file has them, with only what a test is about; and what a rule says of them."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from reconciler.model.address import Address
from reconciler.model.declared import Origin, Resource
from reconciler.model.facts import Facts
from reconciler.model.live import OrgInfo
from reconciler.rules import Broken, NotChecked, all_rules
from reconciler.schema.values import Body
from reconciler.world.apps import EXTERNAL, GLOBAL, OAUTH, OAUTH_POLICY, POLICY
from reconciler.world.world import World

TODAY = date(2026, 11, 22)
ORG = OrgInfo("00D000000000001EAA", api_version="66.0")
Bodies = Mapping[Address, Body]


def connected(name: str = "erp", *, policy: Body | None = None, top: Body | None = None, **config: Any) -> Bodies:
    """A connected app with this OAuth configuration; `top` is what stands beside it."""
    body: Body = {"label": name, "contactEmail": "it@acme.example", **(top or {})}
    if config:
        body["oauthConfig"] = config
    if policy is not None:
        body["oauthPolicy"] = policy
    return {Address("ConnectedApp", name): body}


def external(
    name: str = "shop",
    *,
    app: Body | None = None,
    flows: Body | None = None,
    oauth: Body | None = None,
    policies: Body | None = None,
    switches: Body | None = None,
) -> Bodies:
    """An external client app with those of its records that are given: global settings, settings, policies."""
    sections = {GLOBAL: flows, OAUTH: oauth, OAUTH_POLICY: policies, POLICY: switches}
    owner = {"externalClientApplication": name}
    found: dict[Address, Body] = {Address(EXTERNAL, name): {"label": name, **(app or {})}}
    return found | {Address(kind, name): {**owner, **body} for kind, body in sections.items() if body is not None}


def org_flows(**values: bool) -> Bodies:
    """The org's own switches."""
    return {Address("OauthOidcSettings", "OauthOidc"): dict(values)}


def in_org(
    *bodies: Bodies,
    declared: Bodies | None = None,
    live: Bodies | None = None,
    org: OrgInfo = ORG,
    facts: Facts | None = None,
    unreadable: Mapping[str, str] | None = None,
    only: Collection[str] | None = None,
) -> World:
    """A whole org; nothing in it is declared unless it is said so."""
    return World(
        _together(bodies),
        complete=True,
        today=TODAY,
        org=org,
        facts=facts,
        declared=_resources(declared or {}),
        live=live or {},
        unreadable=unreadable or {},
        only=only,
    )


def in_files(*bodies: Bodies) -> World:
    """Files that nobody has compared with an org."""
    return World(_together(bodies), complete=False, today=TODAY, declared=_resources(_together(bodies)))


def verdicts(rule: str, world: World) -> list[Broken | NotChecked]:
    return list(all_rules()[rule].check(world))


def broken(rule: str, world: World) -> list[str]:
    """What a rule finds, as `Kind/name field: message`."""
    return [_line(found) for found in verdicts(rule, world) if isinstance(found, Broken)]


def unchecked(rule: str, world: World) -> list[str]:
    """Where a rule cannot judge, as `Kind/name field`."""
    return [_place(found) for found in verdicts(rule, world) if isinstance(found, NotChecked)]


def _line(found: Broken) -> str:
    return f"{_place(found)}: {found.message}"


def _place(found: Broken | NotChecked) -> str:
    return f"{found.address} {'.'.join(found.path)}".strip()


def _together(bodies: tuple[Bodies, ...]) -> dict[Address, Body]:
    return {address: body for part in bodies for address, body in part.items()}


def _resources(bodies: Bodies) -> dict[Address, Resource]:
    return {address: Resource(address, body, Origin("desired.yaml", 1)) for address, body in bodies.items()}
