"""XML as it comes from strangers and goes to them: a parser without dangerous features, and escaping."""

import re
from functools import cache

from lxml import etree

from reconciler.errors import Complaint, Place, ReconcilerError

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MAX_BYTES = 16 * 1024 * 1024
"""A metadata file of our kinds has kilobytes; the largest that is known holds an app's icon."""
MOST_MARKS = 2_000_000
"""Of `<` in one answer, and of `=` (attributes). Each costs a parser some 130 bytes of memory for four bytes sent, and the
properties of ten thousand files have a seventh of it."""
_MOST_JSON, _MOST_VALUES = 32 * 1024 * 1024, 3_000_000
"""Bytes and values of an answer that is no XML. The messages about ten thousand components have a tenth of it; each value
costs a parser up to 80 bytes of memory for three bytes sent."""


class MetadataXmlError(ReconcilerError):
    """One file is not metadata XML of the kind that it should be, or a value cannot be written as XML."""

    def __init__(self, file: str, problem: str, *, line: int = 0, column: int = 0, mend: str = "") -> None:
        super().__init__(Complaint(f"{file}: {problem}", Place(file, line, column), mend))


@cache
def hardened_parser(*, keep_blanks: bool = True) -> etree.XMLParser:
    """A parser for what strangers send: no entities, DTD or network, libxml2's limits of depth and size in force.

    UTF-8, whatever a document says of itself: in another encoding `<` could look like something else to `is_crowd`.
    """
    return etree.XMLParser(
        encoding="UTF-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=not keep_blanks,
    )


def is_crowd(data: bytes) -> bool:
    """True for XML in which more stands than any org says at once: it would take gigabytes to hold."""
    return data.count(b"<") > MOST_MARKS or data.count(b"=") > MOST_MARKS


def is_xml(content: bytes) -> bool:
    """True for what begins as XML or HTML does."""
    return content[:64].lstrip().startswith(b"<")


def is_json_crowd(content: bytes) -> bool:
    """True for JSON, or anything but XML, that no org says at once: it would take gigabytes to hold."""
    return len(content) > _MOST_JSON or sum(content.count(mark) for mark in (b"[", b"{", b",")) > _MOST_VALUES


def parse(data: bytes, file: str, *, keep_blanks: bool = True) -> etree._Element:
    """The root element of a document that has no DTD. Raises MetadataXmlError."""
    if len(data) > _MAX_BYTES:
        raise MetadataXmlError(file, f"{len(data)} bytes are more than a metadata file may have ({_MAX_BYTES})")
    if is_crowd(data):
        raise MetadataXmlError(file, "it has more elements than a metadata file may have")
    # Seen before the parser sees it, so that no entity is ever declared. Other encodings hide it: then the parser tells.
    if b"<!DOCTYPE" in data:
        raise _declared(file)
    try:
        root = etree.fromstring(data, hardened_parser(keep_blanks=keep_blanks))
    except (etree.XMLSyntaxError, ValueError) as wrong:
        line, column = wrong.position if isinstance(wrong, etree.XMLSyntaxError) else (0, 0)
        raise MetadataXmlError(file, f"not well-formed XML: {wrong}", line=line or 0, column=column or 0) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _declared(file)
    return root


def _declared(file: str) -> MetadataXmlError:
    return MetadataXmlError(file, "a document type declaration is not allowed in metadata XML", mend="remove it")


FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 has no way to write."""
_SPECIAL = re.compile("[&<>\r]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def escape(text: str) -> str:
    """`text` as element content."""
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)
