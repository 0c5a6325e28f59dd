"""Rules about the token exchange flow: apps, handlers and the enablements between them.

An app `promises` the flow if a handler is enabled for it or if one of its two switches is on. TX01 to TX03 say of such an
app what Setup's app picker asks for; TX07 says of an enablement only that it names one app and that there is such an app.
So one mistake in an app is one finding, at the app, however many handlers are enabled for it. Where no one knows whether
an app promises the flow, TX01 says so for the whole family.

One file because these rules read the same three records together: what an app promises, a handler does and an enablement joins.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from reconciler.kinds import HANDLER
from reconciler.model.address import Address
from reconciler.model.facts import Facts, User
from reconciler.model.live import OrgInfo
from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.addresses import Reach, reach
from reconciler.rules.examples import TOKEN_EXCHANGE as GOOD
from reconciler.rules.unknowns import shown, some, unknown
from reconciler.schema.severity import Severity
from reconciler.world.apps import (
    ADMIN_APPROVED,
    CALLBACKS,
    CERTIFICATE,
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    EXTERNAL,
    OAUTH,
    PERMISSION_SETS,
    PERMITTED_USERS,
    PROFILES,
    REFRESH_POLICY,
    SCOPES,
    SECRET_OPTIONAL,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    TOKEN_EXCHANGE_SECRET,
    App,
    Setting,
)
from reconciler.world.users import is_administrator, look_up, unusable
from reconciler.world.world import UNKNOWN, Enablement, World

OVERVIEW = 'Salesforce Help, "OAuth 2.0 Token Exchange Flow"'
INTEGRATE = 'Salesforce Help, "Integrate an App for the Token Exchange Flow" (remoteaccess_token_exchange_integrate)'
ENABLE = 'Salesforce Help, "Enable Apps for a Token Exchange Handler"'
OAUTH_SETTINGS = 'Salesforce Help, "Enable OAuth Settings for API Integration" (connected_app_create_api_integration)'

TOKEN_TYPES = (
    "isJwtSupported",
    "isAccessTokenSupported",
    "isIdTokenSupported",
    "isRefreshTokenSupported",
    "isSaml2Supported",
)


def exchanging(world: World) -> Iterator[App]:
    """The apps that are known to promise the flow."""
    return (app for app in world.apps() if app.exchanges_tokens)


# -- the app --------------------------------------------------------------------------------------------------------------


@rule(
    "TX01",
    Severity.HIGH,
    "An app that promises the token exchange flow has it switched on in its OAuth settings",
    hurts="Clients of the app send their token and get no Salesforce token for it: the flow is refused.",
    source=f"{INTEGRATE}: isTokenExchangeEnabled, Enable Token Exchange Flow",
    good=GOOD,
    bad=GOOD.but("isTokenExchangeEnabled: true", "isTokenExchangeEnabled: false"),
)
def app_switch(world: World) -> Verdicts:
    """The developer's switch."""
    for app in world.apps():
        promised = app.exchanges_tokens
        if promised is None:
            address, path = app.spot(TOKEN_EXCHANGE)
            why = f"{world.why_unknown(address)}; rules on that flow were not judged"
            yield NotChecked(address, f"whether it promises the token exchange flow is not known: {why}", path)
        elif promised:
            yield from _must_be_on(app, TOKEN_EXCHANGE)


@rule(
    "TX02",
    Severity.HIGH,
    "An app that promises the token exchange flow has it switched on in its policies",
    hurts="Clients of the app send their token and get no Salesforce token for it: the flow is refused.",
    source=f"{INTEGRATE}: Enable Token Exchange Flow, among the OAuth policies. The page asks for it of connected apps"
    " only; that an external client app, whose policies have the same switch, needs it too is inferred",
    good=GOOD,
    bad=GOOD.but("isTokenExchangeFlowEnabled: true", "isTokenExchangeFlowEnabled: false"),
)
def policy_switch(world: World) -> Verdicts:
    """The administrator's switch."""
    for app in exchanging(world):
        yield from _must_be_on(app, TOKEN_EXCHANGE_POLICY)


