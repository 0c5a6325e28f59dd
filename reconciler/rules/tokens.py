"""What ID and asset tokens hold, and which JWTs and attributes an app may give out."""

from collections.abc import Mapping
from typing import Any

from reconciler.model.address import Address
from reconciler.rules import Broken, Verdicts, rule
from reconciler.rules.addresses import OAUTH_SETTINGS
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, WEB_SERVER
from reconciler.rules.unknowns import shown, some, unknown, unknowns
from reconciler.schema.severity import Severity
from reconciler.schema.values import Path
from reconciler.world.apps import CALLBACKS, ID_TOKEN, OAUTH, OAUTH_POLICY, SCOPES, App, Setting
from reconciler.world.world import UNKNOWN, World

POLICIES_GUIDE = "Metadata API Developer Guide, ExtlClntAppOauthConfigurablePolicies"

MAX_ATTRIBUTES = 128
ID_TOKEN_MINUTES = range(1, 721)


_ID_TOKEN = CONNECTED_TOKEN_EXCHANGE.but(
    "  scopes: [Api]\n",
    """\
  scopes: [Api, OpenID]
  idTokenConfig:
    idTokenValidity: 2
    idTokenAudience: https://partners.acme.example
    idTokenIncludeStandardClaims: true
""",
)
"""An app that asks who its users are."""


@rule(
    "OA07",
    Severity.HIGH,
    "An ID token is valid for 1 to 720 minutes, and says whom its claims are for",
    hurts="The org refuses the deployment; or another service takes a token that was meant for this one as a login.",
    source=f"{OAUTH_SETTINGS}, step 16; OpenID Connect Core 1.0 §3.1.3.7. Salesforce's own sample has a validity of 0, which "
    "is outside of the documented range",
    good=_ID_TOKEN,
    bad=_ID_TOKEN.but("idTokenValidity: 2", "idTokenValidity: 721"),
)
def id_tokens(world: World) -> Verdicts:
    for app in world.apps():
        config = app.value(ID_TOKEN)
        if config is UNKNOWN:
            yield from unknowns(app, ID_TOKEN)
        elif config:
            yield from _id_token(app)


_CLAIMS = ("idTokenIncludeStandardClaims", "idTokenIncludeAttributes")
_CUSTOM_CLAIMS = ("idTokenIncludeCustomPerms", "idTokenIncludeCustomPermissions")
_VALIDITY = ("idTokenValidity", "idTokenValidityInMinutes")


def _id_token(app: App) -> Verdicts:
    """Judge what an app's ID tokens hold. The fields have other names in each sort of app."""
    address, section = app.spot(ID_TOKEN)
    validity = _VALIDITY[not app.is_connected]
    minutes = app.world.value(address, (*section, validity))
    if isinstance(minutes, int) and minutes not in ID_TOKEN_MINUTES:
        message = f"{validity} is {minutes}, and ID tokens are valid for 1 to 720 minutes"
        severity = Severity.MEDIUM if minutes == 0 else None
        yield Broken(address, message, (*section, validity), f"write {validity}: 2, the default", severity=severity)
    names = (*_CLAIMS, _CUSTOM_CLAIMS[not app.is_connected])
    claims = [name for name in names if app.world.value(address, (*section, name)) is True]
    scopes, path = app.value(SCOPES), (*section, "idTokenAudience")
    audience = app.world.value(address, path)
    if not claims or some(audience):
        return
    if UNKNOWN in (audience, scopes):
        yield from unknowns(app, SCOPES)
        if audience is UNKNOWN:
            yield unknown(app.world, address, path)
    elif not _OPENID.isdisjoint(scopes or ()):
        message = f"ID tokens carry claims ({', '.join(claims)}), and no audience is named that they are for"
        mend = "write idTokenAudience: https://… of the service that the token is for"
        yield Broken(address, message, path, mend, also=app.elsewhere(ID_TOKEN, SCOPES), severity=Severity.MEDIUM)


