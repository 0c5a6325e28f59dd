"""ExtlClntAppConfigurablePolicies. Source: Salesforce's WSDL v63; Metadata API Developer Guide; marks with `T19` are from
the npm package `@salesforce/types` 1.9.0, whose API version is not stated (after 63)."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema.kind import Kind
from reconciler.schema.marks import Default, Means, Owner, Ref, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean, String

T19 = "@salesforce/types 1.9.0"


class ExtlClntAppConfigurablePolicies(Kind):
    """Which parts of an external client app are switched on, and where it starts. The flows' policies are elsewhere."""

    folder: ClassVar[str] = "extlClntAppPolicies"
    suffix: ClassVar[str] = "ecaPlcy"
    since: ClassVar[float] = 60
    policy: ClassVar[bool] = True
    section: ClassVar[str] = "policies"
    record: ClassVar[str] = "{app}_defaultPolicy"
    appeared: ClassVar[str] = "What of the app is switched on is now decided by a record that nobody reviewed here."
    gone: ClassVar[str] = "What of the app is switched on is now up to Salesforce's defaults."

    externalClientApplication: Annotated[String, Ref("ExternalClientApplication"), Owner()]
    isAttestPluginEnabled: Annotated[Boolean | None, Since(67, T19)] = None
    isCanvasPluginEnabled: Annotated[Boolean | None, Since(66, "Metadata API Developer Guide, v66")] = None
    isEnabled: Annotated[
        Boolean,
        Default(True),
        Weaker.when(True, Severity.MEDIUM, back=Severity.MEDIUM),
        Means(
            "The app is switched on: its clients can get tokens.",
            "The app is switched off: none of its clients gets a token.",
        ),
    ]
    isMobilePluginEnabled: Annotated[Boolean | None, Since(63), Default(True)] = None
    isNotificationPluginEnabled: Annotated[Boolean | None, Since(63), Default(True)] = None
    isOauthPluginEnabled: Annotated[
        Boolean | None,
        Since(60),
        Default(True),
        Weaker.when(True, Severity.MEDIUM, back=Severity.MEDIUM),
        Means(
            "OAuth is switched on for the app: its clients can get tokens.",
            "OAuth is switched off for the app: none of its clients gets a token.",
        ),
    ] = None
    isPushPluginEnabled: Annotated[Boolean | None, Since(63), Default(True)] = None
    isSamlPluginEnabled: Annotated[Boolean | None, Since(63), Default(True)] = None
    label: String | None = None
    startPage: Annotated[Literal["None", "Custom", "OAuth", "SAML"] | None, Since(63), Default("None")] = None
    startUrl: String | None = None
