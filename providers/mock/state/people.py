"""Who has which permission set."""

from __future__ import annotations

from collections.abc import Iterator

from providers.mock.state.world import User, World, user_of


def everybody(world: World) -> Iterator[User]:
    for row in world.db.execute("SELECT * FROM user ORDER BY created_at, id").fetchall():
        yield user_of(row)


def assign(world: World, user: User, permission_set: str) -> bool:
    """Give `user` a permission set, by its API name; False where the user has it already."""
    if permission_set in user.permission_sets:
        return False
    _keep(world, user, (*user.permission_sets, permission_set))
    world.audit("PermSetAssign", "Manage Users", f"Permission set {permission_set}: assigned to user {user.name}")
    return True


def unassign(world: World, user: User, permission_set: str) -> bool:
    """Take a permission set from `user`; False where the user has it not."""
    if permission_set not in user.permission_sets:
        return False
    _keep(world, user, tuple(name for name in user.permission_sets if name != permission_set))
    world.audit("PermSetUnassign", "Manage Users", f"Permission set {permission_set}: unassigned from user {user.name}")
    return True


def _keep(world: World, user: User, names: tuple[str, ...]) -> None:
    world.db.execute("UPDATE user SET permission_sets = ? WHERE id = ?", (",".join(names), user.id))