_OPENID = frozenset({"OpenID", "Full"})
_API = frozenset({"Api", "Full"})

_ASSET_TOKEN = CONNECTED_TOKEN_EXCHANGE.but(
    "  scopes: [Api]\n",
    """\
  scopes: [Api, OpenID]
  assetTokenConfig:
    assetValidityPeriod: 10
    assetSigningCertId: Partner_Asset_Signing
    assetAudiences: https://devices.acme.example
    assetIncludeAttributes: true
    assetIncludeCustomPerms: false
""",
)
"""An app that gives tokens to devices."""

_SECTION = ("oauthConfig", "assetTokenConfig")
_ASSET_FIELDS = ("assetValidityPeriod", "assetSigningCertId", "assetAudiences")
_EXTERNAL_ASSET_FIELDS = ("assetTokenValidity", "assetTokenSigningCertificate", "assetTokenAudiences")


@rule(
    "OA08",
    Severity.HIGH,
    "An app with asset tokens has the scopes Api and OpenID, a callback URL, an audience, a signing certificate and a validity",
    hurts="No device gets a token, and each that is sold with this configuration has to be recalled.",
    source=f"{OAUTH_SETTINGS}, step 17. That the certificate has at most 4 KB cannot be seen: it stays in the org",
    good=_ASSET_TOKEN,
    bad=_ASSET_TOKEN.but("[Api, OpenID]", "[Api]"),
)
def asset_tokens(world: World) -> Verdicts:
    for app in world.apps():
        address, section = app.satellite(OAUTH), _SECTION if app.is_connected else ()
        names = _ASSET_FIELDS if app.is_connected else _EXTERNAL_ASSET_FIELDS
        values = {name: world.value(address, (*section, name)) for name in names}
        if any(some(value) for value in values.values()):
            yield from _asset_token(app, address, section, values)
        elif UNKNOWN in values.values():
            yield unknown(world, address, section or (names[1],))
        elif app.is_connected and some(world.value(address, section)):
            yield from _asset_token(app, address, section, values)


def _asset_token(app: App, address: Address, section: Path, values: Mapping[str, Any]) -> Verdicts:
    validity = next(iter(values))
    for name, value in values.items():
        path = (*section, name)
        if value is UNKNOWN:
            yield unknown(app.world, address, path)
        elif name == validity and not (isinstance(value, int) and value > 0):
            yield Broken(
                address, f"asset tokens have no validity: {name} is {shown(str(value))}", path, f"write {name}: 10, say"
            )
        elif not value:
            yield Broken(address, f"asset tokens need {name}", path, f"write {name}: …")
    yield from unknowns(app, SCOPES, CALLBACKS)
    also = () if app.is_connected else (address,)
    scopes = app.value(SCOPES)
    if scopes is not UNKNOWN:
        held = scopes or frozenset()
        lacking = [name for name, any_of in (("Api", _API), ("OpenID", _OPENID)) if any_of.isdisjoint(held)]
        where = app.spot(SCOPES)
        if lacking:
            message = f"asset tokens need the scopes Api and OpenID; the app lacks {' and '.join(lacking)}"
            mend = f"add {' and '.join(lacking)} to {where.path[-1]}"
            yield Broken(where.address, message, where.path, mend, also=also)
    if app.value(CALLBACKS) is not UNKNOWN and not app.value(CALLBACKS):
        where = app.spot(CALLBACKS)
        mend = f"write {app.write(CALLBACKS, '[https://…]')}"
        yield Broken(where.address, "asset tokens need a callback URL", where.path, mend, also=also)


_JWT = WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isNamedUserJwtEnabled: true\n").but(
    "  ipRelaxationPolicyType: Enforce\n", "  ipRelaxationPolicyType: Enforce\n  namedUserJwtTimeout: 15\n"
)
"""An app whose access tokens are JWTs."""

