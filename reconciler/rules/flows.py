"""Which OAuth flows an app lets clients run, and with what proof: PKCE, secrets, the org's own switches."""

from reconciler.model.address import Address
from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.addresses import OAUTH_SETTINGS, Reach, reaches
from reconciler.rules.examples import CLIENT_CREDENTIALS as SERVICE
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, WEB_SERVER
from reconciler.rules.unknowns import some, unknown, unknowns
from reconciler.schema.severity import Severity
from reconciler.world.apps import (
    CALLBACKS,
    CERTIFICATE,
    CLIENT_CREDENTIALS,
    CODE_CREDENTIALS,
    DEVICE_FLOW,
    GLOBAL,
    INTROSPECT_ALL,
    OAUTH_POLICY,
    PKCE,
    REFRESH_SECRET,
    SCOPES,
    SECRET_OPTIONAL,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_SECRET,
    App,
    Setting,
)
from reconciler.world.world import UNKNOWN, Unknown, World

ORG_FLOWS = Address("OauthOidcSettings", "OauthOidc")
OIDC_GUIDE = "Metadata API Developer Guide, OauthOidcSettings"
GUEST_CODE_CREDENTIALS = Setting("", OAUTH_POLICY, "isGuestCodeCredFlowEnabled")
REFRESH_SCOPES = frozenset({"RefreshToken", "OfflineAccess"})


def gives_refresh_tokens(app: App) -> bool | Unknown:
    """Whether clients may ask for refresh tokens. The scope Full does not include them."""
    scopes = app.value(SCOPES)
    return scopes if scopes is UNKNOWN else bool(scopes and not REFRESH_SCOPES.isdisjoint(scopes))


@rule(
    "OA01",
    Severity.MEDIUM,
    "A connected app requires PKCE",
    hurts="Whoever sees an authorization code pass by, in a log or on a phone, logs in as the person it was made for.",
    source=f"{OAUTH_SETTINGS}, step 7; {OIDC_GUIDE} (isPkceRequired)",
    good=CONNECTED_TOKEN_EXCHANGE,
    bad=CONNECTED_TOKEN_EXCHANGE.but("isPkceRequired: true", "isPkceRequired: false"),
)
def pkce(world: World) -> Verdicts:
    """An external client app cannot do without (OA02); one that does is live, and an org let it through."""
    by_the_org = world.value(ORG_FLOWS, ("isPkceRequired",)) is True
    for app in world.apps():
        required, optional = app.value(PKCE), app.value(SECRET_OPTIONAL)
        # Without a secret either, nothing protects the code: that is OA04.
        if by_the_org or required is True or required is None or optional is True:
            continue
        if not app.is_connected and (required is UNKNOWN or _declares_no_pkce(app)):
            continue
        if required is UNKNOWN or optional is UNKNOWN:
            yield from unknowns(app, PKCE, SECRET_OPTIONAL)
            continue
        address, path = app.spot(PKCE)
        mend = f"write {app.write(PKCE, 'true')}, once the app's clients send a code_challenge"
        yield Broken(address, "authorization codes are given out without PKCE", path, mend, also=(ORG_FLOWS,))


def _declares_no_pkce(app: App) -> bool:
    declared = app.world.declared.get(app.satellite(GLOBAL))
    return declared is not None and declared.body.get("isPkceRequired") is False


@rule(
    "OA02",
    Severity.MEDIUM,
    "No file asks an external client app to do without PKCE",
    hurts="Whoever reads the file believes that clients without PKCE can log in; they cannot.",
    source="Field reports from several orgs: the platform accepts false and reads back true; Salesforce packaging guide, "
    "Secure Your Connected Apps and External Client Apps: partners cannot disable PKCE once it is enabled",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("isPkceRequired: true", "isPkceRequired: false"),
)
def pkce_stays(world: World) -> Verdicts:
    for app in world.apps():
        if not app.is_connected and _declares_no_pkce(app):
            address, path = app.spot(PKCE)
            message = "isPkceRequired: false will not stick: the platform accepts false and keeps true"
            yield Broken(address, message, path, "write isPkceRequired: true, or remove the line")


