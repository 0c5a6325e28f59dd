"""What the rules' examples start from: small sets of files that break no rule. A rule's bad example changes one thing."""

from reconciler.rules import Example

HANDLER_CLASS = """\
/** Exchanges JWTs of the partners' identity provider. */
public with sharing class PartnerIdpTokenHandler extends Auth.Oauth2TokenExchangeHandler {
    private static final String ISSUER = 'https://idp.acme.example/';
    private static final String AUDIENCE = 'https://acme.my.salesforce.com';
    private static final String KEYS = ISSUER + '.well-known/jwks.json';

    public override Auth.TokenValidationResult validateIncomingToken(
        String appDeveloperName,
        Auth.IntegratingAppType appType,
        String incomingToken,
        Auth.OAuth2TokenExchangeType tokenType
    ) {
        if (tokenType != Auth.OAuth2TokenExchangeType.JWT) {
            return new Auth.TokenValidationResult(false);
        }
        Auth.JWT jwt;
        try {
            jwt = Auth.JWTUtil.validateJWTWithKeysEndpoint(incomingToken, KEYS, true);
        } catch (Auth.JWTValidationException e) {
            return new Auth.TokenValidationResult(false);
        }
        if (!ISSUER.equals(jwt.getIss())) {
            return new Auth.TokenValidationResult(false);
        }
        if (!AUDIENCE.equals(jwt.getAud())) {
            return new Auth.TokenValidationResult(false);
        }
        if (hasExpired(jwt.getAdditionalClaims().get('exp'))) {
            return new Auth.TokenValidationResult(false);
        }
        Auth.UserData person = new Auth.UserData(
            jwt.getSub(), null, null, null, null, null, null, null, ISSUER, null, new Map<String, String>()
        );
        return new Auth.TokenValidationResult(true, null, person, incomingToken, tokenType, null);
    }

    public override User getUserForTokenSubject(
        Id networkId,
        Auth.TokenValidationResult result,
        Boolean canCreateUser,
        String appDeveloperName,
        Auth.IntegratingAppType appType
    ) {
        String subject = result.getUserData().identifier;
        List<User> found = [SELECT Id FROM User WHERE FederationIdentifier = :subject AND IsActive = TRUE LIMIT 1];
        if (!found.isEmpty()) {
            return found[0];
        }
        return canCreateUser ? new User(FederationIdentifier = subject) : null;
    }

    /** An expiry that is missing or cannot be read has passed. */
    private static Boolean hasExpired(Object expiry) {
        try {
            return Datetime.valueOfGmt(String.valueOf(expiry)) <= Datetime.now();
        } catch (Exception e) {
            return true;
        }
    }
}
"""

TOKEN_EXCHANGE = Example(
    """\
kind: ExternalClientApplication
name: order_portal
label: Order portal
contactEmail: iam@acme.example
distributionState: Local
globalOauthSettings:
  callbackUrl: [https://portal.acme.example/callback]
  isTokenExchangeEnabled: true
  isSecretRequiredForTokenExchange: true
  isSecretRequiredForRefreshToken: true
  isConsumerSecretOptional: false
  isPkceRequired: true
  isRefreshTokenRotationEnabled: true
oauthSettings:
  commaSeparatedOauthScopes: [Api]
oauthPolicies:
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  commaSeparatedPermissionSet: [Order_Portal_User]
  isTokenExchangeFlowEnabled: true
  ipRelaxationPolicyType: Enforce
  refreshTokenPolicyType: Zero
policies:
  isEnabled: true
  isOauthPluginEnabled: true
---
kind: OauthTokenExchangeHandler
name: PartnerIdp
masterLabel: Partner IdP
description: Exchanges tokens of the partner identity provider
tokenHandlerApex: PartnerIdpTokenHandler
isEnabled: true
isJwtSupported: true
isIdTokenSupported: false
isAccessTokenSupported: false
isRefreshTokenSupported: false
isSaml2Supported: false
isUserCreationAllowed: false
---
kind: HandlerEnablement
handler: PartnerIdp
externalClientApp: order_portal
apexExecutionUser: integration@acme.example
isDefault: true
---
kind: OauthOidcSettings
blockOAuthUnPwFlow: true
blockOAuthUsrAgtFlow: true
""",
    {"PartnerIdpTokenHandler": HANDLER_CLASS},
)
"""An external client app that partners exchange tokens through."""

