"""The central identity provider beside the org: it issues the tokens that are exchanged, and publishes its keys.

It issues to anyone who asks, whatever issuer and audience they name: it is there for tests on this machine.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
from werkzeug.wrappers import Request, Response

from providers.mock.oauth import handler_rule, saml, signing_keys
from providers.mock.oauth.refusals import wrong_request
from providers.mock.oauth.response import answer, refusal
from providers.mock.org import Org
from providers.mock.state import sessions
from providers.mock.state.errors import MockOrgError
from providers.mock.state.world import World

if TYPE_CHECKING:
    from jwt.types import Options

JWTS, OPAQUE = ("jwt", "id_token"), ("access_token", "refresh_token")
TYPES = (*JWTS, *OPAQUE, "saml2")
_SECONDS = re.compile(r"-?[0-9]{1,12}")
ISSUER = "https://idp.mock.invalid"
"""Who has issued a token for which no one else was named."""


class UnverifiedError(ValueError):
    """A token was not issued here, or is not of the type that its bearer says."""


def issue(
    world: World, subject: str, audience: str, issuer: str, token_type: str, expires_in: int,
    claims: Mapping[str, object], *, forged: bool,
) -> str:  # fmt: skip
    """Return a token; `world` is open for writing. Raises `MockOrgError` for a type that there is not."""
    if token_type not in TYPES:
        raise MockOrgError(f"{token_type} is no type of subject token; there are {', '.join(TYPES)}")
    declared = [
        each for each in handler_rule.rules(world) if audience in {"", each.audience} and issuer in {"", each.issuer}
    ]
    if len(declared) == 1:
        issuer, audience = declared[0].issuer, declared[0].audience
    if not audience:
        raise MockOrgError("for whom is the token? name an audience, or declare one rule (`mock rule`) to take it from")
    now = world.milliseconds // 1000
    told: dict[str, Any] = {
        "iss": issuer or ISSUER, "sub": subject, "aud": audience, "iat": now, "exp": now + expires_in,
        "jti": secrets.token_hex(12), **claims,
    }  # fmt: skip
    try:
        if not isinstance(told["iss"], str):
            # Not every version of the library looks.
            raise TypeError("iss must be a text")
        return _made(world, token_type, told, forged=forged)
    except (ValueError, TypeError, OverflowError) as wrong:
        raise MockOrgError(f"a claim is nothing that a token can hold: {wrong}") from None


def _made(world: World, token_type: str, told: Mapping[str, Any], *, forged: bool) -> str:
    if token_type in JWTS:
        text = signing_keys.signed(world, signing_keys.PROVIDER, told)
        return _foreign(text) if forged else text
    if token_type == "saml2":  # noqa: S105 (a kind of token)
        text = saml.issue(told, signing_keys.private(world, signing_keys.PROVIDER))
        return _foreign_assertion(text) if forged else text
    text = f"idp-{secrets.token_urlsafe(36)}"
    if not forged:
        row = (sessions.digest(text), token_type, json.dumps(told), int(told["exp"]) * 1000)
        world.db.execute("DELETE FROM subject_token WHERE expires_at < ?", (world.milliseconds,))
        world.db.execute("INSERT INTO subject_token VALUES (?,?,?,?)", row)
    return text


def _foreign(text: str) -> str:
    """Return the JWT `text` with random bytes for a signature."""
    return f"{text.rpartition('.')[0]}.{base64.urlsafe_b64encode(secrets.token_bytes(256)).rstrip(b'=').decode()}"


def _foreign_assertion(text: str) -> str:
    document = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    before, tag, rest = document.partition(b"<ds:SignatureValue>")
    value = base64.b64encode(secrets.token_bytes(256))
    forged = before + tag + value + b"</ds:SignatureValue>" + rest.partition(b"</ds:SignatureValue>")[2]
    return base64.urlsafe_b64encode(forged).rstrip(b"=").decode()


def verified(world: World, text: str, token_type: str) -> dict[str, Any]:
    """Return the claims of a token, if this provider issued it as that type; raises `UnverifiedError`.

    JWTs and assertions are checked against the published keys, opaque tokens by asking the provider. An access token may
    be a JWT as well: many providers issue such. Whom it is from, whom for, and whether it is over, is the handler's business.
    """
    if token_type in OPAQUE:
        row = world.db.execute(
            "SELECT * FROM subject_token WHERE digest = ? AND what = ?", (sessions.digest(text), token_type)
        ).fetchone()
        if row is not None:
            told: dict[str, Any] = json.loads(row["claims"])
            return told
        if token_type == "refresh_token":  # noqa: S105 (a kind of token)
            raise UnverifiedError(token_type)
    try:
        if token_type == "saml2":  # noqa: S105 (a kind of token)
            return saml.verified(text, signing_keys.public(world, signing_keys.PROVIDER))
        checks: Options = {
            "verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_sub": False,
            "verify_jti": False,
        }  # fmt: skip
        # The key comes from where clients get it: what is published.
        known = jwt.PyJWKSet.from_dict(signing_keys.published(world, signing_keys.PROVIDER)).keys[0]
        claims: dict[str, Any] = jwt.decode(text, known.key, algorithms=["RS256"], options=checks)
    except (jwt.PyJWTError, saml.NotSignedError) as wrong:
        raise UnverifiedError(token_type) from wrong
    return claims


# -- over HTTP -------------------------------------------------------------------------------------------------------


def discovery(org: Org, request: Request) -> Response:
    """Answer `/idp/.well-known/openid-configuration`."""
    base = f"{request.host_url}idp"
    return answer(
        {
            "issuer": base,
            "jwks_uri": f"{base}/jwks",
            "token_endpoint": f"{base}/token",
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


def published_keys(org: Org, request: Request) -> Response:
    """Answer `/idp/jwks`."""
    with org.writing() as world:
        return answer(signing_keys.published(world, signing_keys.PROVIDER))


def token(org: Org, request: Request) -> Response:
    """Answer `POST /idp/token`, JSON or a form.

    `username` or `subject`, `audience`, `issuer`, `type`, `expires_in`, `forged`; whatever else is sent becomes a claim.
    """
    org.count("idp_token")
    given: dict[str, Any]
    if request.mimetype == "application/json":
        sent = request.get_json(silent=True)
        given = sent if isinstance(sent, dict) else {}
    else:
        given = dict(request.form.items())
    subject = str(given.pop("subject", "") or given.pop("username", ""))
    given.pop("username", None)
    named = {name: str(given.pop(name, "") or "") for name in ("audience", "issuer", "type", "expires_in", "forged")}
    kind = named["type"].rpartition(":")[2].lower() or "jwt"
    if not subject:
        return refusal(wrong_request("for whom? send username or subject"))
    lasts = named["expires_in"] or "300"
    if not _SECONDS.fullmatch(lasts):
        return refusal(wrong_request("expires_in is a number of seconds"))
    try:
        text = org.subject_token(
            subject, audience=named["audience"], issuer=named["issuer"], token_type=kind, expires_in=int(lasts),
            claims=given, forged=named["forged"].lower() == "true",
        )  # fmt: skip
    except MockOrgError as wrong:
        return refusal(wrong_request(str(wrong)))
    return answer(
        {
            "access_token": text,
            "issued_token_type": f"urn:ietf:params:oauth:token-type:{kind}",
            "token_type": "N_A",
            "expires_in": int(lasts),
        }
    )