MOBILE = CONNECTED_TOKEN_EXCHANGE.but("https://partners.acme.example/callback", "partnerportal://callback").but(
    "isSecretRequiredForTokenExchange: true", "isSecretRequiredForTokenExchange: false"
)
"""An app on phones, where everyone can read what it holds."""


@rule(
    "OA04",
    Severity.MEDIUM,
    "The web server flow does without a secret only for clients that can keep none, and then with PKCE",
    hurts="Whoever intercepts an authorization code, or knows the app's public key, takes the place of the app.",
    source=f"{OAUTH_SETTINGS}, step 8, which recommends the user-agent flow instead; RFC 9700 §2.1 prefers PKCE. That a "
    "client whose callbacks are all web sites can keep a secret is our own judgement",
    good=MOBILE.but("isConsumerSecretOptional: false", "isConsumerSecretOptional: true"),
    bad=MOBILE.but("isConsumerSecretOptional: false", "isConsumerSecretOptional: true").but(
        "isPkceRequired: true", "isPkceRequired: false"
    ),
)
def secretless(world: World) -> Verdicts:
    org = world.value(ORG_FLOWS, ("isPkceRequired",))
    for app in world.apps():
        optional, required = app.value(SECRET_OPTIONAL), app.value(PKCE)
        yield from unknowns(app, SECRET_OPTIONAL)
        if optional is not True:
            continue
        if org is True or (required is UNKNOWN and not app.is_connected):
            required = True
        address, path = app.spot(SECRET_OPTIONAL)
        if required is UNKNOWN:
            yield from unknowns(app, PKCE)
        elif required is not True and org is UNKNOWN:
            yield unknown(world, ORG_FLOWS, ("isPkceRequired",))
        elif required is not True:
            message = "the web server flow needs neither the secret nor PKCE"
            both = f"isPkceRequired: true and {app.write(SECRET_OPTIONAL, 'false')}"
            mend = f"write {app.write(PKCE, 'true') if not _could_keep_a_secret(app) else both}"
            mend += ", once the app's clients send a code_challenge"
            yield Broken(address, message, path, mend, also=(ORG_FLOWS,))
        elif _could_keep_a_secret(app):
            # With PKCE, which is what RFC 9700 asks of an app that runs in a browser: this may well be one.
            message = "the web server flow needs no secret, although all callback URLs are web sites"
            mend = f"write {app.write(SECRET_OPTIONAL, 'false')}, or waive this if the app runs in the browser only"
            yield Broken(address, message, path, mend, severity=Severity.LOW)


def _could_keep_a_secret(app: App) -> bool:
    # Where token exchange asks for the secret, the contradiction is that flow's (TX05).
    exchange = app.value(TOKEN_EXCHANGE) is True and app.value(TOKEN_EXCHANGE_SECRET) is True
    return reaches(app) == {Reach.WEB} and app.value(DEVICE_FLOW) is not True and not exchange


