"""What names something else, and the shape of an app: its records, its scopes, whom it is open to."""

from collections.abc import Iterator
from functools import cache

from reconciler.errors import suggestion
from reconciler.kinds import all_kinds, satellites
from reconciler.model.address import Address
from reconciler.model.declared import Resource
from reconciler.model.facts import Facts
from reconciler.rules import Broken, Example, NotChecked, Verdicts, rule
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, WEB_SERVER
from reconciler.rules.identity import declared_value, live_value
from reconciler.rules.unknowns import shown, unknown, unknowns
from reconciler.schema.kind import Struct
from reconciler.schema.marks import Since, Until
from reconciler.schema.paths import field_at, walk
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path
from reconciler.world.apps import (
    CONSUMER_KEY,
    CUSTOM_SCOPES,
    EXTERNAL,
    GLOBAL,
    OAUTH,
    OAUTH_POLICY,
    PERMISSION_SETS,
    PROFILES,
    SCOPES,
    App,
    Setting,
)
from reconciler.world.world import UNKNOWN, World

CONNECTED_GUIDE = "Metadata API Developer Guide, ConnectedApp"
FIELD_REPORT = "field reports; Salesforce does not document it"


@rule(
    "RF01",
    Severity.HIGH,
    "Each record that belongs to an external client app names one that exists",
    hurts="Settings and policies that everybody believes to be in force govern nothing; the org refuses to deploy them.",
    source="Metadata API Developer Guide, externalClientApplication of each type; a deployment fails with "
    "INVALID_CROSS_REFERENCE_KEY",
    good=WEB_SERVER,
    bad=Example(
        "kind: ExtlClntAppOauthConfigurablePolicies\nexternalClientApplication: helpdesk\n"
        "---\nkind: OauthOidcSettings\nblockOAuthUnPwFlow: true\n"
    ),
)
def owners(world: World) -> Verdicts:
    """What files declare is looked up before an org is planned for, so there this is about records that are live."""
    for app in world.apps():
        if app.is_connected or world.has(app.address) is True:
            continue
        for kind in satellites().values():
            address = app.satellite(kind.__name__)
            path = (kind.owner_field(),)
            if address not in world.bodies:
                continue
            if world.has(app.address) is UNKNOWN:
                yield NotChecked(address, f"whether there is {app.address} is not known", path)
            elif "__" in app.name:
                yield NotChecked(address, f"{app.address} came with a package, of which an org shows only a part", path)
            else:
                message = f"{path[0]} is {app.name}, and there is no such app"
                mend = f"declare {app.address}, mend the name, or remove the record"
                yield Broken(address, message, path, mend, also=(app.address,))


@rule(
    "RF02",
    Severity.HIGH,
    "An external client app has both halves of its OAuth settings, or neither",
    hurts="The org refuses the deployment, or no client can ever log in.",
    source=f"That the org refuses global settings alone: {FIELD_REPORT}; the other way round is inferred. Policies that are "
    "missing the org makes by itself; more than one record of a kind it refuses (DUPLICATE_VALUE), and so does reading files",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("oauthSettings:\n  commaSeparatedOauthScopes: [Api, RefreshToken]\n", ""),
)
def halves(world: World) -> Verdicts:
    for app in world.apps():
        if app.is_connected or world.has(app.address) is False:
            continue
        globals_, settings, policy = (app.satellite(kind) for kind in (GLOBAL, OAUTH, OAUTH_POLICY))
        has_globals, has_settings = world.has(globals_), world.has(settings)
        held = [address for address in (globals_, policy) if world.has(address) is True]
        if held and has_settings is False:
            message = f"there is no {settings}, which this record adds to"
            mend = "declare oauthSettings: and commaSeparatedOauthScopes: […] below it"
            yield Broken(held[0], message, (), mend, also=(settings, *held[1:]))
        elif held and has_settings is UNKNOWN:
            yield unknown(world, settings)
        # A package does not bring the global settings along.
        if has_settings is True and has_globals is False and "__" not in app.name:
            message = f"there is no {globals_}: no flow is on, and no client has a key"
            mend = "declare globalOauthSettings: and callbackUrl: […] below it"
            yield Broken(settings, message, (), mend, also=(globals_,), severity=Severity.MEDIUM)
        elif has_settings is True and has_globals is UNKNOWN:
            yield unknown(world, globals_)


