"""ExternalClientAppSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ExternalClientAppSettings."""

from typing import Annotated, ClassVar

from reconciler.kind import Boolean, Default, Kind, Since, Weaker
from reconciler.security import Severity


class ExternalClientAppSettings(Kind):
    """Whether consumer secrets may be read through APIs, and whether OAuth plugins may be packaged."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 58
    singleton: ClassVar[str] = "ExternalClientApp"

    enableClientSecretInRestApiAccess: Annotated[
        Boolean | None, Since(62), Default(False), Weaker.when(True, Severity.MEDIUM)
    ] = None
    enableConsumerSecretApiAccess: Annotated[Boolean | None, Default(False), Weaker.when(True, Severity.MEDIUM)] = None
    enablePackageEcaOauthFromDevOrg: Annotated[Boolean | None, Since(62), Default(False)] = None
