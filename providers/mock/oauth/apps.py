"""Apps as the token endpoint sees them: a connected app and an external client app look alike here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from providers.mock.habits import consumer_keys
from providers.mock.oauth import refusals
from providers.mock.oauth.request import TokenRequest, same
from providers.mock.oauth.scopes import runtime
from providers.mock.record import Body, comma_list, one, part, parts, texts, true
from providers.mock.state.world import Component, World

_GLOBAL = "ExtlClntAppGlobalOauthSettings"
_OAUTH = "ExtlClntAppOauthSettings"
_POLICY = "ExtlClntAppOauthConfigurablePolicies"
_APP_POLICY = "ExtlClntAppConfigurablePolicies"
DEFAULT_SESSION = 120
"""Minutes that a session lasts where no policy says otherwise: the default of Setup, Session Settings."""


@dataclass(frozen=True, slots=True)
class App:
    """What an app's records say about its flows; `kind` and `name` are those of the app itself."""

    kind: str
    name: str
    id: str
    key: str
    secret: str
    changed_at: str
    callbacks: tuple[str, ...]
    scopes: frozenset[str]
    certificate: str
    is_enabled: bool
    is_admin_approved: bool
    permission_sets: tuple[str, ...]
    profiles: tuple[str, ...]
    token_exchange: bool
    token_exchange_policy: bool
    needs_secret_for_exchange: bool
    client_credentials: bool
    client_credentials_policy: bool
    run_as: str
    is_secret_optional: bool
    needs_secret_for_refresh: bool
    needs_pkce: bool
    rotates: bool
    introspects_all: bool
    issues_jwt: bool
    refresh_policy: str
    """infinite, zero, specific_lifetime:N:UNIT or specific_inactivity:N:UNIT, as in a connected app's policy."""
    session_minutes: int
    id_token: Body

    @property
    def is_connected(self) -> bool:
        return self.kind == "ConnectedApp"

    def check_secret(self, request: TokenRequest, *, required: bool) -> None:
        """Refuse a request with a wrong client secret, and one without a secret where it is `required`."""
        if (request.secret or required) and not same(request.secret, self.secret):
            raise refusals.wrong_secret()


def asking(world: World, request: TokenRequest, key: str | None = None) -> App:
    """Return the app that sends a request; refuse one that is unknown, not yet known after a change, or turned off."""
    found = by_key(world, request.client_id if key is None else key)
    if found is None:
        raise refusals.unknown_client()
    _check_propagation(world, found)
    if not found.is_enabled:
        raise refusals.blocked()
    return found


def _check_propagation(world: World, app: App) -> None:
    """Refuse an app that changed just now: Salesforce's login servers take minutes to know; here switches decide."""
    switches = world.switches
    if switches.propagation_seconds:
        changed = datetime.fromisoformat(app.changed_at).timestamp() * 1000
        if world.milliseconds < changed + switches.propagation_seconds * 1000:
            raise refusals.unknown_client(propagating=True)
    if switches.propagation_calls:
        row = world.db.execute("SELECT * FROM propagation WHERE app_id = ?", (app.id,)).fetchone()
        calls = row["calls"] if row and row["changed_at"] == app.changed_at else 0
        if calls < switches.propagation_calls:
            world.db.execute("REPLACE INTO propagation VALUES (?, ?, ?)", (app.id, app.changed_at, calls + 1))
            raise refusals.unknown_client(propagating=True)


def by_key(world: World, key: str) -> App | None:
    """Return the app that has this consumer key."""
    row = world.db.execute("SELECT component FROM consumer_key WHERE key = ?", (key,)).fetchone()
    kind, _, name = (row["component"] or "").partition("/") if row else ("", "", "")
    found = world.component(kind, name) if name else None
    if found is None:
        return None
    app = _connected(world, found) if kind == "ConnectedApp" else _client(world, found)
    if app is None or app.key == key:
        return app
    # Beside its primary consumer key an external client app may have a staged one, or one that was rotated out.
    secret = consumer_keys.secret_for(world, found, key)
    return None if secret is None else replace(app, key=key, secret=secret)


def named(world: World, name: str) -> App | None:
    connected = world.component("ConnectedApp", name)
    if connected is not None and (found := _connected(world, connected)):
        return found
    settings = world.satellite(_GLOBAL, name)
    return _client(world, settings) if settings is not None else None


def names(world: World) -> str:
    """Return the names of all apps that have a consumer, for a message."""
    apps = [each.name for each in world.components("ConnectedApp")]
    apps += [each.owner or "" for each in world.components(_GLOBAL)]
    return ", ".join(sorted(apps)) or "none"


def of_token(world: World, kind: str, name: str, app_id: str) -> App | None:
    """Return the app that a token was issued to; None if it is gone or another app now has its name."""
    found = named(world, name)
    return found if found is not None and (found.kind, found.id) == (kind, app_id) else None


