"""A rule's example -> the world that its rules look at."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from reconciler.desired.load import load
from reconciler.model.address import Address
from reconciler.model.declared import Snapshot
from reconciler.model.facts import Facts, User
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import OrgInfo
from reconciler.rules import Example, Rule, judge
from reconciler.schema.paths import references
from reconciler.schema.values import Body
from reconciler.world.world import World

ORG = OrgInfo("00D000000000001EAA", "Acme", organization_type="Enterprise Edition", api_version="66.0")
TODAY = date(2026, 11, 22)


def world(example: Example, folder: Path, *, facts: Facts | None = None, offline: bool = False) -> World:
    """The example as a whole org; `offline` as files that nobody compared with one."""
    desired = _load(example.files, example.sources, folder / "files")
    live = _load(example.live, {}, folder / "live")
    bodies = {address: resource.body for address, resource in desired.resources.items()}
    bodies |= {Address.parse(address): dict(body) for address, body in example.odd.items()}
    return World(
        bodies,
        complete=not offline,
        today=TODAY,
        org=None if offline else example.org or ORG,
        facts=None if offline else facts or example.facts or in_order(bodies),
        declared=desired.resources,
        live={} if offline else {address: resource.body for address, resource in live.resources.items()},
    )


def found(
    example: Example, folder: Path, rules: Iterable[Rule] | None = None, *, offline: bool = False
) -> tuple[tuple[Finding, ...], tuple[Unchecked, ...]]:
    return judge(world(example, folder, offline=offline), rules=rules)


def in_order(bodies: dict[Address, Body]) -> Facts:
    """An org in which everybody whom the files name is an active integration user, and everything exists."""
    named: dict[str, set[str]] = {"User": set(), "PermissionSet": set(), "Profile": set()}
    for address, body in bodies.items():
        for _, kind, name in references(address.struct, body, frozenset(named)):
            named[kind].add(name)
    users = {
        name.casefold(): User(name, active=True, api_only=True, profile="Minimum Access - API Only Integrations")
        for name in named["User"]
    }
    secrets = {address.name: TODAY.isoformat() for address in bodies}
    return Facts(users, frozenset(named["PermissionSet"]), frozenset(named["Profile"]), secrets)


def _load(text: str, sources: Mapping[str, str], folder: Path) -> Snapshot:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "identity.yaml").write_text(text, encoding="utf-8")
    about = "<apiVersion>63.0</apiVersion><status>Active</status>"
    for name, source in sources.items():
        (folder / f"{name}.cls").write_text(source, encoding="utf-8")
        xml = f'<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">{about}</ApexClass>'
        (folder / f"{name}.cls-meta.xml").write_text(xml, encoding="utf-8")
    return load([folder], root=folder, variables={}, environment={})
