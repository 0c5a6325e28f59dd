"""ConnectedApp. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ConnectedApp; marks with `T19` are from the
npm package `@salesforce/types` 1.9.0, whose API version is not stated (after 63)."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema import meanings
from reconciler.schema.comparisons import IP, LIFETIME, NAME, choice
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import (
    Base64,
    Certificate,
    Default,
    Immutable,
    Keyed,
    Known,
    Lines,
    Means,
    NotEchoed,
    Ref,
    Since,
    SinceValue,
    Synonyms,
    Unordered,
    Until,
    WriteOnly,
)
from reconciler.schema.severity import Severity, Weaker, certificate_trust, refresh_token_policy
from reconciler.schema.values import Boolean, Int, SecretRef, String

T19 = "@salesforce/types 1.9.0"

Scope = Literal[
    "Basic", "Api", "Web", "Full", "Chatter", "CustomApplications", "RefreshToken", "OpenID", "Profile", "Email",
    "Address", "Phone", "OfflineAccess", "CustomPermissions", "Wave", "Eclair", "Pardot", "Lightning", "Content",
    "CDPIngest", "CDPProfile", "CDPQuery", "Chatbot", "CDPSegment", "CDPIdentityResolution", "CDPCalculatedInsight",
    "ForgotPassword", "UserRegistration", "SFAP", "Interaction", "CDP", "EinsteinGPT", "PwdlessLogin",
    "MCP", "SCRT", "DataCloudUserClaims", "A2A", "CmdbDiscovery", "SemanticLayer",
]  # fmt: skip
NEWER_SCOPES = ("MCP", "SCRT", "DataCloudUserClaims", "A2A", "CmdbDiscovery", "SemanticLayer")
READ_BACK = (
    ("Profile", "Basic"),
    ("Email", "Basic"),
    ("Address", "Basic"),
    ("Phone", "Basic"),
    ("OfflineAccess", "RefreshToken"),
)
"""The guide lists what can be deployed and what is retrieved apart: these five come back under another name."""


class CanvasMetadata(Struct):
    """The canvas element of old apps. Replaced by `canvasConfig`."""

    fullName: String | None = None
    accessMethod: String
    canvasOptions: String | None = None
    canvasUrl: String
    lifecycleClass: Annotated[String | None, NAME] = None
    locationOptions: String | None = None
    samlInitiationMethod: String | None = None


class ConnectedAppAttribute(Struct):
    """A custom attribute that tokens carry."""

    formula: String
    key: String


class ConnectedAppCanvasConfig(Struct):
    """How the app is shown inside Salesforce."""

    accessMethod: Literal["Get", "Post"]
    canvasUrl: String
    lifecycleClass: Annotated[String | None, NAME] = None
    locations: Annotated[
        list[
            Literal[
                "None", "Chatter", "UserProfile", "Visualforce", "Aura", "Publisher", "ChatterFeed", "ServiceDesk",
                "OpenCTI", "AppLauncher", "MobileNav", "PageLayout",
            ]
        ]
        | None,
        Unordered(),
    ] = None  # fmt: skip
    options: Annotated[list[Literal["HideShare", "HideHeader", "PersonalEnabled"]] | None, Unordered()] = None
    samlInitiationMethod: Literal["None", "IdpInitiated", "SpInitiated"] | None = None


class ConnectedAppIpRange(Struct):
    """A range of addresses that may use the app."""

    description: String | None = None
    end: Annotated[String, IP]
    start: Annotated[String, IP]


class ConnectedAppMobileDetailConfig(Struct):
    """The mobile app behind the connected app."""

    applicationBinaryFile: Base64 | None = None
    applicationBinaryFileName: String | None = None
    applicationBundleIdentifier: String | None = None
    applicationFileLength: Int | None = None
    applicationIconFile: String | None = None
    applicationIconFileName: String | None = None
    applicationInstallUrl: String | None = None
    devicePlatform: Literal["ios", "android"]
    deviceType: Literal["phone", "tablet", "minitablet"] | None = None
    minimumOsVersion: String | None = None
    privateApp: Boolean | None = None
    version: String


class ConnectedAppOauthAssetToken(Struct):
    """Asset tokens for connected devices. All five fields are required."""

    assetAudiences: String
    assetIncludeAttributes: Boolean
    assetIncludeCustomPerms: Boolean
    assetSigningCertId: Annotated[String, Ref("Certificate")]
    assetValidityPeriod: Annotated[Int, Weaker.when_longer(Severity.MEDIUM), meanings.ASSET_TOKEN_VALIDITY]


class ConnectedAppOauthIdToken(Struct):
    """What ID tokens hold and how long they live (minutes, 1 to 720, default 2)."""

    idTokenAudience: String | None = None
    idTokenIncludeAttributes: Boolean | None = None
    idTokenIncludeCustomPerms: Boolean | None = None
    idTokenIncludeStandardClaims: Boolean | None = None
    idTokenValidity: Annotated[
        Int | None, Default(2), Weaker.when_longer(Severity.MEDIUM), meanings.ID_TOKEN_VALIDITY
    ] = None


class ConnectedAppOauthConfig(Struct):
    """How clients of the app may get tokens: flows, callback URLs, scopes, secrets, PKCE."""

    assetTokenConfig: Annotated[ConnectedAppOauthAssetToken | None, Since(49)] = None
    callbackUrl: Annotated[list[String], Lines(), Weaker.when_added(Severity.CRITICAL), meanings.CALLBACK_URL]
    certificate: Annotated[
        String | None, Certificate(), Weaker.by(certificate_trust, "changed or removed"), meanings.CERTIFICATE
    ] = None
    consumerKey: Annotated[
        String | None,
        Since(32),
        Immutable(),
        NotEchoed(),
        Weaker.when_changed(Severity.CRITICAL),
        meanings.CONSUMER_KEY,
    ] = None
    consumerSecret: Annotated[SecretRef | None, Since(32), WriteOnly()] = None
    idTokenConfig: Annotated[ConnectedAppOauthIdToken | None, Since(43)] = None
    isAdminApproved: Annotated[
        Boolean | None, Since(46), Default(False), Weaker.when_not(True, Severity.CRITICAL), meanings.PERMITTED_USERS
    ] = None
    isClientCredentialEnabled: Annotated[
        Boolean | None, Since(56), Default(False), Weaker.when(True, Severity.HIGH), meanings.CLIENT_CREDENTIALS
    ] = None
    isCodeCredentialEnabled: Annotated[
        Boolean | None, Since(57), Default(False), Weaker.when(True, Severity.HIGH), meanings.CODE_CREDENTIALS
    ] = None
    isCodeCredentialPostOnly: Annotated[Boolean | None, Since(57), Default(False)] = None
    isConsumerSecretOptional: Annotated[
        Boolean | None, Since(49), Default(False), Weaker.when(True, Severity.HIGH), meanings.SECRET_OPTIONAL
    ] = None
    isDPopEnabled: Annotated[Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.DPOP] = None
    isDeviceFlowEnabled: Annotated[
        Boolean | None, Since(64, T19), Weaker.when(True, Severity.HIGH), meanings.DEVICE_FLOW
    ] = None
    isEnforceRefreshTokenTTL: Annotated[
        Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.REFRESH_TOKEN_LIMIT
    ] = None
    isIntrospectAllTokens: Annotated[
        Boolean | None, Since(49), Default(False), Weaker.when(True, Severity.HIGH), meanings.INTROSPECTION
    ] = None
    isIpBindingEnabled: Annotated[
        Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.MEDIUM), meanings.IP_BINDING
    ] = None
    isNamedUserJwtEnabled: Annotated[
        Boolean | None, Since(59), Default(False), Weaker.when(True, Severity.HIGH), meanings.NAMED_USER_JWT
    ] = None
    isPKImTLSEnabled: Annotated[
        Boolean | None, Since(64, T19), Weaker.when_not(True, Severity.HIGH), meanings.MUTUAL_TLS
    ] = None
    isPkceRequired: Annotated[
        Boolean | None, Since(59), Default(False), Weaker.when_not(True, Severity.HIGH), meanings.PKCE
    ] = None
    isRefreshTokenRotationEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when_not(True, Severity.HIGH), meanings.REFRESH_TOKEN_ROTATION
    ] = None
    isSecretRequiredForRefreshToken: Annotated[
        Boolean | None, Since(51), Default(True), Weaker.when_not(True, Severity.HIGH), meanings.SECRET_FOR_REFRESH
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
    oauthClientCredentialUser: Annotated[
        String | None, Since(56), Ref("User"), Weaker.when_changed(Severity.CRITICAL), meanings.CLIENT_CREDENTIALS_USER
    ] = None
    scopes: Annotated[
        list[Scope] | None,
        Unordered(),
        Synonyms(READ_BACK),
        SinceValue(NEWER_SCOPES, T19),
        Weaker.when_added(Severity.HIGH, {"Full": Severity.CRITICAL}),
        meanings.SCOPES,
    ] = None
    singleLogoutUrl: String | None = None


class ConnectedAppOauthPolicy(Struct):
    """What users of the app may do: token exchange, addresses, how long refresh tokens live."""

    ipRelaxation: Annotated[
        String,
        Default("ENFORCE"),
        Known(("ENFORCE", "ENFORCE_RELAXREFRESH", "BYPASS_2FACTOR", "BYPASS"), ignore_case=True),
        Weaker.towards(("ENFORCE", "ENFORCE_RELAXREFRESH", "BYPASS_2FACTOR", "BYPASS"), Severity.HIGH),
        meanings.IP_RELAXATION,
    ]
    isTokenExchangeFlowEnabled: Annotated[
        Boolean | None, Since(60), Default(False), Weaker.when(True, Severity.HIGH), meanings.TOKEN_EXCHANGE
    ] = None
    refreshTokenPolicy: Annotated[
        String,
        Default("infinite"),
        Known(("infinite", "zero"), pattern=r"specific_(lifetime|inactivity):[0-9]+:(HOURS|DAYS|MONTHS)"),
        LIFETIME,
        Weaker.by(refresh_token_policy, "longer"),
        meanings.REFRESH_TOKEN_LIFETIME,
    ]
    singleLogoutUrl: String | None = None


class ConnectedAppSamlConfig(Struct):
    """The app as a SAML service provider."""

    acsUrl: String
    certificate: Annotated[
        String | None,
        Certificate(),
        Weaker.by(certificate_trust, "changed or removed"),
        Means(
            "The app takes requests signed with another key as its own, and refuses those signed with the former one."
        ),
    ] = None
    encryptionCertificate: Annotated[String | None, Certificate()] = None
    encryptionType: Literal["AES_128", "AES_256", "Triple_Des"] | None = None
    entityUrl: String
    issuer: String | None = None
    samlIdpSLOBindingEnum: Literal["RedirectBinding", "PostBinding"] | None = None
    samlNameIdFormat: Literal["Unspecified", "EmailAddress", "Persistent", "Transient"] | None = None
    samlSigningAlgoType: Literal["SHA1", "SHA256"] | None = None
    samlSloUrl: String | None = None
    samlSubjectCustomAttr: String | None = None
    samlSubjectType: Literal["Username", "FederationId", "UserId", "SpokeId", "CustomAttribute", "PersistentId"]


class ConnectedAppSessionPolicy(Struct):
    """Session level and length (minutes) of the app's sessions."""

    policyAction: Annotated[
        String | None, Known(("Block", "RaiseSessionLevel")), Weaker.when(None, Severity.MEDIUM), meanings.POLICY_ACTION
    ] = None
    # The exact literals differ from page to page of the documentation, so any text is let through.
    sessionLevel: Annotated[
        String | None,
        choice(("HIGH_ASSURANCE", "STANDARD", "LOW")),
        Weaker.towards(("HIGH_ASSURANCE", "STANDARD", "LOW"), Severity.MEDIUM),
        meanings.SESSION_LEVEL,
    ] = None
    sessionTimeout: Annotated[Int | None, Weaker.when_longer(Severity.MEDIUM), meanings.SESSION_TIMEOUT] = None


