"""The sObjects that can be queried and their columns: names, types, what refers to what."""

from __future__ import annotations

from collections.abc import Mapping

from providers.mock.catalog import SCOPES

PERMISSIONS = (
    "ApiEnabled",
    "ApiUserOnly",
    "AuthorApex",
    "CustomizeApplication",
    "ExternalClientAppAdmin",
    "ExternalClientAppDeveloper",
    "ExternalClientAppViewer",
    "ManageProfilesPermissionsets",
    "ManageUsers",
    "ModifyAllData",
    "ModifyMetadata",
    "ViewAllData",
    "ViewClientSecret",
    "ViewSetup",
)
"""Those that mean something here. PermissionSet and UserPermissionAccess have a column for each, called Permissions…
(https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm)."""

STAMPS = ("CreatedById", "CreatedDate")
CHANGES = ("LastModifiedById", "LastModifiedDate")
SCOPE_COLUMNS = {scope: f"OauthScopes{scope if scope != 'RefreshToken' else 'REFRESH_TOKEN'}" for scope in SCOPES} | {
    "Api": "OauthScopesAPI"
}
RECORD = ("Id", "DeveloperName", "MasterLabel")
OWNED = (*RECORD, "ExternalClientApplicationId", *STAMPS, *CHANGES)
PERMITTED = tuple(f"Permissions{name}" for name in PERMISSIONS)

TABLES: Mapping[str, tuple[str, ...]] = {
    "ApexClass": ("Id", "Name", "Body", "ApiVersion", "Status", "NamespacePrefix", *STAMPS, *CHANGES),
    "AppMenuItem": ("Id", "Name", "Label", "Type", "ApplicationId", "SortOrder", "IsUsingAdminAuthorization"),
    "ConnectedApplication": (
        "Id", "Name", "OptionsAllowAdminApprovedUsersOnly", "OptionsTokenExchangeManageBitEnabled",
        "RefreshTokenValidityPeriod", "StartUrl", *STAMPS, *CHANGES,
    ),
    "DeployRequest": (
        "Id", "Status", "StateDetail", "ChangeSetName", "StartDate", "CompletedDate", "CheckOnly", "CanceledById",
        "ErrorMessage", "ErrorStatusCode", "IgnoreWarnings", "RollbackOnError", "RunTestsEnabled",
        "NumberComponentErrors", "NumberComponentsDeployed", "NumberComponentsTotal", "NumberTestErrors",
        "NumberTestsCompleted", "NumberTestsTotal", *STAMPS, "LastModifiedDate",
    ),
    "ExternalClientApplication": (
        *RECORD, "Description", "ContactEmail", "DistributionState", "NamespacePrefix", *STAMPS, *CHANGES,
    ),
    "ExtlClntAppOauthPlcyCnfg": (
        *OWNED, "PermittedUsersPolicyType", "IpRelaxationPolicyType", "RefreshTokenPolicyType",
        "RefreshTokenValidityPeriod", "RefreshTokenValidityUnit", "RequiredSessionLevel", "SessionTimeoutInMinutes",
    ),
    "ExtlClntAppOauthSettings": (*OWNED, *SCOPE_COLUMNS.values(), "SingleLogoutUrl", "ClientAssertionCertificate"),
    "ExtlClntAppPlcyCnfg": (*OWNED, "IsEnabled", "IsOauthPluginEnabled"),
    "OauthToken": (
        "Id", "AccessToken", "AppMenuItemId", "AppName", "CreatedDate", "DeleteToken", "LastUsedDate", "RequestToken",
        "UseCount", "UserId",
    ),
    "OauthTokenExchHandlerApp": (
        "Id", "OauthTokenExchangeHandlerId", "ConnectedApplicationId", "ExternalClientApplicationId",
        "ApexExecutionUserId", "IsDefault", *STAMPS, *CHANGES,
    ),
    "OauthTokenExchangeHandler": (
        *RECORD, "Description", "IsEnabled", "IsUserCreationAllowed", "SupportedTokenTypesAccessToken",
        "SupportedTokenTypesIdToken", "SupportedTokenTypesJwt", "SupportedTokenTypesRefreshToken",
        "SupportedTokenTypesSaml2", "TokenHandlerApexId", *STAMPS, *CHANGES,
    ),
    "Organization": (
        "Id", "Name", "InstanceName", "IsSandbox", "OrganizationType", "NamespacePrefix", "TrialExpirationDate",
        "LanguageLocaleKey",
    ),
    "PermissionSet": ("Id", "Name", "Label", "NamespacePrefix", "IsOwnedByProfile", "ProfileId", *PERMITTED),
    "PermissionSetAssignment": ("Id", "AssigneeId", "PermissionSetId"),
    "Profile": ("Id", "Name", *PERMITTED),
    "SetupAuditTrail": (
        "Id", "Action", "Section", "Display", "DelegateUser", "CreatedByContext", "ResponsibleNamespacePrefix",
        *STAMPS,
    ),
    "SetupEntityAccess": ("Id", "ParentId", "SetupEntityId", "SetupEntityType"),
    "User": (
        "Id", "Username", "Name", "FirstName", "LastName", "Email", "FederationIdentifier", "IsActive", "UserType", "ProfileId",
        "CreatedDate",
    ),
    "UserPermissionAccess": ("Id", "LastCacheUpdate", *PERMITTED),
}  # fmt: skip

TARGETS = {
    "ApexExecutionUser": "User",
    "AppMenuItem": "AppMenuItem",
    "Assignee": "User",
    "CanceledBy": "User",
    "ConnectedApplication": "ConnectedApplication",
    "CreatedBy": "User",
    "ExternalClientApplication": "ExternalClientApplication",
    "LastModifiedBy": "User",
    "OauthTokenExchangeHandler": "OauthTokenExchangeHandler",
    "Parent": "PermissionSet",
    "PermissionSet": "PermissionSet",
    "Profile": "Profile",
    "TokenHandlerApex": "ApexClass",
    "User": "User",
}
"""Relationships by name: the column is the name and "Id"."""
NOT_FILTERABLE: Mapping[str, tuple[str, ...]] = {"ApexClass": ("Body",), "SetupAuditTrail": ("Display", "Section")}
TOOLING_ONLY = frozenset({"DeployRequest"})
"""What only the Tooling API knows."""
HIDDEN_FROM_TOOLING = frozenset(name for name in TABLES if name.startswith(("ExternalClientApp", "ExtlClntApp")))
"""What the Tooling API does not know: field reports of INVALID_TYPE for external client apps and what belongs to them."""


def relation(table: str, name: str) -> tuple[str, str, str] | None:
    """Return a relationship's exact spelling, its column and its target object; None if `table` has none so named."""
    for known, target in TARGETS.items():
        if known.lower() == name.lower() and f"{known}Id" in TABLES[table]:
            return known, f"{known}Id", target
    return None


def type_of(table: str, column: str) -> str:
    """Return what describe calls the type of a column."""
    if column == "Id":
        return "id"
    if column.startswith(("Is", "Options", "Permissions", "SupportedTokenTypes", "OauthScopes")) or column in FLAGS:
        return "boolean"
    if column.endswith("Id"):
        return "reference"
    if column.endswith("Date") or column == "LastCacheUpdate":
        return "dateTime"
    if (
        column.startswith("Number")
        or column.endswith(("ValidityPeriod", "InMinutes"))
        or column in {"SortOrder", "UseCount"}
    ):
        return "int"
    return "double" if column == "ApiVersion" else "string"


FLAGS = frozenset({"CheckOnly", "IgnoreWarnings", "RollbackOnError", "RunTestsEnabled"})
