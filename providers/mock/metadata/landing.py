"""Writes components into the org and deletes others, with all checks of all components, in one open transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from providers.mock import habits
from providers.mock.catalog import BY_NAME, namespace
from providers.mock.habits.policies import create_missing
from providers.mock.record import Body
from providers.mock.state.errors import Refusal, WarningRefusal
from providers.mock.state.world import Component, Landing, World

# What Salesforce writes into SetupAuditTrail.Action for these types is UNCERTAIN: it is not documented and no source
# tells. These strings are ours. Section is what Setup calls the place.
_SECTIONS: Mapping[str, tuple[str, str]] = {
    "ApexClass": ("ApexClass", "Apex Class"),
    "ConnectedApp": ("ConnectedApplication", "Connected Apps"),
    "ConnectedAppSettings": ("ConnectedAppSettings", "Connected Apps"),
    "ExternalClientApplication": ("ExternalClientApplication", "External Client Apps"),
    "ExternalClientAppSettings": ("ExternalClientAppSettings", "External Client Apps"),
    "OauthOidcSettings": ("OauthOidcSettings", "OAuth and OpenID Connect Settings"),
    "OauthTokenExchangeHandler": ("OauthTokenExchangeHandler", "Token Exchange Handlers"),
    "OauthTokenExchHandlerApp": ("OauthTokenExchHandlerApp", "Token Exchange Handlers"),
    "OauthCustomScope": ("OauthCustomScope", "OAuth Custom Scopes"),
}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A component that is to be written: `content` is the other file of a type with two (an Apex class's source)."""

    kind: str
    name: str
    body: Body
    content: bytes | None = None
    enablement: tuple[str, str] | None = None
    """Of a handler of which one enablement alone is edited: the app, and "created", "changed" or "deleted"."""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name.lower()


@dataclass(frozen=True, slots=True)
class Departure:
    """A component that is to be deleted."""

    kind: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name.lower()


@dataclass(slots=True)
class Outcome:
    """What became of one component: "created", "changed", "unchanged", "deleted", "absent", or refusals."""

    state: str = ""
    id: str = ""
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Attempt:
    """The outcomes of one try, written and deleted components apart: a package may delete one and create it again."""

    arrivals: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    departures: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        return any(each.refusals for each in (*self.arrivals.values(), *self.departures.values()))


def land(
    world: World,
    arrivals: Sequence[Arrival],
    before: Sequence[Departure] = (),
    after: Sequence[Departure] = (),
    *,
    partial: bool = False,
    ignore_warnings: bool = True,
) -> Attempt:
    """Delete `before`, write `arrivals`, delete `after`, check everything; if anything is refused, nothing stays.

    With `partial` the refused ones are left out and the rest is tried again until what is left stands by itself.
    """
    first: Attempt | None = None
    while True:
        world.db.execute("SAVEPOINT landing")
        attempt = _attempt(world, arrivals, before, after, ignore_warnings)
        if not attempt.refused:
            world.db.execute("RELEASE landing")
            return attempt if first is None else _merged(first, attempt)
        world.db.execute("ROLLBACK TO landing")
        world.db.execute("RELEASE landing")
        first = attempt if first is None else _merged(first, attempt)
        if not partial:
            return first
        arrivals = [each for each in arrivals if not attempt.arrivals[each.key].refusals]
        before = [each for each in before if not attempt.departures[each.key].refusals]
        after = [each for each in after if not attempt.departures[each.key].refusals]


def _merged(first: Attempt, later: Attempt) -> Attempt:
    return Attempt(first.arrivals | later.arrivals, first.departures | later.departures)


def _attempt(
    world: World,
    arrivals: Sequence[Arrival],
    before: Sequence[Departure],
    after: Sequence[Departure],
    ignore_warnings: bool,
) -> Attempt:
    attempt = Attempt()
    gone: list[Component] = []
    for departure in before:
        gone += _depart(world, departure, attempt)
    landed: list[Landing] = []
    for arrival in sorted(arrivals, key=lambda each: (BY_NAME[each.kind].rank, each.kind, each.name)):
        landed += _arrive(world, arrival, attempt, ignore_warnings)
    for landing in create_missing(world, _apps(landed)):
        world.save(landing)
        _audit(world, "created", landing.kind, landing.name)
    for departure in after:
        gone += _depart(world, departure, attempt)
    for landing in landed:
        # A component that was deleted again, or with its app, has nothing left to check.
        if world.has(landing.kind, landing.name):
            refusals = attempt.arrivals[landing.kind, landing.name.lower()].refusals
            refusals += habits.of(landing.kind).check(landing.name, landing.body, world)
    for component in gone:
        refusal = None if world.has(component.kind, component.name) else habits.still_needed(component, world)
        if refusal is not None:
            attempt.departures[component.kind, component.name.lower()].refusals.append(refusal)
    return attempt