def _must_be_on(app: App, setting: Setting) -> Verdicts:
    value = app.value(setting)
    address, path = app.spot(setting)
    if value is UNKNOWN:
        yield unknown(app.world, address, path)
    elif value is not True:
        yield Broken(
            address,
            f"{path[-1]} is {_said(value)}, but {_promise(app, setting)}",
            path,
            mend=f"write {app.write(setting, 'true')}{_or_not(app)}",
            also=_promising(app, address),
        )


def _or_not(app: App) -> str:
    """The end of a mend: the other way out, for apps that are not meant to have the flow."""
    handlers = sorted({one.handler.name for one in app.world.enablements_of(app.address)})
    return f", or remove its enablement for {' and '.join(handlers[:3])} if nobody meant it" if handlers else ""


def _promise(app: App, broken: Setting) -> str:
    """What promises the flow: handlers, or else the other switch."""
    handlers = sorted({one.handler.name for one in app.world.enablements_of(app.address)})
    if handlers:
        more = f" and {len(handlers) - 1} more" if len(handlers) > 1 else ""
        return f"the handler {handlers[0]}{more} is enabled for {app.name}"
    other = TOKEN_EXCHANGE_POLICY if broken is TOKEN_EXCHANGE else TOKEN_EXCHANGE
    return f"{app.spot(other).path[-1]} is true"


def _promising(app: App, but: Address) -> tuple[Address, ...]:
    """The records that promise the flow, or may, but for the one that a rule is reported at: a change there may be what
    breaks it."""
    enablements = tuple(one.address for one in app.world.enablements_of(app.address))
    return (*enablements, *app.records(TOKEN_EXCHANGE, TOKEN_EXCHANGE_POLICY, but=but))


def _said(value: Any) -> str:
    return "not set" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@rule(
    "TX03",
    Severity.HIGH,
    "An app that promises the token exchange flow is for users whom an admin has approved",
    hurts="Every user of the org can be the one whom a token is issued for, not only those whom an admin has let in.",
    source=f"{INTEGRATE}: Permitted Users, Admin approved users are pre-authorized",
    good=GOOD,
    bad=GOOD.but("permittedUsersPolicyType: AdminApprovedPreAuthorized", "permittedUsersPolicyType: AllSelfAuthorized"),
)
def admin_approved(world: World) -> Verdicts:
    for app in exchanging(world):
        value = app.value(PERMITTED_USERS)
        address, path = app.spot(PERMITTED_USERS)
        if value is UNKNOWN:
            yield unknown(world, address, path)
        elif value not in ADMIN_APPROVED:
            wanted = "true" if app.is_connected else "AdminApprovedPreAuthorized"
            yield Broken(
                address,
                f"{path[-1]} is {_said(value)}, but {app.name} promises the token exchange flow",
                path,
                mend=f"write {app.write(PERMITTED_USERS, wanted)}; assign its permission set to its users before",
                also=_promising(app, address),
            )


@rule(
    "TX04",
    Severity.MEDIUM,
    "An app for approved users names a permission set or a profile",
    hurts="Nobody at all can use the app: whoever tries reads that an admin has not approved them.",
    source=f"{INTEGRATE}: To control which users are admin approved, manage which profiles are assigned to the app",
    good=GOOD,
    bad=GOOD.but("commaSeparatedPermissionSet: [Order_Portal_User]", "commaSeparatedPermissionSet: []"),
)
def somebody_approved(world: World) -> Verdicts:
    """Not for apps of the client credentials flow alone: the policy does not apply to the user that they run as
    (Salesforce Help, "Configure a Connected App for the OAuth 2.0 Client Credentials Flow")."""
    for app in world.apps():
        if app.value(PERMITTED_USERS) not in ADMIN_APPROVED:
            continue
        if not app.exchanges_tokens and True in (app.value(CLIENT_CREDENTIALS), app.value(CLIENT_CREDENTIALS_POLICY)):
            continue
        named = [app.value(PERMISSION_SETS), app.value(PROFILES)]
        if any(map(some, named)):
            continue
        address, path = app.spot(PERMISSION_SETS)
        if UNKNOWN in named:
            yield unknown(world, address, path)
        else:
            other = app.spot(PROFILES).path[-1]
            yield Broken(
                address,
                f"{app.name} is for approved users only, but {path[-1]} and {other} name nobody",
                path,
                mend=f"write {app.write(PERMISSION_SETS, '[…]')}, with a permission set that the app's users have",
            )


