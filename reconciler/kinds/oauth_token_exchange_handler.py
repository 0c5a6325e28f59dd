"""OauthTokenExchangeHandler and its enablements. Source: Salesforce's WSDL v63; Salesforce Help, "Enable Apps for a Token
Exchange Handler"; marks with `T19` are from the npm package `@salesforce/types` 1.9.0."""

from typing import Annotated, ClassVar

from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import ApiKey, Default, Keyed, Means, Ref, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean, String

TOKEN_TYPE = Means(
    "The handler now also takes tokens of this type: whoever holds one can ask for a Salesforce token.",
    "Clients that send tokens of this type get no Salesforce token from now on.",
)


class OauthTokenExchHandlerApp(Struct):
    """An app that may use the handler, and the user that the handler's Apex runs as."""

    apexExecutionUser: Annotated[
        String,
        Ref("User"),
        Weaker.when_changed(Severity.CRITICAL),
        Means(
            "When the app exchanges a token, the handler's code now runs as another user, with all that this user may do."
        ),
    ]
    connectedApp: Annotated[String | None, Ref("ConnectedApp")] = None
    externalClientApp: Annotated[String | None, Ref("ExternalClientApplication")] = None
    isDefault: Annotated[
        Boolean,
        Default(False),
        Weaker.when_changed(Severity.HIGH),
        Means("Clients of the app that name no handler now get another one than before, or none."),
    ]


class OauthTokenExchangeHandler(Kind):
    """Decides whose Salesforce token a foreign token is exchanged for: an Apex class and the tokens that it takes."""

    folder: ClassVar[str] = "oauthtokenexchangehandlers"
    suffix: ClassVar[str] = "oauthtokenexchangehandler"
    since: ClassVar[float] = 60
    removable: ClassVar[bool] = True
    appeared: ClassVar[str] = "A further handler can be enabled for apps; what its code lets in, nobody reviewed here."
    gone: ClassVar[str] = "No app can exchange tokens through the handler any more."

    description: String
    developerName: Annotated[String, ApiKey()]
    enablements: Annotated[
        list[OauthTokenExchHandlerApp] | None,
        Keyed(("externalClientApp", "connectedApp"), any_of=True),
        Weaker.when_added(Severity.HIGH),
        Means(
            "Clients of a further app can now exchange tokens through the handler.",
            "Clients of the app can no longer exchange tokens through the handler.",
        ),
    ] = None
    isAccessTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH), TOKEN_TYPE]
    # Typed as required there, documented as internal: never required here.
    isContactCreationAllowed: Annotated[
        Boolean | None,
        Since(64, "@salesforce/types 1.9.0"),
        Weaker.when(True, Severity.HIGH),
        Means(
            "The handler may now create contacts for people whom Salesforce does not know.",
            "The handler may no longer create contacts: people who need one get no token.",
        ),
    ] = None
    isEnabled: Annotated[
        Boolean,
        Default(False),
        Weaker.when(True, Severity.MEDIUM, back=Severity.MEDIUM),
        Means(
            "The handler is switched on: apps that are enabled for it can exchange tokens.",
            "The handler is switched off: no app can exchange tokens through it.",
        ),
    ]
    isIdTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH), TOKEN_TYPE]
    isJwtSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH), TOKEN_TYPE]
    isProtected: Annotated[Boolean | None, Default(False)] = None
    isRefreshTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH), TOKEN_TYPE]
    isSaml2Supported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH), TOKEN_TYPE]
    isUserCreationAllowed: Annotated[
        Boolean,
        Default(False),
        Weaker.when(True, Severity.HIGH),
        Means(
            "The handler may now create Salesforce users for people who had none.",
            "People without a Salesforce user get no token from now on.",
        ),
    ]
    masterLabel: String
    tokenHandlerApex: Annotated[
        String,
        Ref("ApexClass"),
        Weaker.when_changed(Severity.CRITICAL),
        Means("Other code than before now decides whose Salesforce token a foreign token is exchanged for."),
    ]
