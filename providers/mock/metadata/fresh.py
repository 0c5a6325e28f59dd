"""Fills a fresh org: a believable small company, a few years old, with an app that no file declares."""

from __future__ import annotations

import secrets
import sqlite3
import time

from providers.mock.metadata.landing import Arrival, land
from providers.mock.record import Body
from providers.mock.state import ids, store
from providers.mock.state.switches import Switches
from providers.mock.state.world import TAKEN_ELSEWHERE, Landing, World, timestamp

_DAY = 86_400_000
_PROFILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Admin",
        "System Administrator",
        (
            "ApiEnabled",
            "AuthorApex",
            "CustomizeApplication",
            "ExternalClientAppDeveloper",
            "ManageProfilesPermissionsets",
            "ManageUsers",
            "ModifyAllData",
            "ModifyMetadata",
            "ViewAllData",
            "ViewClientSecret",
            "ViewSetup",
        ),
    ),
    ("Standard", "Standard User", ("ApiEnabled",)),
    ("Minimum Access - Salesforce", "Minimum Access - Salesforce", ()),
    ("Minimum Access - API Only Integrations", "Minimum Access - API Only Integrations", ("ApiEnabled", "ApiUserOnly")),
)
API_ONLY_PROFILES = frozenset(label for _, label, permissions in _PROFILES if "ApiUserOnly" in permissions)
_PERMISSION_SETS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Identity_Deployer", "Identity Deployer", ("ApiEnabled", "CustomizeApplication", "ModifyMetadata")),
    ("Order_Portal_User", "Order Portal User", ()),
    ("Partner_Portal_User", "Partner Portal User", ()),
    ("Reporting_API", "Reporting API", ("ApiEnabled",)),
)
_USERS: tuple[tuple[str, str, str, bool, bool, str], ...] = (
    ("admin@acme.example", "Ada Admin", "System Administrator", True, False, ""),
    ("dana@acme.example", "Dana Reyes", "System Administrator", True, False, ""),
    ("eli@acme.example", "Eli Novak", "Standard User", True, False, "Order_Portal_User,Partner_Portal_User"),
    (
        "integration@acme.example",
        "Integration User",
        "Minimum Access - API Only Integrations",
        True,
        True,
        "Identity_Deployer,Reporting_API",
    ),
    ("former@acme.example", "Fay Former", "System Administrator", False, False, ""),
)
ADMIN = _USERS[0][0]
# Whom the partners' identity provider knows, and under which name.
_FEDERATED = {"dana@acme.example": "dana.reyes", "eli@acme.example": "eli.novak"}


def fill(db: sqlite3.Connection, switches: Switches) -> None:
    """Create the tables and fill in the example company; random values are drawn now, so no two orgs share a key."""
    store.create(db)
    start = time.time_ns() // 1_000_000 - 900 * _DAY
    meta = {
        "org_id": ids.org_id(),
        "name": "Acme",
        "instance": "MOCK1",
        "is_sandbox": "false",
        "organization_type": "Developer Edition",
        "admin": ADMIN,
        "pod": ids.pod(),
        "token_key": secrets.token_hex(32),
        "number": "0",
        "clock": str(start),
        "switches": Switches(allow_connected_app_creation=True).dump(),
    }
    db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    db.executemany("INSERT INTO consumer_key VALUES (?, NULL)", [(key,) for key in TAKEN_ELSEWHERE])
    world = World(db)
    for username, name, profile, active, api_only, sets in _USERS:
        add_user(
            world,
            username,
            name,
            profile=profile,
            active=active,
            api_only=api_only,
            permission_sets=sets,
            created=timestamp(start),
            federation_identifier=_FEDERATED.get(username),
        )
    for day, username in ((0, ADMIN), (30, ADMIN), (860, "dana@acme.example")):
        found = world.user(username)
        world.user_id, world.now = (found.id if found else ""), timestamp(start + day * _DAY)
        _furnish(world, day)
    world.save_meta()
    db.execute("UPDATE meta SET value = ? WHERE key = 'switches'", (switches.dump(),))
    db.execute("DELETE FROM audit")


def _furnish(world: World, day: int) -> None:
    if day == 0:
        for name, label, permissions in _PROFILES:
            add_profile(world, name, label, permissions)
        for name, label, permissions in _PERMISSION_SETS:
            add_permission_set(world, name, label, permissions)
        settings = {
            "OauthOidcSettings": "OauthOidc",
            "ExternalClientAppSettings": "ExternalClientApp",
            "ConnectedAppSettings": "ConnectedApp",
        }
        land(world, [Arrival(kind, name, {}) for kind, name in settings.items()])
        land(world, [Arrival("Certificate", "Partner_Asset_Signing", _certificate(), b"")])
    elif day == 30:
        land(
            world,
            [Arrival("ConnectedApp", "Legacy_ERP", _legacy()), Arrival("ConnectedApp", "Partner_Portal", _partner())],
        )
    else:
        land(world, _dashboard())