@rule(
    "OA05",
    Severity.MEDIUM,
    "Refreshing needs the secret where the client can keep one, and not where it cannot",
    hurts="A stolen refresh token is as good as a password; or every phone has to log in again each hour.",
    source=f"{OAUTH_SETTINGS}, step 9. Which client can keep a secret is inferred from its callback URLs (RFC 8252)",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("isSecretRequiredForRefreshToken: true", "isSecretRequiredForRefreshToken: false"),
)
def refresh_secret(world: World) -> Verdicts:
    for app in world.apps():
        refreshes, required = gives_refresh_tokens(app), app.value(REFRESH_SECRET)
        optional, urls = app.value(SECRET_OPTIONAL), app.value(CALLBACKS)
        if refreshes is False or required is None:
            continue
        if any(value is UNKNOWN for value in (refreshes, required, optional, urls)):
            yield from unknowns(app, SCOPES, REFRESH_SECRET, SECRET_OPTIONAL, CALLBACKS)
            continue
        found = reaches(app)
        address, path = app.spot(REFRESH_SECRET)
        native = bool(found) and Reach.WEB not in found
        # A loopback address alone is often a placeholder, of an app that signs its requests.
        if required is True and native and (Reach.APP in found or optional is True):
            message = "refreshing needs a secret that an app on somebody's device cannot keep"
            mend = f"write {app.write(REFRESH_SECRET, 'false')}, and have refresh tokens rotated"
            yield Broken(address, message, path, mend, also=app.elsewhere(REFRESH_SECRET, SCOPES))
        elif required is False and found == {Reach.WEB} and optional is not True and not _is_device(app):
            message, mend = "refreshing needs no secret, although the client has one", app.write(REFRESH_SECRET, "true")
            yield Broken(address, message, path, f"write {mend}", also=app.elsewhere(REFRESH_SECRET, SCOPES))


def _is_device(app: App) -> bool:
    """Whether it may be a device that shows a code: what callback URLs it has tells nothing then."""
    return app.value(DEVICE_FLOW) in (True, UNKNOWN)


_INTROSPECTS = WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isIntrospectAllTokens: true\n")
_SECOND = """\
---
kind: ExternalClientApplication
name: token_desk
label: Token desk
contactEmail: iam@acme.example
globalOauthSettings:
  callbackUrl: [https://desk.acme.example/callback]
  isIntrospectAllTokens: true
oauthSettings:
  commaSeparatedOauthScopes: [Api]
---
kind: OauthOidcSettings
"""


@rule(
    "OA10",
    Severity.HIGH,
    "At most one app of an org may introspect all tokens",
    hurts="Each client that can look at everybody's tokens is one more whose theft exposes the whole org.",
    source=f"{OAUTH_SETTINGS}, step 15: a single connected app",
    good=_INTROSPECTS,
    bad=_INTROSPECTS.but("---\nkind: OauthOidcSettings\n", _SECOND),
)
def one_introspects(world: World) -> Verdicts:
    holders = [app for app in world.all_apps if app.value(INTROSPECT_ALL) is True]
    mine = [app for app in holders if world.only is None or app.name in world.only]
    # One may stay: of those that this run is not about, if there is one.
    first = next(
        (app for app in holders if world.only is not None and app.name not in world.only),
        holders[0] if holders else None,
    )
    for app in mine:
        address, path = app.spot(INTROSPECT_ALL)
        if first is not None and app is not first:
            # Where no file says so, no one is about to make it worse.
            severity = Severity.MEDIUM if address in world.live and address not in world.declared else None
            message = f"{first.name} may introspect all tokens too; an org has one such app"
            other = first.spot(INTROSPECT_ALL).address
            mend = "write isIntrospectAllTokens: false here, or there"
            yield Broken(address, message, path, mend, also=(other,), severity=severity)
        elif not world.complete:
            yield NotChecked(address, "whether another app of the org may introspect all tokens is not known", path)
    for app in world.apps():
        yield from unknowns(app, INTROSPECT_ALL)


_OTHER_FLOWS = {
    CLIENT_CREDENTIALS: "client credentials",
    TOKEN_EXCHANGE: "token exchange",
    CODE_CREDENTIALS: "authorization code and credentials",
    CERTIFICATE: "JWT bearer",
}