class ConnectedApp(Kind):
    """A connected app: the older way to let clients in. New ones can no longer be created in most orgs."""

    folder: ClassVar[str] = "connectedApps"
    suffix: ClassVar[str] = "connectedApp"
    since: ClassVar[float] = 29
    removable: ClassVar[bool] = True
    appeared: ClassVar[str] = "Clients of a further app can get tokens, under rules that nobody reviewed here."
    gone: ClassVar[str] = (
        "The app's clients get invalid_client_id, and in most orgs a connected app cannot be created again."
    )

    attributes: Annotated[list[ConnectedAppAttribute] | None, Keyed(("key",))] = None
    canvas: CanvasMetadata | None = None
    canvasConfig: ConnectedAppCanvasConfig | None = None
    contactEmail: String
    contactPhone: String | None = None
    description: String | None = None
    iconUrl: String | None = None
    infoUrl: String | None = None
    ipRanges: Annotated[
        list[ConnectedAppIpRange] | None, Keyed(("start", "end")), Weaker.when_wider(Severity.HIGH), meanings.IP_RANGES
    ] = None
    label: String
    logoUrl: String | None = None
    mobileAppConfig: ConnectedAppMobileDetailConfig | None = None
    mobileStartUrl: String | None = None
    oauthConfig: ConnectedAppOauthConfig | None = None
    oauthPolicy: Annotated[ConnectedAppOauthPolicy | None, Since(49)] = None
    permissionSetName: Annotated[
        list[String] | None,
        Since(46),
        Unordered(),
        Ref("PermissionSet"),
        Weaker.when_added(Severity.HIGH),
        meanings.PREAUTHORIZED,
    ] = None
    plugin: Annotated[String | None, Ref("ApexClass"), Weaker.when_changed(Severity.CRITICAL), meanings.LOGIN_CODE] = (
        None
    )
    pluginExecutionUser: Annotated[
        String | None,
        Since(46),
        Until(66),
        Ref("User"),
        Weaker.when_changed(Severity.CRITICAL),
        meanings.LOGIN_CODE_USER,
    ] = None
    profileName: Annotated[
        list[String] | None,
        Since(46),
        Unordered(),
        Ref("Profile"),
        Weaker.when_added(Severity.HIGH),
        meanings.PREAUTHORIZED,
    ] = None
    samlConfig: ConnectedAppSamlConfig | None = None
    sessionPolicy: Annotated[ConnectedAppSessionPolicy | None, Since(49)] = None
    startUrl: String | None = None
