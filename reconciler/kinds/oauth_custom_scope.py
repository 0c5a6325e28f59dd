"""OauthCustomScope. Source: Salesforce's WSDL v63; Metadata API Developer Guide, OauthCustomScope."""

from typing import Annotated, ClassVar

from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import ApiKey, Default, Keyed, Means, Ref, Since
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Boolean, String


class OauthCustomScopeApp(Struct):
    """A connected app that the scope is assigned to (`namespace__app` if it is installed)."""

    connectedApp: Annotated[String, Ref("ConnectedApp")]


class OauthCustomScope(Kind):
    """A scope of the company's own, for APIs outside Salesforce that trust Salesforce's tokens."""

    folder: ClassVar[str] = "oauthcustomscopes"
    suffix: ClassVar[str] = "oauthcustomscope"
    since: ClassVar[float] = 46
    removable: ClassVar[bool] = True
    appeared: ClassVar[str] = "Apps can be given a further custom scope that APIs outside Salesforce may trust."
    gone: ClassVar[str] = (
        "Clients get no token with the custom scope, and APIs outside Salesforce that ask for it refuse them."
    )

    assignedTo: Annotated[
        list[OauthCustomScopeApp] | None,
        Since(49),
        Keyed(("connectedApp",)),
        Weaker.when_added(Severity.HIGH),
        Means(
            "A further connected app can now ask for this scope: APIs outside Salesforce let its tokens in.",
            "Clients of the connected app that was taken out can no longer ask for this scope.",
        ),
    ] = None
    description: String
    developerName: Annotated[String, ApiKey()]
    isProtected: Annotated[Boolean | None, Default(False)] = None
    isPublic: Annotated[Boolean | None, Default(False)] = None
    masterLabel: String
