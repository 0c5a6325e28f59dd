"""Renames a component, and changes its name in all that refers to it.

The guide lets every type that extends Metadata be renamed
(https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_renameMetadata.htm) and does not say what
follows. A real org refers by id, so everything does; here, where records refer by name, that is spelled out.
"""

from __future__ import annotations

import re

from providers.mock.catalog import SATELLITES, Type, namespace
from providers.mock.record import Body, comma_list, comma_text, put, write
from providers.mock.state.errors import Refusal
from providers.mock.state.people import everybody
from providers.mock.state.world import World

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
_POLICY, _HANDLER = "ExtlClntAppOauthConfigurablePolicies", "OauthTokenExchangeHandler"
_SCOPES = "commaSeparatedCustomScopes"
_REFERENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "ConnectedApp": ((_HANDLER, "enablements.connectedApp"), ("OauthCustomScope", "assignedTo.connectedApp")),
    "ExternalClientApplication": (
        (_HANDLER, "enablements.externalClientApp"),
        *((kind, "externalClientApplication") for kind in SATELLITES),
    ),
    "OauthCustomScope": ((_POLICY, _SCOPES), ("ExtlClntAppOauthSettings", _SCOPES)),
    "PermissionSet": (("ConnectedApp", "permissionSetName"), (_POLICY, "commaSeparatedPermissionSet")),
}
"""By renamed type: who refers to it, in which field."""


def rename(world: World, one_of: Type, old: str, new: str) -> None:
    """Rename a component; raises `Refusal` where it is not there, may not be renamed, or the name is taken or wrong."""
    kind, found = one_of.name, world.component(one_of.name, old)
    if found is None:
        raise Refusal(f"In field: fullName - no {kind} named {old} found", "INVALID_CROSS_REFERENCE_KEY")
    if one_of.singleton or namespace(found.name):
        raise Refusal(f"{found.name} cannot be renamed", "INSUFFICIENT_ACCESS_OR_READONLY")
    if not _NAME.fullmatch(new):
        text = (
            "can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, not "
            "include spaces, not end with an underscore, and not contain two consecutive underscores."
        )
        raise Refusal(f"The {kind} API Name {text}", "INVALID_FULL_NAME" if not new else "FIELD_INTEGRITY_EXCEPTION")
    if new.lower() != found.name.lower() and world.has(kind, new):
        raise Refusal(f"The developer name {new} is already in use", "DUPLICATE_DEVELOPER_NAME")
    body = found.values()
    if "developerName" in body:
        put(body, "developerName", new)
    if "orgScopedExternalApp" in body:
        put(body, "orgScopedExternalApp", f"{world.org_id[:15]}:{new}")
    world.db.execute(
        "UPDATE component SET name = ?, body = ?, modified_by = ?, modified_at = ? WHERE kind = ? AND name = ?",
        (new, write(kind, body), world.user_id, world.now, kind, found.name),
    )
    for holder, field in _REFERENCES.get(kind, ()):
        _follow(world, holder, field, found.name, new)
    _follow_rows(world, kind, found.name, new)
    world.audit(f"renamed{kind}", kind, f"Renamed {kind} {found.name} to {new}")


def _follow(world: World, kind: str, field: str, old: str, new: str) -> None:
    for holder in list(world.components(kind)):
        body = holder.values()
        if _replaced(body, field.split("."), old, new):
            world.db.execute(
                "UPDATE component SET body = ? WHERE kind = ? AND name = ?", (write(kind, body), kind, holder.name)
            )


def _replaced(body: Body, path: list[str], old: str, new: str) -> bool:
    name, changed = path[0], False
    for place, value in enumerate(body.get(name, [])):
        if isinstance(value, dict):
            changed |= _replaced(value, path[1:], old, new)
        elif name.startswith("commaSeparated"):
            names = comma_list(value)
            renamed = [new if each.lower() == old.lower() else each for each in names]
            if renamed != names:
                body[name][place], changed = comma_text(renamed), True
        elif value.lower() == old.lower():
            body[name][place], changed = new, True
    return changed


def _follow_rows(world: World, kind: str, old: str, new: str) -> None:
    """Change the name in tables beside the components' own: owners, enablements, keys, tokens, assignments."""
    for table in ("consumer_key", "staged_credential"):
        world.db.execute(
            f"UPDATE {table} SET component = ? WHERE component = ? COLLATE NOCASE",  # noqa: S608
            (f"{kind}/{new}", f"{kind}/{old}"),
        )
    world.db.execute("UPDATE oauth_token SET app_name = ? WHERE app_kind = ? AND app_name = ?", (new, kind, old))
    if kind in {"ConnectedApp", "ExternalClientApplication"}:
        world.db.execute("UPDATE enablement SET app = ? WHERE target = ? AND app = ?", (new, kind, old))
    if kind == "ExternalClientApplication":
        world.db.execute("UPDATE component SET owner = ? WHERE owner = ?", (new, old))
    if kind == _HANDLER:
        world.db.execute("UPDATE enablement SET handler = ? WHERE handler = ?", (new, old))
    if kind == "PermissionSet":
        for user in everybody(world):
            names = [new if name == old else name for name in user.permission_sets]
            world.db.execute("UPDATE user SET permission_sets = ? WHERE id = ?", (",".join(names), user.id))