@rule(
    "TX05",
    Severity.MEDIUM,
    "A secret for the token exchange flow is asked only of clients that can keep one",
    hurts="Users of the mobile or single-page app cannot log in, or its secret ships inside the app, where anybody can"
    " read it and use it.",
    source=f"{INTEGRATE}: isSecretRequiredForTokenExchange, for public clients set this field to false; {OAUTH_SETTINGS},"
    " step 8. What makes a client public is inferred from its callback URLs (RFC 8252)",
    good=GOOD,
    bad=GOOD.but("https://portal.acme.example/callback", "acmeportal://callback").but(
        "isSecretRequiredForRefreshToken: true", "isSecretRequiredForRefreshToken: false"
    ),
)
def secret_of_private_clients(world: World) -> Verdicts:
    for app in exchanging(world):
        required, callbacks, optional = (app.value(one) for one in (TOKEN_EXCHANGE_SECRET, CALLBACKS, SECRET_OPTIONAL))
        if required is not True and required is not UNKNOWN:
            continue
        public = _public(callbacks)
        if not public and optional is not True and UNKNOWN not in (callbacks, optional):
            continue
        address, path = app.spot(TOKEN_EXCHANGE_SECRET)
        if required is UNKNOWN:
            yield unknown(world, address, path)
        elif public or optional is True:
            why = (
                f"{shown(public)} leads to an app on somebody's device" if public else "isConsumerSecretOptional is too"
            )
            undo = f"take {shown(public)} out" if public else f"write {app.write(SECRET_OPTIONAL, 'false')}"
            yield Broken(
                address,
                f"{path[-1]} is true, but {why}, so the client cannot keep a secret",
                path,
                mend=f"write {app.write(TOKEN_EXCHANGE_SECRET, 'false')}; if only servers use the app, {undo}",
                also=_promising(app, address),
            )
        else:
            yield unknown(world, *app.spot(CALLBACKS if callbacks is UNKNOWN else SECRET_OPTIONAL))


def _public(callbacks: Any) -> str:
    """Return the first callback URL of a client that cannot keep a secret, or an empty text."""
    urls = sorted(callbacks) if some(callbacks) else []
    return next((url for url in urls if reach(url) in (Reach.APP, Reach.LOOPBACK)), "")


# -- handlers and their enablements -----------------------------------------------------------------------------------------


@rule(
    "TX06",
    Severity.MEDIUM,
    "A handler that is enabled for apps is itself enabled",
    hurts="Clients of every app that the handler is enabled for get no token.",
    source=f"{ENABLE}: set the isEnabled field to true",
    good=GOOD,
    bad=GOOD.but("isEnabled: true\nisJwtSupported", "isEnabled: false\nisJwtSupported"),
)
def handler_enabled(world: World) -> Verdicts:
    handlers: dict[Address, list[Enablement]] = {}
    for one in world.enablements():
        handlers.setdefault(one.handler, []).append(one)
    for handler, enablements in handlers.items():
        if world.has(handler) is False:
            continue
        value = world.value(handler, ("isEnabled",))
        if value is UNKNOWN:
            yield unknown(world, handler, ("isEnabled",))
        elif value is not True:
            yield Broken(
                handler,
                f"isEnabled is {_said(value)}, but {handler.name} is enabled for {_apps(enablements)}",
                ("isEnabled",),
                mend="write isEnabled: true, or remove the enablements",
                also=tuple(one.address for one in enablements),
            )


def _apps(enablements: Iterable[Enablement]) -> str:
    names = sorted({name for one in enablements for _, name in one.named})
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else "".join(names) or "an app"