JWT_MINUTES = (1, 5, 10, 15, 30)
MORE_JWT_MINUTES = (*JWT_MINUTES, 60, 90, 120, 240, 480, 720)
"""Since API version 65."""


@rule(
    "OA16",
    Severity.HIGH,
    "The timeout of a JWT access token is one of those that the platform knows, and absent where the session decides",
    hurts="The org refuses the deployment.",
    source=f"{POLICIES_GUIDE} (guestJwtTimeout, namedUserJwtTimeout); that no timeout goes with UserSession is a field report",
    good=_JWT,
    bad=_JWT.but("namedUserJwtTimeout: 15", "namedUserJwtTimeout: 20"),
)
def jwt_timeouts(world: World) -> Verdicts:
    version = float(world.org.api_version or 0) if world.org is not None else 0.0
    allowed = JWT_MINUTES if 0 < version < 65 else MORE_JWT_MINUTES
    for app in world.apps():
        if app.is_connected:
            continue
        for who in ("guest", "namedUser"):
            timeout, kind = Setting("", OAUTH_POLICY, f"{who}JwtTimeout"), f"{who}JwtSessionTimeoutType"
            minutes, lasts = app.value(timeout), app.value_of(OAUTH_POLICY, kind)
            address, path = app.spot(timeout)
            if minutes is UNKNOWN:
                yield from unknowns(app, timeout)
            elif minutes is not None and lasts == "UserSession":
                message = f"{path[-1]} is {shown(str(minutes))}, but {kind} is UserSession: the session decides"
                yield Broken(address, message, path, f"remove the line, or write {kind}: Custom")
            elif minutes is not None and minutes not in allowed:
                of = ", ".join(str(one) for one in allowed)
                message = f"{path[-1]} is {shown(str(minutes))}, and must be one of {of}"
                if minutes in MORE_JWT_MINUTES:
                    message += f" before API version 65.0 (the org is read at {version})"
                yield Broken(address, message, path, "write one of those")


def _attributes(count: int) -> str:
    lines = "".join(f"  - {{key: attribute_{n}, formula: $User.Id}}\n" for n in range(count))
    return f"  customAttributes:\n{lines}oauthPolicies:\n"


@rule(
    "OA18",
    Severity.HIGH,
    "Custom attributes have a key each, and there are at most 128",
    hurts="The org refuses the deployment; or of two attributes with one key, nobody knows which value tokens carry.",
    source=f"{POLICIES_GUIDE} and ExtlClntAppOauthSettings. No limit is documented for a connected app's attributes",
    good=WEB_SERVER.but("oauthPolicies:\n", _attributes(2)),
    bad=WEB_SERVER.but("oauthPolicies:\n", _attributes(129)),
)
def attributes(world: World) -> Verdicts:
    for app in world.apps():
        fields = [(app.address, "attributes")] if app.is_connected else _attribute_fields(app)
        for address, name in fields:
            if world.value(address, (name,)) is UNKNOWN:
                yield unknown(world, address, (name,))
                continue
            items = world.bodies.get(address, {}).get(name)
            keys = [str(item.get("key", "")) for item in items or () if isinstance(item, dict)]
            if len(keys) > MAX_ATTRIBUTES and name != "attributes":
                message = f"{name} has {len(keys)} entries, of {MAX_ATTRIBUTES} that are allowed"
                yield Broken(address, message, (name,), "remove those that no client reads", subject="number")
            for key in sorted({key for key in keys if keys.count(key) > 1} if len(set(keys)) < len(keys) else ()):
                message = f"{shown(key)} is given {keys.count(key)} times"
                yield Broken(address, message, (name,), "keep one of them", subject=shown(key))


def _attribute_fields(app: App) -> list[tuple[Address, str]]:
    return [(app.satellite(kind), "customAttributes") for kind in (OAUTH, OAUTH_POLICY)]
