"""Connected apps: creation needs a switch, consumer keys never change, scopes are read back in another spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.mock.habits import consumer_keys
from providers.mock.habits.texts import no_such, not_one_of, required
from providers.mock.record import Body, default, one, part, put, texts, true
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Landing, World

IP_RELAXATIONS = ("ENFORCE", "BYPASS_2FACTOR", "BYPASS", "ENFORCE_RELAXREFRESH")
_REFRESH = re.compile(r"infinite|zero|specific_(lifetime|inactivity):[1-9]\d*:(HOURS|DAYS|MONTHS)")
# Retrieve has a shorter list of values than deploy (Metadata API guide, ConnectedApp).
_CANONICAL = {
    "Profile": "Basic",
    "Email": "Basic",
    "Address": "Basic",
    "Phone": "Basic",
    "OfflineAccess": "RefreshToken",
}
_OAUTH_DEFAULTS = {
    "isAdminApproved": "false",
    "isClientCredentialEnabled": "false",
    "isCodeCredentialEnabled": "false",
    "isCodeCredentialPostOnly": "false",
    "isConsumerSecretOptional": "false",
    "isIntrospectAllTokens": "false",
    "isNamedUserJwtEnabled": "false",
    "isPkceRequired": "false",
    "isRefreshTokenRotationEnabled": "false",
    "isSecretRequiredForRefreshToken": "true",
    "isSecretRequiredForTokenExchange": "false",
    "isTokenExchangeEnabled": "false",
}


def settle(landing: Landing, world: World) -> None:
    body = landing.body
    if landing.before is None and not world.switches.allow_connected_app_creation:
        # Since Spring '26 (help article 005228017); its sentence for the API is not quoted anywhere we know.
        raise Refusal(
            "You can't create a connected app. To enable connected app creation, contact Salesforce Customer Support.",
            "INSUFFICIENT_ACCESS",
        )
    oauth = part(body, "oauthConfig")
    if oauth is not None:
        _settle_oauth(landing, oauth, world)
        body.setdefault("oauthPolicy", [{"ipRelaxation": ["ENFORCE"], "refreshTokenPolicy": ["infinite"]}])
    policy = part(body, "oauthPolicy")
    if policy is not None:
        default(policy, {"isTokenExchangeFlowEnabled": "false"})
        _check_policy(policy)
    for field, kind in (("permissionSetName", "PermissionSet"), ("profileName", "Profile")):
        _settle_names(landing, field, kind, approved=true(oauth, "isAdminApproved"), in_setup=world.in_setup)
    user = one(body, "pluginExecutionUser")
    if user is not None and not world.active_user(user):
        put(body, "pluginExecutionUser", None)  # silently, says the guide


def _settle_oauth(landing: Landing, oauth: Body, world: World) -> None:
    old = part(landing.old, "oauthConfig")
    given, kept = one(oauth, "consumerKey"), one(old, "consumerKey")
    if kept:
        if given and not world.in_setup:
            raise Refusal("You cannot provide a Consumer Key")
        put(oauth, "consumerKey", kept)
    elif given:
        consumer_keys.claim(landing, given, world)
    else:
        put(oauth, "consumerKey", consumer_keys.fresh_key(landing, world))
    consumer_keys.keep_secret(landing, oauth)
    consumer_keys.keep_certificate(oauth, old, world)
    consumer_keys.check_callbacks(one(oauth, "callbackUrl"))
    default(oauth, _OAUTH_DEFAULTS)
    scopes = dict.fromkeys(_CANONICAL.get(name, name) for name in texts(oauth, "scopes"))
    if scopes:
        oauth["scopes"] = list(scopes)


def _check_policy(policy: Body) -> None:
    relaxation, refresh = one(policy, "ipRelaxation") or "", one(policy, "refreshTokenPolicy") or ""
    if relaxation not in IP_RELAXATIONS:
        raise not_one_of(relaxation, "ipRelaxation", IP_RELAXATIONS)
    if not _REFRESH.fullmatch(refresh):
        forms = ("infinite", "zero", "specific_lifetime:N:HOURS|DAYS|MONTHS", "specific_inactivity:N:HOURS|DAYS|MONTHS")
        raise not_one_of(refresh, "refreshTokenPolicy", forms)


def _settle_names(landing: Landing, field: str, kind: str, *, approved: bool, in_setup: bool) -> None:
    """Settle a list of permission sets or profiles: absent keeps it, one empty element clears it (Metadata guide)."""
    body = landing.body
    if field not in body:
        kept = landing.old.get(field, []) if landing.old and approved else []
        if kept:
            body[field] = list(kept)
        return
    names = [name for name in texts(body, field) if name]
    if len({name.lower() for name in names}) != len(names):
        twice = next(name for name in names if [n.lower() for n in names].count(name.lower()) > 1)
        raise Refusal(f"duplicate value found: {kind} {twice} is listed more than once", "DUPLICATE_VALUE")
    # In Setup the list stays behind the policy that makes it idle.
    if names and not approved and not in_setup:
        raise Refusal(f"{field} requires oauthConfig.isAdminApproved to be true")
    body[field] = list(names)
    if not names:
        del body[field]


def check(name: str, body: Body, world: World) -> Iterator[Refusal]:
    if world.has("ExternalClientApplication", name):
        yield Refusal(f"An external client app named {name} already exists", "DUPLICATE_DEVELOPER_NAME")
    for wanted in texts(body, "permissionSetName"):
        if not world.has("PermissionSet", wanted) and not world.labelled("PermissionSet", wanted):
            yield no_such("permissionSetName", "PermissionSet", wanted)
    for wanted in texts(body, "profileName"):
        if not world.profile(wanted):
            yield no_such("profileName", "Profile", wanted)
    oauth = part(body, "oauthConfig")
    yield from consumer_keys.check_signing(
        "assetSigningCertId", one(part(oauth, "assetTokenConfig"), "assetSigningCertId"), world
    )
    user = one(oauth, "oauthClientCredentialUser")
    if true(oauth, "isClientCredentialEnabled") and not user:
        yield required("oauthClientCredentialUser")
    if user:
        yield from check_run_as("oauthClientCredentialUser", user, world)


def check_run_as(field: str, username: str, world: World) -> Iterator[Refusal]:
    found = world.user(username)
    if found is None or not found.is_active:
        yield no_such(field, "User", username)
    elif world.switches.client_credentials_user_api_only and not found.is_api_only:
        yield Refusal(f"{field}: {username} isn't an API Only user")
