"""The sObjects that can be queried: columns, and how their rows come out of the org.

Global OAuth settings are not among them: only the Metadata API shows those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from providers.mock.columns import CHANGES, PERMISSIONS, SCOPE_COLUMNS, STAMPS
from providers.mock.metadata import jobs
from providers.mock.record import comma_list, one, texts, true
from providers.mock.state import ids, permissions
from providers.mock.state.world import Component, User, World, timestamp

Row = Mapping[str, Any]
Source = Callable[[World, User], Iterator[Row]]


def _date(text: str | None) -> str | None:
    """Return a moment as sObjects spell it."""
    return text.replace("Z", "+0000") if text else None


def _stamps(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say who made a row and when; `row` has `created_by` and `created_at`."""
    return dict(zip(STAMPS, (row["created_by"], _date(row["created_at"])), strict=True))


def _of(found: Component) -> dict[str, Any]:
    changes = dict(zip(CHANGES, (found.modified_by, _date(found.modified_at)), strict=True))
    return {"CreatedById": found.created_by, "CreatedDate": _date(found.created_at), **changes}


def _organization(world: World, _: User) -> Iterator[Row]:
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


def _holders(world: World, kind: str) -> dict[str, tuple[str, str, frozenset[str]]]:
    """Return id, label and permissions of profiles or permission sets: by label for profiles, by name for sets."""
    labels = {
        row["name"]: row["label"]
        for row in world.db.execute("SELECT name, label FROM component WHERE kind = ?", (kind,))
    }
    found = {}
    for each in world.components(kind):
        label = labels[each.name] or each.name
        found[label if kind == "Profile" else each.name] = (each.id, label, permissions.granted(each))
    return found


def _user(world: World, _: User) -> Iterator[Row]:
    profiles = _holders(world, "Profile")
    for row in world.db.execute("SELECT * FROM user ORDER BY created_at, id"):
        first, _, last = row["name"].rpartition(" ")
        yield {
            "Id": row["id"],
            "Username": row["username"],
            "Name": row["name"],
            "FirstName": first or None,
            "LastName": last,
            "Email": row["email"],
            "FederationIdentifier": row["federation_identifier"],
            "IsActive": bool(row["active"]),
            "UserType": "Standard",
            "ProfileId": profiles[row["profile"]][0] if row["profile"] in profiles else None,
            "CreatedDate": _date(row["created_at"]),
        }


def _flags(granted: frozenset[str]) -> dict[str, bool]:
    return {f"Permissions{name}": name in granted for name in PERMISSIONS}


def _profile(world: World, _: User) -> Iterator[Row]:
    for name, (record, _label, granted) in _holders(world, "Profile").items():
        yield {"Id": record, "Name": world.profile_name(name), **_flags(granted)}


def _permission_set(world: World, _: User) -> Iterator[Row]:
    """Yield the rows of PermissionSet: all permission sets, and one for each profile, which holds its permissions."""
    for name, (record, label, granted) in _holders(world, "PermissionSet").items():
        namespace = name.partition("__")[0] if "__" in name else None
        yield {
            "Id": record,
            "Name": name.partition("__")[2] if namespace else name,
            "Label": label,
            "NamespacePrefix": namespace,
            "IsOwnedByProfile": False,
            "ProfileId": None,
            **_flags(granted),
        }
    for name, (record, _label, granted) in _holders(world, "Profile").items():
        yield {
            "Id": owned_set(record),
            # Salesforce's own name of such a row is X and an id.
            "Name": f"X{record[:15]}",
            "Label": world.profile_name(name),
            "NamespacePrefix": None,
            "IsOwnedByProfile": True,
            "ProfileId": record,
            **_flags(granted),
        }


def owned_set(profile: str) -> str:
    """Return the id of the permission set that a profile owns."""
    return f"0PS{profile[3:15]}"


def _assignment(world: World, _: User) -> Iterator[Row]:
    sets = _holders(world, "PermissionSet")
    for row in world.db.execute("SELECT * FROM user ORDER BY created_at, id"):
        for name in filter(None, row["permission_sets"].split(",")):
            if name in sets:
                record = sets[name][0]
                yield {"Id": assignment(record, row["id"]), "AssigneeId": row["id"], "PermissionSetId": record}


def assignment(permission_set: str, user: str) -> str:
    """Return the id of the PermissionSetAssignment row that gives `permission_set` to `user`."""
    short = f"0Pa{permission_set[9:15]}{user[9:15]}"
    return short + ids.checksum(short)


def _access_of_user(world: World, user: User) -> Iterator[Row]:
    """Yield the row of UserPermissionAccess: what the asking user may do, readable even without "View Setup".

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userpermissionaccess.htm
    """
    held = permissions.held(world, user)
    yield {"Id": "000000000000000AAA", "LastCacheUpdate": _date(world.now), **_flags(held)}


