"""A record in a metadata file, as the Salesforce CLI keeps it, -> a document as if it were written in YAML.

The file is read as it is: what no kind knows stays in it, is named, and is compared with nothing. What stands in it means
what it means to Salesforce: `${` begins no variable there.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from reconciler.errors import Complaint, Place
from reconciler.kinds import APP
from reconciler.schema.kind import Kind, Struct
from reconciler.schema.values import Body, RawXml
from reconciler.xml.codec import decode
from reconciler.xml.elements import Element, root_of
from reconciler.xml.file_names import Named
from reconciler.xml.markup import MetadataXmlError
from reconciler.yaml.events import Document, IsSecret, RawPath
from reconciler.yaml.source import lines_of, snippet

_NAMED_OTHERWISE = ("fullName",)
"""What retrieves of old API versions say besides: the file's name says it, too."""


@dataclass(slots=True)
class MetadataSource:
    """One metadata file: the document that it stands for, and what of it no kind knows."""

    document: Document | None = None
    complaints: list[Complaint] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Elements that are not compared, as paths."""


def read(data: bytes, file: str, named: Named, is_secret: IsSecret) -> MetadataSource:
    """Read one file. Never raises for what stands in it: what is wrong is among the complaints."""
    found = MetadataSource()
    kind = named.kind
    try:
        body = decode(kind, data, file)
    except MetadataXmlError as wrong:
        found.complaints.append(_complaint(wrong, data, file, is_secret))
        return found
    value = _known(kind, body, found.unknown, "")
    value["kind"] = kind.__name__
    if not kind.singleton:
        value["name"] = named.record
    if kind.section and not str(value.get(kind.owner_field()) or "").strip():
        message = f"{kind.owner_field()} is missing: nothing says which {APP} this belongs to"
        found.complaints.append(Complaint(message, Place(file, 1), f"add <{kind.owner_field()}>"))
        return found
    lines: dict[RawPath, int] = {}
    found.document = Document(value, 0, 1, lines)
    return found


def _complaint(wrong: MetadataXmlError, data: bytes, file: str, is_secret: IsSecret) -> Complaint:
    """The complaint with the line that it is about."""
    one = wrong.complaints[0]
    place = one.place or Place(file)
    if not place.line:
        place = Place(file, 1)
    lines = _shown(data, is_secret)
    message = _WHERE.sub("", one.message.removeprefix(f"{file}: "))
    return Complaint(message, Place(file, place.line, place.column, snippet(lines, place.line - 1)), one.mend or _MEND)


_WHERE = re.compile(r", line \d+(, column \d+)?( \(<string>, line \d+\))?$")
"""Where lxml says once more what the place says already."""
_MEND = "write it as an org gives it back: one element a field, each closed by its own name"


def _known(struct: type[Struct], body: Body, unknown: list[str], path: str) -> Body:
    """The body without attributes and without what the schema does not know; `path` ends in a dot."""
    fields = struct.fields()
    found: Body = {}
    for name, value in body.items():
        one = fields.get(name)
        if name.startswith("@") or (name in _NAMED_OTHERWISE and not path):
            continue
        raw = isinstance(value, RawXml) or (isinstance(value, list) and any(isinstance(i, RawXml) for i in value))
        if one is None or raw:
            unknown.append(f"{path}{name}")
        elif one.struct is not None and isinstance(value, dict):
            found[name] = _known(one.struct, value, unknown, f"{path}{name}.")
        elif one.struct is not None and isinstance(value, list):
            found[name] = [
                _known(one.struct, item, unknown, f"{path}{name}.") if isinstance(item, dict) else item
                for item in value
            ]
        else:
            found[name] = value
    return found


_CONTENT = re.compile(r"(<(?:\w+:)?(\w+)(?:\s[^<>]*)?>)([^<]*[^<\s][^<]*)")


def _shown(data: bytes, is_secret: IsSecret) -> list[str]:
    """The lines of a file as they may be shown: without what stands in an element for a secret."""
    text = data.decode("utf-8", "replace")
    hidden = _CONTENT.sub(lambda m: f"{m[1]}(hidden)" if is_secret(m[2]) else m[0], text)
    return lines_of(hidden if hidden.count("\n") == text.count("\n") else re.sub(r"[^\n]", "", text))


class ElementPositions:
    """The place of every value of one metadata file, by the path that it has in the document."""

    def __init__(self, data: bytes, file: str, kind: type[Kind], is_secret: IsSecret) -> None:
        """`data` may be anything: what cannot be read has no places."""
        self.file = file
        self.values: dict[int, Any] = {}
        """The document, under number 0."""
        self._lines = _shown(data, is_secret)
        self.root: Element | None = None
        try:
            self.values[0] = _known(kind, decode(kind, data, file), [], "")
            self.root = root_of(data, file)
        except MetadataXmlError:
            return

    def text(self, _: RawPath) -> str | None:
        """Nothing in a metadata file is read as another type than its kind says."""
        return None

    def place(self, path: RawPath) -> Place:
        """The place of an element; of the nearest thing around it where it has none."""
        found = self.element(path)
        if found is None:
            return Place(self.file, 1)
        return Place(self.file, found.line, found.column, snippet(self._lines, found.line - 1))

    def element(self, path: RawPath, *, exact: bool = False) -> Element | None:
        """The element at a path; of one that is not there the nearest around it, or `None` if it has to be `exact`."""
        here = self.root
        parts = list(path[1:])
        while here is not None and parts:
            name = str(parts.pop(0))
            number = parts.pop(0) if parts and isinstance(parts[0], int) else 0
            children = list(here.named(name))
            if not children:
                return None if exact else here
            # A list in one text has one element for all of its entries.
            here = children[int(number)] if int(number) < len(children) else children[-1]
        return here
