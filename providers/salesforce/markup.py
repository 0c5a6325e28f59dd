"""XML as it comes from strangers and goes to them: a parser without dangerous features, and escaping."""

import re
from functools import cache

from lxml import etree

from reconciler.errors import Complaint, Place, ReconcilerError

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MAX_BYTES = 16 * 1024 * 1024
"""A metadata file of our kinds has kilobytes; the largest that is known holds an app's icon."""


class MetadataXmlError(ReconcilerError):
    """One file is not metadata XML of the kind that it should be, or a value cannot be written as XML."""

    def __init__(self, file: str, problem: str, *, line: int = 0, column: int = 0, mend: str = "") -> None:
        super().__init__(Complaint(f"{file}: {problem}", Place(file, line, column), mend))


@cache
def hardened_parser(*, keep_blanks: bool = True) -> etree.XMLParser:
    """A parser for what strangers send: no entities, DTD or network, libxml2's limits of depth and size in force."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=not keep_blanks,
    )


def parse(data: bytes, file: str, *, keep_blanks: bool = True) -> etree._Element:
    """The root element of a document that has no DTD. Raises MetadataXmlError."""
    if len(data) > _MAX_BYTES:
        raise MetadataXmlError(file, f"{len(data)} bytes are more than a metadata file may have ({_MAX_BYTES})")
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