@rule(
    "RF03",
    Severity.HIGH,
    "The permission sets and profiles that an app is open to exist",
    hurts="The org refuses the deployment, or the people who were to use the app cannot.",
    source=f"{CONNECTED_GUIDE} (permissionSetName, profileName); that the policies of external client apps take API names and "
    "no ids, and that profiles go by names in the org's language: " + FIELD_REPORT,
    good=WEB_SERVER,
    bad=Example(WEB_SERVER.files, facts=Facts(permission_sets=frozenset({"Help_Desk_Admin"}))),
    asks_org=True,
)
def grantees(world: World) -> Verdicts:
    facts = world.facts
    known = {} if facts is None else {"permission_sets": facts.permission_sets, "profiles": facts.profiles}
    folded = {topic: frozenset(name.casefold() for name in names) for topic, names in known.items()}
    for app in world.apps():
        for setting, topic in ((PERMISSION_SETS, "permission_sets"), (PROFILES, "profiles")):
            yield from unknowns(app, setting)
            names = app.written(setting) if app.value(setting) is not UNKNOWN else []
            address, path = app.spot(setting)
            words = topic.replace("_", " ")
            if names and (facts is None or topic in facts.unknown):
                why = "no org was asked" if facts is None else shown(facts.unknown[topic])
                yield NotChecked(address, f"whether the {words} {', '.join(names)} exist is not known: {why}", path)
                continue
            for name in sorted({name for name in names if name.casefold() not in folded[topic]}):
                yield _grantee(address, path, name, topic)


def _grantee(address: Address, path: Path, name: str, topic: str) -> Broken | NotChecked:
    if topic == "profiles":
        message = f"the org has no profile {shown(name)}; its name may be another in the org's language"
        mend = "write the name that Setup shows, in the language of the org"
        return Broken(address, message, path, mend, subject=shown(name), severity=Severity.MEDIUM)
    if "__" in name:
        return NotChecked(address, f"{name} came with a package, of which an org shows only a part", path)
    message, mend = f"the org has no permission set {shown(name)}", "write the API name of one, or make it first"
    if name.startswith("0PS"):
        message = f"{name} is the id of a permission set in one org; its API name is wanted"
    elif " " in name:
        # What is read back may be the label.
        message += ", which looks like a label"
        return Broken(address, message, path, mend, subject=shown(name), severity=Severity.MEDIUM)
    return Broken(address, message, path, mend, subject=shown(name))


@rule(
    "RF04",
    Severity.HIGH,
    "No permission set and no profile is given twice",
    hurts="The org refuses the deployment.",
    source=f"{CONNECTED_GUIDE} (permissionSetName, profileName); that names are compared without regard to case is inferred",
    good=CONNECTED_TOKEN_EXCHANGE,
    bad=CONNECTED_TOKEN_EXCHANGE.but("[Partner_Portal_User]", "[Partner_Portal_User, partner_portal_user]"),
)
def repeated(world: World) -> Verdicts:
    """Where the letters are the same, reading the files says so already."""
    for app in world.apps():
        for setting in (PERMISSION_SETS, PROFILES):
            yield from unknowns(app, setting)
            names = app.written(setting)
            folded = [name.casefold() for name in names]
            if len(set(folded)) == len(folded):
                continue
            address, path = app.spot(setting)
            for one in sorted({name for name in folded if folded.count(name) > 1}):
                spellings = [shown(name) for name in names if name.casefold() == one]
                message = f"{spellings[0]} is given {len(spellings)} times ({', '.join(spellings)})"
                yield Broken(address, message, path, "keep one of them", subject=shown(one))


_CONNECTED_ONE = """\
kind: ConnectedApp
name: Help_Desk
label: Help desk
contactEmail: iam@acme.example
"""


@rule(
    "RF05",
    Severity.HIGH,
    "No connected app and external client app have the same name",
    hurts="The org refuses the second one, and whoever reads a handler or a log cannot tell which of the two is meant.",
    source="Field report: sfdx-hardis deletes the connected app before it makes the other (its change log, 7.0.1); Salesforce "
    "does not document it. That case does not matter is inferred",
    good=WEB_SERVER,
    bad=Example(f"{WEB_SERVER.files}---\n{_CONNECTED_ONE}", live=_CONNECTED_ONE),
)
def namesakes(world: World) -> Verdicts:
    connected = {address.name.casefold(): address for address in world.of_kind("ConnectedApp")}
    external = {address.name.casefold() for address in world.of_kind(EXTERNAL)}
    only = None if world.only is None else {name.casefold() for name in world.only}
    for app in world.all_apps:
        name = app.name.casefold()
        if only is not None and name not in only:
            continue
        if not app.is_connected and name in connected and app.address in world.bodies:
            other = connected[name]
            message = f"there is a connected app of that name too, {other.name}"
            yield Broken(app.address, message, (), "give this one another name", also=(other,))
        elif app.is_connected and name in external:
            continue
        elif world.has(Address(EXTERNAL if app.is_connected else "ConnectedApp", app.name)) is UNKNOWN:
            yield NotChecked(app.address, "whether an app of the other sort has the same name is not known")


