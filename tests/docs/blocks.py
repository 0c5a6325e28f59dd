"""All code blocks, links and headings of all documents of the repository."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_NOT_OURS = ("node_modules", "build", "dist")


@dataclass(frozen=True)
class Block:
    """A block of code in a document."""

    document: str
    line: int
    """Of its first line."""
    language: str
    """Empty for a block that is only indented, or whose fence names none."""
    text: str

    @property
    def id(self) -> str:
        return f"{self.document}:{self.line}"


@cache
def documents() -> tuple[str, ...]:
    """All Markdown files, but for those of other projects below ours."""
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return tuple(
        sorted(
            str(path)
            for path in found
            if not any(part.startswith(".") or part in _NOT_OURS for part in path.parts) and path.name != "CHANGELOG.md"
        )
    )


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks_of(text: str, document: str) -> Iterator[Block]:
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            first = token.map[0] + (2 if token.type == "fence" else 1)
            yield Block(document, first, token.info.strip(), token.content)


@cache
def blocks() -> tuple[Block, ...]:
    return tuple(block for document in documents() for block in blocks_of(read(document), document))


def links(document: str) -> list[str]:
    """Where the document points, without what code looks like a link."""
    return [str(token.attrs["href"]) for token in _inline(document) if token.type == "link_open"]


def anchors(document: str) -> set[str]:
    """The names that GitHub gives to headings."""
    tokens = MarkdownIt("gfm-like").parse(read(document))
    titles = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _inline(document: str) -> Iterator[Token]:
    for token in MarkdownIt("gfm-like").parse(read(document)):
        yield from token.children or ()
