"""Plain DML by REST: token exchange handlers, their enablements, and who has which permission set.

A way past every metadata tool: what it changes shows only in a query or a retrieve.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from providers.mock.columns import TABLES
from providers.mock.metadata import setup
from providers.mock.org import Org
from providers.mock.rest.entry import Json, answered, enter, not_found, sent
from providers.mock.rest.queries import CREATABLE, UPDATABLE
from providers.mock.rest.tables import assignment, shown
from providers.mock.state import ids, people, permissions
from providers.mock.state.errors import Fault, MockOrgError
from providers.mock.state.world import User, World

_HANDLER, _ENABLEMENT, _ASSIGNMENT = "OauthTokenExchangeHandler", "OauthTokenExchHandlerApp", "PermissionSetAssignment"
_TOKENS = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")
_SWITCHES = {
    "IsEnabled": "isEnabled",
    "IsUserCreationAllowed": "isUserCreationAllowed",
    **{f"SupportedTokenTypes{each}": f"is{each}Supported" for each in _TOKENS},
}
_TEXTS = {"Description": "description", "MasterLabel": "masterLabel"}
_REQUIRED = {
    _ENABLEMENT: ("ApexExecutionUserId", "OauthTokenExchangeHandlerId"),
    _HANDLER: ("Description", "DeveloperName", "MasterLabel", "TokenHandlerApexId"),
    _ASSIGNMENT: ("AssigneeId", "PermissionSetId"),
}


def create(org: Org, request: Request, version: str, kind: str) -> Response:
    user, table = _enter(org, request, version, kind)
    if table not in CREATABLE:
        raise Fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {table}")
    body = _columns(table, sent(request))
    _check_required(_REQUIRED[table], body)
    with _as(org, user) as world:
        made = {_ENABLEMENT: _enable, _HANDLER: _new_handler, _ASSIGNMENT: _assign}[table](world, body)
        return answered({"id": made, "success": True, "errors": []}, 201)


def update(org: Org, request: Request, version: str, kind: str, record_id: str) -> Response:
    user, table = _enter(org, request, version, kind)
    if table not in UPDATABLE:
        raise Fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be updated: {table}")
    body = _columns(table, sent(request))
    # What is not there stays as it is; null would empty it.
    _check_required(tuple(name for name in _REQUIRED[table] if name in body), body)
    with _as(org, user) as world:
        if table == _HANDLER:
            name = _at(world, _HANDLER, record_id)
            _edit(world, f"{_HANDLER}/{name}", dict(_handler_field(world, *each) for each in body.items()), setup.edit)
        else:
            place = _enabled_at(world, record_id)
            _edit(world, place, dict(_enablement_field(world, *each) for each in body.items()), setup.edit)
    return Response(status=204)


def delete(org: Org, request: Request, version: str, kind: str, record_id: str) -> Response:
    user, table = _enter(org, request, version, kind)
    if table not in CREATABLE:
        raise Fault("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be deleted: {table}")
    with _as(org, user) as world:
        if table == _ASSIGNMENT:
            _unassign(world, record_id)
        else:
            place = f"{_HANDLER}/{_at(world, _HANDLER, record_id)}" if table == _HANDLER else ""
            _said(setup.delete, world, place or _enabled_at(world, record_id))
    return Response(status=204)


def _enter(org: Org, request: Request, version: str, kind: str) -> tuple[User, str]:
    user = enter(org, request, version, "dml", writes=True)
    table = next((each for each in TABLES if each.lower() == kind.lower()), "")
    with org.reading() as world:
        if not table or not shown(world, user, table):
            raise not_found()
        held = permissions.held(world, user)
    # Neither object's page in the Object Reference names the permission; in Setup both are pages of an administrator.
    needed = {"ManageUsers", "ManageProfilesPermissionsets"} if table == _ASSIGNMENT else {"CustomizeApplication"}
    if not held & (needed | {"ModifyAllData", "ModifyMetadata"}):
        text = "insufficient access rights on object id"
        raise Fault("INSUFFICIENT_ACCESS_OR_READONLY", text, 403)
    return user, table


class _as:  # noqa: N801 (reads as a word: `with _as(org, user)`)
    """A transaction in which `user` edits as in Setup."""

    def __init__(self, org: Org, user: User) -> None:
        self._open, self._user = org.writing(), user

    def __enter__(self) -> World:
        world = self._open.__enter__()
        world.user_id, world.in_setup = self._user.id, True
        return world

    def __exit__(self, *raised: Any) -> bool | None:
        return self._open.__exit__(*raised)


def _check_required(names: tuple[str, ...], body: Json) -> None:
    missing = [name for name in names if body.get(name) is None or body[name] == ""]
    if missing:
        raise Fault("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]")


def _columns(table: str, body: Json) -> Json:
    """Return the values by the columns' own spelling; raises `Fault` INVALID_FIELD for what is no column."""
    spelled = {name.lower(): name for name in TABLES[table]}
    found: Json = {}
    for name, value in body.items():
        if name == "attributes":
            continue
        if name.lower() not in spelled:
            raise Fault("INVALID_FIELD", f"No such column '{name}' on sobject of type {table}")
        found[spelled[name.lower()]] = value
    return found


def _edit(
    world: World,
    place: str,
    fields: Mapping[str, str | None],
    change: Callable[[World, str, Mapping[str, str | None]], object],
) -> None:
    _said(change, world, place, fields)


def _said(change: Callable[..., object], *arguments: Any) -> None:
    """Make an edit, and turn what Setup would refuse into a refusal of the API."""
    try:
        change(*arguments)
    except MockOrgError as refused:
        raise Fault("FIELD_INTEGRITY_EXCEPTION", str(refused)) from None


