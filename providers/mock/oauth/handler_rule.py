"""Rules that simulate Apex token exchange handlers, since no Apex runs in this org.

A rule says what such a class decides: whose tokens it takes, for which audience, and which user a claim means. Every
refusal says that it came from a rule. The rule is given only what the class is given: a token whose signature was checked.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.mock.metadata import fresh
from providers.mock.oauth.refusals import Refused
from providers.mock.state.errors import MockOrgError
from providers.mock.state.world import User, World, user_of

USER_FIELDS: Mapping[str, str] = {
    "Email": "email",
    "FederationIdentifier": "federation_identifier",
    "Username": "username",
}
_NEW_PROFILE = "Minimum Access - Salesforce"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one Apex class is simulated: in `issuer`'s tokens for `audience`, `claim` gives the user's `user_field`."""

    apex_class: str
    issuer: str
    audience: str
    claim: str = "sub"
    user_field: str = "FederationIdentifier"
    creates: bool = False


def declare(world: World, rule: Rule) -> None:
    """Keep a rule in place of the class's former one; raises `MockOrgError` for a field that no user has."""
    if rule.user_field not in USER_FIELDS:
        close = difflib.get_close_matches(rule.user_field, USER_FIELDS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(USER_FIELDS)}"
        raise MockOrgError(f"no user is found by {rule.user_field}; {hint}")
    for name, value in (("issuer", rule.issuer), ("audience", rule.audience), ("claim", rule.claim)):
        if not value:
            raise MockOrgError(f"the rule for {rule.apex_class} needs an {name}")
    row = (rule.apex_class, rule.issuer, rule.audience, rule.claim, rule.user_field, rule.creates)
    world.db.execute("REPLACE INTO handler_rule VALUES (?,?,?,?,?,?)", row)


def rules(world: World) -> list[Rule]:
    return [_rule(row) for row in world.db.execute("SELECT * FROM handler_rule ORDER BY class")]


def rule_of(world: World, apex_class: str) -> Rule:
    """Return the rule that simulates an Apex class; raises `Refused` if the class has none."""
    row = world.db.execute("SELECT * FROM handler_rule WHERE class = ?", (apex_class,)).fetchone()
    if row is None:
        raise Refused(
            "invalid_grant",
            f"this mock org runs no Apex and needs a rule for {apex_class}: see `mock rule`",
        )
    return _rule(row)


def _rule(row: Any) -> Rule:
    return Rule(row["class"], row["issuer"], row["audience"], row["claim"], row["user_field"], bool(row["creates"]))


def refused(apex_class: str, text: str) -> Refused:
    """The refusal of a simulated handler. In Salesforce its text is the class's `customErrorMsg`; this one is ours."""
    return Refused("invalid_grant", f"{apex_class}, simulated by a rule: {text}")


def check(world: World, rule: Rule, claims: Mapping[str, Any]) -> None:
    """Check issuer, audience and times of a token, as `validateIncomingToken` does in Apex."""
    audience = claims.get("aud")
    if claims.get("iss") != rule.issuer:
        raise refused(rule.apex_class, "the token is from another issuer")
    if rule.audience not in (audience if isinstance(audience, list) else [audience]):
        raise refused(rule.apex_class, "the token is for another audience")
    now = world.milliseconds / 1000
    if not _later(claims.get("exp"), now):
        raise refused(rule.apex_class, "the token has expired")
    if "nbf" in claims and _later(claims["nbf"], now):
        raise refused(rule.apex_class, "the token is not valid yet")


def _later(claim: object, now: float) -> bool:
    return isinstance(claim, (int, float)) and claim > now


def person(world: World, rule: Rule, claims: Mapping[str, Any], *, may_create: bool) -> User:
    """Return the user that the claim names, or a new one if allowed, as Apex's `getUserForTokenSubject` does."""
    value = claims.get(rule.claim)
    if not isinstance(value, str) or not value:
        raise refused(rule.apex_class, f"the token has no {rule.claim}")
    # The column is one of three constants.
    statement = f"SELECT * FROM user WHERE {USER_FIELDS[rule.user_field]} = ? COLLATE NOCASE"  # noqa: S608
    found = [user_of(row) for row in world.db.execute(statement, (value,))]
    if len(found) == 1:
        return found[0]
    if found:
        raise refused(rule.apex_class, f"several users have that {rule.user_field}")
    if not rule.creates:
        raise refused(rule.apex_class, f"no user has that {rule.user_field}")
    if not may_create:
        raise refused(rule.apex_class, "there is no such user, and the handler may not create one")
    return _created(world, rule, claims, value)


def _created(world: World, rule: Rule, claims: Mapping[str, Any], value: str) -> User:
    email, last = claims.get("email"), claims.get("family_name")
    if not (isinstance(email, str) and email and isinstance(last, str) and last):
        raise refused(
            rule.apex_class, "there is no such user, and the token has no email and family_name for a new one"
        )
    username = value if rule.user_field == "Username" else email
    if world.user(username) is not None:
        raise refused(rule.apex_class, "there is no such user, and the username for a new one is taken")
    fresh.add_user(
        world, username, f"{claims.get('given_name') or ''} {last}".strip(), profile=_NEW_PROFILE, active=True,
        api_only=False, permission_sets="", created=world.now, email=email,
        federation_identifier=value if rule.user_field == "FederationIdentifier" else None,
    )  # fmt: skip
    made = world.user(username)
    if made is None:
        raise LookupError(username)
    world.audit("createduser", "Manage Users", f"Created new user {made.name}")
    return made
