"""The data: N external client apps of five components each, a file an app, the same at every run."""

from collections.abc import Iterator
from pathlib import Path

KINDS = {
    "": "ExternalClientApplication",
    "globalOauthSettings": "ExtlClntAppGlobalOauthSettings",
    "oauthSettings": "ExtlClntAppOauthSettings",
    "oauthPolicies": "ExtlClntAppOauthConfigurablePolicies",
    "policies": "ExtlClntAppConfigurablePolicies",
}
"""Kinds by their section in an app's document."""
COMPONENTS = len(KINDS)
"""Of one app: the app itself and its four satellites."""
_A_FOLDER = 500
"""Files in one folder: teams do not put ten thousand files side by side."""

_APP = """\
kind: ExternalClientApplication
name: {name}
label: Partner application {number}
description: Orders and invoices of partner {number}
contactEmail: {email}
contactPhone: "+1 555 {number:07}"
distributionState: Local
infoUrl: https://partner-{number}.example/about
globalOauthSettings:
  label: Global OAuth settings of partner {number}
  callbackUrl:
    - https://partner-{number}.example/callback
    - https://partner-{number}.example/callback/second
  isConsumerSecretOptional: false
  isIntrospectAllTokens: false
  isPkceRequired: true
  isRefreshTokenRotationEnabled: true
  isSecretRequiredForRefreshToken: true
  isSecretRequiredForTokenExchange: true
  isTokenExchangeEnabled: true
oauthSettings:
  label: OAuth settings of partner {number}
  commaSeparatedOauthScopes: [Api, RefreshToken, OpenID]
  singleLogoutUrl: https://partner-{number}.example/logout
oauthPolicies:
  label: OAuth policies of partner {number}
  commaSeparatedPermissionSet: [Order_Portal_User]
  ipRelaxationPolicyType: Enforce
  isClientCredentialsFlowEnabled: false
  isTokenExchangeFlowEnabled: true
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  refreshTokenPolicyType: SpecificLifetime
  refreshTokenValidityPeriod: 30
  refreshTokenValidityUnit: Days
  requiredSessionLevel: STANDARD
policies:
  label: Policies of partner {number}
  isEnabled: true
  isOauthPluginEnabled: true
"""


def names(apps: int) -> Iterator[str]:
    """The apps' names, in order."""
    return (f"partner_{number:05}" for number in range(apps))


def some(apps: int, percent: int) -> list[str]:
    """The names of so many of them, spread evenly, and of one at least."""
    return list(names(apps))[:: 100 // percent]


def write(folder: Path, apps: int) -> None:
    """Write the desired files of so many apps."""
    for number in range(apps):
        _write(folder, number, "iam@acme.example")


def change(folder: Path, apps: int) -> int:
    """Change one field of every hundredth app, and of one app at least. Returns how many that were."""
    changed = range(0, apps, 100)
    for number in changed:
        _write(folder, number, "identity@acme.example")
    return len(changed)


def _write(folder: Path, number: int, email: str) -> None:
    name = f"partner_{number:05}"
    path = folder / f"team_{number // _A_FOLDER:02}" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_APP.format(name=name, number=number, email=email), encoding="utf-8")
