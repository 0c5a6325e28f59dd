"""Signs the assertions of the JWT bearer flow, and makes the forged and altered ones that `verify` tries."""

import base64
import json
from functools import cache

from reconciler.errors import Complaint, InputError
from reconciler.redaction import hold

SECONDS = 180
"""So long an assertion is good. It is used at once; what is longer good is longer worth stealing."""


def signed(issuer: str, subject: str, audience: str, now: float, key: str, *, section: str) -> str:
    """Return the assertion of the JWT bearer flow (RFC 7523), signed with a private key in PEM.

    `section` of the project file gives the key. Raises InputError, which never quotes it.
    """
    from jwt import PyJWTError, encode  # noqa: PLC0415 (its import costs start-up time that only this flow should pay)

    claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(now) + SECONDS}
    try:
        return hold(encode(claims, key, algorithm="RS256"))
    except (PyJWTError, ValueError, TypeError):
        # What the library says may quote the key.
        raise InputError(
            Complaint(
                f"{section}: private_key holds no RSA private key",
                mend="give the whole PEM file, -----BEGIN PRIVATE KEY----- and line breaks included, without a passphrase",
            )
        ) from None


@cache
def nobodys_key() -> str:
    """A private key that no certificate belongs to, in PEM; made once a run."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 (as above)
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def tampered(token: str) -> str:
    """Return a JWT with its signature altered, so that an org must refuse it; empty if `token` is no JWT."""
    head, _, signature = token.rpartition(".")
    if head.count(".") != 1 or len(signature) < 8:
        return ""
    # Not at the end, where characters may hold bits that mean nothing.
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    return hold(f"{head}.{signature[:middle]}{other}{signature[middle + 1 :]}")


def ends(token: str) -> float | None:
    """Return when a JWT expires by its claim `exp`, in seconds since 1970; `None` if it has none, or is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    found = claims.get("exp") if isinstance(claims, dict) else None
    return float(found) if isinstance(found, int | float) and abs(found) < 1e12 else None