# -- enablements -----------------------------------------------------------------------------------------------------


def _enable(world: World, body: Json) -> str:
    handler = _named(world, _HANDLER, body["OauthTokenExchangeHandlerId"], "OauthTokenExchangeHandlerId")
    connected, client = body.get("ConnectedApplicationId"), body.get("ExternalClientApplicationId")
    if bool(connected) == bool(client):
        text = "Exactly one of ConnectedApplicationId and ExternalClientApplicationId is needed"
        raise Fault("REQUIRED_FIELD_MISSING", text)
    app = (
        _named(world, "ConnectedApp", connected, "ConnectedApplicationId")
        if connected
        else _named(world, "ExternalClientApplication", client, "ExternalClientApplicationId")
    )
    fields = {
        "apexExecutionUser": _username(world, body["ApexExecutionUserId"]),
        "isDefault": _flag("IsDefault", body.get("IsDefault")),
    }
    _edit(world, f"{_HANDLER}/{handler}/enablements/{app}", fields, setup.create)
    found = world.db.execute("SELECT id FROM enablement WHERE handler = ? AND app = ?", (handler, app)).fetchone()
    return str(found["id"])


def _enablement_field(world: World, column: str, value: object) -> tuple[str, str | None]:
    if column == "IsDefault":
        return "isDefault", _flag(column, value)
    if column == "ApexExecutionUserId":
        return "apexExecutionUser", _username(world, value)
    raise _not_writable(column)


def _enabled_at(world: World, record_id: str) -> str:
    found = world.db.execute(
        "SELECT handler, app FROM enablement WHERE substr(id, 1, 15) = ?", (ids.short(record_id),)
    ).fetchone()
    if found is None:
        raise not_found()
    return f"{_HANDLER}/{found['handler']}/enablements/{found['app']}"


# -- handlers --------------------------------------------------------------------------------------------------------


def _new_handler(world: World, body: Json) -> str:
    name = str(body.pop("DeveloperName"))
    fields = {**dict.fromkeys(_SWITCHES.values(), "false"), "developerName": name}
    fields |= {field: value or "" for field, value in (_handler_field(world, *each) for each in body.items())}
    _edit(world, f"{_HANDLER}/{name}", fields, setup.create)
    found = world.component(_HANDLER, name)
    return found.id if found else ""


def _handler_field(world: World, column: str, value: object) -> tuple[str, str | None]:
    if column in _SWITCHES:
        return _SWITCHES[column], _flag(column, value)
    if column in _TEXTS:
        if not isinstance(value, str):
            raise Fault("JSON_PARSER_ERROR", f"Cannot deserialize instance of string from the value of {column}")
        return _TEXTS[column], value
    if column == "TokenHandlerApexId":
        return "tokenHandlerApex", _named(world, "ApexClass", value, column)
    raise _not_writable(column)


def _at(world: World, kind: str, record_id: str) -> str:
    statement = "SELECT name FROM component WHERE kind = ? AND substr(id, 1, 15) = ?"
    found = world.db.execute(statement, (kind, ids.short(record_id))).fetchone()
    if found is None:
        raise not_found()
    return str(found["name"])


# -- assignments -----------------------------------------------------------------------------------------------------


def _assign(world: World, body: Json) -> str:
    name = _named(world, "PermissionSet", body["PermissionSetId"], "PermissionSetId")
    username = _username(world, body["AssigneeId"])
    component, user = world.component("PermissionSet", name), world.user(username)
    if component is None or user is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    if not people.assign(world, user, name):
        text = f"Duplicate PermissionSetAssignment. Assignee: {user.id}; Permission Set: {component.id}"
        raise Fault("DUPLICATE_VALUE", text)
    return assignment(component.id, user.id)


def _unassign(world: World, record_id: str) -> None:
    sets = {each.name: each.id for each in world.components("PermissionSet")}
    for user in people.everybody(world):
        for name in user.permission_sets:
            if name in sets and ids.short(assignment(sets[name], user.id)) == ids.short(record_id):
                people.unassign(world, user, name)
                return
    raise not_found()


# -- values ----------------------------------------------------------------------------------------------------------


def _named(world: World, kind: str, record_id: object, column: str) -> str:
    short = ids.short(record_id)
    if not short:
        raise Fault("MALFORMED_ID", f"{column}: id value of incorrect type: {record_id}")
    statement = "SELECT name FROM component WHERE kind = ? AND substr(id, 1, 15) = ?"
    found = world.db.execute(statement, (kind, short)).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {record_id}")
    return str(found["name"])


def _username(world: World, user_id: object) -> str:
    found = world.db.execute("SELECT username FROM user WHERE substr(id, 1, 15) = ?", (ids.short(user_id),)).fetchone()
    if found is None:
        raise Fault("INVALID_CROSS_REFERENCE_KEY", f"invalid cross reference id: {user_id}")
    return str(found["username"])


def _flag(column: str, value: object) -> str:
    if value is None or value is False or str(value).lower() == "false":
        return "false"
    if value is True or str(value).lower() == "true":
        return "true"
    raise Fault("JSON_PARSER_ERROR", f"Cannot deserialize instance of boolean from the value of {column}")


def _not_writable(column: str) -> Fault:
    text = (
        f"Unable to create/update fields: {column}. Please check the security settings of this field and verify that it"
        " is read/write for your profile or permission set."
    )
    return Fault("INVALID_FIELD_FOR_INSERT_UPDATE", text)
