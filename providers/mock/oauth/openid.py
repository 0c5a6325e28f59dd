"""OpenID Connect: discovery, published keys, ID tokens, userinfo and the identity URL."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from werkzeug.wrappers import Request, Response

from providers.mock.oauth import signing_keys
from providers.mock.oauth.apps import App
from providers.mock.oauth.response import answer
from providers.mock.oauth.scopes import IDENTITY, SERVICE
from providers.mock.org import Org
from providers.mock.record import one, true
from providers.mock.state import ids, sessions
from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World

DEFAULT_MINUTES = 2
"""How long an ID token is good where the app says nothing, or 0 (S003: 1 to 720, default 2)."""


def identity_url(world: World, base: str, user: User) -> str:
    return f"{base}/id/{world.org_id}/{user.id}"


def person(world: World, base: str, user: User) -> dict[str, Any]:
    """Return the standard claims of a user (help.salesforce.com, remoteaccess_using_userinfo_endpoint)."""
    first, _, last = user.name.rpartition(" ")
    return {
        "sub": identity_url(world, base, user),
        "user_id": user.id,
        "organization_id": world.org_id,
        "preferred_username": user.username,
        "nickname": user.username.partition("@")[0],
        "name": user.name,
        "given_name": first or None,
        "family_name": last,
        "email": user.email,
        "email_verified": True,
        "active": user.is_active,
        "user_type": "STANDARD",
        "urls": {
            "rest": f"{base}/services/data/v{{version}}/",
            "metadata": f"{base}/services/Soap/m/{{version}}/{world.org_id[:15]}",
            "partner": f"{base}/services/Soap/u/{{version}}/{world.org_id[:15]}",
            "query": f"{base}/services/data/v{{version}}/query/",
            "sobjects": f"{base}/services/data/v{{version}}/sobjects/",
        },
    }


def id_token(world: World, base: str, app: App, user: User, access_token: str, nonce: str) -> str:
    """Return an ID token, signed by the org's key; what it holds follows the app's `idTokenConfig`."""
    issued = world.milliseconds // 1000
    minutes = one(app.id_token, "idTokenValidity") or one(app.id_token, "idTokenValidityInMinutes") or ""
    lasts = int(minutes) if minutes.isdecimal() and int(minutes) else DEFAULT_MINUTES
    further = one(app.id_token, "idTokenAudience")
    claims: dict[str, Any] = {
        "iss": base,
        "sub": identity_url(world, base, user),
        "aud": [app.key, further] if further else app.key,
        "iat": issued,
        "exp": issued + lasts * 60,
        # OpenID Connect Core, 3.1.3.6: the left half of the hash.
        "at_hash": base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode(),
    }
    if nonce:
        claims["nonce"] = nonce
    if true(app.id_token, "idTokenIncludeStandardClaims"):
        known = person(world, base, user)
        claims |= {name: known[name] for name in ("name", "preferred_username", "email", "given_name", "family_name")}
    return signing_keys.signed(world, signing_keys.ORG, claims)


def _known(org: Org, request: Request) -> tuple[World, User]:
    # The header, the form, or the query: jsforce puts the token into the identity URL's query as well.
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip() if scheme.lower() in {"bearer", "oauth"} else request.values.get("oauth_token", "")
    with org.reading_only() as world:
        found = sessions.session(world.db, token)
        if world.switches.identity_scope_required and not found.may(*IDENTITY):
            # Off by default: the Salesforce CLI asks for "refresh_token api web" and reads userinfo with what it gets
            # (forcedotcom/sfdx-core, src/org/authInfo.ts). "Scopes": id is what gives access to the identity URL
            # service. The status and the word are those of the help page on identity URLs, where they stand for a token
            # that does not fit.
            raise Fault("Bad_OAuth_Token", "Bad_OAuth_Token", 403)
        return world, found.user


def userinfo(org: Org, request: Request) -> Response:
    """Answer `/services/oauth2/userinfo`."""
    org.count("userinfo")
    world, user = _known(org, request)
    return answer(person(world, request.host_url.rstrip("/"), user))


def identity(org: Org, request: Request, organization: str, user_id: str) -> Response:
    """Answer `/id/<org>/<user>`, which a user may ask only about themselves."""
    world, user = _known(org, request)
    if (ids.short(organization), ids.short(user_id)) != (world.org_id[:15], user.id[:15]):
        raise Fault("NOT_FOUND", "The requested resource does not exist", 404)
    base = request.host_url.rstrip("/")
    known = person(world, base, user)
    return answer(
        {**known, "id": known["sub"], "username": user.username, "display_name": user.name, "asserted_user": True}
    )


def discovery(org: Org, request: Request) -> Response:
    """Answer `/.well-known/openid-configuration`."""
    base = request.host_url.rstrip("/")
    return answer(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/services/oauth2/authorize",
            "token_endpoint": f"{base}/services/oauth2/token",
            "revocation_endpoint": f"{base}/services/oauth2/revoke",
            "introspection_endpoint": f"{base}/services/oauth2/introspect",
            "userinfo_endpoint": f"{base}/services/oauth2/userinfo",
            "jwks_uri": f"{base}/id/keys",
            "scopes_supported": sorted(SERVICE),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def published_keys(org: Org, request: Request) -> Response:
    """Answer `/id/keys`."""
    with org.writing() as world:
        return answer(signing_keys.published(world, signing_keys.ORG))
