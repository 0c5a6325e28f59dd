"""Certificates are written by name in files and kept by id in an org: an id means another thing in each org.

Only two fields hold one (marked `Ref("Certificate")`). Names are looked up by `listMetadata`, whose entries carry ids, and
only if a record holds such a field at all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Ref
from reconciler.schema.values import Body

Listing = Callable[[], Mapping[str, str]]
"""Asks the org for its certificates: name -> id."""


class Certificates:
    """The certificates of one org, asked for once, when they are first needed."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._ids: Mapping[str, str] | None = None

    def named(self, kind: type[Kind], body: Body) -> Body:
        """A live body with names in the place of ids. An id that nothing is known of stays as it is."""
        return self._translated(
            kind, body, lambda held: {one[:15]: name for name, one in self._known().items()}.get(held.strip()[:15])
        )

    def identified(self, kind: type[Kind], body: Body) -> Body:
        """A body to be sent, with ids in the place of names. A name that the org does not have stays: the org refuses it."""
        return self._translated(kind, body, lambda held: _ids(self._known()).get(held.strip().casefold()))

    def _known(self) -> Mapping[str, str]:
        if self._ids is None:
            self._ids = self._listing()
        return self._ids

    def _translated(self, kind: type[Kind], body: Body, find: Callable[[str], str | None]) -> Body:
        for path in certificate_paths(kind):
            held = _at(body, path)
            if held:
                body = _with(body, path, find(held) or held)
        return body


def _ids(known: Mapping[str, str]) -> Mapping[str, str]:
    """The ids of certificates by their names in small letters: the org compares names without regard to case."""
    return {name.casefold(): one for name, one in known.items()}


@cache
def certificate_paths(struct: type[Struct]) -> tuple[tuple[str, ...], ...]:
    """The paths of the fields in which records of a kind name a certificate."""
    return tuple(_paths(struct))


def _paths(struct: type[Struct]) -> Iterator[tuple[str, ...]]:
    for name, field in struct.fields().items():
        ref = field.mark(Ref)
        if ref is not None and ref.kind == "Certificate":
            yield (name,)
        elif field.struct is not None and not field.repeated:
            yield from ((name, *rest) for rest in _paths(field.struct))


def _at(body: Body, path: Iterable[str]) -> str:
    inner: object = body
    for part in path:
        inner = inner.get(part) if isinstance(inner, dict) else None
    return inner if isinstance(inner, str) else ""


def _with(body: Body, path: tuple[str, ...], value: str) -> Body:
    name, *rest = path
    return {**body, name: _with(body[name], tuple(rest), value) if rest else value}
