"""A component as values: nested mappings from element names to lists of their contents, in document order.

`{"label": ["Order portal"], "oauthConfig": [{"scopes": ["Api", "Web"]}]}`. Leaves are trimmed text, as Salesforce
returns it. Sorted by name when written, which is the order of the WSDL's sequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from lxml import etree

NS = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{XSI}}}nil"
_NO_XML = (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
"""What no XML document can hold, and a name in a zip can: an answer that repeats it would be read by no client."""
_ESCAPES = str.maketrans(
    dict.fromkeys(map(chr, _NO_XML), "\ufffd")
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"}
)

Body: TypeAlias = "dict[str, list[str | Body]]"


def parser() -> etree.XMLParser:
    """Return a safe parser for what clients send: no entities, no network, libxml2's limits of depth and size."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False, remove_comments=True, remove_pis=True
    )


def has_doctype(root: etree._Element) -> bool:
    """Whether the document has a DOCTYPE, which is refused: entities come with it."""
    return root.getroottree().docinfo.internalDTD is not None


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def read(element: etree._Element) -> Body:
    """Return the values of the children of `element`; nil ones are left out."""
    body: Body = {}
    for child in element:
        if not isinstance(child.tag, str) or child.get(_NIL) in {"true", "1"}:
            continue
        body.setdefault(local(child), []).append(read(child) if len(child) else (child.text or "").strip())
    return body


def parse(data: bytes) -> Body:
    """Return the values of a component that the org itself stored."""
    return read(etree.fromstring(data, parser()))


def escape(text: str) -> str:
    return text.translate(_ESCAPES)


def inner(body: Mapping[str, list[str | Body]], indent: str = "    ") -> str:
    """Return the elements of `body` as XML, without a root element."""
    lines: list[str] = []
    _lines(body, indent, lines)
    return "".join(lines)


def _lines(body: Mapping[str, list[str | Body]], indent: str, lines: list[str]) -> None:
    for name in sorted(body):
        for value in body[name]:
            if isinstance(value, str):
                lines.append(f"{indent}<{name}>{escape(value)}</{name}>\n" if value else f"{indent}<{name}/>\n")
            else:
                lines.append(f"{indent}<{name}>\n")
                _lines(value, indent + "    ", lines)
                lines.append(f"{indent}</{name}>\n")


def write(kind: str, body: Mapping[str, list[str | Body]]) -> bytes:
    """Return the file that a retrieve gives for a component of type `kind`."""
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{NS}">\n{inner(body)}</{kind}>\n'
    return text.encode()


def one(body: Body | None, *path: str) -> str | None:
    """Return the text at `path`, or None where an element on the way is absent."""
    values: list[str | Body] = [body] if body is not None else []
    for name in path:
        here = values[0] if values else None
        values = here.get(name, []) if isinstance(here, dict) else []
    found = values[0] if values else None
    return found if isinstance(found, str) else None


def part(body: Body | None, name: str) -> Body | None:
    """Return the one structure called `name`, or None."""
    values = body.get(name, []) if body else []
    found = values[0] if values else None
    return found if isinstance(found, dict) else None


def parts(body: Body, name: str) -> list[Body]:
    return [value for value in body.get(name, []) if isinstance(value, dict)]


def texts(body: Body | None, name: str) -> list[str]:
    return [value for value in (body or {}).get(name, []) if isinstance(value, str)]


def put(body: Body, name: str, value: str | None) -> None:
    """Set the element `name` to one text; None removes the element."""
    if value is None:
        body.pop(name, None)
    else:
        body[name] = [value]


def default(body: Body, values: Mapping[str, str]) -> None:
    """Set each of `values` whose element is absent from `body`."""
    for name, value in values.items():
        body.setdefault(name, [value])


def true(body: Body | None, *path: str) -> bool:
    return one(body, *path) in {"true", "1"}


def comma_list(text: str | None) -> list[str]:
    """Split Salesforce's comma lists: `Api, Web` and `Api,Web` are the same list."""
    return [piece.strip() for piece in (text or "").split(",") if piece.strip()]


def comma_text(values: Iterable[str]) -> str:
    return ", ".join(values)