CONNECTED_TOKEN_EXCHANGE = Example(
    """\
kind: ConnectedApp
name: Partner_Portal
label: Partner Portal
contactEmail: partners@acme.example
permissionSetName: [Partner_Portal_User]
oauthConfig:
  callbackUrl: [https://partners.acme.example/callback]
  scopes: [Api]
  isAdminApproved: true
  isPkceRequired: true
  isConsumerSecretOptional: false
  isSecretRequiredForRefreshToken: true
  isRefreshTokenRotationEnabled: true
  isTokenExchangeEnabled: true
  isSecretRequiredForTokenExchange: true
oauthPolicy:
  isTokenExchangeFlowEnabled: true
  ipRelaxation: ENFORCE
  refreshTokenPolicy: zero
---
kind: OauthTokenExchangeHandler
name: PartnerIdp
masterLabel: Partner IdP
description: Exchanges tokens of the partner identity provider
tokenHandlerApex: PartnerIdpTokenHandler
isEnabled: true
isJwtSupported: true
isIdTokenSupported: false
isAccessTokenSupported: false
isRefreshTokenSupported: false
isSaml2Supported: false
isUserCreationAllowed: false
---
kind: HandlerEnablement
handler: PartnerIdp
connectedApp: Partner_Portal
apexExecutionUser: integration@acme.example
isDefault: true
---
kind: OauthOidcSettings
blockOAuthUnPwFlow: true
blockOAuthUsrAgtFlow: true
""",
    {"PartnerIdpTokenHandler": HANDLER_CLASS},
    live="kind: ConnectedApp\nname: Partner_Portal\nlabel: Partner Portal\ncontactEmail: partners@acme.example\n",
)
"""The same with a connected app, which the org has had for long: new ones cannot be made."""

CLIENT_CREDENTIALS = Example(
    """\
kind: ExternalClientApplication
name: reporting_service
label: Reporting service
contactEmail: iam@acme.example
distributionState: Local
globalOauthSettings:
  callbackUrl: [https://reporting.acme.example/callback]
  isClientCredentialsFlowEnabled: true
  isConsumerSecretOptional: false
  isSecretRequiredForRefreshToken: true
  isPkceRequired: true
oauthSettings:
  commaSeparatedOauthScopes: [Api]
oauthPolicies:
  isClientCredentialsFlowEnabled: true
  clientCredentialsFlowUser: integration@acme.example
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  commaSeparatedPermissionSet: [Reporting_API]
  ipRelaxationPolicyType: Enforce
  refreshTokenPolicyType: Zero
policies:
  isEnabled: true
  isOauthPluginEnabled: true
---
kind: OauthOidcSettings
blockOAuthUnPwFlow: true
blockOAuthUsrAgtFlow: true
"""
)
"""A program that fetches tokens with its key and secret, as one integration user."""

WEB_SERVER = Example(
    """\
kind: ExternalClientApplication
name: help_desk
label: Help desk
contactEmail: iam@acme.example
distributionState: Local
globalOauthSettings:
  callbackUrl: [https://help.acme.example/callback]
  isConsumerSecretOptional: false
  isSecretRequiredForRefreshToken: true
  isPkceRequired: true
  isRefreshTokenRotationEnabled: true
oauthSettings:
  commaSeparatedOauthScopes: [Api, RefreshToken]
oauthPolicies:
  permittedUsersPolicyType: AdminApprovedPreAuthorized
  commaSeparatedPermissionSet: [Help_Desk_Agent]
  ipRelaxationPolicyType: Enforce
  refreshTokenPolicyType: SpecificInactivity
  refreshTokenValidityPeriod: 30
  refreshTokenValidityUnit: Days
policies:
  isEnabled: true
  isOauthPluginEnabled: true
---
kind: OauthOidcSettings
blockOAuthUnPwFlow: true
blockOAuthUsrAgtFlow: true
"""
)
"""A web application in which people log in."""
