"""The web server flow without a web page: authorize, and redeeming the code.

There is no login page. Who is logged in is said by `login_hint`, which holds a username, or by a Bearer token of theirs;
a user who may approve the app does so by that. With neither, a request in which all else is right is sent to the login
page, as Salesforce does with a stranger: so a client can tell "you may not" from "who are you?".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from providers.mock.oauth import admission, apps, refusals, scopes, tokens
from providers.mock.oauth.apps import App
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.refusals import Refused
from providers.mock.oauth.request import TokenRequest
from providers.mock.org import Org
from providers.mock.state import sessions
from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World, user_of

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636, 4.1."""


def authorize(org: Org, request: Request) -> Response:
    """Answer `/services/oauth2/authorize` with a redirect: a code, an error, or the login page."""
    org.count("authorize")
    with org.writing() as world:
        try:
            app = _asking(world, request)
        except Refused as no:
            # No one to send the browser to. A report tells of errors as a form without a type.
            text = urlencode({"error": no.error, "error_description": no.description})
            return Response(text, no.status, content_type="text/plain;charset=UTF-8")
        answer: dict[str, str]
        try:
            if not app.is_enabled:
                raise refusals.blocked()
            wanted = _check(world, app, request)
            user = _user(world, request)
            if user is None:
                return Response(status=302, headers={"Location": _login_page(request)})
            answer = {"code": _code(world, app, user, wanted, request)}
        except Refused as no:
            # learn.microsoft.com's page on Sales Copilot's sign-in quotes this code for who is not approved.
            code = "OAUTH_APP_ACCESS_DENIED" if no.error == "invalid_app_access" else no.error
            answer = {"error": code, "error_description": no.description}
    if state := request.values.get("state", ""):
        answer["state"] = state
    callback = request.values["redirect_uri"]
    target = f"{callback}{'&' if '?' in callback else '?'}{urlencode(answer)}"
    return Response(status=302, headers={"Location": target, "Cache-Control": "no-store"})


def _asking(world: World, request: Request) -> App:
    """Return the app of a request to authorize; refuse a `redirect_uri` that is not one of the app's own addresses."""
    try:
        app = apps.asking(world, TokenRequest("", {}, request.values.get("client_id", ""), ""))
    except Refused as no:
        blocked = apps.by_key(world, request.values.get("client_id", ""))
        if no.error != refusals.blocked().error or blocked is None:
            raise
        app = blocked
    callback = request.values.get("redirect_uri", "")
    # Unlike in RFC 6749, 3.1.2.3, also where the app has a single address.
    if not callback:
        raise refusals.redirect_missing()
    if callback not in app.callbacks:
        raise refusals.redirect_mismatch()
    return app


def _check(world: World, app: App, request: Request) -> frozenset[str]:
    if request.values.get("response_type") != "code":
        # The code is in "flow errors"; user-agent, hybrid and device flows are not played.
        raise Refused("unsupported_response_type", "response type not supported")
    challenge, method = request.values.get("code_challenge", ""), request.values.get("code_challenge_method", "S256")
    if not challenge and (app.needs_pkce or world.setting("OauthOidcSettings", "isPkceRequired")):
        raise refusals.missing_challenge()
    if method != "S256" or (challenge and len(challenge) != 43):
        # help.salesforce.com, remoteaccess_pkce, knows the challenge as a SHA-256 hash only; the sentence is ours.
        raise refusals.wrong_request("invalid code challenge")
    return scopes.granted(app.scopes, request.values.get("scope"))


def _user(world: World, request: Request) -> User | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            return sessions.session(world.db, token.strip()).user
        except Fault:
            return None
    found = world.user(request.values.get("login_hint", ""))
    return found if found is not None and found.is_active else None


def _login_page(request: Request) -> str:
    """The address of the login page, in the form of recorded redirects of real orgs."""
    start = f"/setup/secur/RemoteAccessAuthorizationPage.apexp?{urlencode({'client_id': request.values['client_id']})}"
    return f"{request.host_url}?{urlencode({'ec': '302', 'startURL': start})}"


def _code(world: World, app: App, user: User, wanted: frozenset[str], request: Request) -> str:
    admission.check(world, app, user)
    promised = {
        "redirect_uri": request.values.get("redirect_uri", ""),
        "challenge": request.values.get("code_challenge", ""),
        "nonce": request.values.get("nonce", ""),
    }
    return tokens.code(world, app, user.id, wanted, json.dumps(promised))


def run(world: World, request: TokenRequest) -> Grant:
    """Redeem a code: once, by the client that it was given to, with the verifier that its challenge was made of."""
    app = apps.asking(world, request)
    app.check_secret(request, required=not app.is_secret_optional)
    if request["scope"] and world.switches.scope_parameter_refused:
        raise refusals.scope_not_taken()
    token = tokens.find(world.db, request["code"], "code")
    if token is None or token.app_id != app.id:
        # Flow errors and several reports have this text for codes of any fault.
        raise refusals.invalid_grant("invalid authorization code")
    if token.is_replaced or (token.expires_at or 0) <= world.milliseconds:
        raise refusals.expired_code()
    promised = json.loads(token.detail)
    if request["redirect_uri"] != promised["redirect_uri"]:
        raise refusals.redirect_mismatch()
    # remoteaccess_oauth_web_server_flow: one without the other fails, whichever it is.
    if bool(promised["challenge"]) != bool(request["code_verifier"]):
        raise refusals.wrong_verifier()
    if promised["challenge"]:
        if not _VERIFIER.fullmatch(request["code_verifier"]):
            raise refusals.wrong_verifier()
        hashed = base64.urlsafe_b64encode(hashlib.sha256(request["code_verifier"].encode()).digest())
        if not hmac.compare_digest(hashed.rstrip(b"=").decode(), promised["challenge"]):
            raise refusals.wrong_verifier()
    row = world.db.execute("SELECT * FROM user WHERE id = ?", (token.user,)).fetchone()
    user = user_of(row)
    admission.check(world, app, user)
    tokens.use(world, token, replaced=True)
    return Grant(app, user, token.scopes, gives_refresh=True, nonce=promised["nonce"])


def login_page(org: Org, request: Request) -> Response:
    """Answer, at the address of a login page, that this org has none."""
    text = "This mock org has no login page: name the user by login_hint, or send a token of theirs.\n"
    return Response(text, content_type="text/plain;charset=UTF-8")
