"""Rules on files, on an org, and on what a plan would make of it: which world they look at, and what of it counts. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache

from reconciler.facts import Facts
from reconciler.kind import Body, Ref, Struct
from reconciler.kinds import ENABLEMENT
from reconciler.model import Address, Change, Finding, LiveState, Snapshot, Unchecked
from reconciler.planner import Draft
from reconciler.rule_settings import OWN, RuleSettings, waived
from reconciler.rules import Rule, World, all_rules, judge

OVERRIDDEN = "OA02"
"""The rule on values that the platform accepts and does not keep."""

Judged = tuple[tuple[Finding, ...], tuple[Unchecked, ...]]


def files(desired: Snapshot, settings: RuleSettings, today: date) -> Judged:
    """Rules on the files alone. What they do not say is not checked."""
    world = World(
        {address: want.body for address, want in desired.resources.items()},
        complete=False,
        today=today,
        declared=desired.resources,
    )
    return _judged(world, settings, seen=True)


def org(live: LiveState, facts: Facts, settings: RuleSettings, today: date) -> Judged:
    """Rules on an org as it is, with no files at all."""
    bodies = {address: have.body for address, have in live.resources.items()}
    world = World(
        bodies, complete=True, today=today, org=live.org, facts=facts, live=bodies, unreadable=live.unreadable
    )
    return _judged(world, settings, seen=True)


def planned(live: LiveState, changes: Collection[Change]) -> Mapping[Address, Body]:
    """The org as it would be after the changes."""
    bodies = {address: have.body for address, have in live.resources.items()}
    for change in changes:
        if change.after is None:
            for address in [change.address, *(a for a in bodies if _goes_with(a, change.address))]:
                bodies.pop(address, None)
        else:
            bodies[change.address] = change.after
    return bodies


def _goes_with(address: Address, owner: Address) -> bool:
    return owner.schema.removable and not owner.is_enablement and address.belongs_to(owner)


def plan(
    bodies: Mapping[Address, Body],
    draft: Draft,
    desired: Snapshot,
    live: LiveState,
    facts: Facts,
    settings: RuleSettings,
    today: date,
) -> Judged:
    """Rules on what a plan changes, and on nothing else: a bad app that nobody touches blocks nobody.

    Only that a file asks for what the org will not hold is said whether or not something changes.
    """
    changed = {change.address for change in draft.changes}
    scope = changed | set(draft.overridden)
    world = World(
        bodies,
        complete=True,
        today=today,
        org=live.org,
        facts=facts,
        declared=desired.resources,
        live={address: have.body for address, have in live.resources.items()},
        unreadable=live.unreadable,
        only=None if any(address.schema.singleton for address in changed) else _apps(scope, bodies),
    )
    findings, unchecked = _judged(world, settings, seen=False, scope=scope)
    kept = (f for f in findings if f.address in changed or changed.intersection(f.also) or f.id in (OVERRIDDEN, *OWN))
    return tuple(kept), tuple(one for one in unchecked if one.address in changed)


def asks_org(settings: RuleSettings) -> bool:
    """Whether a rule that is switched on needs facts of the org."""
    return any(rule.asks_org for rule in _switched_on(settings))


def users(bodies: Mapping[Address, Body], addresses: Iterable[Address] | None = None) -> set[str]:
    """The usernames that resources name."""
    found: set[str] = set()
    for address in bodies if addresses is None else addresses:
        body = bodies.get(address)
        if body is not None:
            _users_in(address.struct, body, found)
    return found


def _users_in(struct: type[Struct], body: Body, found: set[str]) -> None:
    for name, inner in _user_fields(struct):
        value = body.get(name)
        if inner is not None:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    _users_in(inner, item, found)
        elif isinstance(value, str) and value:
            found.add(str(value))


@cache
def _user_fields(struct: type[Struct]) -> tuple[tuple[str, type[Struct] | None], ...]:
    found: list[tuple[str, type[Struct] | None]] = []
    for name, field in struct.fields().items():
        ref = field.mark(Ref)
        if ref is not None and ref.kind == "User":
            found.append((name, None))
        elif field.struct is not None and _user_fields(field.struct):
            found.append((name, field.struct))
    return tuple(found)


def _apps(scope: Collection[Address], bodies: Mapping[Address, Body]) -> set[str]:
    """The names of the apps that a change touches: itself, its satellites, its enablements, its handlers."""
    names: set[str] = set()
    handlers: set[str] = set()
    classes: set[str] = set()
    for address in scope:
        if address.part:
            names.add(address.part.removeprefix(f"{ENABLEMENT}/"))
        elif address.kind == "OauthTokenExchangeHandler":
            handlers.add(address.name)
        elif address.kind == "ApexClass":
            classes.add(address.name)
        else:
            names.add(address.name)
    for address, body in bodies.items():
        if classes and address.kind == "OauthTokenExchangeHandler" and body.get("tokenHandlerApex") in classes:
            handlers.add(address.name)
    names |= {a.part.removeprefix(f"{ENABLEMENT}/") for a in bodies if a.part and a.name in handlers}
    return names


def _switched_on(settings: RuleSettings) -> list[Rule]:
    return [rule for rule in all_rules().values() if settings.severities.get(rule.id, rule.severity) is not None]


def _judged(world: World, settings: RuleSettings, *, seen: bool, scope: Collection[Address] | None = None) -> Judged:
    findings, unchecked = judge(world, severities=settings.severities, scope=scope)
    blind = {one.id for one in unchecked}
    # A waiver of what could not be checked may well be needed.
    kept = waived(findings, settings, world.today, seen=seen)
    return tuple(f for f in kept if not (f.id == "waiver.unused" and f.subject in blind)), unchecked


def placed(findings: Iterable[Finding], desired: Snapshot) -> tuple[Finding, ...]:
    """Findings with the line that they are about: of the field, or inside of it for source text."""
    return tuple(_placed(finding, desired) for finding in findings)


def _placed(finding: Finding, desired: Snapshot) -> Finding:
    want = desired.resources.get(finding.address)
    if want is None or finding.place is not None:
        return finding
    place = want.origin.at(finding.path)
    if finding.position is not None:
        line, column = finding.position
        place = replace(place, line=line, column=column, snippet="")
    return replace(finding, place=place)