@rule(
    "RF06",
    Severity.HIGH,
    "Each field exists in the API version that the org is read at",
    hurts="The org refuses the deployment with words about an element that it calls invalid.",
    source="Salesforce's WSDL v63; Metadata API Developer Guide; npm package @salesforce/types 1.9.0 for what is newer",
    good=WEB_SERVER,
    bad=WEB_SERVER.but(
        "  ipRelaxationPolicyType: Enforce\n", "  ipRelaxationPolicyType: Enforce\n  isNamedUserJwtEnabled: true\n"
    ),
)
def versions(world: World) -> Verdicts:
    """Only what files say. A plan refuses these by itself, before any rule runs."""
    version = float(world.org.api_version or 0) if world.org is not None else 0.0
    for address, resource in world.declared.items():
        if world.only is not None and address.name not in world.only:
            continue
        if not address.part and address.schema.since > (version or _OLDEST):
            since = address.schema.since
            if version:
                message = f"{address.kind} exists since API version {since:.1f}; the org is read at {version}"
                yield Broken(address, message, (), "raise api_version in reconciler.yaml")
            else:
                yield NotChecked(address, f"whether the org's API version is at least {since:.1f} is not known")
        elif address.struct in _versioned():
            yield from _fields_in_version(resource, version)


_OLDEST = 60.0
"""The API version from which everything else exists."""


@cache
def _versioned() -> frozenset[type[Struct]]:
    """The kinds with a field that some API version lacks."""
    return frozenset(kind for kind in all_kinds().values() if _varies(kind))


def _varies(struct: type[Struct]) -> bool:
    return any(
        (since is not None and since.version > _OLDEST)
        or field.has(Until)
        or (field.struct is not None and _varies(field.struct))
        for field in struct.fields().values()
        for since in (field.mark(Since),)
    )


def _fields_in_version(resource: Resource, version: float) -> Verdicts:
    seen: set[Path] = set()
    for path in walk(resource.body):
        for depth, field in enumerate(field_at(resource.address.struct, path), start=1):
            since, until = field.mark(Since), field.mark(Until)
            here = path[:depth]
            early = since is not None and since.version > (version or _OLDEST)
            late = until is not None and (until.version < version or not version)
            if here in seen or not (early or late):
                continue
            seen.add(here)
            when = f"since API version {since.version:.1f}" if since is not None and early else ""
            if until is not None and late:
                when = f"up to API version {until.version:.1f} only"
            if not version:
                yield NotChecked(resource.address, f"{field.name} exists {when}, and the org's is not known", here)
            else:
                message = f"{field.name} exists {when}; the org is read at {version}"
                mend = "remove the line" if late else "raise api_version in reconciler.yaml"
                yield Broken(resource.address, message, here, mend)


@rule(
    "RF07",
    Severity.MEDIUM,
    "Files hold no value that means something in another org only",
    hurts="Whoever copies the file to the next org gets a deployment that fails with a database error, or a stranger's key.",
    source="Salesforce Help, deploy_external_client_app_with_global_settings_file (oauthLink); Metadata API Developer Guide, "
    "ExternalClientApplication (orgScopedExternalApp) and ConnectedApp (consumerKey)",
    good=WEB_SERVER.but(
        "distributionState: Local\n", "distributionState: Local\norgScopedExternalApp: 00D000000000001:help_desk\n"
    ),
    bad=WEB_SERVER.but(
        "distributionState: Local\n", "distributionState: Local\norgScopedExternalApp: 00D000000000009:help_desk\n"
    ),
)
def org_bound(world: World) -> Verdicts:
    for app in world.apps():
        for setting in _ORG_BOUND if not app.is_connected else ():
            value = declared_value(app, setting)
            address, path = app.spot(setting)
            if not isinstance(value, str) or not value:
                continue
            if world.org is None:
                yield NotChecked(address, f"whether {path[-1]} is this org's is not known: no org was asked", path)
            elif not value.startswith(world.org.short_id):
                message = f"{path[-1]} is of the org {shown(value.partition(':')[0])}, and this is {world.org.short_id}"
                yield Broken(address, message, path, "remove the line: each org makes its own")
        key, live = declared_value(app, CONSUMER_KEY), live_value(app, CONSUMER_KEY)
        if isinstance(key, str) and key and live and key != live:
            address, path = app.spot(CONSUMER_KEY)
            message = f"consumerKey is {shown(key)}, and the org's is {shown(str(live))}"
            mend = "remove the line, or write the org's key"
            yield Broken(address, message, path, mend, severity=Severity.HIGH)


