"""Rules about all flows of an app together."""

from reconciler.rules import Broken, NotChecked, Verdicts, rule
from reconciler.rules.examples import TOKEN_EXCHANGE as GOOD
from reconciler.rules.unknowns import unknown
from reconciler.schema.severity import Severity
from reconciler.world.apps import (
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    CODE_CREDENTIALS,
    DEVICE_FLOW,
    POLICY,
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    App,
)
from reconciler.world.world import UNKNOWN, World

SWITCHES = (
    TOKEN_EXCHANGE,
    TOKEN_EXCHANGE_POLICY,
    CLIENT_CREDENTIALS,
    CLIENT_CREDENTIALS_POLICY,
    DEVICE_FLOW,
    CODE_CREDENTIALS,
)


@rule(
    "FL01",
    Severity.MEDIUM,
    "An app that promises a flow is enabled, and so is its OAuth plugin",
    hurts="Clients of the app get no token through any flow.",
    source='Salesforce Help, "Integrate an App for the Token Exchange Flow" (remoteaccess_token_exchange_integrate): Deploy'
    " the external client app OAuth plugin; Metadata API Developer Guide, ExtlClntAppConfigurablePolicies",
    good=GOOD,
    bad=GOOD.but("isOauthPluginEnabled: true", "isOauthPluginEnabled: false"),
)
def switched_on(world: World) -> Verdicts:
    """Medium and not high: switching an app off is how an intruder is stopped, and no rule may stand in the way of that.
    External client apps only: a connected app has no such switches."""
    for app in world.apps():
        if app.is_connected:
            continue
        address = app.satellite(POLICY)
        values = {name: app.value_of(POLICY, name) for name in ("isEnabled", "isOauthPluginEnabled")}
        # What is not there at all has been switched off by no one.
        doubtful = {name: value for name, value in values.items() if value is not True and value is not None}
        promise, known = _promise(app) if doubtful else ("", True)
        for name, value in doubtful.items():
            if value is False and promise:
                yield Broken(
                    address,
                    f"{name} is false, but {promise}",
                    (name,),
                    mend=f"write {name}: true under policies, or switch the flow off",
                    also=(
                        *(one.address for one in world.enablements_of(app.address)),
                        *app.records(*SWITCHES, but=address),
                    ),
                )
            elif value is False and not known:
                yield NotChecked(address, f"{name} is false; whether the app promises a flow is not known", (name,))
            elif value is UNKNOWN and promise:
                yield unknown(world, address, (name,))


def _promise(app: App) -> tuple[str, bool]:
    """What promises a flow, in words (empty if nothing does), and whether all that could is known."""
    enablements = app.world.enablements_of(app.address)
    if enablements:
        return f"the handler {enablements[0].handler.name} is enabled for {app.name}", True
    values = [app.value(setting) for setting in SWITCHES]
    if True in values:
        return f"{app.spot(SWITCHES[values.index(True)]).path[-1]} is true", True
    return "", UNKNOWN not in values
