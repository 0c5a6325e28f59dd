"""OauthTokenExchangeHandler and its enablements. Source: Salesforce's WSDL v63; Salesforce Help, "Enable Apps for a Token
Exchange Handler"; marks with `T19` are from the npm package `@salesforce/types` 1.9.0."""

from typing import Annotated, ClassVar

from reconciler.kind import ApiKey, Boolean, Default, Keyed, Kind, Ref, Since, String, Struct, Weaker
from reconciler.security import Severity


class OauthTokenExchHandlerApp(Struct):
    """An app that may use the handler, and the user that the handler's Apex runs as."""

    apexExecutionUser: Annotated[String, Ref("User"), Weaker.when_changed(Severity.CRITICAL)]
    connectedApp: Annotated[String | None, Ref("ConnectedApp")] = None
    externalClientApp: Annotated[String | None, Ref("ExternalClientApplication")] = None
    isDefault: Annotated[Boolean, Default(False), Weaker.when_changed(Severity.HIGH)]


class OauthTokenExchangeHandler(Kind):
    """Decides whose Salesforce token a foreign token is exchanged for: an Apex class and the tokens that it takes."""

    folder: ClassVar[str] = "oauthtokenexchangehandlers"
    suffix: ClassVar[str] = "oauthtokenexchangehandler"
    since: ClassVar[float] = 60
    removable: ClassVar[bool] = True

    description: String
    developerName: Annotated[String, ApiKey()]
    enablements: Annotated[
        list[OauthTokenExchHandlerApp] | None,
        Keyed(("externalClientApp", "connectedApp"), any_of=True),
        Weaker.when_added(Severity.HIGH),
    ] = None
    isAccessTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    # Typed as required there, documented as internal: never required here.
    isContactCreationAllowed: Annotated[
        Boolean | None, Since(64, "@salesforce/types 1.9.0"), Weaker.when(True, Severity.HIGH)
    ] = None
    isEnabled: Annotated[Boolean, Default(False), Weaker.when(True, Severity.MEDIUM, back=Severity.MEDIUM)]
    isIdTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    isJwtSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    isProtected: Annotated[Boolean | None, Default(False)] = None
    isRefreshTokenSupported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    isSaml2Supported: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    isUserCreationAllowed: Annotated[Boolean, Default(False), Weaker.when(True, Severity.HIGH)]
    masterLabel: String
    tokenHandlerApex: Annotated[String, Ref("ApexClass"), Weaker.when_changed(Severity.CRITICAL)]