@rule(
    "TX07",
    Severity.HIGH,
    "An enablement names one app, and there is such an app",
    hurts="The deployment fails, and with it everything that was to be deployed together.",
    source=f"{ENABLE}: specify the connected app's API name, or the external client app's. That it is one of the two and"
    " not both is inferred",
    good=GOOD,
    bad=GOOD.but("externalClientApp: order_portal", "externalClientApp: order_portl"),
)
def one_existing_app(world: World) -> Verdicts:
    """What the app must be like is said by TX01 to TX03. That a file names no app, or two, is an error of its own, before
    any rule runs."""
    known = {(app.address.kind, app.name.casefold()) for app in world.all_apps if app.address in world.bodies}
    for one in world.enablements():
        if len(one.named) != 1:
            what = "names both a connected app and an external client app" if one.named else "names no app"
            mend = "write exactly one of externalClientApp and connectedApp"
            yield Broken(one.address, f"the enablement {what}", ("connectedApp",) if one.named else (), mend=mend)
            continue
        ((kind, name),) = one.named
        if (kind, name.casefold()) in known:
            continue
        path = _path(kind)
        if world.has(Address(kind, name)) is UNKNOWN:
            yield NotChecked(
                one.address,
                f"whether there is a {kind} {name}, and whether it is set up for the flow, is not known:"
                f" {world.why_unknown(Address(kind, name))}",
                path,
            )
        elif "__" in name:
            yield NotChecked(one.address, f"{name} is of an installed package, and those are not always shown", path)
        else:
            other = EXTERNAL if kind == "ConnectedApp" else "ConnectedApp"
            mend = f"declare the {kind} {name}, or mend the name"
            if (other, name.casefold()) in known:
                mend = f"write {_path(other)[0]}: {name}, because that is what it is"
            also = (Address(kind, name),)
            yield Broken(one.address, f"there is no {kind} {name}", path, mend=mend, also=also)


def _path(kind: str) -> tuple[str]:
    return ("connectedApp",) if kind == "ConnectedApp" else ("externalClientApp",)


_SECOND_HANDLER = """\
---
kind: OauthTokenExchangeHandler
name: ZetaIdp
masterLabel: Zeta IdP
description: Exchanges tokens of the second identity provider
tokenHandlerApex: PartnerIdpTokenHandler
isEnabled: true
isJwtSupported: true
isIdTokenSupported: false
isAccessTokenSupported: false
isRefreshTokenSupported: false
isSaml2Supported: false
isUserCreationAllowed: false
---
kind: HandlerEnablement
handler: ZetaIdp
externalClientApp: order_portal
apexExecutionUser: integration@acme.example
isDefault: false
---
kind: OauthOidcSettings
"""
_TWO_HANDLERS = GOOD.but("---\nkind: OauthOidcSettings\n", _SECOND_HANDLER)


@rule(
    "TX08",
    Severity.HIGH,
    "An app has one default handler at most",
    hurts="Which handler decides whose token a client gets is not what anybody reviewed.",
    source=f"{ENABLE}: An app can have only one default handler",
    good=_TWO_HANDLERS,
    bad=_TWO_HANDLERS.but("isDefault: false", "isDefault: true"),
)
def one_default(world: World) -> Verdicts:
    for name, enablements in _in_scope(world):
        # Twice in one handler is TX10.
        handlers = {one.handler: one for one in reversed(enablements) if one.value("isDefault") is not False}
        defaults = sorted((one for one in handlers.values() if one.value("isDefault") is True), key=_address)
        unsaid = sorted((one for one in handlers.values() if one.value("isDefault") is UNKNOWN), key=_address)
        for one in defaults[1:]:
            yield Broken(
                one.address,
                f"{name} already has a default handler, {defaults[0].handler.name}",
                ("isDefault",),
                mend="write isDefault: false in one of the two",
                also=(defaults[0].address,),
            )
        if unsaid and len(defaults) + len(unsaid) > 1:
            yield unknown(world, unsaid[0].address, ("isDefault",))


def _address(one: Enablement) -> Address:
    return one.address


