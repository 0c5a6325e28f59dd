"""ExtlClntAppGlobalOauthSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide; marks with `T19` are from
the npm package `@salesforce/types` 1.9.0, whose API version is not stated (after 63)."""

from typing import Annotated, ClassVar

from reconciler.schema import meanings
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import (
    Certificate,
    Default,
    Forced,
    Immutable,
    Imperative,
    Lines,
    Owner,
    Ref,
    Since,
    WriteOnly,
)
from reconciler.schema.severity import Severity, Weaker, certificate_trust
from reconciler.schema.values import Boolean, Int, SecretRef, String

T19 = "@salesforce/types 1.9.0"


class ExternalAppIdTokenConfig(Struct):
    """What ID tokens hold and how long they live (minutes, 1 to 720, default 2)."""

    idTokenAudience: String | None = None
    idTokenIncludeAttributes: Boolean | None = None
    idTokenIncludeCustomPermissions: Boolean | None = None
    idTokenIncludeStandardClaims: Boolean | None = None
    idTokenValidityInMinutes: Annotated[
        Int | None, Default(2), Weaker.when_longer(Severity.MEDIUM), meanings.ID_TOKEN_VALIDITY
    ] = None


class ExtlClntAppGlobalOauthSettings(Kind):
    """How clients of an external client app may get tokens: flows, callback URLs, secrets, PKCE."""

    folder: ClassVar[str] = "extlClntAppGlobalOauthSets"
    suffix: ClassVar[str] = "ecaGlblOauth"
    since: ClassVar[float] = 59
    section: ClassVar[str] = "globalOauthSettings"
    record: ClassVar[str] = "{app}_glbloauth"
    appeared: ClassVar[str] = "The app's clients can now get tokens by flows that nobody reviewed here."
    gone: ClassVar[str] = "The app has no client id any more: its clients get invalid_client_id."

    callbackUrl: Annotated[
        list[String] | None, Lines(), Weaker.when_added(Severity.CRITICAL), meanings.CALLBACK_URL
    ] = None
    certificate: Annotated[
        String | None,
        Since(60),
        Certificate(),
        Weaker.by(certificate_trust, "changed or removed"),
        meanings.CERTIFICATE,
    ] = None
    consumerKey: Annotated[
        String | None, Immutable(), Weaker.when_changed(Severity.CRITICAL), meanings.CONSUMER_KEY
    ] = None
    consumerSecret: Annotated[SecretRef | None, WriteOnly()] = None
    externalClientApplication: Annotated[String, Ref("ExternalClientApplication"), Owner()]
    idTokenConfig: ExternalAppIdTokenConfig | None = None
    isClientCredentialsFlowEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.CLIENT_CREDENTIALS
    ] = None
    isCodeCredFlowEnabled: Annotated[
        Boolean | None, Since(61), Default(False), Weaker.when(True, Severity.HIGH), meanings.CODE_CREDENTIALS
    ] = None
    isCodeCredPostOnly: Annotated[Boolean | None, Since(61), Default(False)] = None
    isConsumerSecretOptional: Annotated[
        Boolean | None, Default(False), Weaker.when(True, Severity.HIGH), meanings.SECRET_OPTIONAL
    ] = None
    isDPopEnabled: Annotated[Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.DPOP] = None
    isDeviceFlowEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.DEVICE_FLOW
    ] = None
    isEnforceRefreshTokenTTL: Annotated[
        Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.REFRESH_TOKEN_LIMIT
    ] = None
    isIntrospectAllTokens: Annotated[
        Boolean | None, Default(False), Weaker.when(True, Severity.HIGH), meanings.INTROSPECTION
    ] = None
    isMtlsEnabled: Annotated[
        Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.MUTUAL_TLS
    ] = None
    # WSDL v63 and the guide have it since 61; one org was seen to refuse it at 64 and to take it at 67.
    isNamedUserJwtEnabled: Annotated[
        Boolean | None, Since(61), Weaker.when(True, Severity.HIGH), meanings.NAMED_USER_JWT
    ] = None
    isPkceRequired: Annotated[
        Boolean | None,
        Default(True),
        Forced(True, "the platform accepts false and keeps true"),
        Weaker.when_not(True, Severity.HIGH),
        meanings.PKCE,
    ] = None
    isRefreshTokenRotationEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when_not(True, Severity.HIGH), meanings.REFRESH_TOKEN_ROTATION
    ] = None
    isSecretRequiredForRefreshToken: Annotated[
        Boolean | None, Default(True), Weaker.when_not(True, Severity.HIGH), meanings.SECRET_FOR_REFRESH
    ] = None
    isSecretRequiredForTokenExchange: Annotated[
        Boolean | None,
        Since(60),
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        meanings.SECRET_FOR_TOKEN_EXCHANGE,
    ] = None
    isTokenExchangeEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.TOKEN_EXCHANGE
    ] = None
    label: String | None = None
    shouldRotateConsumerKey: Annotated[Boolean | None, Imperative()] = None
    shouldRotateConsumerSecret: Annotated[Boolean | None, Imperative()] = None
