"""The address of a resource, which never changes: `Kind/name` or `Kind/name/enablements/app`."""

from typing import NamedTuple

from reconciler.kinds import ENABLEMENT, HANDLER, kind
from reconciler.schema.kind import Kind, Struct


class Address(NamedTuple):
    """What names one resource for good: `Kind/name`, or `Kind/name/enablements/app`. A satellite has its app's name."""

    kind: str
    name: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}/{self.part}" if self.part else f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address from its text. Raises ValueError with a message that a person understands."""
        kind_name, _, rest = text.partition("/")
        name, _, part = rest.partition("/")
        if not name:
            raise ValueError(f"{text!r} is not an address; write Kind/name")
        return cls(kind_name, name, part)

    @property
    def schema(self) -> type[Kind]:
        """The kind's class (of an enablement: its handler's)."""
        return kind(self.kind)

    @property
    def struct(self) -> type[Struct]:
        """The schema of the resource's body: the kind, or an enablement's structure."""
        if self.part:
            field = self.schema.fields().get(ENABLEMENT)
            if field is not None and field.struct is not None:
                return field.struct
        return self.schema

    @property
    def app(self) -> str:
        """The name of the app that an enablement enables; empty of anything else."""
        return self.part.removeprefix(f"{ENABLEMENT}/")

    @property
    def component(self) -> "Address":
        """The address of the record that is deployed: of an enablement, its handler."""
        return Address(self.kind, self.name) if self.part else self

    @property
    def is_satellite(self) -> bool:
        """True for a record that belongs to an external client app and is deleted with it."""
        return bool(self.schema.section)

    @property
    def owners(self) -> tuple["Address", ...]:
        """The resources that this one is deleted with: for a satellite its app, for an enablement its handler and its app.

        Whether that is a connected app or an external client app stands in an enablement's body only: both are named.
        """
        if self.part:
            app = self.app
            return self.component, Address("ConnectedApp", app), Address("ExternalClientApplication", app)
        return (Address("ExternalClientApplication", self.name),) if self.is_satellite else ()

    def belongs_to(self, owner: "Address") -> bool:
        """True if this is a satellite or an enablement of `owner`, an app or a handler, and is deleted along with it."""
        return owner in self.owners

    @property
    def is_enablement(self) -> bool:
        return bool(self.part)


def enablement(handler: str, app: str) -> Address:
    """The address of one app's enablement for a handler."""
    return Address(HANDLER, handler, f"{ENABLEMENT}/{app}")
