"""Who is calling: sessions that belong to no app, tokens that apps got for a user, passwords.

A session without an app (`Org.access_token`, SOAP login) is recomputed rather than stored. A token of an app is stored
as a digest, with the app, the scopes and its end. A reset ends them all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import sqlite3
import time
from dataclasses import dataclass

from providers.mock.state.errors import Fault
from providers.mock.state.world import User, World, user_of


def _expired() -> Fault:
    return Fault("INVALID_SESSION_ID", "Session expired or invalid", 401)


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
    """Return a token of `user`: `00D…!…`, or three dotted parts where the org issues JWTs."""
    org, key = _key(db)
    # How often the user's sessions were ended: each time, another token is the right one.
    ended = db.execute("SELECT sessions FROM user WHERE id = ?", (user.id,)).fetchone()["sessions"]
    if jwt:
        head = _encoded(b'{"alg":"HS256","typ":"JWT"}')
        claims = {"sub": user.id, "org": org, **({"ended": ended} if ended else {})}
        signed = f"{head}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{_encoded(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"
    mac = hmac.new(key, f"{org}{user.id}{ended or ''}".encode(), hashlib.sha256).hexdigest()
    return f"{org[:15]}!{user.id[:15]}.{mac}"


@dataclass(frozen=True, slots=True)
class Session:
    """The user of a token, and what the app that got it may do; `scopes` is None where there is no app."""

    user: User
    scopes: frozenset[str] | None = None

    def may(self, *any_of: str) -> bool:
        return self.scopes is None or bool(self.scopes.intersection(any_of))


def digest(token: str) -> str:
    """Return the hash by which a token or code is stored: both are long and random, so a plain hash reveals nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def session(db: sqlite3.Connection, token: str) -> Session:
    """Return the session of `token`; raises `Fault` INVALID_SESSION_ID if forged, ended or another org's."""
    row = db.execute(
        "SELECT t.scopes, t.expires_at, t.app_kind, t.app_name, t.app_id, u.* FROM oauth_token t JOIN user u"
        " ON u.id = t.user AND u.active WHERE t.digest = ? AND t.what = 'access'",
        (digest(token),),
    ).fetchone()
    if row is None:
        return Session(_recomputed(db, token))
    # With the app go its tokens; the id, since another app may have got the name.
    app = db.execute(
        "SELECT 1 FROM component WHERE kind = ? AND name = ? AND id = ?",
        (row["app_kind"], row["app_name"], row["app_id"]),
    ).fetchone()
    if app is None or row["expires_at"] <= clock(db):
        raise _expired()
    return Session(user_of(row), frozenset(row["scopes"].split()))


def clock(db: sqlite3.Connection) -> int:
    """Return the milliseconds of the org's clock, which may be ahead of the machine's."""
    row = db.execute("SELECT value FROM meta WHERE key = 'clock'").fetchone()
    return max(time.time_ns() // 1_000_000, int(row["value"]))


def user(db: sqlite3.Connection, token: str) -> User:
    """Return who calls the data and metadata APIs with `token`; raises `Fault` INVALID_SESSION_ID.

    The text for a token without the scope `api` is that of help article 005226515. `full` holds all scopes that give
    access (help: remoteaccess_oauth_tokens_scopes).
    """
    found = session(db, token)
    if not found.may("api", "full"):
        raise Fault("INVALID_SESSION_ID", "This session is not valid for use with the REST API", 401)
    return found.user


def _recomputed(db: sqlite3.Connection, token: str) -> User:
    try:
        if is_jwt(token):
            payload = token.split(".")[1]
            wanted = str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])
        else:
            wanted = token.partition("!")[2].partition(".")[0]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _expired() from None
    row = db.execute("SELECT * FROM user WHERE substr(id, 1, 15) = ? AND active", (wanted[:15],)).fetchone()
    if row is None:
        raise _expired()
    found = user_of(row)
    if not hmac.compare_digest(issue(db, found, jwt=is_jwt(token)).encode(), token.encode()):
        raise _expired()
    return found


def end(db: sqlite3.Connection, user_id: str | None = None) -> None:
    """End the sessions of a user, or of everyone. Refresh tokens stay: that is what they are for."""
    everybody = user_id is None
    db.execute("UPDATE user SET sessions = sessions + 1 WHERE id = ? OR ?", (user_id, everybody))
    db.execute("DELETE FROM oauth_token WHERE what = 'access' AND (user = ? OR ?)", (user_id, everybody))


def password(db: sqlite3.Connection, user: User) -> str:
    """Return the user's password: drawn with the org, the same until a reset."""
    return f"Pw1-{_derived(db, 'password', user)[:20]}"


def security_token(db: sqlite3.Connection, user: User) -> str:
    """Return what Salesforce mails to a user, to be put behind the password from an address that it does not trust."""
    return _derived(db, "security token", user)[:24]


def _derived(db: sqlite3.Connection, purpose: str, user: User) -> str:
    org, key = _key(db)
    return hmac.new(key, f"{purpose} {org} {user.id}".encode(), hashlib.sha256).hexdigest()


def by_password(world: World, username: str, given: str) -> User | None:
    """Return the active user whom this password, with the security token behind it, belongs to."""
    found = world.user(username)
    if found is None or not found.is_active:
        return None
    known = password(world.db, found)
    right = [known + security_token(world.db, found)]
    if not world.switches.security_token_required:
        right.append(known)
    fits = [hmac.compare_digest(given.encode(), each.encode()) for each in right]
    return found if any(fits) else None
