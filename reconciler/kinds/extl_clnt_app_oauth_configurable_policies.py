"""ExtlClntAppOauthConfigurablePolicies. Source: Salesforce's WSDL v63; Metadata API Developer Guide; marks with `T19`
are from the npm package `@salesforce/types` 1.9.0, whose API version is not stated (after 63)."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema import meanings
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Commas, Default, Keyed, Known, Means, Owner, Ref, Since, SinceValue, Until
from reconciler.schema.severity import Group, Severity, Weaker, refresh_token_lifetime
from reconciler.schema.values import Boolean, Int, String

T19 = "@salesforce/types 1.9.0"


class ExtlClntAppOauthPoliciesAttribute(Struct):
    """A custom attribute that tokens carry."""

    formula: String
    key: String


class ExtlClntAppOauthConfigurablePolicies(Kind):
    """Who may use an external client app, from where, as whom, and how long its tokens live."""

    folder: ClassVar[str] = "extlClntAppOauthPolicies"
    suffix: ClassVar[str] = "ecaOauthPlcy"
    since: ClassVar[float] = 59
    policy: ClassVar[bool] = True
    section: ClassVar[str] = "oauthPolicies"
    record: ClassVar[str] = "{oauth}_defaultPolicy"
    appeared: ClassVar[str] = (
        "Who may use the app, and how long its tokens live, is now decided by a record that nobody reviewed here."
    )
    gone: ClassVar[str] = "Who may use the app, and how long its tokens live, is now up to Salesforce's defaults."
    groups: ClassVar[tuple[Group, ...]] = (
        Group(
            ("refreshTokenPolicyType", "refreshTokenValidityPeriod", "refreshTokenValidityUnit"),
            Weaker.by(refresh_token_lifetime, "longer"),
            meanings.REFRESH_TOKEN_LIFETIME.weakened,
            meanings.REFRESH_TOKEN_LIFETIME.tightened,
        ),
    )

    # A custom handler plug-in (`Auth.ExternalClientAppOauthHandler`), not the token exchange handler.
    apexHandler: Annotated[
        String | None, Since(61), Ref("ApexClass"), Weaker.when_changed(Severity.CRITICAL), meanings.LOGIN_CODE
    ] = None
    clientCredentialsFlowUser: Annotated[
        String | None, Since(60), Ref("User"), Weaker.when_changed(Severity.CRITICAL), meanings.CLIENT_CREDENTIALS_USER
    ] = None
    commaSeparatedCustomScopes: Annotated[
        list[String] | None,
        Since(61),
        Commas(),
        Ref("OauthCustomScope"),
        Weaker.when_added(Severity.HIGH),
        meanings.CUSTOM_SCOPES,
    ] = None
    # API names, although the guide says ids.
    commaSeparatedPermissionSet: Annotated[
        list[String] | None, Commas(), Ref("PermissionSet"), Weaker.when_added(Severity.HIGH), meanings.PREAUTHORIZED
    ] = None
    # Display names, in the language of the org.
    commaSeparatedProfile: Annotated[
        list[String] | None, Commas(), Ref("Profile"), Weaker.when_added(Severity.HIGH), meanings.PREAUTHORIZED
    ] = None
    customAttributes: Annotated[list[ExtlClntAppOauthPoliciesAttribute] | None, Keyed(("key",))] = None
    executeHandlerAs: Annotated[
        String | None, Since(61), Ref("User"), Weaker.when_changed(Severity.CRITICAL), meanings.LOGIN_CODE_USER
    ] = None
    externalClientApplication: Annotated[String, Ref("ExternalClientApplication"), Owner()]
    guestJwtSessionTimeoutType: Annotated[Literal["UserSession", "Custom"] | None, Since(65, T19)] = None
    guestJwtTimeout: Annotated[Int | None, Since(61), Weaker.when_longer(Severity.MEDIUM), meanings.JWT_TIMEOUT] = None
    ipRelaxationPolicyType: Annotated[
        String | None,
        Default("Enforce"),
        Known(("Enforce", "Enforce_RelaxRefresh", "Bypass_2factor", "Bypass"), ignore_case=True),
        Weaker.towards(("Enforce", "Enforce_RelaxRefresh", "Bypass_2factor", "Bypass"), Severity.HIGH),
        meanings.IP_RELAXATION,
    ] = None
    isClientCredentialsFlowEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.CLIENT_CREDENTIALS
    ] = None
    isGuestCodeCredFlowEnabled: Annotated[
        Boolean | None,
        Since(61),
        Default(False),
        Weaker.when(True, Severity.HIGH),
        Means(
            "Visitors who have not logged in can now get tokens of the app.",
            "Visitors who have not logged in get no tokens of the app from now on.",
        ),
    ] = None
    isNamedUserJwtEnabled: Annotated[
        Boolean | None, Since(61), Until(63), Weaker.when(True, Severity.HIGH), meanings.NAMED_USER_JWT
    ] = None
    isTokenExchangeFlowEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.TOKEN_EXCHANGE
    ] = None
    label: String | None = None
    namedUserJwtSessionTimeoutType: Annotated[Literal["UserSession", "Custom"] | None, Since(65, T19)] = None
    namedUserJwtTimeout: Annotated[Int | None, Since(61), Weaker.when_longer(Severity.MEDIUM), meanings.JWT_TIMEOUT] = (
        None
    )
    permittedUsersPolicyType: Annotated[
        Literal["AllSelfAuthorized", "AdminApprovedPreAuthorized"] | None,
        Default("AllSelfAuthorized"),
        Weaker.when_not("AdminApprovedPreAuthorized", Severity.CRITICAL),
        meanings.PERMITTED_USERS,
    ] = None
    policyAction: Annotated[
        Literal["Block", "RaiseSessionLevel", "StepUpMFA"] | None,
        SinceValue(("StepUpMFA",), T19),
        Weaker.when(None, Severity.MEDIUM),
        meanings.POLICY_ACTION,
    ] = None
    refreshTokenPolicyType: Annotated[
        Literal["Infinite", "Zero", "SpecificLifetime", "SpecificInactivity"] | None, Default("SpecificLifetime")
    ] = None
    refreshTokenValidityPeriod: Int | None = None
    refreshTokenValidityUnit: Annotated[String | None, Known(("Hours", "Days", "Months"), ignore_case=True)] = None
    requiredSessionLevel: Annotated[
        Literal["LOW", "STANDARD", "HIGH_ASSURANCE"] | None,
        Default("STANDARD"),
        Weaker.towards(("HIGH_ASSURANCE", "STANDARD", "LOW"), Severity.MEDIUM),
        meanings.SESSION_LEVEL,
    ] = None
    sessionTimeoutInMinutes: Annotated[Int | None, Weaker.when_longer(Severity.MEDIUM), meanings.SESSION_TIMEOUT] = None
    singleLogoutUrl: String | None = None
    startUrl: String | None = None