def _in_scope(world: World) -> Iterator[tuple[str, tuple[Enablement, ...]]]:
    """The apps that enablements name, and those enablements, in order."""
    for enablements in world.enablements_by_app.values():
        name = enablements[0].app.name
        if world.only is None or name in world.only:
            yield name, enablements


@rule(
    "TX09",
    Severity.MEDIUM,
    "An app that handlers are enabled for has a default handler",
    hurts="A client that does not name a handler in its request (token_handler) gets no token.",
    source=f"{ENABLE}: If you don't specify a name, Salesforce uses the default handler",
    good=GOOD,
    bad=GOOD.but("isDefault: true", "isDefault: false"),
)
def a_default(world: World) -> Verdicts:
    for name, enablements in _in_scope(world):
        defaults = [one.value("isDefault") for one in enablements]
        if True in defaults:
            continue
        one = enablements[0]
        if UNKNOWN in defaults:
            yield unknown(world, enablements[defaults.index(UNKNOWN)].address, ("isDefault",))
        elif not _all_handlers_known(world):
            yield NotChecked(one.address, "the app's default handler may be one that is not shown here", ("isDefault",))
        else:
            yield Broken(
                one.address,
                f"{name} has no default handler, so each of its clients must send token_handler",
                ("isDefault",),
                mend="write isDefault: true",
                also=(*(other.address for other in enablements[1:]), *_removed(world, one)),
            )


def _removed(world: World, left: Enablement) -> Iterator[Address]:
    """The enablements of the same app that the org has and that are to go: one of them may have been the default."""
    for address, body in world.live.items():
        if address.part and address not in world.bodies:
            named = {str(body.get(path[0]) or "").casefold() for path in (_path(kind) for kind, _ in left.named)}
            if not named.isdisjoint(name.casefold() for _, name in left.named):
                yield address


def _all_handlers_known(world: World) -> bool:
    return world.complete and not any(text.split("/")[0] == HANDLER for text in world.unreadable)


@rule(
    "TX10",
    Severity.HIGH,
    "A handler is enabled once for an app",
    hurts="Which of the two execution users the handler's Apex runs as is not what anybody reviewed.",
    source="Our own judgement: nothing tells which of the two would hold",
    good=GOOD,
    bad=replace(
        GOOD,
        odd={
            f"{HANDLER}/PartnerIdp/enablements/order_portal~2": {
                "externalClientApp": "order_portal",
                "apexExecutionUser": "integration@acme.example",
                "isDefault": False,
            }
        },
    ),
)
def once_for_each_app(world: World) -> Verdicts:
    """A connected app and an external client app of one name count apart. In files this is an error of its own, before any
    rule runs: what an org holds may have been written by other means."""
    seen: dict[tuple[Address, str, str], Enablement] = {}
    for one in world.enablements():
        for kind, name in one.named:
            first = seen.setdefault((one.handler, kind, name.casefold()), one)
            if first is not one:
                yield Broken(
                    one.address,
                    f"{one.handler.name} is enabled for {name} already",
                    _path(kind),
                    mend="remove one of the two",
                    also=(first.address,),
                )


@rule(
    "TX11",
    Severity.MEDIUM,
    "A handler's Apex runs as an active integration user, not as a person or an administrator",
    hurts="Whoever finds a hole in the handler can do what that user can, and the handler stops for every client on the"
    " day that the person's account is closed.",
    source=f"{ENABLE}: we recommend that you use an integration user account that doesn't represent a real user;"
    ' Salesforce Help, "Give Integration Users API Only Access" (platform.integration_user)',
    good=GOOD,
    bad=replace(
        GOOD,
        facts=Facts(
            {
                "integration@acme.example": User(
                    "integration@acme.example", active=True, api_only=False, profile="System Administrator"
                )
            },
            frozenset({"Order_Portal_User"}),
        ),
    ),
    asks_org=True,
)
def integration_user(world: World) -> Verdicts:
    """Graver where the user does not exist or is inactive: then the flow does not run at all."""
    for one in world.enablements():
        path = ("apexExecutionUser",)
        username = one.value("apexExecutionUser")
        if username is UNKNOWN:
            yield unknown(world, one.address, path)
            continue
        if not username:
            # The field is required: a file without it never gets to an org.
            continue
        user, why = look_up(world, username)
        mend = "name an active, API-only integration user: apexExecutionUser: …"
        if why:
            yield NotChecked(one.address, f"what kind of user {username} is, is not known: {why}", path)
        elif user is None or not user.active:
            yield Broken(one.address, unusable(username, user), path, mend=mend, severity=Severity.HIGH)
        else:
            reasons = [f"has the profile {user.profile}"] if is_administrator(user) else []
            reasons += ["may log in like a person (is not API-only)"] if user.api_only is False else []
            if reasons:
                yield Broken(one.address, f"{username} {' and '.join(reasons)}", path, mend=mend)
            elif user.api_only is None:
                yield NotChecked(
                    one.address, f"whether {username} is API-only is not known: the org did not tell", path
                )


