"""Access tokens: opaque ones and JWT ones, both recomputed rather than stored, so a reset ends them all."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import sqlite3

from providers.mock.errors import Fault
from providers.mock.world import User, World, user_of

_EXPIRED = Fault("INVALID_SESSION_ID", "Session expired or invalid", 401)
_ADMINISTRATION = frozenset({"ModifyAllData", "ModifyMetadata"})
# "Customize Application" and "Modify All Data" bring "View Setup and Configuration" along.
_SETUP = frozenset({"ViewSetup", "CustomizeApplication", "ModifyAllData"})


def _key(db: sqlite3.Connection) -> tuple[str, bytes]:
    meta = {
        row["key"]: row["value"]
        for row in db.execute("SELECT key, value FROM meta WHERE key IN ('org_id', 'token_key')")
    }
    return meta["org_id"], bytes.fromhex(meta["token_key"])


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_jwt(token: str) -> bool:
    return token.startswith("eyJ") and token.count(".") == 2


def issue(db: sqlite3.Connection, user: User, *, jwt: bool) -> str:
    """Return a token of *user*: ``00D…!…``, or three dotted parts where the org issues JWTs."""
    org, key = _key(db)
    if jwt:
        head = _encoded(b'{"alg":"HS256","typ":"JWT"}')
        signed = f"{head}.{_encoded(json.dumps({'sub': user.id, 'org': org}).encode())}"
        return f"{signed}.{_encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"
    mac = hmac.new(key, f"{org}{user.id}".encode(), hashlib.sha256).hexdigest()
    return f"{org[:15]}!{user.id[:15]}.{mac}"


def user(db: sqlite3.Connection, token: str) -> User:
    """Return whose *token* it is; raises ``Fault`` INVALID_SESSION_ID for another org's, a forged or a former one's."""
    try:
        if is_jwt(token):
            payload = token.split(".")[1]
            wanted = str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])
        else:
            wanted = token.partition("!")[2].partition(".")[0]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _EXPIRED from None
    row = db.execute("SELECT * FROM user WHERE substr(id, 1, 15) = ? AND active", (wanted[:15],)).fetchone()
    if row is None:
        raise _EXPIRED
    found = user_of(row)
    if not hmac.compare_digest(issue(db, found, jwt=is_jwt(token)).encode(), token.encode()):
        raise _EXPIRED
    return found


def may_administer(world: World, found: User) -> bool:
    """Whether *found* may use the Metadata API: a permission of the profile or of an assigned permission set."""
    return _holds(world, found, _ADMINISTRATION)


def may_view_setup(world: World, found: User) -> bool:
    """Whether *found* may look at Setup, and so at who did what there and who holds which permission."""
    return _holds(world, found, _SETUP)


def _holds(world: World, found: User, permissions: frozenset[str]) -> bool:
    row = world.db.execute(
        "SELECT name FROM component WHERE kind = 'Profile' AND label = ?", (found.profile,)
    ).fetchone()
    holders = [("Profile", row["name"])] if row else []
    holders += [("PermissionSet", name) for name in found.permission_sets]
    for kind, name in holders:
        component = world.component(kind, name)
        text = component.body.decode() if component else ""
        if any(f"<name>{permission}</name>" in text for permission in permissions):
            return True
    return False
