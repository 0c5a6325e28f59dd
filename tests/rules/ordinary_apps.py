"""Apps as they are set up every day, each in order: what no rule may complain about."""

from reconciler.rules import Example
from reconciler.rules.certificates import JWT_BEARER
from reconciler.rules.examples import CLIENT_CREDENTIALS, CONNECTED_TOKEN_EXCHANGE, TOKEN_EXCHANGE, WEB_SERVER

ORG = "---\nkind: OauthOidcSettings\nblockOAuthUnPwFlow: true\nblockOAuthUsrAgtFlow: true\n"


def _external(name: str, flows: str, *, scopes: str = "Api, RefreshToken", policies: str = "") -> Example:
    """An external client app for approved users, whose refresh tokens end after 30 days without use."""
    return Example(
        f"""\
kind: ExternalClientApplication
name: {name}
label: {name}
contactEmail: iam@acme.example
distributionState: Local
globalOauthSettings:
{flows}
oauthSettings:
  commaSeparatedOauthScopes: [{scopes}]
oauthPolicies:
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  commaSeparatedPermissionSet: [App_User]
  ipRelaxationPolicyType: Enforce
  refreshTokenPolicyType: SpecificInactivity
  refreshTokenValidityPeriod: 30
  refreshTokenValidityUnit: Days
{policies}policies:
  isEnabled: true
  isOauthPluginEnabled: true
{ORG}"""
    )


def _connected(fields: str) -> Example:
    """A connected app that the org has had for long."""
    head = "kind: ConnectedApp\nname: Legacy\nlabel: Legacy\ncontactEmail: it@acme.example\n"
    return Example(f"{head}{fields}{ORG}", live=head)


_PUBLIC = """\
  isPkceRequired: true
  isConsumerSecretOptional: true
  isSecretRequiredForRefreshToken: false
  isRefreshTokenRotationEnabled: true"""
_PRIVATE = """\
  isPkceRequired: true
  isConsumerSecretOptional: false
  isSecretRequiredForRefreshToken: true
  isRefreshTokenRotationEnabled: true"""
_CERTIFICATE = (
    JWT_BEARER.files.partition("  certificate: |\n")[2].partition("  isConsumerSecretOptional")[0].rstrip("\n")
)

