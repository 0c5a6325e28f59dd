"""ConnectedAppSettings. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ConnectedAppSettings."""

from typing import Annotated, ClassVar

from reconciler.schema.kind import Kind
from reconciler.schema.marks import Default, Means
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean


class ConnectedAppSettings(Kind):
    """API Access Control: whether only approved connected apps may call the org at all (Support enables the feature)."""

    folder: ClassVar[str] = "settings"
    suffix: ClassVar[str] = "settings"
    since: ClassVar[float] = 47
    singleton: ClassVar[str] = "ConnectedApp"

    enableAdminApprovedAppsOnly: Annotated[
        Boolean | None,
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        Means(
            "Users can now use apps that no admin has approved.",
            "Apps that no admin has approved can no longer call the org's APIs.",
        ),
    ] = None
    enableAdminApprovedAppsOnlyForExternalUser: Annotated[
        Boolean | None,
        Default(False),
        Weaker.when_not(True, Severity.HIGH),
        Means(
            "External users can now use apps that no admin has approved.",
            "External users can no longer use apps that no admin has approved.",
        ),
    ] = None
    enableSkipUserProvisioningWizardWelcomePage: Annotated[Boolean | None, Default(False)] = None
