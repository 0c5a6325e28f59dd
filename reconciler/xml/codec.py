"""Metadata XML <-> body: driven by a kind's fields, in both directions, with nothing lost.

A body that came from XML keeps what the XML said: text untrimmed, comma and line lists as the one text that they are,
numbers and booleans only where writing them gives the same text again. What the schema does not know is carried along:
a simple element as text under its own name, anything else as `RawXml`. Comments and processing instructions are not
content and go.

Lists: an element that the schema repeats is a list, in document order, and absent where the document has none. An
element that the schema does not repeat and the document does is a list too. An attribute of the root is kept under
`@name`. An element of a foreign namespace is kept under `{namespace}name`.

Order: Salesforce's WSDL sequences are alphabetical, so unknown elements are written where the alphabet puts them
(whether an org minds the order is not documented: any is read, the WSDL's is written).
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from sys import intern
from xml.sax.saxutils import quoteattr

from lxml import etree

from reconciler.schema.kind import Kind, Struct
from reconciler.schema.marks import Commas, Lines, SourceText
from reconciler.schema.values import Body, RawXml, SecretRef, Value
from reconciler.xml.markup import FORBIDDEN, NAMESPACE, XSI, MetadataXmlError, escape, parse

_NIL = [(f"{{{XSI}}}nil", "true")]
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'

# What a field's text becomes.
_TEXT, _BOOLEAN, _INT, _DOUBLE, _STRUCT, _REPEATED = range(6)
_CODES = {"boolean": _BOOLEAN, "int": _INT, "double": _DOUBLE}
_BOOLEANS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


@dataclass(frozen=True, slots=True)
class _Plan:
    """A structure's schema, compiled for the two loops below."""

    slots: Mapping[str, tuple[str, int, "_Plan | None", bool, bool]]
    """By tag: name, what its text becomes, the plan of its structure, repeated, one text that is a list."""
    fields: Mapping[str, tuple[int, str, "_Plan | None", bool]]
    """By name, for writing: type, what joins its list, the plan of its structure, whether an empty list is written."""
    order: Mapping[str, int]
    names: tuple[str, ...]
    flat: Mapping[str, tuple[str, int]]
    """By name, of simple elements: the name, what the text becomes."""
    elsewhere: frozenset[str]
    """Fields that are no elements: the text of a file of its own."""


@cache
def _plan(struct: type[Struct]) -> _Plan:
    slots, fields, flat = {}, {}, {}
    for name, one in struct.fields().items():
        if one.has(SourceText):
            continue
        inner = _plan(one.struct) if one.struct is not None else None
        code = _STRUCT if inner is not None else _CODES.get(one.wire, _TEXT)
        joint = "\n" if one.has(Lines) else ", " if one.has(Commas) else ""
        slots[f"{{{NAMESPACE}}}{name}"] = (intern(name), code, inner, one.repeated, bool(joint))
        # `permissionSetName: []` is the one empty element that clears the list. Of an enumeration or a structure an
        # empty element would be refused; leaving it out says the same there, because a deployment replaces the record.
        cleared = one.repeated and inner is None and not one.values and code == _TEXT
        fields[name] = (code, joint, inner, cleared)
        if inner is None and (code == _TEXT or not one.repeated):
            flat[name] = (intern(name), _REPEATED if one.repeated else code)
    names = tuple(fields)
    return _Plan(
        slots,
        fields,
        {name: index for index, name in enumerate(names)},
        names,
        flat,
        frozenset(struct.fields().keys() - fields),
    )


def decode(kind: type[Kind], data: bytes, file: str = "") -> Body:
    """The body that one file holds. Raises MetadataXmlError if it is not well-formed or not of that kind."""
    file = file or kind.__name__
    flat = _read_flat(kind, data)
    if flat is not None:
        return flat
    # Blanks between elements are a third of the nodes. The parser drops them; where a comment or a CDATA section might
    # stand beside text that matters, it would drop too much.
    plain = b"<!" not in data and data.find(b"<?", 2) < 0 and b"\0" not in data
    root = parse(data, file, keep_blanks=not plain)
    if root.tag != f"{{{NAMESPACE}}}{kind.__name__}":
        raise MetadataXmlError(
            file,
            f"the root element is {_readable(root.tag)}, not {kind.__name__} of {NAMESPACE}",
            line=_line(root),
        )
    body = _read(root, _plan(kind), _may_have_attributes(data) if plain else True)
    if body is None:
        raise MetadataXmlError(file, "there is text between its elements", line=_line(root))
    for name, value in root.attrib.items():
        body[f"@{name!s}"] = value
    return body


