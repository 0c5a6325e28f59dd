"""The users that apps and handlers run as: what rules may conclude from what the org says of them."""

from reconciler.model.facts import User
from reconciler.world.world import World

ADMINISTRATORS = frozenset({"System Administrator", "システム管理者", "Systeembeheerder"})
"""How the profile is called. An org that speaks another language calls it otherwise, and no list of these names is
published: these three were seen."""


def look_up(world: World, username: str) -> tuple[User | None, str]:
    """The user of that name; or `None`, and why nothing is known (empty: there is no such user)."""
    if world.facts is None:
        return None, "no org was asked"
    if (reason := world.facts.unknown.get("users")) is not None:
        return None, f"the org did not tell ({reason})"
    return world.facts.users.get(username.casefold()), ""


def unusable(username: str, user: User | None) -> str:
    """Why nothing can run as that user, or an empty text."""
    if user is None:
        return f"the org has no user {username}"
    return "" if user.active else f"{username} is inactive"


def is_administrator(user: User) -> bool:
    return user.profile in ADMINISTRATORS