ORDINARY = {
    "mobile app": _external("field_service", f"  callbackUrl: ['acmefield://oauth/callback']\n{_PUBLIC}"),
    "mobile app with a scheme of its domain turned around": _external(
        "field_service", f"  callbackUrl: ['com.acme.field:/oauth2redirect']\n{_PUBLIC}"
    ),
    "mobile app with a link that opens it": _external(
        "field_service", f"  callbackUrl: ['https://app.acme.example/cb', 'acmefield://cb']\n{_PUBLIC}"
    ),
    "desktop app": _external("loader", f"  callbackUrl: ['http://127.0.0.1/callback', 'http://[::1]/cb']\n{_PUBLIC}"),
    "web application": WEB_SERVER,
    "web application with a developer's machine": _external(
        "help_desk", f"  callbackUrl: ['https://help.acme.example/cb', 'http://localhost:8080/cb']\n{_PRIVATE}"
    ),
    "web application that only asks who somebody is": _external(
        "intranet",
        f"  callbackUrl: ['https://intranet.acme.example/cb']\n{_PRIVATE}\n"
        "  idTokenConfig:\n    idTokenAudience: https://intranet.acme.example\n    idTokenIncludeStandardClaims: true\n"
        "    idTokenValidityInMinutes: 2",
        scopes="OpenID, Profile, Email",
    ),
    "device": _external(
        "wall_display",
        "  callbackUrl: ['https://acme.my.salesforce.com/services/oauth2/success']\n  isDeviceFlowEnabled: true\n"
        + _PUBLIC,
    ),
    "device that still has the secret of the web server flow": _external(
        "wall_display",
        "  callbackUrl: ['https://displays.acme.example/cb']\n  isDeviceFlowEnabled: true\n"
        + _PUBLIC.replace("isConsumerSecretOptional: true", "isConsumerSecretOptional: false"),
    ),
    "phone that watches for Salesforce's own page": _external(
        "field_service",
        "  callbackUrl: ['https://login.salesforce.com/services/oauth2/success']\n" + _PUBLIC,
    ),
    "signed requests": JWT_BEARER,
    "deployments by the Salesforce CLI": _external(
        "ci",
        f"  callbackUrl: ['http://localhost:1717/OauthRedirect']\n  certificate: |\n{_CERTIFICATE}\n{_PRIVATE}",
        scopes="Api, Web, RefreshToken",
    ),
    "logins of the Salesforce CLI": _external(
        "cli", f"  callbackUrl: ['http://localhost:1717/OauthRedirect']\n{_PUBLIC}", scopes="Api, Web, RefreshToken"
    ),
    "token exchange": TOKEN_EXCHANGE,
    "token exchange of a connected app": CONNECTED_TOKEN_EXCHANGE,
    "token exchange of a portal that people stay logged in to": TOKEN_EXCHANGE.but("[Api]", "[Api, RefreshToken]")
    .but("refreshTokenPolicyType: Zero", "refreshTokenPolicyType: SpecificInactivity\n  refreshTokenValidityPeriod: 30")
    .but("  refreshTokenValidityPeriod: 30\n", "  refreshTokenValidityPeriod: 30\n  refreshTokenValidityUnit: Days\n"),
    "token exchange from a phone": TOKEN_EXCHANGE.but("https://portal.acme.example/callback", "acmeportal://callback")
    .but("isSecretRequiredForTokenExchange: true", "isSecretRequiredForTokenExchange: false")
    .but("isSecretRequiredForRefreshToken: true", "isSecretRequiredForRefreshToken: false")
    .but("isConsumerSecretOptional: false", "isConsumerSecretOptional: true"),
    "client credentials": CLIENT_CREDENTIALS,
    "client credentials, for whoever likes": CLIENT_CREDENTIALS.but(
        "permittedUsersPolicyType: AdminApprovedPreAuthorized\n  commaSeparatedPermissionSet: [Reporting_API]",
        "permittedUsersPolicyType: AllSelfAuthorized",
    ),
    "client credentials of a connected app": _connected(
        "oauthConfig:\n  callbackUrl: [https://erp.acme.example/cb]\n  scopes: [Api]\n  isClientCredentialEnabled: true\n"
        "  oauthClientCredentialUser: integration@acme.example\n  isPkceRequired: true\n"
    ),
    "JWTs that live as long as the session": _external(
        "mesh",
        f"  callbackUrl: ['https://mesh.acme.example/cb']\n  isNamedUserJwtEnabled: true\n{_PRIVATE}",
        policies="  namedUserJwtSessionTimeoutType: UserSession\n",
    ),
    "SAML only": _connected(
        "samlConfig:\n  acsUrl: https://travel.acme.example/saml/acs\n  entityUrl: https://travel.acme.example\n"
        "  samlNameIdFormat: Unspecified\n  samlSubjectType: FederationId\nstartUrl: https://travel.acme.example\n"
        "profileName: [Standard User]\n"
    ),
    "canvas": _connected(
        "canvasConfig:\n  accessMethod: Post\n  canvasUrl: https://canvas.acme.example/signed\n"
        "  locations: [Visualforce]\n"
        "oauthConfig:\n  callbackUrl: [https://canvas.acme.example/cb]\n  scopes: [Api, Web]\n  isAdminApproved: true\n"
        "  isPkceRequired: true\n"
        "oauthPolicy:\n  ipRelaxation: ENFORCE\n  refreshTokenPolicy: zero\nprofileName: [Standard User]\n"
    ),
    "an app without OAuth": Example(
        f"kind: ExternalClientApplication\nname: push\nlabel: Push\ncontactEmail: iam@acme.example\n{ORG}"
    ),
}

SINGLE_PAGE = _external("dashboard", f"  callbackUrl: ['https://dashboard.acme.example/cb']\n{_PUBLIC}")
"""An app that runs in a browser: no setting tells it from one on a server that forgot its secret."""