@rule(
    "OA11",
    Severity.INFO,
    "A local external client app with the device flow has no other flow",
    hurts="Whoever has the public key of the device's app can try the flows that were meant for a server.",
    source="Field report: a plugin by Salesforce staff sets such apps up apart; Salesforce does not document it. "
    f"{OAUTH_SETTINGS}, step 3: the device flow uses no callback URL, so a placeholder is fine",
    good=WEB_SERVER.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isDeviceFlowEnabled: true\n"),
    bad=SERVICE.but("  isPkceRequired: true\n", "  isPkceRequired: true\n  isDeviceFlowEnabled: true\n"),
)
def device_flow_alone(world: World) -> Verdicts:
    for app in world.apps():
        if app.is_connected:
            continue
        yield from unknowns(app, DEVICE_FLOW)
        state = world.value(app.address, ("distributionState",))
        if app.value(DEVICE_FLOW) is not True or (state is not UNKNOWN and state not in ("Local", None)):
            continue
        found = [words for setting, words in _OTHER_FLOWS.items() if some(app.value(setting))]
        address, path = app.spot(DEVICE_FLOW)
        if found:
            message = f"the device flow shares an app with {' and '.join(found)}"
            yield Broken(address, message, path, "declare an app of its own for the devices")
        else:
            yield from unknowns(app, *_OTHER_FLOWS)


_CODE_CREDENTIALS = WEB_SERVER.but(
    "  isPkceRequired: true\n", "  isPkceRequired: true\n  isCodeCredFlowEnabled: true\n"
)


@rule(
    "OA15",
    Severity.HIGH,
    "Where an app has the authorization code and credentials flow, the org allows it",
    hurts="Every login of the app's users fails, although the app looks right.",
    source=f"Metadata API Developer Guide, ExtlClntAppGlobalOauthSettings (isCodeCredFlowEnabled); {OIDC_GUIDE}",
    good=_CODE_CREDENTIALS.but("blockOAuthUnPwFlow: true", "blockOAuthUnPwFlow: true\noAuthCdCrdtFlowEnable: true"),
    bad=_CODE_CREDENTIALS,
)
def code_credentials(world: World) -> Verdicts:
    field = "oAuthCdCrdtFlowEnable"
    allowed = world.value(ORG_FLOWS, (field,)) if world.has(ORG_FLOWS) is True else UNKNOWN
    for app in world.apps():
        on = next((s for s in (CODE_CREDENTIALS, GUEST_CODE_CREDENTIALS) if app.value(s) is True), None)
        if on is None:
            yield from unknowns(app, CODE_CREDENTIALS, GUEST_CODE_CREDENTIALS)
            continue
        address, path = app.spot(on)
        if allowed is UNKNOWN:
            yield NotChecked(address, f"whether the org allows the flow ({field}) is not known", path)
        elif allowed is not True:
            message = f"the org blocks this flow: {field} of {ORG_FLOWS} is false"
            mend = f"write {field}: true in the document of kind OauthOidcSettings, or {path[-1]}: false here"
            yield Broken(address, message, path, mend, also=(ORG_FLOWS,))


@rule(
    "OA23",
    Severity.MEDIUM,
    "The org blocks the username-password flow",
    hurts="A person's password in some script's configuration is enough to call the org's APIs, without a second factor.",
    source=f"{OIDC_GUIDE}; Salesforce Help 000886201, Migrate from OAuth Username-Password to Client Credentials Flow: "
    "Salesforce is deprecating the flow (that it ends in Winter '27 is from secondary sources)",
    good=WEB_SERVER,
    bad=WEB_SERVER.but("blockOAuthUnPwFlow: true", "blockOAuthUnPwFlow: false"),
)
def password_flow(world: World) -> Verdicts:
    path = ("blockOAuthUnPwFlow",)
    blocked = world.value(ORG_FLOWS, path)
    if world.has(ORG_FLOWS) is False:
        # Every org has them; these were not read.
        yield NotChecked(ORG_FLOWS, "the org did not show its OAuth settings", path)
    elif blocked is UNKNOWN:
        yield unknown(world, ORG_FLOWS, path)
    elif blocked is not True:
        message = "the username-password flow is open to every app of the org"
        yield Broken(ORG_FLOWS, message, path, "write blockOAuthUnPwFlow: true, once nothing logs in that way any more")
