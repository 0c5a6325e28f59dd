"""ExternalClientApplication. Source: Salesforce's WSDL v63; Metadata API Developer Guide, ExternalClientApplication."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema.kind import Kind
from reconciler.schema.marks import Default, Demanded, OrgBound
from reconciler.schema.values import Boolean, String


class ExternalClientApplication(Kind):
    """An external client app: who it is. How its clients get tokens stands in its satellites."""

    folder: ClassVar[str] = "externalClientApps"
    suffix: ClassVar[str] = "eca"
    since: ClassVar[float] = 59
    removable: ClassVar[bool] = True
    appeared: ClassVar[str] = "Clients of a further app can get tokens, under rules that nobody reviewed here."
    gone: ClassVar[str] = "The app's clients get invalid_client_id, and the tokens that they hold are revoked."

    # By reports from the field; no schema says so.
    contactEmail: Annotated[String | None, Demanded()] = None
    contactPhone: String | None = None
    description: String | None = None
    distributionState: Annotated[Literal["Local", "Packaged", "Managed", "AutoInstalled"] | None, Default("Local")] = (
        None
    )
    iconUrl: String | None = None
    infoUrl: String | None = None
    isProtected: Annotated[Boolean | None, Default(False)] = None
    label: String | None = None
    logoUrl: String | None = None
    managedType: Literal["Local", "Global"] | None = None
    orgScopedExternalApp: Annotated[String | None, OrgBound(prefixed=True)] = None
