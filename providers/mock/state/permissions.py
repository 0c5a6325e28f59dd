"""What a user may do: the permissions of the profile and of the assigned permission sets, and what those bring along."""

from __future__ import annotations

from functools import lru_cache

from providers.mock.record import one, parse, parts, true
from providers.mock.state.errors import Fault
from providers.mock.state.world import Component, User, World

# "Customize Application" and "Modify All Data" bring "View Setup and Configuration" along, and each permission for
# external client apps the next smaller one; without the API no one can use what modifies through it.
_BRINGS = {
    "CustomizeApplication": ("ViewSetup",),
    "ExternalClientAppAdmin": ("ExternalClientAppViewer",),
    "ExternalClientAppDeveloper": ("ExternalClientAppAdmin",),
    "ManageProfilesPermissionsets": ("ViewSetup",),
    "ManageUsers": ("ViewSetup",),
    "ModifyAllData": ("ApiEnabled", "ViewAllData", "ViewSetup"),
    "ModifyMetadata": ("ApiEnabled", "ViewSetup"),
}


def held(world: World, user: User) -> frozenset[str]:
    """Return all permissions of `user`, by the names of the metadata: `ModifyAllData`."""
    row = world.db.execute(
        "SELECT name FROM component WHERE kind = 'Profile' AND label = ?", (user.profile,)
    ).fetchone()
    holders = [("Profile", row["name"])] if row else []
    holders += [("PermissionSet", name) for name in user.permission_sets]
    found: set[str] = set()
    for kind, name in holders:
        component = world.component(kind, name)
        if component is not None:
            found |= granted(component)
    waiting = list(found)
    while waiting:
        for brought in _BRINGS.get(waiting.pop(), ()):
            if brought not in found:
                found.add(brought)
                waiting.append(brought)
    return frozenset(found)


def granted(holder: Component) -> frozenset[str]:
    """Return what a profile or permission set itself grants."""
    return _granted(holder.body)


# Every request asks, and records rarely change.
@lru_cache(maxsize=64)
def _granted(body: bytes) -> frozenset[str]:
    names = (one(each, "name") for each in parts(parse(body), "userPermissions") if true(each, "enabled"))
    return frozenset(name for name in names if name)


def check_api(world: World, user: User) -> None:
    """Raise `Fault` for a user without "API Enabled".

    What a REST call is answered; SOAP here says the same:
    https://docs.sequin.io/integrations/salesforce/playbooks/enable-salesforce-api
    """
    if "ApiEnabled" not in held(world, user):
        raise Fault("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", 403)


def may_administer(world: World, user: User) -> bool:
    """Whether `user` may use the Metadata API."""
    return bool(held(world, user) & {"ModifyAllData", "ModifyMetadata"})


def may_view_setup(world: World, user: User) -> bool:
    """Whether `user` may look at Setup, and so at who did what there and who holds which permission."""
    return "ViewSetup" in held(world, user)


def check_metadata(world: World, user: User) -> None:
    """Raise `Fault` for a user who may not use the Metadata API."""
    if not may_administer(world, user):
        text = "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions"
        raise Fault("INSUFFICIENT_ACCESS", text, 403)
