"""Who may use an app: the policy "Permitted Users"."""

from __future__ import annotations

from providers.mock.oauth import refusals
from providers.mock.oauth.apps import App
from providers.mock.state.world import User, World


def is_approved(world: World, app: App, user: User) -> bool:
    """Whether the user has one of the app's permission sets (given by name or label) or profiles (given by label)."""
    sets = {each.lower() for each in app.permission_sets}
    for name in user.permission_sets:
        row = world.db.execute(
            "SELECT label FROM component WHERE kind = 'PermissionSet' AND name = ?", (name,)
        ).fetchone()
        if name.lower() in sets or (row and (row["label"] or "").lower() in sets):
            return True
    # Profiles go by their label, in the org's language.
    return world.profile_name(user.profile).lower() in {each.lower() for each in app.profiles}


def check(world: World, app: App, user: User) -> None:
    """Refuse an inactive user, and a user without approval if the app is for approved users only."""
    if not user.is_active:
        raise refusals.inactive_user()
    if app.is_admin_approved and not is_approved(world, app, user):
        raise refusals.not_approved()


def check_approved_before(world: World, app: App, user: User) -> None:
    """As `check`, for flows without a page to approve on: users who may approve an app must have done so before.

    salesforce.stackexchange.com/questions/184363 quotes the help page: only approvals with a refresh token count.
    """
    check(world, app, user)
    if not app.is_admin_approved:
        row = world.db.execute(
            "SELECT 1 FROM oauth_token WHERE what = 'refresh' AND app_id = ? AND user = ? AND NOT replaced",
            (app.id, user.id),
        ).fetchone()
        if row is None:
            raise refusals.never_approved()
