"""The token exchange flow: a token of another identity provider becomes one of this org (requirements S000 to S002)."""

from __future__ import annotations

import sqlite3

from providers.mock.oauth import admission, apps, handler_rule, identity_provider, refusals, scopes
from providers.mock.oauth.apps import App
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.refusals import Refused
from providers.mock.oauth.request import TokenRequest
from providers.mock.record import Body, one, true
from providers.mock.state.world import World

LONGEST = 10_000
"""Characters of a subject token ("token exchange")."""
_TYPES = {
    "access_token": "isAccessTokenSupported",
    "id_token": "isIdTokenSupported",
    "jwt": "isJwtSupported",
    "refresh_token": "isRefreshTokenSupported",
    "saml2": "isSaml2Supported",
}
_PREFIX = "urn:ietf:params:oauth:token-type:"


def run(world: World, request: TokenRequest) -> Grant:
    app = apps.asking(world, request)
    if not (app.token_exchange and app.token_exchange_policy):
        raise refusals.flow_is_off("token exchange")
    app.check_secret(request, required=app.needs_secret_for_exchange)
    token_type = _token_type(request)
    wanted = scopes.granted(app.scopes, request["scope"])
    name, enablement = _chosen(world, app, request["token_handler"])
    found = world.component("OauthTokenExchangeHandler", name)
    body: Body = found.values() if found is not None else {}
    if not true(body, "isEnabled"):
        raise refusals.invalid_grant("the token exchange handler is disabled")  # ours
    if not true(body, _TYPES[token_type]):
        # The code is RFC 7009's; which one Salesforce uses for this is not documented, and the sentence is ours.
        raise Refused("unsupported_token_type", "the token exchange handler doesn't support this type of token")
    if not world.active_user(enablement["run_as"]):
        raise refusals.invalid_grant("the user that runs the token exchange handler is inactive")  # ours
    apex_class = one(body, "tokenHandlerApex") or ""
    if not world.has("ApexClass", apex_class):
        raise refusals.invalid_grant("the Apex class of the token exchange handler is missing")  # ours
    rule = handler_rule.rule_of(world, apex_class)
    try:
        claims = identity_provider.verified(world, request["subject_token"], token_type)
    except identity_provider.UnverifiedError:
        raise handler_rule.refused(apex_class, "the signature of the token could not be verified") from None
    handler_rule.check(world, rule, claims)
    user = handler_rule.person(world, rule, claims, may_create=true(body, "isUserCreationAllowed"))
    # S000 wants an app with approved users (TX03). Whether Salesforce refuses others no source says, hence the switch; with
    # it off the handler vouches for the user, who need not have approved the app before.
    if world.switches.token_exchange_needs_preauthorization and not app.is_admin_approved:
        raise refusals.never_approved()
    admission.check(world, app, user)
    return Grant(app, user, wanted, gives_refresh=True)


def _token_type(request: TokenRequest) -> str:
    """Return the type without its prefix. The Apex reference writes `JWT`, the help `jwt`."""
    token, name = request["subject_token"], request["subject_token_type"]
    if not token:
        raise refusals.wrong_request("subject_token is required")
    if len(token) > LONGEST:
        raise refusals.wrong_request(f"subject_token is longer than {LONGEST} characters")
    kind = name.removeprefix(_PREFIX)
    kind = "jwt" if kind == "JWT" else kind
    if not name.startswith(_PREFIX) or kind not in _TYPES:
        raise Refused("unsupported_token_type", "subject_token_type is not one that can be exchanged")
    return kind


def _chosen(world: World, app: App, wanted: str) -> tuple[str, sqlite3.Row]:
    """Return the handler's name and its enablement for the app: the one that was named, or the app's default.

    Both sentences are ours: "token exchange" has no list of errors.
    """
    of_app = world.db.execute(
        "SELECT * FROM enablement WHERE target = ? AND app = ? ORDER BY handler", (app.kind, app.name)
    ).fetchall()
    if not wanted:
        default = next((row for row in of_app if row["is_default"]), None)
        if default is None:
            raise refusals.wrong_request("token_handler is required: the app has no default token exchange handler")
        return default["handler"], default
    for row in of_app:
        if row["handler"].lower() == wanted.lower() or _has_class(world, row["handler"], wanted):
            return row["handler"], row
    if world.has("OauthTokenExchangeHandler", wanted):
        raise refusals.invalid_grant("the token exchange handler is not enabled for this app")
    raise refusals.invalid_grant("no token exchange handler has that name")


def _has_class(world: World, name: str, wanted: str) -> bool:
    found = world.component("OauthTokenExchangeHandler", name)
    apex_class = one(found.values(), "tokenHandlerApex") if found is not None else None
    return world.switches.token_handler_by_class_name and (apex_class or "").lower() == wanted.lower()