def _connected(world: World, _: User) -> Iterator[Row]:
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
            **_of(found),
        }


def _named(found: Component, body: Any, label: str = "label") -> dict[str, Any]:
    return {"Id": found.id, "DeveloperName": found.name, "MasterLabel": one(body, label) or found.name}


def _client(world: World, _: User) -> Iterator[Row]:
    for found in world.components("ExternalClientApplication"):
        body = found.values()
        yield {
            **_named(found, body),
            "Description": one(body, "description"),
            "ContactEmail": one(body, "contactEmail"),
            "DistributionState": one(body, "distributionState"),
            "NamespacePrefix": found.name.partition("__")[0] if "__" in found.name else None,
            **_of(found),
        }


def _owned(world: World, kind: str) -> Iterator[tuple[Component, Any, dict[str, Any]]]:
    apps = {found.name.lower(): found.id for found in world.components("ExternalClientApplication")}
    for found in world.components(kind):
        body = found.values()
        app = {"ExternalClientApplicationId": apps.get((found.owner or "").lower())}
        yield found, body, {**_named(found, body), **app, **_of(found)}


def _oauth_settings(world: World, _: User) -> Iterator[Row]:
    for _found, body, row in _owned(world, "ExtlClntAppOauthSettings"):
        scopes = comma_list(one(body, "commaSeparatedOauthScopes"))
        flags = {column: scope in scopes for scope, column in SCOPE_COLUMNS.items()}
        rest = {
            "SingleLogoutUrl": one(body, "singleLogoutUrl"),
            "ClientAssertionCertificate": one(body, "clientAssertionCertificate"),
        }
        yield {**row, **flags, **rest}


def _oauth_policy(world: World, _: User) -> Iterator[Row]:
    for _found, body, row in _owned(world, "ExtlClntAppOauthConfigurablePolicies"):
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


def _policy(world: World, _: User) -> Iterator[Row]:
    for _found, body, row in _owned(world, "ExtlClntAppConfigurablePolicies"):
        yield {**row, "IsEnabled": true(body, "isEnabled"), "IsOauthPluginEnabled": true(body, "isOauthPluginEnabled")}


def _handler(world: World, _: User) -> Iterator[Row]:
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
            **_of(found),
        }


def _enablement(world: World, _: User) -> Iterator[Row]:
    users = {row["username"].lower(): row["id"] for row in world.db.execute("SELECT id, username FROM user")}
    kinds = ("ConnectedApp", "ExternalClientApplication", "OauthTokenExchangeHandler")
    ids = {(kind, found.name.lower()): found.id for kind in kinds for found in world.components(kind)}
    for row in world.db.execute("SELECT * FROM enablement ORDER BY handler, target, app").fetchall():
        app = ids.get((row["target"], row["app"].lower()))
        connected = row["target"] == "ConnectedApp"
        yield {
            "Id": row["id"],
            "OauthTokenExchangeHandlerId": ids.get(("OauthTokenExchangeHandler", row["handler"].lower())),
            "ConnectedApplicationId": app if connected else None,
            "ExternalClientApplicationId": None if connected else app,
            "ApexExecutionUserId": users.get(row["run_as"].lower()),
            "IsDefault": bool(row["is_default"]),
            **_stamps(row),
            "LastModifiedById": row["modified_by"],
            "LastModifiedDate": _date(row["modified_at"]),
        }


def _access(world: World, _: User) -> Iterator[Row]:
    """Yield the rows of SetupEntityAccess: one for each permission set or profile that an app names."""
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


def _audit(world: World, _: User) -> Iterator[Row]:
    for row in world.db.execute("SELECT * FROM audit ORDER BY number DESC"):
        yield {
            "Id": row["id"],
            "Action": row["action"],
            "Section": row["section"],
            "Display": row["display"],
            "DelegateUser": row["delegate_user"],
            "CreatedByContext": None,
            "ResponsibleNamespacePrefix": None,
            **_stamps(row),
        }


def _deploy_request(world: World, _: User) -> Iterator[Row]:
    """Yield the rows of DeployRequest. Fields:
    https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_deployrequest.htm"""
    for row in world.db.execute("SELECT * FROM job WHERE what = 'deploy' ORDER BY number").fetchall():
        result = jobs.deploy_result(world.db, row, details=False)
        counts = (
            "ComponentErrors",
            "ComponentsDeployed",
            "ComponentsTotal",
            "TestErrors",
            "TestsCompleted",
            "TestsTotal",
        )
        yield {
            "Id": row["id"],
            "Status": row["status"],
            "StateDetail": None,
            "ChangeSetName": None,
            "StartDate": _date(row["started_at"]),
            "CompletedDate": _date(row["completed_at"]),
            "CheckOnly": result["checkOnly"],
            "CanceledById": result["canceledBy"],
            "ErrorMessage": result["errorMessage"],
            "ErrorStatusCode": result["errorStatusCode"],
            "IgnoreWarnings": result["ignoreWarnings"],
            "RollbackOnError": result["rollbackOnError"],
            "RunTestsEnabled": result["runTestsEnabled"],
            **{f"Number{each}": result[f"number{each}"] for each in counts},
            "CreatedById": row["user"],
            "CreatedDate": _date(row["created_at"]),
            "LastModifiedDate": _date(result["lastModifiedDate"]),
        }


