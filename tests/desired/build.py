"""A project folder for one test, and what loading it says."""

from collections.abc import Mapping
from pathlib import Path

from reconciler.desired.load import load
from reconciler.errors import Complaint, InputError
from reconciler.model.address import Address
from reconciler.model.declared import Resource, Snapshot

APP = "kind: ExternalClientApplication\nname: portal\n"
HANDLER = "kind: OauthTokenExchangeHandler\nname: Idp\n"
CLASS = "public class Idp {}\n"
META = """<?xml version="1.0" encoding="UTF-8"?>
<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">
    <apiVersion>63.0</apiVersion>
    <status>Active</status>
</ApexClass>
"""


class Folder:
    """A project folder. Texts are written below `desired/`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.desired = root / "desired"
        self.desired.mkdir(parents=True, exist_ok=True)

    def write(self, files: Mapping[str, str | bytes] | str) -> "Folder":
        for name, content in ({"a.yaml": files} if isinstance(files, str) else files).items():
            path = self.desired / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def load(
        self, variables: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None, **more: bool
    ) -> Snapshot:
        return load([self.desired], root=self.root, variables=variables or {}, environment=environment or {}, **more)

    def complaints(self, **more: object) -> list[Complaint]:
        """What is wrong; empty if nothing is."""
        try:
            self.load(**more)  # type: ignore[arg-type]
        except InputError as error:
            return list(error.complaints)
        return []

    def messages(self, **more: object) -> list[str]:
        return [complaint.message for complaint in self.complaints(**more)]


def only(snapshot: Snapshot) -> Resource:
    (resource,) = snapshot.resources.values()
    return resource


def addresses(snapshot: Snapshot) -> list[str]:
    return sorted(str(address) for address in snapshot.resources)


def body(snapshot: Snapshot, address: str) -> dict[str, object]:
    return snapshot.resources[Address.parse(address)].body
