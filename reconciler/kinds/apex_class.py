"""ApexClass. Source: Salesforce's WSDL v63. Only the classes of declared handlers, and declared test classes, are managed."""

from typing import Annotated, ClassVar, Literal

from reconciler.kind import Double, Int, Keyed, Kind, SourceText, String, Struct, Weaker
from reconciler.security import Severity


class PackageVersion(Struct):
    """The version of an installed package that the class was written against."""

    majorNumber: Int
    minorNumber: Int
    namespace: String | None = None
    packageId: String | None = None


class ApexClass(Kind):
    """An Apex class: its source and its `-meta.xml`."""

    folder: ClassVar[str] = "classes"
    suffix: ClassVar[str] = "cls"
    since: ClassVar[float] = 10

    apiVersion: Double
    content: Annotated[String | None, SourceText(), Weaker.when_changed(Severity.CRITICAL)] = None
    packageVersions: Annotated[list[PackageVersion] | None, Keyed(("namespace", "packageId"), any_of=True)] = None
    status: Literal["Inactive", "Active", "Deleted"]
