"""What the files declare: resources with their places, and what must not happen to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.errors import Place
from reconciler.model.address import Address
from reconciler.schema.values import Body, Path


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a resource is declared. `find` looks a field up in the file, which is read again only for an error or a
    plan line."""

    file: str
    line: int
    find: Callable[[Path], Place] | None = field(default=None, compare=False, repr=False)

    def at(self, path: Path = ()) -> Place:
        """The place of a field, or of the document where the field has none."""
        return self.find(path) if self.find is not None else Place(self.file, self.line)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The `lifecycle` of one resource: what must not happen to it, and which fields keep the org's value."""

    protect: frozenset[str] = frozenset()
    """`delete`, `replace`: refused however it is asked for."""
    ignore: tuple[Path, ...] = ()
    """Fields that keep their live value."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as the files declare it. Absent keys of `body` are not managed."""

    address: Address
    body: Body
    origin: Origin
    lifecycle: Lifecycle = Lifecycle()
    record: str = ""
    """An explicit name of a satellite's record, else empty."""

    def declares(self, path: Path) -> bool:
        """Whether the file says anything about a field, or about what is in it. A list is declared as a whole."""
        inner: object = self.body
        for part in path:
            if isinstance(inner, list):
                return True
            if not isinstance(inner, dict) or part not in inner:
                return False
            inner = inner[part]
        return True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The desired state: all resources of all files, read at one moment."""

    resources: Mapping[Address, Resource]
    authoritative: frozenset[str] = frozenset()
    """Handlers whose document lists all its enablements; others are strangers there and go."""
    digest: str = ""
    """Of the files' bytes."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Digest of each file that the desired state rests on, the project file included, by its name."""
    variables: Mapping[str, str] = field(default_factory=dict)
