"""External client apps, their OAuth settings and their global OAuth settings."""

from __future__ import annotations

from collections.abc import Iterator

from providers.mock.catalog import SCOPES
from providers.mock.habits import consumer_keys
from providers.mock.habits.texts import duplicate, no_such, no_such_app, required
from providers.mock.record import Body, comma_list, comma_text, default, one, put, true
from providers.mock.state.errors import Refusal
from providers.mock.state.ids import consumer_secret
from providers.mock.state.world import Landing, World

# fmt: on
_FLAGS = (
    "isClientCredentialsFlowEnabled",
    "isCodeCredFlowEnabled",
    "isCodeCredPostOnly",
    "isConsumerSecretOptional",
    "isDPopEnabled",
    "isDeviceFlowEnabled",
    "isEnforceRefreshTokenTTL",
    "isIntrospectAllTokens",
    "isRefreshTokenRotationEnabled",
    "isSecretRequiredForTokenExchange",
    "isTokenExchangeEnabled",
    "shouldRotateConsumerKey",
    "shouldRotateConsumerSecret",
)
GLOBAL_DEFAULTS = {
    **dict.fromkeys(_FLAGS, "false"),
    "isPkceRequired": "true",
    "isSecretRequiredForRefreshToken": "true",
}
CONSUMER = "888"
"""Key prefix of the consumer that `oauthLink` names."""


def settle_application(landing: Landing, world: World) -> None:
    body = landing.body
    if world.switches.contact_email_required and not one(body, "contactEmail"):
        raise required("contactEmail")
    default(body, {"distributionState": "Local", "isProtected": "false"})
    given, ours = one(body, "orgScopedExternalApp"), f"{world.org_id[:15]}:{landing.name}"
    if given and given not in {ours, f"{world.org_id}:{landing.name}"}:
        raise Refusal(
            f"INVALID_CROSS_REFERENCE_KEY: orgScopedExternalApp {given} isn't an app of this org",
            "INVALID_CROSS_REFERENCE_KEY",
        )
    put(body, "orgScopedExternalApp", ours)


def check_application(name: str, body: Body, world: World) -> Iterator[Refusal]:
    if world.has("ConnectedApp", name):
        yield Refusal(f"A connected app named {name} already exists", "DUPLICATE_DEVELOPER_NAME")


def settle_oauth(landing: Landing, world: World) -> None:
    body = landing.body
    default(body, {"isFirstPartyAppEnabled": "false"})
    given = comma_list(one(body, "commaSeparatedOauthScopes"))
    wrong = [name for name in given if name not in SCOPES]
    if wrong:
        raise Refusal(
            f"There's a problem with your scope(s): {comma_text(wrong)}. Valid scopes are: {comma_text(SCOPES)}"
        )
    if given:
        put(body, "commaSeparatedOauthScopes", comma_text(dict.fromkeys(given)))
    link, kept = one(body, "oauthLink"), one(landing.old, "oauthLink")
    if link and link != kept:
        raise Refusal(
            f"INVALID_CROSS_REFERENCE_KEY: oauthLink {link} isn't a consumer of this org", "INVALID_CROSS_REFERENCE_KEY"
        )
    put(body, "oauthLink", kept or f"{world.org_id[:15]}:{world.new_id(CONSUMER)[:15]}")


def check_oauth(name: str, body: Body, world: World) -> Iterator[Refusal]:
    yield from check_owner("ExtlClntAppOauthSettings", name, body, world)
    yield from check_custom_scopes(body, world)
    yield from consumer_keys.check_signing(
        "assetTokenSigningCertificate", one(body, "assetTokenSigningCertificate"), world
    )


def check_owner(kind: str, name: str, body: Body, world: World) -> Iterator[Refusal]:
    """Refuse a satellite whose app does not exist, or has another record of `kind`."""
    app = one(body, "externalClientApplication") or ""
    if not world.has("ExternalClientApplication", app):
        yield no_such_app(app)
        return
    statement = "SELECT id, name FROM component WHERE kind = ? AND owner = ? AND name <> ? ORDER BY created_at, id"
    other = world.db.execute(statement, (kind, app, name)).fetchone()
    if other is not None:
        yield duplicate(other["id"])


def check_custom_scopes(body: Body, world: World) -> Iterator[Refusal]:
    for wanted in comma_list(one(body, "commaSeparatedCustomScopes")):
        if not world.has("OauthCustomScope", wanted):
            yield no_such("commaSeparatedCustomScopes", "OauthCustomScope", wanted)


def settle_global(landing: Landing, world: World) -> None:
    body, old = landing.body, landing.old
    default(body, GLOBAL_DEFAULTS)
    if world.switches.pkce_forced_on_eca:
        put(body, "isPkceRequired", "true")
    given, kept = one(body, "consumerKey"), one(old, "consumerKey")
    if given and kept and given != kept:
        # Reports quote this for connected apps; that another key cannot replace an app's is the same rule.
        raise Refusal("You cannot provide a Consumer Key")
    if given and not kept:
        consumer_keys.claim(landing, given, world)
    put(body, "consumerKey", kept or given or consumer_keys.fresh_key(landing, world))
    consumer_keys.keep_secret(landing, body)
    consumer_keys.keep_certificate(body, old, world)
    consumer_keys.check_callbacks(one(body, "callbackUrl"))
    _rotate(landing, world)


def _rotate(landing: Landing, world: World) -> None:
    """Carry out `shouldRotate…`, which is an order and not a state: it reads back false, and warns, says the guide."""
    body = landing.body
    if true(body, "shouldRotateConsumerKey"):
        world.release_keys(f"{landing.kind}/{landing.name}")
        put(body, "consumerKey", consumer_keys.fresh_key(landing, world))
        landing.warnings.append("The consumer key was rotated")
    if true(body, "shouldRotateConsumerSecret"):
        landing.secret = consumer_secret()
        landing.warnings.append("The consumer secret was rotated")
    put(body, "shouldRotateConsumerKey", "false")
    put(body, "shouldRotateConsumerSecret", "false")


def check_global(name: str, body: Body, world: World) -> Iterator[Refusal]:
    yield from check_owner("ExtlClntAppGlobalOauthSettings", name, body, world)
    app = one(body, "externalClientApplication") or ""
    if world.satellite("ExtlClntAppOauthSettings", app) is None:
        yield Refusal(
            "The external client app configured in your global OAuth Settings doesn't have a valid OAuth settings "
            "configuration."
        )
