"""Issues access tokens, refresh tokens and codes, finds them by their digest, and ends those of one grant together.

A family is one approval of a user for an app: the refresh token, those that replace it, and all access tokens that came of
them.
"""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from providers.mock.oauth import refusals, signing_keys
from providers.mock.oauth.apps import App
from providers.mock.state import ids, sessions
from providers.mock.state.world import World

CODE_MINUTES = 15
"""help.salesforce.com, remoteaccess_oauth_web_server_flow: a code is good for 15 minutes."""
_HOURS = {"HOURS": 1, "DAYS": 24, "MONTHS": 30 * 24}


@dataclass(frozen=True, slots=True)
class Token:
    """One stored token or code; times are milliseconds of the org's clock."""

    digest: str
    what: str
    family: str
    app_kind: str
    app_name: str
    app_id: str
    user: str
    scopes: frozenset[str]
    issued_at: int
    used_at: int
    expires_at: int | None
    is_replaced: bool
    detail: str


def _random(length: int) -> str:
    return "".join(secrets.choice(ids.ALPHABET) for _ in range(length))


def new_family() -> str:
    return secrets.token_hex(16)


def access(world: World, base: str, app: App, user_id: str, scopes: frozenset[str], family: str) -> str:
    """Issue an access token: opaque, or, where the app says so, a JWT signed by the org (S003)."""
    expires = world.milliseconds + app.session_minutes * 60_000
    text = f"{world.org_id[:15]}!AQ{_random(86)}"
    if app.issues_jwt:
        issued = world.milliseconds // 1000
        claims = {
            "iss": base, "sub": f"uid:{user_id}", "aud": [base], "client_id": app.key, "scp": " ".join(sorted(scopes)),
            "iat": issued, "nbf": issued, "exp": expires // 1000, "jti": _random(22),
        }  # fmt: skip
        text = signing_keys.signed(world, signing_keys.ORG, claims)
    _keep(world, "access", text, app, user_id, scopes, family, expires=expires)
    return text


def refresh(
    world: World, app: App, user_id: str, scopes: frozenset[str], family: str, granted_at: int | None = None
) -> str:
    """Issue a refresh token; `granted_at` is when the first of its family was, since lifetimes count from there."""
    text = f"5Aep861{_random(80)}"
    _keep(world, "refresh", text, app, user_id, scopes, family, issued=granted_at)
    return text


def code(world: World, app: App, user_id: str, scopes: frozenset[str], detail: str) -> str:
    """Issue an authorization code; `detail` is what redeeming it must match."""
    text = f"aPrx{_random(60)}"
    expires = world.milliseconds + CODE_MINUTES * 60_000
    _keep(world, "code", text, app, user_id, scopes, new_family(), expires=expires, detail=detail)
    return text


def _keep(
    world: World, what: str, text: str, app: App, user_id: str, scopes: frozenset[str], family: str, *,
    issued: int | None = None, expires: int | None = None, detail: str = "",
) -> None:  # fmt: skip
    now = world.milliseconds
    world.db.execute("DELETE FROM oauth_token WHERE expires_at IS NOT NULL AND expires_at < ?", (now,))
    row = (sessions.digest(text), what, family, app.kind, app.name, app.id, user_id, " ".join(sorted(scopes)))
    world.db.execute(
        "INSERT INTO oauth_token VALUES (?,?,?,?,?,?,?,?,?,?,?,0,?)", (*row, issued or now, now, expires, detail)
    )


def find(db: sqlite3.Connection, text: str, *kinds: str) -> Token | None:
    """Return the token of one of these `kinds`, replaced and expired ones included."""
    row = db.execute("SELECT * FROM oauth_token WHERE digest = ?", (sessions.digest(text),)).fetchone()
    if row is None or row["what"] not in kinds:
        return None
    return Token(
        row["digest"], row["what"], row["family"], row["app_kind"], row["app_name"], row["app_id"], row["user"],
        frozenset(row["scopes"].split()), row["issued_at"], row["used_at"], row["expires_at"], bool(row["replaced"]),
        row["detail"],
    )  # fmt: skip


def end(db: sqlite3.Connection, token: Token) -> None:
    db.execute("DELETE FROM oauth_token WHERE digest = ?", (token.digest,))


def end_family(db: sqlite3.Connection, token: Token) -> None:
    db.execute("DELETE FROM oauth_token WHERE family = ?", (token.family,))


def use(world: World, token: Token, *, replaced: bool) -> None:
    """Note that a refresh token was used, and whether another one has replaced it."""
    values = (world.milliseconds, replaced, token.digest)
    world.db.execute("UPDATE oauth_token SET used_at = ?, replaced = ? WHERE digest = ?", values)


def check_refresh_policy(world: World, app: App, token: Token) -> None:
    """Refuse a refresh token that has expired by the app's policy, as the policy is now. A month has 30 days."""
    kind, _, rest = app.refresh_policy.partition(":")
    if kind == "zero":
        raise refusals.expired_token()
    if kind in {"specific_lifetime", "specific_inactivity"}:
        count, _, unit = rest.partition(":")
        since = token.issued_at if kind == "specific_lifetime" else token.used_at
        if world.milliseconds >= since + int(count) * _HOURS[unit] * 3_600_000:
            raise refusals.expired_token()
