"""Judges one component file as Salesforce does: by its WSDL, after putting the children into the schema's order.

libxml2 says yes or no in microseconds but knows no columns and not Salesforce's words, so a file that it refuses is
read a second time, slowly, by the walk below, which finds the place and says it in Salesforce's wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from lxml import etree

from providers.mock.catalog import AFTER_63
from providers.mock.metadata.schema import Element, Schema, Span, hidden, hidden_values, load, spans
from providers.mock.record import NS, XSI, Body, has_doctype, local, parser, read
from providers.mock.state.errors import FileRefusal

_Q = f"{{{NS}}}"
# A sequence is sorted by name, except that what a type inherits comes first.
_INHERITED = {f"{_Q}fullName": 0, f"{_Q}content": 1}
_PARSING = "Error parsing file: {text} ({line}:{column})"
_PLACED = "{text} ({line}:{column})"
_ALWAYS = Span(0, 0)
_FORMS = {
    "base64Binary": re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"),
    "boolean": re.compile(r"true|false|0|1"),
    "int": re.compile(r"[+-]?\d{1,20}"),
    "double": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|NaN|-?INF"),
    "dateTime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    "date": re.compile(r"\d{4}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?"),
}


def judge(kind: str, data: bytes, version: int, after_63: int = AFTER_63) -> Body:
    """Return what the file `data` holds, or raise `FileRefusal` where API `version` would not take it as a `kind`."""
    try:
        root = etree.fromstring(data, parser())
    except etree.XMLSyntaxError as broken:
        line, column = broken.position
        raise FileRefusal(str(broken.msg), line or 1, max(column or 1, 1), _PARSING) from None
    if has_doctype(root):
        raise FileRefusal("DOCTYPE is not allowed", 1, 1, _PARSING)
    schema = load()
    if b":nil" in data:
        # What is nil counts as absent, but its name must still be one that the type has.
        _explain(kind, data, version, after_63, schema)
    if root.tag != _Q + kind or not _tidy(root) or not schema.validator.validate(root):
        _explain(kind, data, version, after_63, schema)
        # The walk knows every rule that the schema has; should they ever differ, these words are better than none.
        raise FileRefusal(str(schema.validator.error_log), 1, 1, _PARSING)
    if _suspicious(kind, root, version, after_63):
        _explain(kind, data, version, after_63, schema)
    body = read(root)
    body.pop("fullName", None)
    return body


def _tidy(element: etree._Element) -> bool:
    """Trim texts, remove nil elements and sort the children; False if repeated elements do not stand together."""
    seen: list[str] = []
    for child in list(element):
        if child.get(f"{{{XSI}}}nil") in {"true", "1"}:
            element.remove(child)
            continue
        tag = str(child.tag)
        if not seen or seen[-1] != tag:
            if tag in seen:
                return False
            seen.append(tag)
        if len(child):
            if not _tidy(child):
                return False
        elif child.text:
            child.text = child.text.strip()
    order = sorted(seen, key=lambda tag: (_INHERITED.get(tag, 2), tag))
    if order != seen:
        element[:] = sorted(element, key=lambda child: order.index(str(child.tag)))
    return True


def _suspicious(kind: str, root: etree._Element, version: int, after_63: int) -> bool:
    names, values = hidden(kind, version, after_63), hidden_values(version, after_63)
    if not names and not values:
        return False
    return any(local(child) in names or child.text in values for child in root.iter())


@dataclass(slots=True)
class _Node:
    tag: str
    nil: bool
    line: int
    column: int
    text: str = ""
    children: list[_Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.tag.removeprefix(_Q)


def _positions(data: bytes) -> _Node:
    """Parse `data` once more into nodes that keep the place right after each start tag."""
    top = _Node("", False, 1, 1)
    stack = [top]
    # A "}" between namespace and name; the "{" that Clark notation begins with is put there below.
    reader = expat.ParserCreate(namespace_separator="}")
    reader.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        end = data.find(b">", reader.CurrentByteIndex) + 1
        line = data.count(b"\n", 0, end) + 1
        column = len(data[data.rfind(b"\n", 0, end) + 1 : end].decode("utf-8", "replace")) + 1
        nil = attributes.get(f"{XSI}}}nil") in {"true", "1"}
        node = _Node("{" + tag if "}" in tag else tag, nil, line, column)
        stack[-1].children.append(node)
        stack.append(node)

    def end(_: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        stack[-1].text += text

    reader.StartElementHandler, reader.EndElementHandler, reader.CharacterDataHandler = start, end, characters
    reader.Parse(data, True)
    return top.children[0]


def _explain(kind: str, data: bytes, version: int, after_63: int, schema: Schema) -> None:
    """Raise a refusal for the first mistake, in document order; return if this walk finds none."""
    root = _positions(data)
    if root.tag != _Q + kind:
        raise _misplaced(root, kind)
    _walk(root, kind, _Terms(version, after_63, schema))


@dataclass(frozen=True, slots=True)
class _Terms:
    version: int
    after_63: int
    schema: Schema

    def allows(self, owner: str, member: str) -> bool:
        return spans(self.after_63).get((owner, member), _ALWAYS).holds(self.version)


def _misplaced(node: _Node, type_name: str) -> FileRefusal:
    return FileRefusal(
        f"Element {node.tag} invalid at this location in type {type_name}", node.line, node.column, _PARSING
    )


def _walk(node: _Node, type_name: str, terms: _Terms) -> None:
    fields = terms.schema.types[type_name]
    seen: list[str] = []
    for child in node.children:
        found = fields.get(child.name)
        if found is None:
            raise _misplaced(child, type_name)
        if not terms.allows(type_name, child.name):
            text = f"Property '{child.name}' not valid in version {terms.version}.0"
            raise FileRefusal(text, child.line, child.column, _PLACED)
        if child.nil:
            continue
        if child.name in seen and (not found.repeated or seen[-1] != child.name):
            text = f"Element {child.name} is duplicated at this location in type {type_name}"
            raise FileRefusal(text, child.line, child.column, _PARSING)
        seen.append(child.name)
        _value(child, found, terms)
    for name, element in fields.items():
        if element.required and name not in seen:
            # The wording is the one that people quote for other types; none of our sources quotes it for these.
            raise FileRefusal(f"Required field is missing: {name}", node.line, node.column)


def _value(node: _Node, element: Element, terms: _Terms) -> None:
    text, schema = node.text.strip(), terms.schema
    if element.type in schema.types:
        _walk(node, element.type, terms)
    elif node.children:
        raise _misplaced(node.children[0], element.type)
    elif element.type in schema.enums:
        if text not in schema.enums[element.type] or not terms.allows(element.type, text):
            raise FileRefusal(f"'{text}' is not a valid value for the enum '{element.type}'", node.line, node.column)
    elif not _fits(text, element.type):
        raise FileRefusal(f"'{text}' is not a valid value for the type xsd:{element.type}", node.line, node.column)


def _fits(text: str, primitive: str) -> bool:
    if primitive == "base64Binary":
        # libxml2 passes over what is not of the alphabet, and insists on complete groups.
        text = re.sub(r"[^A-Za-z0-9+/=]", "", text)
    form = _FORMS.get(primitive)
    if form is not None and not form.fullmatch(text):
        return False
    return primitive != "int" or -(2**31) <= int(text) < 2**31
