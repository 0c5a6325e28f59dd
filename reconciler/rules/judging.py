"""Runs the rules on files, on an org, or on what a plan would make of it, and decides which findings count. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from reconciler.kinds import HANDLER
from reconciler.model.address import Address
from reconciler.model.changes import Change
from reconciler.model.declared import Snapshot
from reconciler.model.facts import Facts
from reconciler.model.finding import Finding, Unchecked
from reconciler.model.live import LiveState
from reconciler.plan.draft import Draft
from reconciler.rules import Rule, all_rules, judge
from reconciler.rules.settings import OWN, RuleSettings, Waiver, waived
from reconciler.schema.body import alike, canonical, overlaid
from reconciler.schema.paths import at, references
from reconciler.schema.severity import Severity
from reconciler.schema.values import Body
from reconciler.world.world import World

USERS = frozenset({"User"})
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
    return _judged(world, settings)


def org(live: LiveState, facts: Facts, settings: RuleSettings, today: date) -> Judged:
    """Rules on an org as it is, with no files at all."""
    bodies = {address: have.body for address, have in live.resources.items()}
    world = World(
        bodies,
        complete=True,
        today=today,
        org=live.org,
        facts=facts,
        live=bodies,
        unreadable=live.unreadable,
        scrubbed=live.scrubbed,
    )
    return _judged(world, settings)


def planned(live: LiveState, changes: Collection[Change]) -> Mapping[Address, Body]:
    """The org as it would be after the changes: what belongs to a deleted app or handler goes with it."""
    bodies = {address: have.body for address, have in live.resources.items()}
    bodies |= {change.address: change.after for change in changes if change.after is not None}
    gone = {change.address for change in changes if change.after is None}
    owners = {address for address in gone if address.schema.removable and not address.is_enablement}
    # One look at each resource, however many owners go.
    if owners:
        gone |= {address for address, body in bodies.items() if not owners.isdisjoint(_owners(address, body))}
    for address in gone:
        bodies.pop(address, None)
    return bodies


def _owners(address: Address, body: Body) -> tuple[Address, ...]:
    """The resources that one is deleted along with: of an enablement the app that it names, and not another sort of app
    of that name."""
    if not address.part:
        return address.owners
    other = "ExternalClientApplication" if body.get("connectedApp") else "ConnectedApp"
    return tuple(owner for owner in address.owners if owner.kind != other)


def plan(
    bodies: Mapping[Address, Body],
    draft: Draft,
    desired: Snapshot,
    live: LiveState,
    facts: Facts,
    settings: RuleSettings,
    today: date,
) -> Judged:
    """Judge what a plan changes, and nothing else: a bad app that the plan does not touch blocks no apply.

    Only that a file asks for what the org will not hold is said whether or not something changes. `facts` are about the
    users that `users_of` names.
    """
    changed = {change.address for change in draft.changes}
    world = World(
        bodies,
        complete=True,
        today=today,
        org=live.org,
        facts=facts,
        declared=desired.resources,
        live={address: have.body for address, have in live.resources.items()},
        unreadable=live.unreadable,
        scrubbed=live.scrubbed,
        only=_apps(draft, bodies),
    )
    findings, unchecked = _judged(world, settings, scope=changed | set(draft.overridden))
    kept = (f for f in findings if f.address in changed or changed.intersection(f.also) or f.id in (OVERRIDDEN, *OWN))
    return tuple(kept), tuple(one for one in unchecked if one.address in changed)


def asks_org(settings: RuleSettings) -> bool:
    """Whether a rule that is switched on needs facts of the org."""
    return any(rule.asks_org for rule in _switched_on(settings))


def users(bodies: Mapping[Address, Body]) -> set[str]:
    """The usernames that resources name."""
    return {name for a, body in bodies.items() for _, _, name in references(a.struct, body, USERS)}


def users_of(draft: Draft, bodies: Mapping[Address, Body]) -> set[str]:
    """The usernames that the apps name which a plan touches, in records that it leaves alone too: rules see them whole."""
    apps = _apps(draft, bodies)
    if apps is None:
        return users(bodies)
    return users({address: body for address, body in bodies.items() if not apps.isdisjoint(_apps_in(address))})


def _apps_in(address: Address) -> tuple[str, ...]:
    return address.name, address.app


def _apps(draft: Draft, bodies: Mapping[Address, Body]) -> set[str] | None:
    """The names of the apps that a plan touches: themselves, their satellites, enablements, handlers and the handlers'
    classes. `None` for all of them: where it touches settings, or custom scopes, which no app's name leads to."""
    scope = {change.address for change in draft.changes}
    if any(address.schema.singleton or address.kind == "OauthCustomScope" for address in scope):
        return None
    scope |= set(draft.overridden)
    names: set[str] = set()
    handlers: set[str] = set()
    classes: set[str] = set()
    for address in scope:
        if address.part:
            names.add(address.app)
        elif address.kind == HANDLER:
            handlers.add(address.name)
        elif address.kind == "ApexClass":
            classes.add(address.name.casefold())
        else:
            names.add(address.name)
    named = {
        a.name: str(body.get("tokenHandlerApex", "")).casefold() for a, body in bodies.items() if a.kind == HANDLER
    }
    if classes - set(named.values()):
        # Any handler may hand its work on to such a class.
        return None
    handlers |= {name for name, code in named.items() if code in classes}
    names |= {a.app for a in bodies if a.part and a.name in handlers}
    return names


