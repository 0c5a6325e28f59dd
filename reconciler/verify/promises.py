"""All that the files promise of some apps, as probes in the order in which they can be run."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from reconciler.model.address import Address
from reconciler.model.declared import Snapshot
from reconciler.model.live import LiveState
from reconciler.verify.client_credentials import client_credentials
from reconciler.verify.client_secret import of_refreshing
from reconciler.verify.inputs import Given
from reconciler.verify.introspection import introspection
from reconciler.verify.jwt_bearer import jwt_bearer
from reconciler.verify.probe import Flow, Probe
from reconciler.verify.subject import Subject, with_declared_secret
from reconciler.verify.token_exchange import token_exchange
from reconciler.verify.web_server import web_server
from reconciler.world.apps import App
from reconciler.world.world import World


def apps(desired: Snapshot) -> tuple[Address, ...]:
    """The apps that the files declare."""
    return tuple(app.address for app in _declared(desired).all_apps)


def completed(desired: Snapshot, given: Mapping[Address, Given]) -> dict[Address, Given]:
    """What is given for each app; its consumer secret is the one that the files refer to unless there is another."""
    return {
        app.address: with_declared_secret(app, given.get(app.address, Given())) for app in _declared(desired).all_apps
    }


def promises(
    desired: Snapshot, live: LiveState, given: Mapping[Address, Given], only: Iterable[Address]
) -> Iterator[Probe]:
    """What the files promise of the apps `only`.

    Only what the files say is a promise; the org's records tell consumer keys, and which handlers, callback URLs and
    custom scopes there are besides. A flow that no file switches on has to be closed, where the files have a say in the
    record that holds its switch.
    """
    declared = _declared(desired)
    bodies = {address: have.body for address, have in live.resources.items()}
    held = World(bodies, True, date.min, org=live.org, unreadable=live.unreadable)
    for address in only:
        of = Subject(App(declared, address), App(held, address), given.get(address, Given()))
        exchanging = list(token_exchange(of))
        yield from exchanging
        if not any(probe.flow is Flow.REFRESH for probe in exchanging):
            yield from of_refreshing(of)
        yield from client_credentials(of)
        yield from jwt_bearer(of, sandbox=live.org.is_sandbox)
        yield from web_server(of)
        yield from introspection(of)


def _declared(desired: Snapshot) -> World:
    # No rule is asked here, so no day is needed.
    return World({a: r.body for a, r in desired.resources.items()}, False, date.min, declared=desired.resources)
