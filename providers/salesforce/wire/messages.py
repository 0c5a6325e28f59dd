"""What a retrieve says of what it could not bring -> the one component that it names, or the kinds.

A retrieve that cannot load one app of a vendor brings all others and a message. The words differ from error to error and
are documented nowhere; these forms were seen::

    Load of metadata from db failed for metadata of type:ConnectedApp and file name:Vendor_Sync.
    Entity of type 'ApexClass' named 'X' cannot be found
    Entity type 'ConnectedApp' is not available in this organization
    You do not have the proper permissions to access ConnectedApp.

and `fileName` is the component's file or the manifest. A name is only taken from a place where nothing else can stand:
what is not clear is said of the whole kind.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from providers.salesforce.files.package import kind_of_path
from providers.salesforce.wire.metadata_api import Message
from reconciler.kinds import all_kinds, settings
from reconciler.schema.kind import Kind

_MISSING = re.compile(r"Entity of type '.+' named '.+' cannot be found")
"""A member that was asked for by name and is not there: absent, not unreadable. The Salesforce CLI
parses the same words."""
_WORD = re.compile(r"\w+")
_NAME = r"(?:'(?P<single>[^']+)'|\"(?P<double>[^\"]+)\"|(?P<bare>[A-Za-z][\w%.\-]*))"
_OF_TYPE = re.compile(
    rf"\btype\s*[:=]?\s*['\"]?(?P<kind>\w+)['\"]?\s*,?\s*(?:and\s+)?(?:with\s+(?:the\s+)?)?"
    rf"(?:(?:the\s+)?(?:file|full|api|component|developer)?\s*name|named)\b\s*[:=]?\s*{_NAME}",
    re.IGNORECASE,
)
_SLASH = re.compile(rf"\b(?P<kind>\w+)[/:]{_NAME}")
_CALLED = re.compile(rf"\b(?P<kind>\w+)['\"]?\s+(?:named|called|with (?:the )?name)\s*[:=]?\s*{_NAME}", re.IGNORECASE)
_FIRST = re.compile(
    rf"(?:\b(?:component|record|entity|named|name)\b\s*[:=]?\s*{_NAME}|'(?P<one>[^']+)'|\"(?P<two>[^\"]+)\")"
    rf"\s*,?\s*of\s+(?:the\s+)?type\s*[:=]?\s*['\"]?(?P<kind>\w+)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")


@dataclass(frozen=True, slots=True)
class About:
    """The subject of a message: some components, or whole kinds."""

    components: tuple[tuple[type[Kind], str], ...] = ()
    """Kind and record."""
    kinds: tuple[str, ...] = ()


def subject(message: Message, brought: Collection[type[Kind]], empty: Collection[type[Kind]]) -> About:
    """What a message is about. `brought` are the kinds of which the same retrieve brought records, `empty` those that were
    asked for and of which it brought none: a message that names no kind may be about any of them."""
    said = message.problem
    if _MISSING.search(said):
        return About()
    found = _file(message.file) or next(_named(said), None)
    words = set(_WORD.findall(said))
    if found is None:
        kinds = [kind for name, kind in all_kinds().items() if name in words]
        found = _quoted(said, kinds[0]) if len(kinds) == 1 and kinds[0] in brought else None
    if found is not None:
        kind, name = found
        return About(components=tuple((kind, one) for one in dict.fromkeys((name, unquote(name)))))
    named = [name for name in all_kinds() if name in words] or (list(settings()) if "Settings" in words else [])
    return About(kinds=tuple(named or [kind.__name__ for kind in empty]))


def _file(path: str) -> tuple[type[Kind], str] | None:
    """Return the component that a file path belongs to, with its folder or without."""
    inside = path.removeprefix("unpackaged/")
    found = kind_of_path(inside)
    if found is not None:
        return found[0], found[1]
    name, dot, suffix = inside.rpartition("/")[2].removesuffix("-meta.xml").rpartition(".")
    kind = _by_suffix().get(suffix)
    return (kind, name) if dot and name and kind is not None else None


def _named(said: str) -> Iterator[tuple[type[Kind], str]]:
    """The component that a text names in a form that leaves no doubt."""
    for word in re.split(r"[\s'\"<>(),;]+", said):
        if (found := _file(word.rstrip(".:"))) is not None:
            yield found
    for form in (_OF_TYPE, _CALLED, _FIRST, _SLASH):
        for match in form.finditer(said):
            given = match.groupdict()
            kind = all_kinds().get(match["kind"])
            name = given["single"] or given["double"] or given.get("one") or given.get("two")
            name = name or (given["bare"] or "").rstrip(".")
            if kind is not None and name:
                yield (kind, name) if (whole := _file(name)) is None else whole


def _quoted(said: str, kind: type[Kind]) -> tuple[type[Kind], str] | None:
    """Return the one quoted name in a message besides the kind's, where the kind as a whole could be read."""
    texts = {one or other for one, other in _QUOTED.findall(said)} - {kind.__name__}
    return (kind, texts.pop()) if len(texts) == 1 else None


@cache
def _by_suffix() -> dict[str, type[Kind]]:
    """Kinds by the suffix of their files; settings share one."""
    return {kind.suffix: kind for kind in all_kinds().values() if not kind.singleton}
