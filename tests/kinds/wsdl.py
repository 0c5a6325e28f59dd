"""Salesforce's own schema of the Metadata API, v63, as the package simple-salesforce ships it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Element:
    """One element of a complex type."""

    name: str
    type: str
    repeated: bool
    required: bool


@dataclass(frozen=True)
class Wsdl:
    """Complex types by name, with the elements that they inherit, and the values of enumerations."""

    types: Mapping[str, tuple[Element, ...]]
    enums: Mapping[str, tuple[str, ...]]


@cache
def v63() -> Wsdl:
    root = etree.fromstring(files("simple_salesforce").joinpath("metadata.wsdl").read_bytes())
    complex_types = {node.get("name"): node for node in root.iter(f"{_XSD}complexType") if node.get("name")}
    enums = {
        node.get("name"): tuple(value.get("value") for value in node.iter(f"{_XSD}enumeration"))
        for node in root.iter(f"{_XSD}simpleType")
        if node.get("name")
    }
    return Wsdl({name: _elements(name, complex_types) for name in complex_types}, enums)


def _elements(name: str, types: Mapping[str, etree._Element]) -> tuple[Element, ...]:
    node = types[name]
    extension = node.find(f".//{_XSD}extension")
    inherited = _elements(_local(extension.get("base")), types) if extension is not None else ()
    return inherited + tuple(
        Element(
            element.get("name"),
            _local(element.get("type", "")),
            element.get("maxOccurs") == "unbounded",
            element.get("minOccurs", "1") != "0",
        )
        for element in node.iter(f"{_XSD}element")
        if element.get("name")
    )


def _local(qualified: str) -> str:
    return qualified.rpartition(":")[2]
