"""Decides whether a resource belongs to what we manage: a managed app's satellite, a managed handler's enablement."""

from collections.abc import Mapping

from reconciler.kinds import APP, satellites
from reconciler.model.address import Address
from reconciler.model.applied import Applied


def is_of_ours(address: Address, resources: Mapping[Address, Applied]) -> bool:
    """Whether a resource is part of what we manage: a record of a managed app, an enablement of a managed app or handler."""
    if address.is_enablement:
        app = address.app
        owners = (address.component, Address("ConnectedApp", app), *_family(app))
    elif address.is_satellite:
        owners = _family(address.name)
    else:
        return False
    return any(owner in resources and not resources[owner].watched for owner in owners)


def _family(app: str) -> tuple[Address, ...]:
    return tuple(Address(kind, app) for kind in (APP, *(kind.__name__ for kind in satellites().values())))
