"""Settings: every switch that the newest version knows is there, off unless it was sent."""

from __future__ import annotations

from providers.mock.record import default
from providers.mock.state.world import Landing, World

_FLAGS = {
    "ConnectedAppSettings": (
        "enableAdminApprovedAppsOnly",
        "enableAdminApprovedAppsOnlyForExternalUser",
        "enableSkipUserProvisioningWizardWelcomePage",
    ),
    "ExternalClientAppSettings": (
        "enableClientSecretInRestApiAccess",
        "enableConsumerSecretApiAccess",
        "enablePackageEcaOauthFromDevOrg",
    ),
    "OauthOidcSettings": ("blockOAuthUnPwFlow", "blockOAuthUsrAgtFlow", "isPkceRequired", "oAuthCdCrdtFlowEnable"),
}


def settle(landing: Landing, _: World) -> None:
    default(landing.body, dict.fromkeys(_FLAGS[landing.kind], "false"))