def _connected(world: World, app: Component) -> App | None:
    body = app.values()
    oauth, policy = part(body, "oauthConfig"), part(body, "oauthPolicy")
    if oauth is None:
        return None
    minutes = one(body, "sessionPolicy", "sessionTimeout")
    return App(
        kind=app.kind, name=app.name, id=app.id, key=one(oauth, "consumerKey") or "", secret=app.secret or "",
        changed_at=app.modified_at, callbacks=_lines(one(oauth, "callbackUrl")),
        scopes=runtime(texts(oauth, "scopes")) | _assigned(world, app.name),
        certificate=one(oauth, "certificate") or "", is_enabled=True,
        is_admin_approved=true(oauth, "isAdminApproved"), permission_sets=tuple(texts(body, "permissionSetName")),
        profiles=tuple(texts(body, "profileName")), token_exchange=true(oauth, "isTokenExchangeEnabled"),
        token_exchange_policy=true(policy, "isTokenExchangeFlowEnabled"),
        needs_secret_for_exchange=true(oauth, "isSecretRequiredForTokenExchange"),
        client_credentials=true(oauth, "isClientCredentialEnabled"),
        # A connected app has one switch for the flow, and its policy only the user.
        client_credentials_policy=true(oauth, "isClientCredentialEnabled"),
        run_as=one(oauth, "oauthClientCredentialUser") or "", is_secret_optional=true(oauth, "isConsumerSecretOptional"),
        needs_secret_for_refresh=true(oauth, "isSecretRequiredForRefreshToken"), needs_pkce=true(oauth, "isPkceRequired"),
        rotates=true(oauth, "isRefreshTokenRotationEnabled"), introspects_all=true(oauth, "isIntrospectAllTokens"),
        issues_jwt=true(oauth, "isNamedUserJwtEnabled"), refresh_policy=one(policy, "refreshTokenPolicy") or "infinite",
        session_minutes=_minutes(minutes), id_token=part(oauth, "idTokenConfig") or {},
    )  # fmt: skip


def _client(world: World, settings: Component) -> App | None:
    app = world.component("ExternalClientApplication", settings.owner or "")
    if app is None:
        return None
    records = {kind: world.satellite(kind, app.name) for kind in (_OAUTH, _POLICY, _APP_POLICY)}
    flows = settings.values()
    oauth, policy, plain = ({} if each is None else each.values() for each in records.values())
    custom = (
        *comma_list(one(oauth, "commaSeparatedCustomScopes")),
        *comma_list(one(policy, "commaSeparatedCustomScopes")),
    )
    issues_jwt = true(flows, "isNamedUserJwtEnabled")
    own = one(policy, "namedUserJwtTimeout") if issues_jwt else None
    return App(
        kind=app.kind, name=app.name, id=app.id, key=one(flows, "consumerKey") or "", secret=settings.secret or "",
        changed_at=max(each.modified_at for each in (app, settings, *records.values()) if each is not None),
        callbacks=_lines(one(flows, "callbackUrl")),
        scopes=runtime(comma_list(one(oauth, "commaSeparatedOauthScopes"))) | frozenset(custom),
        certificate=one(flows, "certificate") or "",
        is_enabled=one(plain, "isEnabled") != "false" and one(plain, "isOauthPluginEnabled") != "false",
        is_admin_approved=one(policy, "permittedUsersPolicyType") == "AdminApprovedPreAuthorized",
        permission_sets=tuple(comma_list(one(policy, "commaSeparatedPermissionSet"))),
        profiles=tuple(comma_list(one(policy, "commaSeparatedProfile"))),
        token_exchange=true(flows, "isTokenExchangeEnabled"),
        token_exchange_policy=true(policy, "isTokenExchangeFlowEnabled")
        or not world.switches.token_exchange_policy_enforced,
        needs_secret_for_exchange=true(flows, "isSecretRequiredForTokenExchange"),
        client_credentials=true(flows, "isClientCredentialsFlowEnabled"),
        client_credentials_policy=true(policy, "isClientCredentialsFlowEnabled"),
        run_as=one(policy, "clientCredentialsFlowUser") or "", is_secret_optional=true(flows, "isConsumerSecretOptional"),
        needs_secret_for_refresh=true(flows, "isSecretRequiredForRefreshToken"), needs_pkce=true(flows, "isPkceRequired"),
        rotates=true(flows, "isRefreshTokenRotationEnabled"), introspects_all=true(flows, "isIntrospectAllTokens"),
        issues_jwt=issues_jwt, refresh_policy=_refresh_policy(policy),
        session_minutes=_minutes(own or one(policy, "sessionTimeoutInMinutes")),
        id_token=part(flows, "idTokenConfig") or {},
    )  # fmt: skip


def _refresh_policy(policy: Body) -> str:
    kind = one(policy, "refreshTokenPolicyType") or "Infinite"
    if not kind.startswith("Specific"):
        return kind.lower()
    period, unit = one(policy, "refreshTokenValidityPeriod"), one(policy, "refreshTokenValidityUnit")
    return f"specific_{kind.removeprefix('Specific').lower()}:{period}:{(unit or 'Days').upper()}"


def _assigned(world: World, app: str) -> frozenset[str]:
    """Return the custom scopes of a connected app: they are assigned in the scope's own record."""
    return frozenset(
        scope.name
        for scope in world.components("OauthCustomScope")
        if any((one(each, "connectedApp") or "").lower() == app.lower() for each in parts(scope.values(), "assignedTo"))
    )


def _lines(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())


def _minutes(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and int(text) else DEFAULT_SESSION
