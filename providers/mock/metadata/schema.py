"""The metadata types of Salesforce: its WSDL (v63, as `simple-salesforce` ships it) and a supplement of what is newer.

Only the types that our catalog reaches are taken out of the WSDL, so that compiling costs milliseconds and not half a
second. `supplement.tsv` adds, a line each and with its source: elements (`xsd` a type), enumeration values (`xsd` is
"value"), and only versions where `xsd` is empty. `?` as version means "after 63, no one says when": a switch.
"""

from __future__ import annotations

import copy
import csv
import functools
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from providers.mock.catalog import AFTER_63, TYPES
from providers.mock.record import NS, parser
from providers.mock.state.errors import MockOrgError

XSD = "http://www.w3.org/2001/XMLSchema"
_X = f"{{{XSD}}}"
PRIMITIVES = frozenset({"string", "boolean", "int", "double", "dateTime", "date", "time", "base64Binary"})


@dataclass(frozen=True, slots=True)
class Element:
    """One field of a type: `type` is a primitive's name or the name of another type or enumeration."""

    name: str
    type: str
    required: bool
    repeated: bool


@dataclass(frozen=True, slots=True)
class Span:
    """The API versions in which a member exists; `until` 0 means to this day."""

    since: int
    until: int

    def holds(self, version: int) -> bool:
        return self.since <= version and (not self.until or version <= self.until)


@dataclass(frozen=True, slots=True)
class Supplement:
    """One line of `supplement.tsv`: a member of a type, and the API versions that have it."""

    type: str
    member: str
    xsd: str
    occurs: str
    since: str
    until: str
    source: str

    def span(self, after_63: int) -> Span:
        return Span(after_63 if self.since == "?" else int(self.since or 0), int(self.until or 0))


@dataclass(frozen=True, slots=True)
class Schema:
    """Types and enumerations by name, and the compiled validator for documents whose root is one of our types."""

    types: Mapping[str, Mapping[str, Element]]
    enums: Mapping[str, tuple[str, ...]]
    validator: etree.XMLSchema


@functools.cache
def supplement() -> tuple[Supplement, ...]:
    with Path(__file__).with_name("supplement.tsv").open(encoding="utf-8", newline="") as file:
        return tuple(Supplement(**row) for row in csv.DictReader(file, delimiter="\t"))


@functools.cache
def spans(after_63: int = AFTER_63) -> Mapping[tuple[str, str], Span]:
    """Return for (type, member) the versions it exists in; what is not listed exists in all versions offered."""
    return {(line.type, line.member): line.span(after_63) for line in supplement()}


@functools.cache
def hidden(kind: str, version: int, after_63: int = AFTER_63) -> frozenset[str]:
    """Return the elements of `kind` that API `version` does not know, those of its parts included."""
    owned = {kind, "ConnectedAppOauthConfig"} if kind == "ConnectedApp" else {kind}
    lines = (line for line in supplement() if line.type in owned and line.xsd != "value")
    return frozenset(line.member for line in lines if not line.span(after_63).holds(version))


@functools.cache
def hidden_values(version: int, after_63: int = AFTER_63) -> frozenset[str]:
    """Return the enumeration values that API `version` does not know."""
    lines = (line for line in supplement() if line.xsd == "value")
    return frozenset(line.member for line in lines if not line.span(after_63).holds(version))


def wsdl() -> Path:
    """Return where `metadata.wsdl` is installed, without importing the package that brings it."""
    found = importlib.util.find_spec("simple_salesforce")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / "metadata.wsdl").is_file():
            return path
    raise MockOrgError("the mock org needs metadata.wsdl from the package simple-salesforce, which is not installed")


@functools.cache
def load() -> Schema:
    """Read the WSDL, add the supplement, compile the validator. Done once a process, at the first deployment."""
    whole = etree.parse(str(wsdl()), parser()).find(f".//{_X}schema")
    if whole is None:
        raise MockOrgError("metadata.wsdl holds no schema")
    named = {str(child.get("name")): child for child in whole if child.tag != f"{_X}element"}
    picked: dict[str, etree._Element] = {}
    added = {line.type for line in supplement()}
    waiting = ["Metadata", *(one.name for one in TYPES), *added]
    while waiting:
        name = waiting.pop()
        if name in picked:
            continue
        picked[name] = _with_supplement(name, copy.deepcopy(named[name]) if name in named else None)
        waiting += [found for found in _referenced(picked[name]) if found not in PRIMITIVES]
    schema = etree.Element(f"{_X}schema", nsmap={"xsd": XSD, "tns": NS})
    schema.set("targetNamespace", NS)
    schema.set("elementFormDefault", "qualified")
    schema.extend(picked.values())
    for one in TYPES:
        etree.SubElement(schema, f"{_X}element", name=one.name, type=f"tns:{one.name}")
    types = {name: _elements(name, picked) for name, node in picked.items() if node.tag == f"{_X}complexType"}
    enums = {
        name: tuple(str(value.get("value")) for value in node.iter(f"{_X}enumeration"))
        for name, node in picked.items()
        if node.tag == f"{_X}simpleType"
    }
    return Schema(types, enums, etree.XMLSchema(schema))


def _bare(qualified: str | None) -> str:
    return (qualified or "").rpartition(":")[2]


def _referenced(node: etree._Element) -> list[str]:
    return [
        _bare(n.get("type") or n.get("base")) for n in node.iter(f"{_X}element", f"{_X}extension", f"{_X}restriction")
    ]


def _with_supplement(name: str, node: etree._Element | None) -> etree._Element:
    lines = [line for line in supplement() if line.type == name and line.xsd]
    values = [line for line in lines if line.xsd == "value"]
    if node is None:
        node = _new(name, enumeration=bool(values), component=any(one.name == name for one in TYPES))
    for line in values:
        restriction = node.find(f"{_X}restriction")
        if restriction is not None:
            etree.SubElement(restriction, f"{_X}enumeration", value=line.member)
    sequence = node.find(f".//{_X}sequence")
    if sequence is None or values:
        return node
    for line in lines:
        least, _, most = line.occurs.partition("..")
        kind = f"xsd:{line.xsd}" if line.xsd in PRIMITIVES else f"tns:{line.xsd}"
        element = etree.Element(f"{_X}element", name=line.member, type=kind, minOccurs=least, maxOccurs=most)
        here = sum(str(child.get("name")) < line.member for child in sequence)
        sequence.insert(here, element)
    return node


def _new(name: str, *, enumeration: bool, component: bool) -> etree._Element:
    if enumeration:
        node = etree.Element(f"{_X}simpleType", name=name, nsmap={"xsd": XSD, "tns": NS})
        etree.SubElement(node, f"{_X}restriction", base="xsd:string")
        return node
    node = etree.Element(f"{_X}complexType", name=name, nsmap={"xsd": XSD, "tns": NS})
    holder = node
    if component:
        content = etree.SubElement(node, f"{_X}complexContent")
        holder = etree.SubElement(content, f"{_X}extension", base="tns:Metadata")
    etree.SubElement(holder, f"{_X}sequence")
    return node


def _elements(name: str, picked: Mapping[str, etree._Element]) -> dict[str, Element]:
    node = picked[name]
    extension = node.find(f".//{_X}extension")
    found = {} if extension is None else _elements(_bare(extension.get("base")), picked)
    for child in node.iter(f"{_X}element"):
        element = Element(
            str(child.get("name")),
            _bare(child.get("type")),
            child.get("minOccurs") != "0",
            child.get("maxOccurs") == "unbounded",
        )
        found[element.name] = element
    return found
