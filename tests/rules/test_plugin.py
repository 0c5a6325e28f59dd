"""A flow is promised by an app that is switched off."""

from pathlib import Path

import pytest

from reconciler.rules import Example, plugin
from reconciler.rules.examples import CONNECTED_TOKEN_EXCHANGE, TOKEN_EXCHANGE, WEB_SERVER
from tests.rules.build import found

RULES = [plugin.switched_on]
OFF = "policies:\n  isEnabled: true\n  isOauthPluginEnabled: true\n", "policies:\n  isEnabled: false\n"


def app(flow: str, policies: str = "isOauthPluginEnabled: false") -> Example:
    section, _, switch = flow.partition(".")
    promised = f"{section}: {{{switch}}}\n" if flow else ""
    return Example(f"kind: ExternalClientApplication\nname: a\npolicies: {{{policies}}}\n{promised}")


@pytest.mark.parametrize(
    "flow",
    [
        "globalOauthSettings.isTokenExchangeEnabled: true",
        "oauthPolicies.isTokenExchangeFlowEnabled: true",
        "globalOauthSettings.isClientCredentialsFlowEnabled: true",
        "oauthPolicies.isClientCredentialsFlowEnabled: true",
        "globalOauthSettings.isDeviceFlowEnabled: true",
        "globalOauthSettings.isCodeCredFlowEnabled: true",
    ],
)
@pytest.mark.parametrize("switch", ["isEnabled", "isOauthPluginEnabled"])
def test_every_flow_needs_both_switches(tmp_path: Path, flow: str, switch: str) -> None:
    """Clients are promised a flow that gives them nothing."""
    ((finding,), _) = found(app(flow, f"{switch}: false"), tmp_path, RULES)

    assert ("FL01", "ExtlClntAppConfigurablePolicies/a", (switch,)) == (finding.id, str(finding.address), finding.path)
    assert f"{switch} is false, but {flow.partition('.')[2].removesuffix(': true')} is true" == finding.message
    assert f"write {switch}: true under policies, or switch the flow off" == finding.mend


def test_an_enablement_promises_too(tmp_path: Path) -> None:
    """A handler that is enabled for an app that is off looks ready and is not."""
    example = TOKEN_EXCHANGE.but(*OFF).but("isTokenExchangeEnabled: true", "isTokenExchangeEnabled: false")

    ((finding,), _) = found(example, tmp_path, RULES)
    assert "isEnabled is false, but the handler PartnerIdp is enabled for order_portal" == finding.message
    assert [
        "OauthTokenExchangeHandler/PartnerIdp/enablements/order_portal",
        "ExtlClntAppGlobalOauthSettings/order_portal",
        "ExtlClntAppOauthConfigurablePolicies/order_portal",
    ] == [str(one) for one in finding.also]


def test_an_app_without_a_flow_may_be_off(tmp_path: Path) -> None:
    """Switching an app off is how it is retired."""
    assert ((), ()) == found(app(""), tmp_path, RULES)


def test_offline_an_app_that_is_off_and_says_nothing_of_flows_is_not_checked(tmp_path: Path) -> None:
    """The org may hold the flow's switch."""
    findings, (not_checked,) = found(WEB_SERVER.but(*OFF), tmp_path, RULES, offline=True)

    assert ((), ("isEnabled",)) == (findings, not_checked.path)


def test_offline_a_promise_without_the_switches_is_not_checked(tmp_path: Path) -> None:
    """The org may have switched the app off."""
    findings, not_checked = found(
        app("globalOauthSettings.isDeviceFlowEnabled: true", "label: x"), tmp_path, RULES, offline=True
    )

    assert ((), [("isEnabled",), ("isOauthPluginEnabled",)]) == (findings, [one.path for one in not_checked])


@pytest.mark.parametrize(
    "example", [CONNECTED_TOKEN_EXCHANGE, app("globalOauthSettings.isDeviceFlowEnabled: true", "label: x")]
)
def test_an_app_without_such_policies_is_on(tmp_path: Path, example: Example) -> None:
    """Connected apps have no such switches, and the org makes an external client app's with both on."""
    assert ((), ()) == found(example, tmp_path, RULES)
    if example is CONNECTED_TOKEN_EXCHANGE:
        assert ((), ()) == found(example, tmp_path / "files", RULES, offline=True)