_ORG_BOUND = (
    Setting("", OAUTH, "oauthLink"),
    Setting("", EXTERNAL, "orgScopedExternalApp"),
)


EXTERNAL_SCOPES = frozenset([
    "Basic", "OfflineAccess", "DataCloudUserClaims", "Email", "Address", "CDPSegment", "Chatbot",
    "CustomApplications", "Full", "Profile", "CDP", "CDPProfile", "RefreshToken", "Phone", "PwdlessLogin",
    "Interaction", "Pardot", "CDPIngest", "CDPIdentityResolution", "CustomPermissions", "ForgotPassword",
    "UserRegistration", "OpenID", "Chatter", "Wave", "SFApiPlatform", "SCRT", "Web", "EinsteinGPT", "Lightning",
    "Content", "CDPCalculatedInsight", "Eclair", "Api", "MCP", "CDPQuery",
])  # fmt: skip
"""As an org lists them itself, in the words with which it refuses another one."""
NEWER_SCOPES = frozenset({"A2A", "CmdbDiscovery", "SemanticLayer"})
"""Scopes of connected apps that are newer than that list."""
_OTHER_NAMES = {
    "SFAP": "SFApiPlatform", "sfap_api": "SFApiPlatform", "api": "Api", "web": "Web", "full": "Full", "id": "Basic",
    "refresh_token": "RefreshToken", "offline_access": "OfflineAccess", "openid": "OpenID", "chatter_api": "Chatter",
    "custom_permissions": "CustomPermissions", "visualforce": "CustomApplications", "wave_api": "Wave",
    "eclair_api": "Eclair", "pardot_api": "Pardot", "cdp_ingest_api": "CDPIngest", "cdp_profile_api": "CDPProfile",
    "cdp_query_api": "CDPQuery", "cdp_api": "CDP", "chatbot_api": "Chatbot", "mcp_api": "MCP",
}  # fmt: skip
"""What connected apps, and requests for tokens, call the same scopes."""
POLICY_CUSTOM_SCOPES = Setting("", OAUTH_POLICY, "commaSeparatedCustomScopes")


@rule(
    "RF08",
    Severity.HIGH,
    "Each scope is one that Salesforce, or the org itself, knows",
    hurts="The org refuses the deployment; or the app asks for less, or for something else, than its file says.",
    source=f"The list in an org's own error text (There's a problem with your scope(s)): {FIELD_REPORT}; Metadata API "
    "Developer Guide, OauthCustomScope. Connected apps' scopes are checked while files are read",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("[Api, RefreshToken]", "[Api, SFAP, RefreshToken]"),
)
def scopes(world: World) -> Verdicts:
    """Standard scopes only where files name them: what an org has, it took."""
    customs = {address.name.casefold() for address in world.of_kind("OauthCustomScope")}
    for app in world.apps():
        if app.is_connected:
            continue
        names = declared_value(app, SCOPES)
        for name in dict.fromkeys(str(name) for name in names) if isinstance(names, list) else ():
            if name not in EXTERNAL_SCOPES:
                yield _standard(app, name, customs)
        for setting in (CUSTOM_SCOPES, POLICY_CUSTOM_SCOPES):
            yield from unknowns(app, setting)
            for name in dict.fromkeys(app.written(setting)):
                yield from _custom(app, setting, name, customs)


def _standard(app: App, name: str, customs: set[str]) -> Broken | NotChecked:
    address, path = app.spot(SCOPES)
    if name in NEWER_SCOPES:
        return NotChecked(address, f"whether external client apps know the new scope {name} is not documented", path)
    message = f"{shown(name)} is no scope of external client apps"
    other = _OTHER_NAMES.get(name)
    if name.casefold() in customs:
        mend = f"write {app.write(CUSTOM_SCOPES, f'[{name}]')}: it is a custom scope"
    elif other is not None:
        mend = f"write {other}"
    else:
        mend = suggestion(name, sorted(EXTERNAL_SCOPES), every=True)
    return Broken(address, message, path, mend, subject=shown(name))


def _custom(app: App, setting: Setting, name: str, customs: set[str]) -> Iterator[Broken | NotChecked]:
    address, path = app.spot(setting)
    scope = Address("OauthCustomScope", name)
    if name.casefold() in customs:
        return
    if "__" in name or app.world.has(scope) is UNKNOWN:
        yield NotChecked(address, f"whether there is {scope} is not known", path)
    else:
        message = f"there is no custom scope {shown(name)}"
        yield Broken(address, message, path, f"declare {scope}, or mend the name", subject=shown(name), also=(scope,))
