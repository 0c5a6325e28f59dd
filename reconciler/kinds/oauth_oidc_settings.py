"""OauthOidcSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, OauthOidcSettings."""

from typing import Annotated, ClassVar

from reconciler.kind import Boolean, Default, Kind, Since, Weaker
from reconciler.security import Severity


class OauthOidcSettings(Kind):
    """Which OAuth flows the whole org refuses or demands."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 56
    singleton: ClassVar[str] = "OauthOidc"

    agentAuthLinking: Annotated[Boolean | None, Since(64, "@salesforce/types 1.9.0")] = None
    blockOAuthUnPwFlow: Annotated[Boolean | None, Default(False), Weaker.when_not(True, Severity.HIGH)] = None
    blockOAuthUsrAgtFlow: Annotated[Boolean | None, Default(False), Weaker.when_not(True, Severity.HIGH)] = None
    isPkceRequired: Annotated[Boolean | None, Since(59), Default(False), Weaker.when_not(True, Severity.HIGH)] = None
    oAuthCdCrdtFlowEnable: Annotated[Boolean | None, Default(False), Weaker.when(True, Severity.HIGH)] = None