def _arrive(world: World, arrival: Arrival, attempt: Attempt, ignore_warnings: bool) -> Iterator[Landing]:
    outcome = attempt.arrivals[arrival.key] = Outcome()
    before = world.component(arrival.kind, arrival.name)
    landing = Landing(
        arrival.kind,
        before.name if before else arrival.name,
        _copied(arrival.body),
        arrival.content,
        before,
        before.values() if before else None,
        before.secret if before else None,
        touches=arrival.enablement is None,
    )
    prefix = namespace(landing.name)
    try:
        if before is None and prefix:
            raise Refusal(
                f"Cannot create a new component with the namespace: {prefix}", "INSUFFICIENT_ACCESS_OR_READONLY"
            )
        habits.of(landing.kind).settle(landing, world)
        if landing.warnings and not ignore_warnings:
            raise WarningRefusal("; ".join(landing.warnings))
    except Refusal as refusal:
        outcome.refusals.append(refusal)
        return
    outcome.state = world.save(landing)
    outcome.warnings = landing.warnings
    found = world.component(landing.kind, landing.name)
    outcome.id = found.id if found else ""
    if outcome.state != "unchanged" and arrival.enablement is not None:
        app, state = arrival.enablement
        _audit(world, state, "OauthTokenExchHandlerApp", f"{landing.name} {app}")
    elif outcome.state != "unchanged":
        named = _fields(world, landing) if outcome.state == "changed" else ""
        _audit(world, outcome.state, landing.kind, f"{landing.name}{named}")
    yield landing


def _fields(world: World, landing: Landing) -> str:
    """Return the names of the changed fields for an audit entry; empty unless a switch says that entries name them."""
    if not world.switches.audit_names_fields or landing.old is None:
        return ""
    changed = list(_differing(landing.old, landing.body))
    return f": {', '.join(changed)}" if changed else ""


def _differing(old: Body, new: Body, above: str = "") -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, []), new.get(name, [])
        if before == after:
            continue
        if len(before) == len(after) == 1 and isinstance(before[0], dict) and isinstance(after[0], dict):
            yield from _differing(before[0], after[0], f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _depart(world: World, departure: Departure, attempt: Attempt) -> Iterator[Component]:
    found = world.component(departure.kind, departure.name)
    if found is None:
        attempt.departures[departure.key] = Outcome("absent")
        return
    outcome = attempt.departures[departure.key] = Outcome("deleted", found.id)
    if BY_NAME[found.kind].singleton:
        outcome.refusals.append(Refusal(f"{found.name} settings cannot be deleted", "INSUFFICIENT_ACCESS"))
        return
    world.remove(found.kind, found.name)
    habits.removed(found, world)
    _audit(world, "deleted", found.kind, found.name)
    yield found


def _apps(landed: Sequence[Landing]) -> list[str]:
    """Return the external client apps for which the org may now have to add policies, each once."""
    apps: dict[str, str] = {}
    for landing in landed:
        if landing.kind == "ExternalClientApplication":
            apps[landing.name.lower()] = landing.name
        elif landing.kind == "ExtlClntAppOauthSettings":
            owner = landing.body["externalClientApplication"][0]
            if isinstance(owner, str):
                apps.setdefault(owner.lower(), owner)
    return list(apps.values())


def _copied(body: Body) -> Body:
    return {
        name: [value if isinstance(value, str) else _copied(value) for value in values] for name, values in body.items()
    }


def _audit(world: World, state: str, kind: str, name: str) -> None:
    action, section = _SECTIONS.get(kind, (kind, "External Client Apps" if kind.startswith("ExtlClntApp") else kind))
    world.audit(f"{state}{action}", section, f"{state.capitalize()} {kind} {name}")
