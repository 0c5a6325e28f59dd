"""What the org does with each type beyond its schema: defaults, generated values, references, limits.

A habit is two functions. `settle` completes a component before it is written, or refuses it; `check` looks at it when
all of a deployment is in, so that the order of components does not matter, and yields what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from providers.mock.habits import apex, client_app, connected_app, exchange_handler, policies, scope, settings
from providers.mock.record import Body
from providers.mock.state.errors import Refusal
from providers.mock.state.world import Component, Landing, World


def _nothing_to_settle(landing: Landing, world: World) -> None:
    """Settle a component of a type without habits: it is kept as it came."""


def _nothing_to_check(name: str, body: Body, world: World) -> Iterator[Refusal]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Habit:
    settle: Callable[[Landing, World], None] = _nothing_to_settle
    check: Callable[[str, Body, World], Iterator[Refusal]] = _nothing_to_check


_HABITS: Mapping[str, Habit] = {
    "ApexClass": Habit(apex.settle),
    "ConnectedApp": Habit(connected_app.settle, connected_app.check),
    "ConnectedAppSettings": Habit(settings.settle),
    "ExternalClientAppSettings": Habit(settings.settle),
    "ExternalClientApplication": Habit(client_app.settle_application, client_app.check_application),
    "ExtlClntAppConfigurablePolicies": Habit(policies.settle_app, policies.check_app),
    "ExtlClntAppGlobalOauthSettings": Habit(client_app.settle_global, client_app.check_global),
    "ExtlClntAppOauthConfigurablePolicies": Habit(policies.settle_oauth, policies.check_oauth),
    "ExtlClntAppOauthSecuritySettings": Habit(policies.settle_security, policies.check_security),
    "ExtlClntAppOauthSettings": Habit(client_app.settle_oauth, client_app.check_oauth),
    "OauthCustomScope": Habit(scope.settle, scope.check),
    "OauthOidcSettings": Habit(settings.settle),
    "OauthTokenExchangeHandler": Habit(exchange_handler.settle, exchange_handler.check),
}
_PLAIN = Habit()


def of(kind: str) -> Habit:
    return _HABITS.get(kind, _PLAIN)


def removed(component: Component, world: World) -> None:
    """Delete what cannot exist without a component that was deleted."""
    if component.kind == "ExternalClientApplication":
        world.remove_satellites(component.name)
    if component.kind in {"ExternalClientApplication", "ConnectedApp"}:
        exchange_handler.forget_app(component.kind, component.name, world)
    if component.kind == "ConnectedApp":
        scope.forget_app(component.name, world)


def still_needed(component: Component, world: World) -> Refusal | None:
    """Return why a component cannot be deleted, judged by the state after the whole deployment; None if it can."""
    return apex.still_needed(component.name, world) if component.kind == "ApexClass" else None
