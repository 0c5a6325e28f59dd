"""OauthOidcSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, OauthOidcSettings."""

from typing import Annotated, ClassVar

from reconciler.schema import meanings
from reconciler.schema.kind import Kind
from reconciler.schema.marks import Default, Means, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean


class OauthOidcSettings(Kind):
    """Which OAuth flows the whole org refuses or demands."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 56
    singleton: ClassVar[str] = "OauthOidc"

    agentAuthLinking: Annotated[Boolean | None, Since(64, "@salesforce/types 1.9.0")] = None
    blockOAuthUnPwFlow: Annotated[
        Boolean | None,
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        Means(
            "Clients of every app may now log in by sending a username and password.",
            "Clients that log in by sending a username and password are refused from now on.",
        ),
    ] = None
    blockOAuthUsrAgtFlow: Annotated[
        Boolean | None,
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        Means(
            "Clients of every app may now receive tokens in the browser's address bar, where others can read them.",
            "Clients that receive their tokens in the browser's address bar are refused from now on.",
        ),
    ] = None
    isPkceRequired: Annotated[
        Boolean | None,
        Since(59),
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        Means(
            "Apps that do not demand PKCE themselves let in whoever redeems an intercepted login code.",
            "Clients of any app that do not use PKCE can no longer log users in.",
        ),
    ] = None
    oAuthCdCrdtFlowEnable: Annotated[
        Boolean | None, Default(False), Weaker.when(True, Severity.HIGH), meanings.CODE_CREDENTIALS
    ] = None
