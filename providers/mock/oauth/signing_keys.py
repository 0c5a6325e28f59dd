"""Key pairs: one that the org signs with, one of its identity provider. Made when first needed, kept in the org's file."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.mock.state.world import World

ORG, PROVIDER = "org", "identity provider"


def _made() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def private(world: World, purpose: str) -> rsa.RSAPrivateKey:
    """Return a private key, made now if it is the first time; `world` must be open for writing then."""
    row = world.db.execute("SELECT pem FROM key_pair WHERE purpose = ?", (purpose,)).fetchone()
    pem = row["pem"].encode() if row else _made()
    if row is None:
        world.db.execute("INSERT INTO key_pair VALUES (?, ?)", (purpose, pem.decode()))
    return _loaded(pem)


@lru_cache(maxsize=8)
def _loaded(pem: bytes) -> rsa.RSAPrivateKey:
    # Checking a key takes longer than all the rest of a token request, and this one was made here.
    key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key of an org is no RSA key")
    return key


def public(world: World, purpose: str) -> rsa.RSAPublicKey:
    return private(world, purpose).public_key()


def published(world: World, purpose: str) -> dict[str, Any]:
    """Return the JSON Web Key Set (RFC 7517) of a purpose."""
    key: dict[str, Any] = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public(world, purpose)))
    key.pop("key_ops", None)
    return {"keys": [{**key, "use": "sig", "alg": "RS256", "kid": _key_id(key)}]}


def _key_id(key: Mapping[str, Any]) -> str:
    """The id of a key: its thumbprint (RFC 7638)."""
    members = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()


def signed(world: World, purpose: str, claims: Mapping[str, Any]) -> str:
    """Return a JWT with these claims."""
    named = published(world, purpose)["keys"][0]["kid"]
    return jwt.encode(dict(claims), private(world, purpose), algorithm="RS256", headers={"kid": named})
