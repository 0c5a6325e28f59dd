"""The CRUD calls (create, update, upsert, delete, read): ten components a call, all of one type."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal

from lxml import etree

from providers.mock.catalog import BY_NAME, Type
from providers.mock.metadata import renaming
from providers.mock.metadata.answer import Verbatim, xml
from providers.mock.metadata.judge import judge
from providers.mock.metadata.landing import Arrival, Departure, Outcome, land
from providers.mock.metadata.retrieve import shown
from providers.mock.record import NS, XSI, inner, local, parse
from providers.mock.state.errors import Fault, Refusal
from providers.mock.state.world import World

Mode = Literal["create", "update", "upsert"]
Result = dict[str, Any]
MAX_COMPONENTS = 10


def save(world: World, mode: Mode, elements: Sequence[etree._Element], *, all_or_none: bool) -> list[Result]:
    """Write components; each succeeds or fails by itself unless `all_or_none`."""
    _check_count(len(elements))
    kinds = {_kind(element).name for element in elements}
    if len(kinds) > 1:
        raise Fault("INVALID_TYPE", "All components of one call must be of the same type")
    outcomes: list[tuple[str, Outcome]] = []
    world.db.execute("SAVEPOINT crud")
    for element in elements:
        name = next(((child.text or "").strip() for child in element if local(child) == "fullName"), "")
        outcomes.append((name, _save(world, mode, _kind(element), name, element)))
    _settle_all(world, outcomes, all_or_none)
    created = {"created": True} if mode == "upsert" else {}
    return [
        {
            **({"created": outcome.state == "created"} if created else {}),
            "errors": _errors(outcome),
            "fullName": name,
            "success": not outcome.refusals,
        }
        for name, outcome in outcomes
    ]


def _check_count(count: int) -> None:
    if count > MAX_COMPONENTS:
        raise Fault(
            "LIMIT_EXCEEDED",
            f"record limit reached. cannot submit more than {MAX_COMPONENTS} records in this operation",
        )


def _kind(element: etree._Element) -> Type:
    name = (element.get(f"{{{XSI}}}type") or "").rpartition(":")[2]
    return _supported(name)


def _supported(name: str) -> Type:
    found = BY_NAME.get(name)
    # Types that are files with a body cannot be written this way.
    if found is None or found.with_content:
        raise Fault("INVALID_TYPE", f"This type of metadata is not available for this organization: {name}")
    return found


def _save(world: World, mode: Mode, one: Type, name: str, element: etree._Element) -> Outcome:
    exists = world.has(one.name, name)
    try:
        if not name:
            raise Refusal("Required field is missing: fullName", "REQUIRED_FIELD_MISSING")
        if mode == "create" and exists:
            raise Refusal(f"The developer name {name} is already in use", "DUPLICATE_DEVELOPER_NAME")
        if mode == "update" and not exists:
            raise Refusal(f"In field: fullName - no {one.name} named {name} found", "INVALID_CROSS_REFERENCE_KEY")
        root = etree.Element(f"{{{NS}}}{one.name}", nsmap={"m": NS})
        root.extend([copy.deepcopy(child) for child in element])
        body = judge(one.name, etree.tostring(root), world.version, world.switches.after_63_since)
    except Refusal as refusal:
        return Outcome(refusals=[refusal])
    arrival = Arrival(one.name, name, body)
    return land(world, [arrival]).arrivals[arrival.key]


def _settle_all(world: World, outcomes: list[tuple[str, Outcome]], all_or_none: bool) -> None:
    if all_or_none and any(outcome.refusals for _, outcome in outcomes):
        world.db.execute("ROLLBACK TO crud")
        for _, outcome in outcomes:
            if not outcome.refusals:
                text = (
                    "Record rolled back because not all records were valid and the request was using AllOrNone header"
                )
                outcome.refusals.append(Refusal(text, "ALL_OR_NONE_OPERATION_ROLLED_BACK"))
    world.db.execute("RELEASE crud")


def _errors(outcome: Outcome) -> list[dict[str, str]]:
    return [{"message": refusal.text, "statusCode": refusal.code} for refusal in outcome.refusals]


def delete(world: World, kind: str, names: Sequence[str], *, all_or_none: bool) -> list[Result]:
    """Delete components by name; one that is not there is an error of its own."""
    _check_count(len(names))
    one = _supported(kind)
    outcomes: list[tuple[str, Outcome]] = []
    world.db.execute("SAVEPOINT crud")
    for name in names:
        departure = Departure(one.name, name)
        outcome = land(world, [], [departure]).departures[departure.key]
        if outcome.state == "absent":
            outcome.refusals.append(Refusal(f"no {one.name} named {name} found", "INVALID_CROSS_REFERENCE_KEY"))
        outcomes.append((name, outcome))
    _settle_all(world, outcomes, all_or_none)
    return [{"errors": _errors(each), "fullName": name, "success": not each.refusals} for name, each in outcomes]


def rename(world: World, kind: str, old: str, new: str) -> Result:
    """Rename a component, and change its name in all that refers to it."""
    one = _supported(kind)
    outcome = Outcome()
    world.db.execute("SAVEPOINT crud")
    try:
        renaming.rename(world, one, old, new)
    except Refusal as refusal:
        outcome.refusals.append(refusal)
        world.db.execute("ROLLBACK TO crud")
    world.db.execute("RELEASE crud")
    return {"errors": _errors(outcome), "fullName": old if outcome.refusals else new, "success": not outcome.refusals}


def read(world: World, kind: str, names: Sequence[str], version: int) -> list[Verbatim]:
    """Return a `records` element for each name; a name that is not there gives an empty one, not a fault."""
    _check_count(len(names))
    one = BY_NAME.get(kind)
    if one is None:
        raise Fault("INVALID_TYPE", f"Unknown type:{kind}")
    if one.name in world.switches.unreadable_kinds:
        raise Fault("INSUFFICIENT_ACCESS", f"You do not have the proper permissions to access {one.name}")
    records = []
    for name in names:
        found = world.component(one.name, name)
        if found is None:
            records.append(Verbatim('<records xsi:nil="true"/>'))
            continue
        fields = xml("fullName", found.name) + inner(parse(shown(world, found, version)), "")
        records.append(Verbatim(f'<records xsi:type="{one.name}">{fields}</records>'))
    return records
