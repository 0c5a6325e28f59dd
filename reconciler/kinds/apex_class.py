"""ApexClass. Source: Salesforce's WSDL v63. Only the classes of declared handlers, and declared test classes, are managed."""

from typing import Annotated, ClassVar, Literal

from reconciler.schema.comparisons import NAME
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Keyed, Means, SourceText
from reconciler.schema.severity import Severity, Weaker
from reconciler.schema.values import Double, Int, String


class PackageVersion(Struct):
    """The version of an installed package that the class was written against."""

    majorNumber: Int
    minorNumber: Int
    namespace: Annotated[String | None, NAME] = None
    packageId: String | None = None


class ApexClass(Kind):
    """An Apex class: its source and its `-meta.xml`."""

    folder: ClassVar[str] = "classes"
    suffix: ClassVar[str] = "cls"
    since: ClassVar[float] = 10
    appeared: ClassVar[str] = "A handler or plug-in runs this code, and nobody reviewed it here."
    gone: ClassVar[str] = "The handlers and plug-ins that run the class fail, and logins or token exchanges with them."

    apiVersion: Double
    content: Annotated[
        String | None,
        SourceText(),
        Weaker.when_changed(Severity.CRITICAL),
        Means("The code that decides about logins or tokens is no longer the code that was applied."),
    ] = None
    packageVersions: Annotated[list[PackageVersion] | None, Keyed(("namespace", "packageId"), any_of=True)] = None
    status: Literal["Inactive", "Active", "Deleted"]
