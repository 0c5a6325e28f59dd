"""ExternalClientAppSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ExternalClientAppSettings."""

from typing import Annotated, ClassVar

from reconciler.schema.kind import Kind
from reconciler.schema.marks import Default, Means, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean


class ExternalClientAppSettings(Kind):
    """Whether consumer secrets may be read through APIs, and whether OAuth plugins may be packaged."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 58
    singleton: ClassVar[str] = "ExternalClientApp"

    enableClientSecretInRestApiAccess: Annotated[
        Boolean | None,
        Since(62),
        Default(False),
        Weaker.when(True, Severity.MEDIUM),
        Means(
            "Users with the permission for it can now read the secrets of external client apps through the REST API.",
            "Tools that read or rotate the secrets of external client apps through the REST API fail from now on.",
        ),
    ] = None
    enableConsumerSecretApiAccess: Annotated[
        Boolean | None,
        Default(False),
        Weaker.when(True, Severity.MEDIUM),
        Means(
            "Users with the permission for it can now read the secrets of external client apps through the Metadata API.",
            "Tools that read the secrets of external client apps through the Metadata API fail from now on.",
        ),
    ] = None
    enablePackageEcaOauthFromDevOrg: Annotated[Boolean | None, Since(62), Default(False)] = None