def _switched_on(settings: RuleSettings) -> list[Rule]:
    return [rule for rule in all_rules().values() if settings.severities.get(rule.id, rule.severity) is not None]


def _judged(world: World, settings: RuleSettings, *, scope: Collection[Address] | None = None) -> Judged:
    findings, unchecked = judge(world, severities=settings.severities, scope=scope)
    blind = {one.id for one in unchecked}

    def seen(waiver: Waiver) -> bool:
        # A waiver of what was not looked at, or could not be checked, may well be needed.
        off = settings.severities.get(waiver.rule, Severity.INFO) is None
        if scope is not None or off or waiver.rule in blind:
            return False
        if world.complete:
            return world.reason_unreadable(waiver.address) is None
        asks = any(rule.asks_org for rule in _switched_on(settings) if rule.id == waiver.rule)
        return not asks and any(waiver.names(address) for address in world.bodies)

    return waived(findings, settings, world.today, seen=seen), unchecked


def placed(
    findings: Iterable[Finding], desired: Snapshot, bodies: Mapping[Address, Body] | None = None
) -> tuple[Finding, ...]:
    """Findings with the line that they are about: of the field, or inside of it for source text.

    `bodies` are given where an org was judged as it is: a file that says something else than the org is not what has to
    be mended.
    """
    return tuple(_placed(finding, desired, bodies) for finding in findings)


def _placed(finding: Finding, desired: Snapshot, bodies: Mapping[Address, Body] | None) -> Finding:
    want = desired.resources.get(finding.address)
    if want is None or finding.place is not None:
        return finding
    place = want.origin.at(finding.path)
    if bodies is not None and _says_otherwise(finding, want.body, bodies.get(finding.address, {})):
        return replace(finding, place=place, mend="the file says something else: apply it")
    if finding.position is not None:
        line, column = finding.position
        place = replace(place, line=line, column=column, snippet="")
    return replace(finding, place=place)


def _says_otherwise(finding: Finding, want: Body, have: Body) -> bool:
    """Whether the file declares the finding's field with another value than the org has."""
    if not finding.path or finding.path[0] not in want:
        return False
    struct = finding.address.struct
    declared = at(canonical(struct, overlaid(struct, have, want)), finding.path)
    return not alike(struct, finding.path, declared, at(canonical(struct, have), finding.path))