def add_user(
    world: World,
    username: str,
    name: str,
    *,
    profile: str,
    active: bool,
    api_only: bool,
    permission_sets: str,
    created: str,
    email: str = "",
    federation_identifier: str | None = None,
) -> None:
    row = (world.new_id("005"), username, name, profile, active, api_only, permission_sets, created)
    world.db.execute(
        "INSERT INTO user (id, username, name, profile, active, api_only, permission_sets, created_at, email,"
        " federation_identifier) VALUES (?,?,?,?,?,?,?,?,?,?)",
        (*row, email or username, federation_identifier),
    )


def _permissions(names: tuple[str, ...]) -> list[str | Body]:
    return [{"enabled": ["true"], "name": [name]} for name in sorted(names)]


def add_profile(world: World, name: str, label: str, permissions: tuple[str, ...] = ()) -> None:
    body: Body = {"custom": ["false" if name in {"Admin", "Standard"} else "true"], "userLicense": ["Salesforce"]}
    if permissions:
        body["userPermissions"] = _permissions(permissions)
    _labelled(world, "Profile", name, label, body)


def add_permission_set(world: World, name: str, label: str, permissions: tuple[str, ...] = ()) -> None:
    body: Body = {"hasActivationRequired": ["false"], "label": [label]}
    if permissions:
        body["userPermissions"] = _permissions(permissions)
    _labelled(world, "PermissionSet", name, label, body)


def _labelled(world: World, kind: str, name: str, label: str, body: Body) -> None:
    before = world.component(kind, name)
    world.save(Landing(kind, name, body, before=before, old=before.values() if before else None))
    world.db.execute("UPDATE component SET label = ? WHERE kind = ? AND name = ?", (label, kind, name))


def _certificate() -> Body:
    """Return a self-signed certificate, as Setup makes one. Its private key is thrown away: no client ever needs it."""
    return {
        "caSigned": ["false"],
        "keySize": ["2048"],
        "masterLabel": ["Partner Asset Signing"],
        "privateKeyExportable": ["false"],
    }


def _legacy() -> Body:
    """An app from before Spring '21, when refreshing a token needed no secret."""
    return {
        "contactEmail": ["it@acme.example"],
        "description": ["Nightly order export of the old ERP"],
        "label": ["Legacy ERP"],
        "oauthConfig": [
            {
                "callbackUrl": ["https://erp.acme.example/oauth/callback"],
                "isSecretRequiredForRefreshToken": ["false"],
                "scopes": ["Api", "RefreshToken"],
            }
        ],
        "oauthPolicy": [{"ipRelaxation": ["BYPASS"], "refreshTokenPolicy": ["infinite"]}],
    }


def _partner() -> Body:
    return {
        "contactEmail": ["partners@acme.example"],
        "label": ["Partner Portal"],
        "oauthConfig": [
            {
                "callbackUrl": ["https://partners.acme.example/callback"],
                "scopes": ["Api", "OpenID", "RefreshToken"],
            }
        ],
        "oauthPolicy": [{"ipRelaxation": ["ENFORCE"], "refreshTokenPolicy": ["specific_inactivity:30:DAYS"]}],
    }


def _dashboard() -> list[Arrival]:
    """An app that was made in Setup, so that its records are named as Setup names them."""
    app = "Marketing_Dashboard"
    owner: Body = {"externalClientApplication": [app]}
    application: Body = {
        "contactEmail": ["marketing@acme.example"],
        "description": ["Campaign figures on the office wall"],
        "distributionState": ["Local"],
        "label": ["Marketing Dashboard"],
    }
    oauth: Body = {**owner, "commaSeparatedOauthScopes": ["Api, RefreshToken"], "label": [f"{app}_oauth"]}
    global_oauth: Body = {
        **owner,
        "callbackUrl": ["https://dashboard.acme.example/callback"],
        "label": [f"{app}_glbloauth"],
    }
    return [
        Arrival("ExternalClientApplication", app, application),
        Arrival("ExtlClntAppOauthSettings", f"{app}_oauth", oauth),
        Arrival("ExtlClntAppGlobalOauthSettings", f"{app}_glbloauth", global_oauth),
        Arrival("ExtlClntAppOauthConfigurablePolicies", f"{app}_oauthPlcy", {**owner, "label": [f"{app}_oauthPlcy"]}),
        Arrival(
            "ExtlClntAppConfigurablePolicies", f"{app}_plcy", {**owner, "isEnabled": ["true"], "label": [f"{app}_plcy"]}
        ),
    ]