@rule(
    "TX13",
    Severity.HIGH,
    "An enabled handler supports at least one type of token",
    hurts="Every client's token is refused, whatever type it is of.",
    source="Inferred: a request names the type of its token (subject_token_type), and the handler's definition says which"
    " types it takes",
    good=GOOD,
    bad=GOOD.but("isJwtSupported: true", "isJwtSupported: false"),
)
def a_token_type(world: World) -> Verdicts:
    """Whether a client sends a type that is supported shows only when it does."""
    for handler in world.of_kind(HANDLER):
        if world.value(handler, ("isEnabled",)) is False:
            continue
        values = {name: world.value(handler, (name,)) for name in TOKEN_TYPES}
        if True in values.values():
            continue
        unsaid = next((name for name, value in values.items() if value is UNKNOWN), None)
        if unsaid is not None:
            yield unknown(world, handler, (unsaid,))
        else:
            yield Broken(
                handler,
                f"{handler.name} supports no type of token: {', '.join(TOKEN_TYPES)} are all false",
                (TOKEN_TYPES[0],),
                mend="write true for the type that the identity provider issues, mostly isJwtSupported: true",
            )


@rule(
    "TX14",
    Severity.MEDIUM,
    "A handler creates no users, unless somebody has decided so",
    hurts="Whoever gets a token of the identity provider becomes a user of the org, with the profile that the Apex gives.",
    source=f"{ENABLE}: isUserCreationAllowed in the sample; that it must be deliberate is our own judgement."
    " isContactCreationAllowed: npm package @salesforce/types 1.9.0",
    good=GOOD,
    bad=GOOD.but("isUserCreationAllowed: false", "isUserCreationAllowed: true"),
)
def no_users_created(world: World) -> Verdicts:
    for handler in world.of_kind(HANDLER):
        # The second is for Salesforce's own use and newer than most orgs: not worth a word where no file says it.
        for name in ("isUserCreationAllowed", "isContactCreationAllowed"):
            value = world.value(handler, (name,))
            if value is True:
                yield Broken(
                    handler,
                    f"{name} is true: {handler.name} may create {'users' if 'User' in name else 'contacts'}",
                    (name,),
                    mend=f"write {name}: false, or a waiver of TX14 that says why",
                )
            elif value is UNKNOWN and name == "isUserCreationAllowed":
                yield unknown(world, handler, (name,))


# -- what is asked of the org, and what is left over ------------------------------------------------------------------------


@rule(
    "TX15",
    Severity.MEDIUM,
    "An app that promises the token exchange flow has a scope",
    hurts="A client that asks for any scope is refused, and the token of one that asks for none opens nothing.",
    source=f"{INTEGRATE}: the scopes in the request must match or be a subset of the scopes assigned to the app. That an"
    " app without any scope is of no use is inferred",
    good=GOOD,
    bad=GOOD.but("commaSeparatedOauthScopes: [Api]", "commaSeparatedOauthScopes: []"),
)
def a_scope(world: World) -> Verdicts:
    """What a client asks for shows only when it does. Without any scope there is nothing to ask for."""
    for app in exchanging(world):
        scopes, custom = app.value(SCOPES), app.custom_scopes
        address, path = app.spot(SCOPES)
        # That the whole record is missing is RF02.
        if some(scopes) or some(custom) or world.has(address) is False:
            continue
        if scopes is UNKNOWN:
            yield unknown(world, address, path)
        elif custom is UNKNOWN:
            why = world.why_unknown(Address("OauthCustomScope" if app.is_connected else OAUTH, app.name))
            yield NotChecked(address, f"whether it has a custom scope is not known: {why}", path)
        else:
            yield Broken(
                address,
                f"{app.name} promises the token exchange flow and has no scope",
                path,
                mend=f"write {app.write(SCOPES, '[Api]')}, or what its clients need",
                also=_promising(app, address),
            )


