"""The order of the keys in a desired document: what it is, its fields as Salesforce has them, sections, lifecycle. Pure."""

from collections.abc import Sequence
from typing import Any

from reconciler.kinds import APP, ENABLEMENT, HANDLER, all_kinds, satellites
from reconciler.schema.kind import Struct
from reconciler.yaml.events import RawPath

_FIRST = ("when", "kind", "name", "handler", "externalClientApp", "connectedApp", "externalClientApplication")
_LAST = ("lifecycle",)


def order(document: Any, path: RawPath) -> Sequence[str]:
    """The keys of a mapping of a document, in order; none for a mapping that no kind knows."""
    name = document.get("kind") if isinstance(document, dict) else None
    struct: type[Struct] | None = all_kinds().get(name) if isinstance(name, str) else None
    if name == "HandlerEnablement":
        struct = all_kinds()[HANDLER].fields()[ENABLEMENT].struct
    if struct is None:
        return ()
    sections = satellites() if name == APP else {}
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return (*_FIRST, *struct.fields(), *sections, *_LAST)
    if names[0] == "lifecycle":
        return ("protect", "ignore")
    if names[0] in sections:
        struct, names = sections[names[0]], names[1:]
    for part in names:
        field = struct.fields().get(part) if struct is not None else None
        struct = field.struct if field is not None else None
    return ("name", *struct.fields()) if struct is not None else ()