_FLAT = re.compile(
    rb'<\?xml version="1.0" encoding="UTF-8"\?>\n<(\w+) xmlns="'
    + re.escape(NAMESPACE.encode())
    + rb'">\n((?:    <\w+>[^<&]*</\w+>\n)+)</\1>\n?'
)
_FLAT_ELEMENT = re.compile(r"    <(\w+)>([^<&]*)</(\w+)>\n", re.ASCII)
_CONTROLS = bytes(n for n in range(32) if n not in b"\t\n")
"""What XML forbids, and the carriage return, which a parser turns into a line feed."""


def _read_flat(kind: type[Kind], data: bytes) -> Body | None:
    """The body of a file exactly as Salesforce writes one without structures; `None` for every other file.

    Four of five files of an org are such. What matches here is well-formed XML that means the same to a parser (no
    entity, no attribute, no comment, every element closed by its own name), at a quarter of a parser's cost.
    """
    found = _FLAT.fullmatch(data)
    if found is None or found[1] != kind.__name__.encode() or b"]]>" in data or b"\xef\xbf" in data:
        return None
    if len(data.translate(None, _CONTROLS)) != len(data):
        return None
    try:
        text = found[2].decode()
    except UnicodeDecodeError:
        return None
    fields = _plan(kind).flat
    body: Body = {}
    for opened, value, closed in _FLAT_ELEMENT.findall(text):
        field = fields.get(opened)
        if opened != closed or field is None:
            return None
        name, code = field
        if code == _REPEATED:
            body.setdefault(name, []).append(intern(value))
        elif name in body:
            return None
        else:
            body[name] = intern(value) if code == _TEXT else _scalar(value, code)
    return body


def _line(element: etree._Element) -> int:
    line: object = element.sourceline
    return line if isinstance(line, int) else 0


def _may_have_attributes(data: bytes) -> bool:
    """False if no element but the root can have an attribute: asking each one costs a third of the whole."""
    root = _ROOT.search(data)
    return root is None or data.find(b"=", data.find(b">", root.start())) >= 0


_ROOT = re.compile(rb"<[A-Za-z_]")


def _readable(tag: str) -> str:
    return tag.removeprefix(f"{{{NAMESPACE}}}")


def _blank(text: str | None) -> bool:
    return text is None or text.isspace() or not text


def _read(element: etree._Element, plan: _Plan, attributes: bool) -> Body | None:
    """The body of a structure; `None` if there is text between its elements."""
    body: Body = {}
    slots = plan.slots
    if not _blank(element.text):
        return None
    for child in element:
        if child.tail is not None and not child.tail.isspace():
            return None
        slot = slots.get(child.tag)
        if slot is None:
            name, value = intern(_readable(str(child.tag))), _unknown(child)
            repeated = joined = False
        else:
            name, code, inner, repeated, joined = slot
            value = (
                _odd(child)
                if attributes and child.attrib
                else _structure(child, inner, attributes)
                if inner is not None
                else _scalar(child.text, code)
                if not len(child)
                else _raw(child)
            )
        if repeated:
            body.setdefault(name, []).append(value)
        elif name not in body:
            body[name] = value
        else:
            _again(body, name, value, child, joined)
    return body


def _scalar(text: str | None, code: int) -> Value:
    if text is None:
        return ""
    if code == _TEXT:
        return intern(text)
    if code == _BOOLEAN:
        return _BOOLEANS.get(text, text)
    if not _NUMBER.fullmatch(text) or (code == _INT and "." in text):
        return text
    number = int(text) if code == _INT else float(text)
    return number if _number(number, code) == text else text


def _structure(element: etree._Element, plan: _Plan, attributes: bool) -> Value:
    body = _read(element, plan, attributes)
    return _raw(element) if body is None else body


def _unknown(element: etree._Element) -> Value:
    if len(element) or not element.tag.startswith(f"{{{NAMESPACE}}}"):
        return _raw(element)
    if element.attrib:
        return _odd(element)
    return intern(element.text or "")


def _odd(element: etree._Element) -> Value:
    """The value of an element with attributes: `None` for one that is nil and nothing else, raw XML for every other."""
    if element.items() == _NIL and not len(element) and not element.text:
        return None
    return _raw(element)


def _again(body: Body, name: str, value: Value, element: etree._Element, joined: bool) -> None:
    """Take in a second element of a name that should be there once: its value becomes a list."""
    before = body[name]
    if not isinstance(before, list):
        before = [before]
    if joined:
        # A list of texts would be written as one joined text, so these two have to stay apart as they are.
        before = [v if isinstance(v, RawXml) or v is None else RawXml(_element(name, v)) for v in before]
        value = value if value is None else _raw(element)
    body[name] = [*before, value]


