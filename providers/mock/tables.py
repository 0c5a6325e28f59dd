"""The sObjects that can be queried: columns, and how their rows come out of the org.

Global OAuth settings are not among them: only the Metadata API shows those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from providers.mock import sessions
from providers.mock.habits.client_app import SCOPES
from providers.mock.record import comma_list, one, parts, texts, true
from providers.mock.world import Component, User, World

Row = Mapping[str, Any]
_STAMPS = ("CreatedById", "CreatedBy.Name", "CreatedBy.Username", "CreatedDate")
_CHANGES = ("LastModifiedById", "LastModifiedBy.Name", "LastModifiedBy.Username", "LastModifiedDate")
_SCOPES = {scope: f"OauthScopes{scope if scope != 'RefreshToken' else 'REFRESH_TOKEN'}" for scope in SCOPES} | {
    "Api": "OauthScopesAPI"
}


def _date(text: str | None) -> str | None:
    """Return a moment as sObjects spell it."""
    return text.replace("Z", "+0000") if text else None


class _People:
    def __init__(self, world: World) -> None:
        rows = world.db.execute("SELECT id, name, username FROM user")
        self._known = {row["id"]: (row["name"], row["username"]) for row in rows}

    def stamps(self, created_by: str, created: str) -> dict[str, Any]:
        name, username = self._known.get(created_by, (None, None))
        return dict(zip(_STAMPS, (created_by, name, username, _date(created)), strict=True))

    def changes(self, modified_by: str, modified: str) -> dict[str, Any]:
        name, username = self._known.get(modified_by, (None, None))
        return dict(zip(_CHANGES, (modified_by, name, username, _date(modified)), strict=True))

    def of(self, found: Component) -> dict[str, Any]:
        return {**self.stamps(found.created_by, found.created_at), **self.changes(found.modified_by, found.modified_at)}


def _organization(world: World) -> Iterator[Row]:
    meta = {row["key"]: row["value"] for row in world.db.execute("SELECT key, value FROM meta")}
    yield {
        "Id": meta["org_id"],
        "Name": meta["name"],
        "InstanceName": meta["instance"],
        "IsSandbox": meta["is_sandbox"] == "true",
        "OrganizationType": meta["organization_type"],
        "NamespacePrefix": None,
        "TrialExpirationDate": None,
        "LanguageLocaleKey": world.switches.profile_locale,
    }


def _permissions(body: Any) -> set[str]:
    return {one(each, "name") or "" for each in parts(body, "userPermissions") if true(each, "enabled")}


def _holders(world: World, kind: str) -> dict[str, tuple[str, str, set[str]]]:
    """Return id, label and permissions of profiles or permission sets: by label for profiles, by name for sets."""
    labels = {
        row["name"]: row["label"]
        for row in world.db.execute("SELECT name, label FROM component WHERE kind = ?", (kind,))
    }
    found = {}
    for each in world.components(kind):
        label = labels[each.name] or each.name
        found[label if kind == "Profile" else each.name] = (each.id, label, _permissions(each.values()))
    return found


def _user(world: World) -> Iterator[Row]:
    profiles = _holders(world, "Profile")
    for row in world.db.execute("SELECT * FROM user ORDER BY created_at, id"):
        profile, _, permissions = profiles.get(row["profile"], (None, None, set()))
        first, _, last = row["name"].rpartition(" ")
        yield {
            "Id": row["id"],
            "Username": row["username"],
            "Name": row["name"],
            "FirstName": first or None,
            "LastName": last,
            "Email": row["username"],
            "IsActive": bool(row["active"]),
            "UserType": "Standard",
            "ProfileId": profile,
            "Profile.Id": profile,
            "Profile.Name": world.profile_name(row["profile"]),
            "Profile.PermissionsApiUserOnly": "ApiUserOnly" in permissions,
            "CreatedDate": _date(row["created_at"]),
        }


def _profile(world: World) -> Iterator[Row]:
    for name, (record, _, permissions) in _holders(world, "Profile").items():
        only = "ApiUserOnly" in permissions
        yield {"Id": record, "Name": world.profile_name(name), "PermissionsApiUserOnly": only}


def _permission_set(world: World) -> Iterator[Row]:
    """All of them, and one for each profile, which is how Salesforce keeps what a profile permits."""
    for name, (record, label, permissions) in _holders(world, "PermissionSet").items():
        namespace = name.partition("__")[0] if "__" in name else None
        yield {
            "Id": record,
            "Name": name.partition("__")[2] if namespace else name,
            "Label": label,
            "NamespacePrefix": namespace,
            "IsOwnedByProfile": False,
            "ProfileId": None,
            "Profile.Name": None,
            "PermissionsApiUserOnly": "ApiUserOnly" in permissions,
        }
    for name, (record, _, permissions) in _holders(world, "Profile").items():
        shown_as = world.profile_name(name)
        yield {
            "Id": f"0PS{record[3:15]}",
            # Salesforce's own name of such a row is X and an id.
            "Name": f"X{record[:15]}",
            "Label": shown_as,
            "NamespacePrefix": None,
            "IsOwnedByProfile": True,
            "ProfileId": record,
            "Profile.Name": shown_as,
            "PermissionsApiUserOnly": "ApiUserOnly" in permissions,
        }


def _assignment(world: World) -> Iterator[Row]:
    sets = _holders(world, "PermissionSet")
    for row in world.db.execute("SELECT * FROM user ORDER BY created_at, id"):
        for name in filter(None, row["permission_sets"].split(",")):
            record, label, permissions = sets.get(name, ("", name, set()))
            yield {
                "Id": f"0Pa{record[3:9]}{row['id'][9:15]}",
                "AssigneeId": row["id"],
                "Assignee.Username": row["username"],
                "Assignee.Name": row["name"],
                "Assignee.IsActive": bool(row["active"]),
                "PermissionSetId": record,
                "PermissionSet.Name": name,
                "PermissionSet.Label": label,
                "PermissionSet.PermissionsApiUserOnly": "ApiUserOnly" in permissions,
            }


def _connected(world: World) -> Iterator[Row]:
    people = _People(world)
    for found in world.components("ConnectedApp"):
        body = found.values()
        refresh = (one(body, "oauthPolicy", "refreshTokenPolicy") or "").split(":")
        yield {
            "Id": found.id,
            # The query API knows an app by its label.
            "Name": one(body, "label"),
            "OptionsAllowAdminApprovedUsersOnly": true(body, "oauthConfig", "isAdminApproved"),
            "OptionsTokenExchangeManageBitEnabled": true(body, "oauthPolicy", "isTokenExchangeFlowEnabled"),
            "RefreshTokenValidityPeriod": int(refresh[1]) if len(refresh) == 3 and refresh[1].isdigit() else None,
            "StartUrl": one(body, "startUrl"),
            **people.of(found),
        }


def _named(found: Component, body: Any, label: str = "label") -> dict[str, Any]:
    return {"Id": found.id, "DeveloperName": found.name, "MasterLabel": one(body, label) or found.name}


def _client(world: World) -> Iterator[Row]:
    people = _People(world)
    for found in world.components("ExternalClientApplication"):
        body = found.values()
        yield {
            **_named(found, body),
            "Description": one(body, "description"),
            "ContactEmail": one(body, "contactEmail"),
            "DistributionState": one(body, "distributionState"),
            "NamespacePrefix": found.name.partition("__")[0] if "__" in found.name else None,
            **people.of(found),
        }


def _owned(world: World, kind: str) -> Iterator[tuple[Component, Any, dict[str, Any]]]:
    people = _People(world)
    apps = {found.name.lower(): found.id for found in world.components("ExternalClientApplication")}
    for found in world.components(kind):
        body = found.values()
        app = {"ExternalClientApplicationId": apps.get((found.owner or "").lower())}
        yield found, body, {**_named(found, body), **app, **people.of(found)}


def _oauth_settings(world: World) -> Iterator[Row]:
    for _, body, row in _owned(world, "ExtlClntAppOauthSettings"):
        scopes = comma_list(one(body, "commaSeparatedOauthScopes"))
        flags = {column: scope in scopes for scope, column in _SCOPES.items()}
        rest = {
            "SingleLogoutUrl": one(body, "singleLogoutUrl"),
            "ClientAssertionCertificate": one(body, "clientAssertionCertificate"),
        }
        yield {**row, **flags, **rest}


def _oauth_policy(world: World) -> Iterator[Row]:
    for _, body, row in _owned(world, "ExtlClntAppOauthConfigurablePolicies"):
        yield {
            **row,
            "PermittedUsersPolicyType": one(body, "permittedUsersPolicyType"),
            "IpRelaxationPolicyType": one(body, "ipRelaxationPolicyType"),
            "RefreshTokenPolicyType": one(body, "refreshTokenPolicyType"),
            "RefreshTokenValidityPeriod": _number(one(body, "refreshTokenValidityPeriod")),
            "RefreshTokenValidityUnit": one(body, "refreshTokenValidityUnit"),
            "RequiredSessionLevel": one(body, "requiredSessionLevel"),
            "SessionTimeoutInMinutes": _number(one(body, "sessionTimeoutInMinutes")),
        }


def _number(text: str | None) -> int | None:
    return int(text) if text and text.lstrip("+-").isdigit() else None


def _policy(world: World) -> Iterator[Row]:
    for _, body, row in _owned(world, "ExtlClntAppConfigurablePolicies"):
        yield {**row, "IsEnabled": true(body, "isEnabled"), "IsOauthPluginEnabled": true(body, "isOauthPluginEnabled")}


def _handler(world: World) -> Iterator[Row]:
    people = _People(world)
    for found in world.components("OauthTokenExchangeHandler"):
        body = found.values()
        apex = world.component("ApexClass", one(body, "tokenHandlerApex") or "")
        tokens = ("AccessToken", "IdToken", "Jwt", "RefreshToken", "Saml2")
        yield {
            **_named(found, body, "masterLabel"),
            "Description": one(body, "description"),
            "IsEnabled": true(body, "isEnabled"),
            "IsUserCreationAllowed": true(body, "isUserCreationAllowed"),
            **{f"SupportedTokenTypes{each}": true(body, f"is{each}Supported") for each in tokens},
            "TokenHandlerApexId": apex.id if apex else None,
            **people.of(found),
        }


def _enablement(world: World) -> Iterator[Row]:
    people = _People(world)
    users = {row["username"].lower(): row["id"] for row in world.db.execute("SELECT id, username FROM user")}
    kinds = ("ConnectedApp", "ExternalClientApplication", "OauthTokenExchangeHandler")
    ids = {(kind, found.name.lower()): found.id for kind in kinds for found in world.components(kind)}
    for row in world.db.execute("SELECT * FROM enablement ORDER BY handler, target, app").fetchall():
        app = ids.get((row["target"], row["app"].lower()))
        connected = row["target"] == "ConnectedApp"
        yield {
            "Id": row["id"],
            "OauthTokenExchangeHandlerId": ids.get(("OauthTokenExchangeHandler", row["handler"].lower())),
            "OauthTokenExchangeHandler.DeveloperName": row["handler"],
            "ConnectedApplicationId": app if connected else None,
            "ExternalClientApplicationId": None if connected else app,
            "ApexExecutionUserId": users.get(row["run_as"].lower()),
            "ApexExecutionUser.Username": row["run_as"],
            "IsDefault": bool(row["is_default"]),
            **people.stamps(row["created_by"], row["created_at"]),
            **people.changes(row["modified_by"], row["modified_at"]),
        }


def _access(world: World) -> Iterator[Row]:
    """Who is pre-authorised: a row for each permission set or profile that an app names."""
    sets, profiles = _holders(world, "PermissionSet"), _holders(world, "Profile")
    for found in world.components("ConnectedApp"):
        body = found.values()
        parents = [sets[n][0] for n in texts(body, "permissionSetName") if n in sets]
        parents += [profiles[n][0] for n in texts(body, "profileName") if n in profiles]
        yield from _accesses(found.id, "ConnectedApplication", parents)
    for policy in world.components("ExtlClntAppOauthConfigurablePolicies"):
        body = policy.values()
        app = world.component("ExternalClientApplication", policy.owner or "")
        parents = [sets[n][0] for n in comma_list(one(body, "commaSeparatedPermissionSet")) if n in sets]
        parents += [profiles[n][0] for n in comma_list(one(body, "commaSeparatedProfile")) if n in profiles]
        if app is not None:
            yield from _accesses(app.id, "ExternalClientApplication", parents)


def _accesses(entity: str, kind: str, parents: list[str]) -> Iterator[Row]:
    for parent in parents:
        record = f"0J0{entity[3:9]}{parent[9:15]}"
        yield {"Id": record, "ParentId": parent, "SetupEntityId": entity, "SetupEntityType": kind}


def _audit(world: World) -> Iterator[Row]:
    people = _People(world)
    for row in world.db.execute("SELECT * FROM audit ORDER BY number DESC"):
        yield {
            "Id": row["id"],
            "Action": row["action"],
            "Section": row["section"],
            "Display": row["display"],
            "DelegateUser": row["delegate_user"],
            "CreatedByContext": None,
            "ResponsibleNamespacePrefix": None,
            **people.stamps(row["created_by"], row["created_at"]),
        }


def _deploy_request(world: World) -> Iterator[Row]:
    people = _People(world)
    for row in world.db.execute("SELECT * FROM job WHERE what = 'deploy' ORDER BY number"):
        yield {
            "Id": row["id"],
            "Status": row["status"],
            "StartDate": _date(row["started_at"]),
            "CompletedDate": _date(row["completed_at"]),
            "CheckOnly": '"checkOnly": true' in row["options"],
            **people.stamps(row["user"], row["created_at"]),
        }


def _apex(world: World) -> Iterator[Row]:
    people = _People(world)
    for found in world.components("ApexClass"):
        body = found.values()
        yield {
            "Id": found.id,
            "Name": found.name,
            "Body": (found.content or b"").decode("utf-8", "replace"),
            "ApiVersion": float(one(body, "apiVersion") or 0),
            "Status": one(body, "status"),
            "NamespacePrefix": None,
            **people.of(found),
        }


_SOURCES: Mapping[str, Callable[[World], Iterator[Row]]] = {
    "ApexClass": _apex,
    "ConnectedApplication": _connected,
    "DeployRequest": _deploy_request,
    "ExternalClientApplication": _client,
    "ExtlClntAppOauthPlcyCnfg": _oauth_policy,
    "ExtlClntAppOauthSettings": _oauth_settings,
    "ExtlClntAppPlcyCnfg": _policy,
    "OauthTokenExchHandlerApp": _enablement,
    "OauthTokenExchangeHandler": _handler,
    "Organization": _organization,
    "PermissionSet": _permission_set,
    "PermissionSetAssignment": _assignment,
    "Profile": _profile,
    "SetupAuditTrail": _audit,
    "SetupEntityAccess": _access,
    "User": _user,
}
_RECORD = ("Id", "DeveloperName", "MasterLabel")
_OWNED = (*_RECORD, "ExternalClientApplicationId", *_STAMPS, *_CHANGES)

TABLES: Mapping[str, tuple[str, ...]] = {
    "ApexClass": ("Id", "Name", "Body", "ApiVersion", "Status", "NamespacePrefix", *_STAMPS, *_CHANGES),
    "ConnectedApplication": (
        "Id", "Name", "OptionsAllowAdminApprovedUsersOnly", "OptionsTokenExchangeManageBitEnabled",
        "RefreshTokenValidityPeriod", "StartUrl", *_STAMPS, *_CHANGES,
    ),
    "DeployRequest": ("Id", "Status", "StartDate", "CompletedDate", "CheckOnly", *_STAMPS),
    "ExternalClientApplication": (
        *_RECORD, "Description", "ContactEmail", "DistributionState", "NamespacePrefix", *_STAMPS, *_CHANGES,
    ),
    "ExtlClntAppOauthPlcyCnfg": (
        *_OWNED, "PermittedUsersPolicyType", "IpRelaxationPolicyType", "RefreshTokenPolicyType",
        "RefreshTokenValidityPeriod", "RefreshTokenValidityUnit", "RequiredSessionLevel", "SessionTimeoutInMinutes",
    ),
    "ExtlClntAppOauthSettings": (*_OWNED, *_SCOPES.values(), "SingleLogoutUrl", "ClientAssertionCertificate"),
    "ExtlClntAppPlcyCnfg": (*_OWNED, "IsEnabled", "IsOauthPluginEnabled"),
    "OauthTokenExchHandlerApp": (
        "Id", "OauthTokenExchangeHandlerId", "OauthTokenExchangeHandler.DeveloperName", "ConnectedApplicationId",
        "ExternalClientApplicationId", "ApexExecutionUserId", "ApexExecutionUser.Username", "IsDefault",
        *_STAMPS, *_CHANGES,
    ),
    "OauthTokenExchangeHandler": (
        *_RECORD, "Description", "IsEnabled", "IsUserCreationAllowed", "SupportedTokenTypesAccessToken",
        "SupportedTokenTypesIdToken", "SupportedTokenTypesJwt", "SupportedTokenTypesRefreshToken",
        "SupportedTokenTypesSaml2", "TokenHandlerApexId", *_STAMPS, *_CHANGES,
    ),
    "Organization": (
        "Id", "Name", "InstanceName", "IsSandbox", "OrganizationType", "NamespacePrefix", "TrialExpirationDate",
        "LanguageLocaleKey",
    ),
    "PermissionSet": (
        "Id", "Name", "Label", "NamespacePrefix", "IsOwnedByProfile", "ProfileId", "Profile.Name",
        "PermissionsApiUserOnly",
    ),
    "PermissionSetAssignment": (
        "Id", "AssigneeId", "Assignee.Username", "Assignee.Name", "Assignee.IsActive", "PermissionSetId",
        "PermissionSet.Name", "PermissionSet.Label", "PermissionSet.PermissionsApiUserOnly",
    ),
    "Profile": ("Id", "Name", "PermissionsApiUserOnly"),
    "SetupAuditTrail": (
        "Id", "Action", "Section", "Display", "DelegateUser", "CreatedByContext", "ResponsibleNamespacePrefix",
        *_STAMPS,
    ),
    "SetupEntityAccess": ("Id", "ParentId", "SetupEntityId", "SetupEntityType"),
    "User": (
        "Id", "Username", "Name", "FirstName", "LastName", "Email", "IsActive", "UserType", "ProfileId", "Profile.Id",
        "Profile.Name", "Profile.PermissionsApiUserOnly", "CreatedDate",
    ),
}  # fmt: skip


# Who may ask for what: the Object Reference's "Special Access Rules" of PermissionSet and PermissionSetAssignment ("View
# Setup and Configuration") and the Tooling API's of DeployRequest ("Modify Metadata Through Metadata API Functions" or
# "Modify All Data"). Of SetupAuditTrail the reference says nothing; Setup shows it to those who may view Setup.
_NEEDS: Mapping[str, Callable[[World, User], bool]] = {
    "DeployRequest": sessions.may_administer,
    "PermissionSet": sessions.may_view_setup,
    "PermissionSetAssignment": sessions.may_view_setup,
    "SetupAuditTrail": sessions.may_view_setup,
}
TOOLING_ONLY = frozenset({"DeployRequest"})
"""What only the Tooling API knows. (Objects that it does not know are not told apart.)"""


def shown(world: World, user: User, table: str) -> bool:
    """Whether *table* is there for *user*. What a user may not see at all does not exist for the query API."""
    may = _NEEDS.get(table)
    return table not in world.switches.unreadable_objects and (may is None or may(world, user))


def rows(world: World, table: str) -> Iterator[Row]:
    return _SOURCES[table](world)
