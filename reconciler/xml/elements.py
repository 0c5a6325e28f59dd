"""Where each element of an XML file stands: lines and columns for messages, bytes for edits. Pure.

lxml, which reads the values, knows lines only; so a file is read a second time, by expat, when a place is asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from reconciler.xml.markup import MetadataXmlError, is_crowd

MAX_DEPTH = 64
"""Elements inside of elements. Our deepest kind needs four."""
_TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")


@dataclass(slots=True, eq=False)
class Element:
    """One element: its name as it is written, its line and column (from 1), and the bytes that it takes."""

    name: str
    line: int
    column: int
    start: int
    """The byte of its `<`."""
    inside: int = 0
    """The first byte behind its start tag."""
    close: int = 0
    """The byte of the `<` of its end tag; `inside` where it has none (`<a/>`)."""
    end: int = 0
    """The first byte behind it."""
    children: "list[Element]" = field(default_factory=list)

    def named(self, name: str) -> "Iterator[Element]":
        """Its children of a name, a namespace prefix left out."""
        return (one for one in self.children if one.name.rpartition(":")[2] == name)


def root_of(data: bytes, file: str) -> Element:
    """The root element of a file. Raises MetadataXmlError for what is not well-formed, has a DTD or is nested too deep."""
    if is_crowd(data):
        raise MetadataXmlError(file, "it has more elements than a metadata file may have")
    parser = expat.ParserCreate("utf-8")
    open_: list[Element] = []
    roots: list[Element] = []

    def begin(name: str, _: object) -> None:
        at = parser.CurrentByteIndex
        tag = _TAG.match(data, at)
        made = Element(name, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, at, tag.end() if tag else at)
        (open_[-1].children if open_ else roots).append(made)
        open_.append(made)
        if len(open_) > MAX_DEPTH:
            raise MetadataXmlError(file, f"its elements are nested more than {MAX_DEPTH} levels deep", line=made.line)

    def finish(_: str) -> None:
        done, at = open_.pop(), parser.CurrentByteIndex
        if data[done.start : done.inside].endswith(b"/>"):
            done.close = done.end = done.inside
        else:
            tag = _TAG.match(data, at)
            done.close, done.end = at, tag.end() if tag else at

    def declared(*_: object) -> None:
        message = "a document type declaration is not allowed in metadata XML"
        raise MetadataXmlError(file, message, line=parser.CurrentLineNumber, mend="remove it")

    parser.StartElementHandler, parser.EndElementHandler = begin, finish
    parser.StartDoctypeDeclHandler = declared
    try:
        parser.Parse(data, True)
    except expat.ExpatError as wrong:
        problem = f"not well-formed XML: {expat.ErrorString(wrong.code)}"
        raise MetadataXmlError(file, problem, line=wrong.lineno, column=wrong.offset + 1) from None
    return roots[0]