EDITIONS = {"Enterprise Edition", "Performance Edition", "Unlimited Edition", "Developer Edition"}
OTHER_EDITIONS = {
    "Team Edition",
    "Professional Edition",
    "Personal Edition",
    "Contact Manager Edition",
    "Base Edition",
}
"""The other values of Organization.OrganizationType, as an org describes the field."""


@rule(
    "TX17",
    Severity.INFO,
    "The org is of an edition that has the token exchange flow",
    hurts="What is configured for the flow can be deployed and does nothing, so the rollout fails on the last day.",
    source=f"{INTEGRATE}; {OVERVIEW}: available in Enterprise, Performance, Unlimited, and Developer Editions",
    good=GOOD,
    bad=replace(GOOD, org=OrgInfo("00D000000000001EAA", organization_type="Professional Edition")),
    asks_org=True,
)
def edition(world: World) -> Verdicts:
    """Performance Edition is not among the values that orgs describe; it passes in case one says it."""
    have = world.org.organization_type if world.org is not None else ""
    if have in EDITIONS:
        return
    for app in exchanging(world):
        address, path = app.spot(TOKEN_EXCHANGE)
        if have in OTHER_EDITIONS:
            yield Broken(
                address,
                f"{app.name} promises the token exchange flow, which an org of {have} does not have",
                path,
                mend="use an org of Enterprise, Performance, Unlimited or Developer Edition, or another flow",
                also=_promising(app, address),
            )
        else:
            why = f"it says {shown(have) or 'nothing'}" if world.org is not None else "no org was asked"
            yield NotChecked(address, f"whether the org's edition has the flow is not known: {why}", path)


@rule(
    "TX18",
    Severity.INFO,
    "An app whose refresh tokens expire at once does not ask for any",
    hurts="The consent screen and every review show an access that lasts, which nobody needs and somebody may switch on.",
    source="Our own judgement: with the scope RefreshToken the answer to a token exchange may hold a refresh token, and"
    f" this policy makes it useless ({OAUTH_SETTINGS})",
    good=GOOD,
    bad=GOOD.but("commaSeparatedOauthScopes: [Api]", "commaSeparatedOauthScopes: [Api, RefreshToken]"),
)
def no_idle_refresh_scope(world: World) -> Verdicts:
    """Settings do not tell whether people log in to an app or only servers use it: every app has callback URLs. What they
    tell is that no one refreshes. An app with a certificate is let pass: the JWT bearer flow asks for the scope."""
    for app in exchanging(world):
        policy, scopes, certificate = app.value(REFRESH_POLICY), app.value(SCOPES), app.value(CERTIFICATE)
        if policy is not UNKNOWN and str(policy).casefold() != "zero":
            continue
        if scopes is not UNKNOWN and not {"RefreshToken", "OfflineAccess"} & set(scopes or ()):
            continue
        if some(certificate):
            continue
        address, path = app.spot(SCOPES)
        if UNKNOWN in (policy, scopes, certificate):
            setting = REFRESH_POLICY if policy is UNKNOWN else SCOPES if scopes is UNKNOWN else CERTIFICATE
            yield unknown(world, *app.spot(setting))
        else:
            yield Broken(
                address,
                f"{app.name} has the scope RefreshToken, but its refresh tokens expire at once",
                path,
                mend=f"take RefreshToken out of {path[-1]}, or let refresh tokens live",
                also=_promising(app, address),
            )