def _menu_item(app: str) -> str:
    short = f"0DS{app[3:15]}"
    return short + ids.checksum(short)


def _menu(world: World, _: User) -> Iterator[Row]:
    for place, found in enumerate(world.components("ConnectedApp"), 1):
        body = found.values()
        yield {
            "Id": _menu_item(found.id),
            "Name": found.name,
            "Label": one(body, "label"),
            "Type": "ConnectedApplication",
            "ApplicationId": found.id,
            "SortOrder": place,
            "IsUsingAdminAuthorization": true(body, "oauthConfig", "isAdminApproved"),
        }


def _apex(world: World, _: User) -> Iterator[Row]:
    for found in world.components("ApexClass"):
        body = found.values()
        yield {
            "Id": found.id,
            "Name": found.name,
            "Body": (found.content or b"").decode("utf-8", "replace"),
            "ApiVersion": float(one(body, "apiVersion") or 0),
            "Status": one(body, "status"),
            "NamespacePrefix": None,
            **_of(found),
        }


def _tokens(world: World, user: User) -> Iterator[Row]:
    """Yield the rows of OauthToken, refresh tokens that are good: all for "Customize Application", else the user's own.

    https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_oauthtoken.htm
    The org keeps digests only, so the columns that hold tokens are empty.
    """
    everybody = "CustomizeApplication" in permissions.held(world, user)
    labels = {
        (kind, found.name): one(found.values(), "label") or found.name
        for kind in ("ConnectedApp", "ExternalClientApplication")
        for found in world.components(kind)
    }
    statement = "SELECT * FROM oauth_token WHERE what = 'refresh' AND NOT replaced ORDER BY issued_at, digest"
    for row in world.db.execute(statement).fetchall():
        if everybody or row["user"] == user.id:
            yield {
                "Id": None,
                "AccessToken": None,
                "AppMenuItemId": _menu_item(row["app_id"]) if row["app_kind"] == "ConnectedApp" else None,
                "AppName": labels.get((row["app_kind"], row["app_name"]), row["app_name"]),
                "CreatedDate": _date(timestamp(row["issued_at"])),
                "DeleteToken": None,
                "LastUsedDate": _date(timestamp(row["used_at"])),
                "RequestToken": None,
                "UseCount": None,
                "UserId": row["user"],
            }


_SOURCES: Mapping[str, Source] = {
    "ApexClass": _apex,
    "AppMenuItem": _menu,
    "ConnectedApplication": _connected,
    "DeployRequest": _deploy_request,
    "ExternalClientApplication": _client,
    "ExtlClntAppOauthPlcyCnfg": _oauth_policy,
    "ExtlClntAppOauthSettings": _oauth_settings,
    "ExtlClntAppPlcyCnfg": _policy,
    "OauthToken": _tokens,
    "OauthTokenExchHandlerApp": _enablement,
    "OauthTokenExchangeHandler": _handler,
    "Organization": _organization,
    "PermissionSet": _permission_set,
    "PermissionSetAssignment": _assignment,
    "Profile": _profile,
    "SetupAuditTrail": _audit,
    "SetupEntityAccess": _access,
    "User": _user,
    "UserPermissionAccess": _access_of_user,
}

MOST_ROWS, ROWS_A_PAGE = {"OauthToken": 2_500}, {"OauthToken": 500}
"""Of some objects a query gives fewer rows than there are; COUNT() tells them all (Object Reference, OauthToken)."""

# Who may ask for what: the Object Reference's "Special Access Rules" of PermissionSet and PermissionSetAssignment ("View
# Setup and Configuration") and the Tooling API's of DeployRequest ("Modify Metadata Through Metadata API Functions" or
# "Modify All Data"). Of SetupAuditTrail the reference says nothing; Setup shows it to those who may view Setup.
_NEEDS: Mapping[str, Callable[[World, User], bool]] = {
    "DeployRequest": permissions.may_administer,
    "PermissionSet": permissions.may_view_setup,
    "PermissionSetAssignment": permissions.may_view_setup,
    "SetupAuditTrail": permissions.may_view_setup,
}


def shown(world: World, user: User, table: str) -> bool:
    """Whether `user` can query `table`. An object that a user may not see does not exist for the query API."""
    may = _NEEDS.get(table)
    return table not in world.switches.unreadable_objects and (may is None or may(world, user))


def rows(world: World, table: str, user: User) -> Iterator[Row]:
    """Yield the rows of `table` as `user` sees them."""
    return _SOURCES[table](world, user)
