"""Edits as an admin makes them in Setup: one address at a time, judged like a deployment."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from providers.mock.catalog import BY_NAME, NEWEST, Type
from providers.mock.metadata import schema
from providers.mock.metadata.judge import judge
from providers.mock.metadata.landing import Arrival, Departure, land
from providers.mock.record import Body, one, parts, put, write
from providers.mock.state.errors import MockOrgError, Refusal
from providers.mock.state.world import Component, World

Changes = Mapping[str, str | None]
_BODY = "body"
"""The one field that is no element: the source of an Apex class."""
# What Setup calls a new satellite.
_SUFFIXES = {
    "ExtlClntAppGlobalOauthSettings": "_glbloauth",
    "ExtlClntAppOauthSettings": "_oauth",
    "ExtlClntAppOauthConfigurablePolicies": "_oauthPlcy",
    "ExtlClntAppConfigurablePolicies": "_plcy",
    "ExtlClntAppOauthSecuritySettings": "_oauthSecurity",
}


@dataclass(frozen=True, slots=True)
class Address:
    """`Kind/name`, or `OauthTokenExchangeHandler/<handler>/enablements/<app>` with `app` set."""

    type: Type
    name: str
    app: str = ""

    def __str__(self) -> str:
        return f"{self.type.name}/{self.name}" + (f"/enablements/{self.app}" if self.app else "")


def address(text: str) -> Address:
    """Read an address; raises `MockOrgError` with the nearest kind where the kind is unknown."""
    pieces = text.split("/")
    one_of = BY_NAME.get(pieces[0])
    if one_of is None:
        raise MockOrgError(f"{pieces[0] or 'nothing'} is no kind of component{_nearest(pieces[0], BY_NAME)}")
    if len(pieces) == 2 and pieces[1]:
        return Address(one_of, pieces[1])
    if len(pieces) == 4 and one_of.name == "OauthTokenExchangeHandler" and pieces[2] == "enablements" and pieces[3]:
        return Address(one_of, pieces[1], pieces[3])
    raise MockOrgError(
        f"{text} is no address: write Kind/name or OauthTokenExchangeHandler/<handler>/enablements/<app>"
    )


def _nearest(wrong: str, known: Mapping[str, object] | list[str]) -> str:
    close = difflib.get_close_matches(wrong, list(known), 1, 0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known)) or 'none'}"


def find(world: World, place: Address) -> Component | None:
    """Return the record at an address. A satellite is found by its app; its own name works as well."""
    kind = place.type.name
    if place.type.satellite and (found := world.satellite(kind, place.name)) is not None:
        return found
    return world.component(kind, place.name)


def edit(world: World, text: str, changes: Changes) -> dict[str, str | None]:
    """Change fields of what is at the address; raises `MockOrgError` for what is not there or not accepted.

    Returns the fields that are as they were, with what they are: set to that already, or forced back by the org.
    """
    place = address(text)
    found = find(world, place)
    if found is None:
        names = [each.owner or each.name for each in world.components(place.type.name)]
        raise MockOrgError(f"the org has no {place.type.name}/{place.name}{_nearest(place.name, names)}")
    body = found.values()
    target, type_name = body, found.kind
    if place.app:
        target, type_name = _enablement(body, place), "OauthTokenExchHandlerApp"
    content = found.content
    before = {field: _held(target, content, field) for field in changes}
    for field, value in changes.items():
        if field == _BODY and found.kind == "ApexClass":
            content = (value or "").encode()
        else:
            _change(target, type_name, field, value)
    _land(world, place, Arrival(found.kind, found.name, body, content, _only(place, "changed")))
    after = find(world, place)
    if after is None:
        return {}
    now = _enablement(after.values(), place) if place.app else after.values()
    held = {field: _held(now, after.content, field) for field in changes}
    return {field: value for field, value in held.items() if value == before[field]}


def _held(body: Body, content: bytes | None, dotted: str) -> str | None:
    """Return the value of a field in the form that `set` takes; None if the field is absent."""
    if dotted == _BODY and content is not None:
        return content.decode(errors="replace")
    name, _, rest = dotted.partition(".")
    values = body.get(name, [])
    if rest:
        holder = values[0] if values else None
        return _held(holder, None, rest) if isinstance(holder, dict) else None
    return ",".join(map(str, values)) if values else None


def _only(place: Address, state: str) -> tuple[str, str] | None:
    # An enablement is a row of its own: editing it leaves the handler's row alone, as with any parent and child.
    return (place.app, state) if place.app else None


def create(world: World, text: str, fields: Changes) -> None:
    """Add a record, a satellite or an enablement."""
    place = address(text)
    if place.app:
        _add_enablement(world, place, fields)
        return
    kind, name = place.type.name, place.name
    if find(world, place) is not None:
        raise MockOrgError(f"the org already has {place}; set changes it")
    if kind == "ConnectedApp":
        raise MockOrgError("connected apps can no longer be created in Setup; create an ExternalClientApplication")
    body: Body = {}
    if place.type.satellite:
        body["externalClientApplication"] = [name]
        name += _SUFFIXES[kind]
        body["label"] = [name]
    content = None
    for field, value in fields.items():
        if field == _BODY and kind == "ApexClass":
            content = (value or "").encode()
        else:
            _change(body, kind, field, value)
    _land(world, place, Arrival(kind, name, body, content))


def delete(world: World, text: str) -> None:
    """Take away a record, a satellite or an enablement."""
    place = address(text)
    found = find(world, place)
    if found is None:
        names = [each.owner or each.name for each in world.components(place.type.name)]
        raise MockOrgError(f"the org has no {place.type.name}/{place.name}{_nearest(place.name, names)}")
    if place.app:
        body = found.values()
        gone = _enablement(body, place)
        body["enablements"] = [each for each in parts(body, "enablements") if each is not gone]
        if not body["enablements"]:
            del body["enablements"]
        _land(world, place, Arrival(found.kind, found.name, body, enablement=_only(place, "deleted")))
        return
    attempt = land(world, [], [Departure(found.kind, found.name)])
    _raise_first(place, [refusal for each in attempt.departures.values() for refusal in each.refusals])


def _enablement(body: Body, place: Address) -> Body:
    apps = {}
    for each in parts(body, "enablements"):
        apps[(one(each, "connectedApp") or one(each, "externalClientApp") or "").lower()] = each
    if place.app.lower() not in apps:
        raise MockOrgError(f"{place.name} is not enabled for {place.app}{_nearest(place.app, apps)}")
    return apps[place.app.lower()]


def _add_enablement(world: World, place: Address, fields: Changes) -> None:
    found = find(world, place)
    if found is None:
        names = [each.name for each in world.components(place.type.name)]
        raise MockOrgError(f"the org has no {place.type.name}/{place.name}{_nearest(place.name, names)}")
    body = found.values()
    field = "connectedApp" if world.has("ConnectedApp", place.app) else "externalClientApp"
    enablement: Body = {field: [place.app], "isDefault": ["false"]}
    for name, value in fields.items():
        _change(enablement, "OauthTokenExchHandlerApp", name, value)
    body["enablements"] = [*body.get("enablements", []), enablement]
    _land(world, place, Arrival(found.kind, found.name, body, enablement=_only(place, "created")))


def _change(body: Body, type_name: str, dotted: str, value: str | None) -> None:
    """Set one field; dots lead into parts, a repeated element takes a comma separated list, None removes."""
    name, _, rest = dotted.partition(".")
    fields = schema.load().types[type_name]
    element = fields.get(name)
    if element is None or name in {"fullName", "content"}:
        raise MockOrgError(f"{type_name} has no field {name}{_nearest(name, list(fields))}")
    if rest:
        values = body.get(name, [])
        holder = values[0] if values else None
        if element.type not in schema.load().types:
            raise MockOrgError(f"{name} of {type_name} is a single value, it has no {rest}")
        if not isinstance(holder, dict):
            holder = {}
        _change(holder, element.type, rest, value)
        body[name] = [holder, *values[1:]]
    elif value is None:
        body.pop(name, None)
    elif element.type in schema.load().types:
        raise MockOrgError(f"{name} of {type_name} has fields of its own: write {name}.<field>")
    elif element.repeated:
        body[name] = [piece.strip() for piece in value.split(",")]
    else:
        put(body, name, value)


def _land(world: World, place: Address, arrival: Arrival) -> None:
    known = _known(arrival.body, arrival.kind)
    try:
        judged = judge(arrival.kind, write(arrival.kind, known), NEWEST, min(world.switches.after_63_since, NEWEST))
    except Refusal as refusal:
        raise MockOrgError(f"{place}: {refusal.text}") from None
    # What no schema knows was put there by the org itself: an edit of other fields does not disturb it.
    strange: Body = {name: values for name, values in arrival.body.items() if name not in known}
    attempt = land(world, [replace(arrival, body={**judged, **strange})])
    _raise_first(place, [refusal for each in attempt.arrivals.values() for refusal in each.refusals])


def _known(body: Body, type_name: str) -> Body:
    fields = schema.load().types[type_name]
    return {name: values for name, values in body.items() if name in fields}


def _raise_first(place: Address, refusals: list[Refusal]) -> None:
    if refusals:
        raise MockOrgError(f"{place}: {refusals[0].text}")
