"""The JWT bearer flow: a client names a user in a JWT, whose signature must fit the app's certificate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.mock.oauth import admission, apps, refusals
from providers.mock.oauth.apps import App
from providers.mock.oauth.grant import Grant
from providers.mock.oauth.request import TokenRequest
from providers.mock.oauth.scopes import REFRESH
from providers.mock.state.world import World

if TYPE_CHECKING:
    from jwt.types import Options

_SALESFORCE = frozenset({"https://login.salesforce.com", "https://test.salesforce.com"})


def run(world: World, request: TokenRequest) -> Grant:
    if request["scope"] and world.switches.scope_parameter_refused:
        raise refusals.scope_not_taken()
    claims = _read(request["assertion"], None)
    app = apps.asking(world, request, str(claims.get("iss", "")))
    _read(request["assertion"], _public_key(app))
    # sf sends milliseconds, which lie far ahead, and simple-salesforce text. No source tells how far ahead is too far.
    if _seconds(claims.get("exp")) * 1000 <= world.milliseconds:
        raise refusals.expired_code()
    if "nbf" in claims and _seconds(claims["nbf"]) * 1000 > world.milliseconds:
        # RFC 7523, 3; what Salesforce says of it is not known.
        raise refusals.invalid_grant("invalid assertion")
    if str(claims.get("aud", "")).removesuffix("/") not in _audiences(world, request.base):
        # salesforce.stackexchange.com/questions/184363 quotes it.
        raise refusals.invalid_grant("audience is invalid")
    user = world.user(str(claims.get("sub") or claims.get("prn") or ""))
    if user is None:
        raise refusals.never_approved()
    if REFRESH not in app.scopes:
        # The help page on the flow: approvals count only if they hold a refresh token.
        raise refusals.never_approved()
    admission.check_approved_before(world, app, user)
    # The flow gives no refresh token: the next assertion is as good.
    return Grant(app, user, app.scopes)


def _read(assertion: str, key: rsa.RSAPublicKey | None) -> dict[str, Any]:
    """Return the claims of an assertion; with `key`, its signature must fit. The org's clock checks times later."""
    checks: Options = {
        "verify_signature": key is not None, "verify_aud": False, "verify_exp": False, "verify_iat": False,
        "verify_nbf": False, "verify_iss": False, "verify_sub": False, "verify_jti": False,
    }  # fmt: skip
    try:
        return jwt.decode(
            assertion,
            key if key is not None else "",
            algorithms=["RS256"],
            options=checks,
        )
    except jwt.PyJWTError:
        # The words of several public reports, for any assertion that cannot be read or whose signature does not fit.
        raise refusals.invalid_grant("invalid assertion") from None


def _public_key(app: App) -> rsa.RSAPublicKey:
    """Return the public key of an app's certificate, even if the text lacks line breaks or BEGIN and END lines."""
    text = app.certificate
    body = "".join(text.replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "").split())
    pem = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    try:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except ValueError:
        raise refusals.invalid_grant("invalid assertion") from None  # no certificate, or none that can be read
    if not isinstance(key, rsa.RSAPublicKey):
        raise refusals.invalid_grant("invalid assertion")
    return key


def _audiences(world: World, base: str) -> frozenset[str]:
    row = world.db.execute("SELECT value FROM meta WHERE key = 'is_sandbox'").fetchone()
    own = row["value"] != "true" or world.switches.my_domain_audience_in_sandbox
    return _SALESFORCE | ({base} if own else frozenset())


def _seconds(claim: object) -> float:
    try:
        found = float(str(claim))
    except ValueError:
        raise refusals.invalid_grant("invalid assertion") from None
    if not math.isfinite(found):
        raise refusals.invalid_grant("invalid assertion")
    return found