def _raw(element: etree._Element) -> RawXml:
    """The element as canonical XML that stands for itself: with the namespaces that it uses."""
    prefixes = [p for p in element.nsmap if p and any(f"{p}:" in v for e in element.iter() for v in e.attrib.values())]
    text = etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=prefixes, with_comments=False)
    return RawXml(text.decode())


def _number(value: float, code: int) -> str:
    """A number in Salesforce's spelling: an API version is a double and is written 63.0."""
    return repr(float(value)) if code == _DOUBLE else str(value)


def _element(name: str, text: str) -> str:
    return f'<{name} xmlns="{NAMESPACE}">{escape(text)}</{name}>'


def encode(kind: type[Kind], body: Body, secrets: Callable[[SecretRef], str] = str, file: str = "") -> bytes:
    """The file for one record. Secrets are found through `secrets`; without it their references stand in their place.

    Raises MetadataXmlError if a text holds a character that XML cannot carry.
    """
    writer = _Writer(file or kind.__name__, secrets)
    lines = list(writer.lines(_plan(kind), body, "    "))
    name = kind.__name__
    spaces = f' xmlns="{NAMESPACE}"' + (f' xmlns:xsi="{XSI}"' if writer.nil else "")
    spaces += "".join(_attributes(body))
    inside = "\n".join(lines)
    text = f"{_HEADER}<{name}{spaces}>\n{inside}\n</{name}>\n" if lines else f"{_HEADER}<{name}{spaces}/>\n"
    return text.encode()


def _attributes(body: Body) -> Iterator[str]:
    """Yield the root's own attributes as text. Each that has a namespace brings a prefix of its own."""
    for index, (key, value) in enumerate((k, v) for k, v in body.items() if k[0] == "@"):
        space, _, name = key[1:].rpartition("}")
        prefix = f"a{index}:" if space else ""
        yield f" xmlns:a{index}={quoteattr(space[1:])}" if space else ""
        yield f" {prefix}{name}={quoteattr(str(value))}"


class _Writer:
    """Writes one file, and remembers whether an element was nil."""

    __slots__ = ("file", "nil", "secrets")

    def __init__(self, file: str, secrets: Callable[[SecretRef], str]) -> None:
        self.file, self.secrets, self.nil = file, secrets, False

    def lines(self, plan: _Plan | None, body: Body, indent: str) -> Iterator[str]:
        plan = plan or _NOTHING
        for name in _in_order(plan, body):
            value = body[name]
            if name in plan.elsewhere or name[0] == "@":
                continue
            if type(value) is str:
                yield f"{indent}<{name}>{self.text(name, value)}</{name}>" if value else f"{indent}<{name}/>"
                continue
            code, joint, inner, cleared = plan.fields.get(name, _FREE)
            if isinstance(value, list):
                if joint and not any(isinstance(item, RawXml) or item is None for item in value):
                    yield self.line(name, joint.join(value), code, inner, indent)
                elif value:
                    yield from (self.line(name, item, code, inner, indent) for item in value)
                elif cleared:
                    yield f"{indent}<{name}/>"
            else:
                yield self.line(name, value, code, inner, indent)

    def line(self, name: str, value: Value, code: int, inner: _Plan | None, indent: str) -> str:
        match value:
            case RawXml():
                return indent + value
            case None:
                self.nil = True
                return f'{indent}<{name} xsi:nil="true"/>'
            case dict():
                inside = "\n".join(self.lines(inner, value, indent + "    "))
                return f"{indent}<{name}>\n{inside}\n{indent}</{name}>" if inside else f"{indent}<{name}/>"
        text = self.scalar(name, value, code)
        return f"{indent}<{name}>{text}</{name}>" if text else f"{indent}<{name}/>"

    def scalar(self, name: str, value: Value, code: int) -> str:
        match value:
            case str():
                return self.text(name, value)
            case bool():
                return "true" if value else "false"
            case int() | float():
                return _number(value, code)
            case SecretRef():
                return self.text(name, self.secrets(value))
        raise MetadataXmlError(self.file, f"{name} holds a {type(value).__name__}, which is no metadata value")

    def text(self, name: str, text: str) -> str:
        wrong = FORBIDDEN.search(text)
        if wrong is not None:
            raise MetadataXmlError(
                self.file, f"{name} holds the character U+{ord(wrong[0]):04X}, which XML cannot carry", mend="remove it"
            )
        return escape(text)


_NOTHING = _Plan({}, {}, {}, (), {}, frozenset())
_FREE: tuple[int, str, _Plan | None, bool] = (_TEXT, "", None, False)
"""How a field that no schema knows is written."""


def _in_order(plan: _Plan, body: Body) -> list[str]:
    order = plan.order
    try:
        return sorted(body, key=order.__getitem__)
    except KeyError:
        names = plan.names
        return sorted(body, key=lambda name: (order.get(name, bisect_left(names, name) - 0.5), name))
