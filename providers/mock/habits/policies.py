"""Policies of external client apps: the org makes them by itself, and there is one of each per app."""

from __future__ import annotations

from collections.abc import Iterator

from providers.mock.habits.client_app import check_custom_scopes, check_owner
from providers.mock.habits.connected_app import check_run_as
from providers.mock.habits.texts import no_such, no_such_app, not_one_of, required
from providers.mock.record import Body, comma_list, comma_text, default, one, put, true
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Landing, World

# As they read back: error text and read-back both spell the last one so, whatever was sent.
IP_RELAXATIONS = ("Enforce", "Bypass", "Bypass_2factor", "Enforce_relaxrefresh")
UNITS = ("Hours", "Days", "Months")
TIMEOUTS_61, TIMEOUTS_65 = (1, 5, 10, 15, 30), (1, 5, 10, 15, 30, 60, 90, 120, 240, 480, 720)
OAUTH_DEFAULTS = {
    "ipRelaxationPolicyType": "Enforce",
    "isClientCredentialsFlowEnabled": "false",
    "isGuestCodeCredFlowEnabled": "false",
    "isTokenExchangeFlowEnabled": "false",
    "permittedUsersPolicyType": "AllSelfAuthorized",
    "refreshTokenPolicyType": "SpecificLifetime",
    "requiredSessionLevel": "STANDARD",
}
APP_DEFAULTS = {"isOauthPluginEnabled": "true", "startPage": "None"}


def settle_app(landing: Landing, _: World) -> None:
    default(landing.body, APP_DEFAULTS)


def check_app(name: str, body: Body, world: World) -> Iterator[Refusal]:
    yield from check_owner("ExtlClntAppConfigurablePolicies", name, body, world)


def settle_oauth(landing: Landing, world: World) -> None:
    body = landing.body
    default(body, OAUTH_DEFAULTS)
    if (one(body, "refreshTokenPolicyType") or "").startswith("Specific"):
        default(body, {"refreshTokenValidityPeriod": "365", "refreshTokenValidityUnit": "Days"})
    put(body, "ipRelaxationPolicyType", _spelled(body, "ipRelaxationPolicyType", IP_RELAXATIONS))
    if "refreshTokenValidityUnit" in body:
        put(body, "refreshTokenValidityUnit", _spelled(body, "refreshTokenValidityUnit", UNITS))
    for field in ("commaSeparatedPermissionSet", "commaSeparatedProfile"):
        if names := comma_list(one(body, field)):
            put(body, field, comma_text(names))
        else:
            body.pop(field, None)
    _check_timeouts(body, world.version)


def _spelled(body: Body, field: str, allowed: tuple[str, ...]) -> str:
    value = one(body, field) or ""
    found = next((each for each in allowed if each.lower() == value.lower()), None)
    if found is None:
        raise not_one_of(value, field, allowed)
    return found


def _check_timeouts(body: Body, version: int) -> None:
    allowed = TIMEOUTS_65 if version >= 65 else TIMEOUTS_61
    for prefix in ("guestJwt", "namedUserJwt"):
        text = one(body, f"{prefix}Timeout")
        if text is not None and int(text) not in allowed:
            raise not_one_of(text, f"{prefix}Timeout", tuple(map(str, allowed)))
        if text is not None and one(body, f"{prefix}SessionTimeoutType") == "UserSession":
            raise Refusal("Invalid plugin settings")


def check_oauth(name: str, body: Body, world: World) -> Iterator[Refusal]:
    app = one(body, "externalClientApplication") or ""
    if not world.has("ExternalClientApplication", app) or world.satellite("ExtlClntAppOauthSettings", app) is None:
        yield no_such_app(app)
        return
    statement = "SELECT name FROM component WHERE kind = ? AND owner = ? AND name <> ? ORDER BY created_at, id"
    other = world.db.execute(statement, ("ExtlClntAppOauthConfigurablePolicies", app, name)).fetchone()
    if other is not None:
        text = f"DUPLICATE_VALUE: ExtlClntAppOauthSettingsId duplicates value on {other['name']}"
        yield Refusal(text, "DUPLICATE_VALUE")
    yield from _check_names(body, world)
    yield from check_custom_scopes(body, world)
    yield from _check_users(body, world)
    global_oauth = world.satellite("ExtlClntAppGlobalOauthSettings", app)
    named_user_jwt = global_oauth is not None and true(global_oauth.values(), "isNamedUserJwtEnabled")
    if "namedUserJwtSessionTimeoutType" in body and not named_user_jwt:
        yield Refusal("Invalid plugin settings")


def _check_names(body: Body, world: World) -> Iterator[Refusal]:
    """Refuse permission sets that are not there. They go by name, whatever the guide says: an id gives this very text."""
    sets = comma_list(one(body, "commaSeparatedPermissionSet"))
    missing = [
        name for name in sets if not world.has("PermissionSet", name) and not world.labelled("PermissionSet", name)
    ]
    if missing:
        yield Refusal(f"INVALID_FIELD: We couldn't find permission sets called {comma_text(missing)}", "INVALID_FIELD")
    missing = [name for name in comma_list(one(body, "commaSeparatedProfile")) if not world.profile(name)]
    if missing:
        yield Refusal(f"INVALID_FIELD: We couldn't find profiles called {comma_text(missing)}", "INVALID_FIELD")


def _check_users(body: Body, world: World) -> Iterator[Refusal]:
    user = one(body, "clientCredentialsFlowUser")
    if true(body, "isClientCredentialsFlowEnabled") and not user:
        yield required("clientCredentialsFlowUser")
    if user:
        yield from check_run_as("clientCredentialsFlowUser", user, world)
    run_as, plugin = one(body, "executeHandlerAs"), one(body, "apexHandler")
    if run_as and not world.active_user(run_as):
        yield no_such("executeHandlerAs", "User", run_as)
    if plugin and not world.has("ApexClass", plugin):
        yield no_such("apexHandler", "ApexClass", plugin)


def settle_security(landing: Landing, world: World) -> None:
    if landing.before is None and not world.switches.security_settings_creatable and not world.in_setup:
        raise Refusal("ExtlClntAppOauthSecuritySettings can't be created by the Metadata API", "INSUFFICIENT_ACCESS")


def check_security(name: str, body: Body, world: World) -> Iterator[Refusal]:
    yield from check_owner("ExtlClntAppOauthSecuritySettings", name, body, world)


def create_missing(world: World, apps: list[str]) -> Iterator[Landing]:
    """Yield the policies that the org adds for `apps`.

    They are called `<App>_defaultPolicy` and `<full name of the OAuth settings>_defaultPolicy`.
    """
    for app in apps:
        if world.satellite("ExtlClntAppConfigurablePolicies", app) is None:
            yield _default(
                "ExtlClntAppConfigurablePolicies", f"{app}_defaultPolicy", app, {**APP_DEFAULTS, "isEnabled": "true"}
            )
        oauth = world.satellite("ExtlClntAppOauthSettings", app)
        if oauth is not None and world.satellite("ExtlClntAppOauthConfigurablePolicies", app) is None:
            period = {"refreshTokenValidityPeriod": "365", "refreshTokenValidityUnit": "Days"}
            values = {**OAUTH_DEFAULTS, **period}
            yield _default("ExtlClntAppOauthConfigurablePolicies", f"{oauth.name}_defaultPolicy", app, values)


def _default(kind: str, name: str, app: str, values: dict[str, str]) -> Landing:
    body: Body = {"externalClientApplication": [app], "label": [name]}
    default(body, values)
    return Landing(kind, name, body)
