"""The metadata types of the mock org: folder, suffix, id prefix, first API version.

Folders, suffixes and versions: `@salesforce/source-deploy-retrieve` 12.37.2, metadataRegistry.json. Id prefixes are
those of real orgs where one is known from a public file (00D, 005, 00e, 0PS, 01p, 0H4, 888, 0Af, 09S), else ours:
nothing depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass

NEWEST, OLDEST_OFFERED, OLDEST_ACCEPTED = 66, 60, 31
"""API versions: `GET /services/data` lists 60 to 66; clients also pin old ones (the Salesforce CLI 51, others 59)."""

# No source says in which version T19's additions began, only that v63 lacks them: switch `after_63_since` moves this.
AFTER_63 = 64


@dataclass(frozen=True, slots=True)
class Type:
    """One metadata type; in a deployment, types of lower `rank` are written first, so that auto-created records fit."""

    name: str
    folder: str
    suffix: str
    prefix: str
    rank: int
    since: int = 0
    satellite: bool = False
    singleton: str = ""
    with_content: bool = False

    @property
    def manifest_name(self) -> str:
        """The name of the type in package.xml: the three settings types share the name `Settings`."""
        return "Settings" if self.singleton else self.name

    def path(self, name: str) -> str:
        return f"{self.folder}/{name}.{self.suffix}"


TYPES: tuple[Type, ...] = (
    Type("OauthOidcSettings", "settings", "settings", "0OO", 0, 56, singleton="OauthOidc"),
    Type("ExternalClientAppSettings", "settings", "settings", "0OE", 0, 58, singleton="ExternalClientApp"),
    Type("ConnectedAppSettings", "settings", "settings", "0OC", 0, 47, singleton="ConnectedApp"),
    Type("Certificate", "certs", "crt", "0P1", 1, with_content=True),
    Type("ApexClass", "classes", "cls", "01p", 1, with_content=True),
    Type("PermissionSet", "permissionsets", "permissionset", "0PS", 1),
    Type("Profile", "profiles", "profile", "00e", 1),
    Type("OauthCustomScope", "oauthcustomscopes", "oauthcustomscope", "0OS", 2, 46),
    Type("ConnectedApp", "connectedApps", "connectedApp", "0H4", 3, 29),
    Type("ExternalClientApplication", "externalClientApps", "eca", "0xI", 3, 59),
    Type("ExtlClntAppOauthSettings", "extlClntAppOauthSettings", "ecaOauth", "0xJ", 4, 59, satellite=True),
    Type("ExtlClntAppGlobalOauthSettings", "extlClntAppGlobalOauthSets", "ecaGlblOauth", "0xK", 5, 59, satellite=True),
    Type(
        "ExtlClntAppOauthConfigurablePolicies", "extlClntAppOauthPolicies", "ecaOauthPlcy", "0xL", 6, 59, satellite=True
    ),
    Type("ExtlClntAppConfigurablePolicies", "extlClntAppPolicies", "ecaPlcy", "0xM", 6, 60, satellite=True),
    Type(
        "ExtlClntAppOauthSecuritySettings",
        "extlClntAppOauthSecuritySettings",
        "ecaOauthSecurity",
        "0xN",
        6,
        AFTER_63,
        satellite=True,
    ),
    Type("OauthTokenExchangeHandler", "oauthtokenexchangehandlers", "oauthtokenexchangehandler", "1NF", 7, 60),
)

BY_NAME = {one.name: one for one in TYPES}
SATELLITES = tuple(one.name for one in TYPES if one.satellite)
_BY_FOLDER = {(one.folder, one.suffix): one for one in TYPES if not one.singleton}
_SETTINGS = {one.singleton: one for one in TYPES if one.singleton}


def of_manifest(name: str, member: str) -> Type | None:
    """Return the type that package.xml means by `name`; for `Settings` the `member` decides."""
    return _SETTINGS.get(member) if name == "Settings" else None if name in _HIDDEN else BY_NAME.get(name)


_HIDDEN = {one.name for one in TYPES if one.singleton}


def manifest_types(name: str) -> tuple[Type, ...]:
    """Return the types that a manifest's `<name>` covers; empty when no type is called that."""
    return tuple(one for one in TYPES if one.manifest_name == name)


def of_path(path: str) -> tuple[Type, str] | None:
    """Return type and name of the component that a file inside a package holds; None if the file is no component."""
    folder, _, file = path.rpartition("/")
    name, _, suffix = file.rpartition(".")
    found = _SETTINGS.get(name) if (folder, suffix) == ("settings", "settings") else _BY_FOLDER.get((folder, suffix))
    return (found, name) if found and name else None


def namespace(name: str) -> str:
    """Return the namespace prefix of a component's full name (`ns__App`), or the empty string."""
    prefix, found, _ = name.partition("__")
    return prefix if found and prefix.replace("_", "").isalnum() and len(prefix) <= 15 else ""


SCOPES = (
    "Basic",
    "OfflineAccess",
    "DataCloudUserClaims",
    "Email",
    "Address",
    "CDPSegment",
    "Chatbot",
    "CustomApplications",
    "Full",
    "Profile",
    "CDP",
    "CDPProfile",
    "RefreshToken",
    "Phone",
    "PwdlessLogin",
    "Interaction",
    "Pardot",
    "CDPIngest",
    "CDPIdentityResolution",
    "CustomPermissions",
    "ForgotPassword",
    "UserRegistration",
    "OpenID",
    "Chatter",
    "Wave",
    "SFApiPlatform",
    "SCRT",
    "Web",
    "EinsteinGPT",
    "Lightning",
    "Content",
    "CDPCalculatedInsight",
    "Eclair",
    "Api",
    "MCP",
    "CDPQuery",
)
