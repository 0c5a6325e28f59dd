"""ConnectedAppSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ConnectedAppSettings."""

from typing import Annotated, ClassVar

from reconciler.kind import Boolean, Default, Kind, Weaker
from reconciler.security import Severity


class ConnectedAppSettings(Kind):
    """API Access Control: whether only approved connected apps may call the org at all (Support enables the feature)."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 47
    singleton: ClassVar[str] = "ConnectedApp"

    enableAdminApprovedAppsOnly: Annotated[Boolean | None, Default(False), Weaker.when_not(True, Severity.HIGH)] = None
    enableAdminApprovedAppsOnlyForExternalUser: Annotated[
        Boolean | None, Default(False), Weaker.when_not(True, Severity.HIGH)
    ] = None
    enableSkipUserProvisioningWizardWelcomePage: Annotated[Boolean | None, Default(False)] = None
