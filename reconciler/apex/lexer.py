"""Apex source -> tokens with their places. Comments and strings are known for what they are; nothing is ever refused.

Our own, because no kept package brings a grammar along: tree-sitter-language-pack loads it at run time since 1.0, and
before that weighed 190 MB; Pygments has no lexer for Apex.

Sources: Apex Developer Guide (developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/), "Comments", "Data
Types and Variables"; multi-line strings: Salesforce Summer '26 Release Notes, "Write Cleaner Code by Using Multiline
Strings".
"""

from enum import Enum
from typing import Final, NamedTuple


class Sort(Enum):
    """The sorts of tokens: word, number, text, symbol."""

    WORD = "word"
    STRING = "string"
    NUMBER = "number"
    SYMBOL = "symbol"


class Token(NamedTuple):
    """One token. `text` stands in the source exactly at `line` and `column`."""

    sort: Sort
    text: str
    key: str
    """What to compare: a word in small letters (Apex ignores case everywhere), all else as it stands."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""

    @property
    def value(self) -> str:
        """Return the value of a string token, without its quotes and escapes."""
        quotes = 3 if is_multiline(self.text) else 1
        closed = len(self.text) >= 2 * quotes and self.text.endswith("'" * quotes)
        return _unescaped(self.text[quotes : -quotes if closed else None])


_SYMBOLS: Final = (
    ("===", "!==", "<<="),
    ("==", "!=", "<=", ">=", "<>", "&&", "||", "=>", "?.", "??", "+=", "-=", "*=", "/=", "|=", "&=", "^=", "++", "--"),
)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def tokens(source: str, most: int | None = None) -> list[Token]:
    """All tokens but comments (or the first `most`), in linear time. What is no Apex becomes symbols of one character.

    A string that is not closed ends with its line, a comment that is not closed with the source.
    """
    # Line ends count as one character, so that lines and columns are those of an editor.
    return _Scanner(source.replace("\r\n", "\n").replace("\r", "\n")).scan(len(source) if most is None else most)


def is_multiline(text: str) -> bool:
    """Whether a string literal is of the kind that begins with three quotes and a line end."""
    return text.startswith("'''") and text[3:].lstrip(" \t").startswith("\n")


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._line_start = 0

    def scan(self, most: int) -> list[Token]:
        found: list[Token] = []
        text, size = self._text, len(self._text)
        while self._at < size and len(found) < most:
            char = text[self._at]
            if char == "\n":
                self._at += 1
                self._line += 1
                self._line_start = self._at
            elif char.isspace():
                self._at += 1
            elif char == "/" and text.startswith(("//", "/*"), self._at):
                self._comment()
            elif char in "(){}[];,.":
                found.append(Token(Sort.SYMBOL, char, char, self._line, self._at - self._line_start + 1))
                self._at += 1
            elif char == "'":
                found.append(self._take(Sort.STRING, self._string()))
            elif char.isdigit():
                found.append(self._take(Sort.NUMBER, self._number()))
            elif char.isalnum() or char in "_$":
                found.append(self._take(Sort.WORD, self._word()))
            else:
                found.append(self._take(Sort.SYMBOL, self._at + self._symbol()))
        return found

    def _take(self, sort: Sort, end: int) -> Token:
        text = self._text[self._at : end]
        key = text.lower() if sort is Sort.WORD and not text.islower() else text
        token = Token(sort, text, key, self._line, self._at - self._line_start + 1)
        if sort is Sort.STRING:
            self._move(end)
        else:
            self._at = end
        return token

    def _move(self, end: int) -> None:
        """Go on at `end`, counting the lines between."""
        lines = self._text.count("\n", self._at, end)
        if lines:
            self._line += lines
            self._line_start = self._text.rfind("\n", self._at, end) + 1
        self._at = end

    def _comment(self) -> None:
        if self._text[self._at + 1] == "/":
            end = self._text.find("\n", self._at)
        else:
            end = self._text.find("*/", self._at + 2)
            end = end + 2 if end >= 0 else end
        self._move(end if end >= 0 else len(self._text))

    def _string(self) -> int:
        text, at = self._text, self._at + 1
        many = text.startswith("'''", self._at) and self._line_is_empty(self._at + 3)
        at += 2 * many
        while at < len(text):
            char = text[at]
            if char == "\\":
                # An escaped line end is none: the string still ends there.
                at += 1 if text.startswith("\\\n", at) and not many else 2
            elif char == "\n" and not many:
                return at
            elif char == "'" and (not many or text.startswith("'''", at)):
                return at + (3 if many else 1)
            else:
                at += 1
        return len(text)

    def _line_is_empty(self, at: int) -> bool:
        while at < len(self._text) and self._text[at] in " \t":
            at += 1
        return at < len(self._text) and self._text[at] == "\n"

    def _number(self) -> int:
        text, at = self._text, self._at
        while at < len(text) and (text[at].isalnum() or (text[at] == "." and text[at + 1 : at + 2].isdigit())):
            at += 1
        return at

    def _word(self) -> int:
        text, at = self._text, self._at
        while at < len(text) and (text[at].isalnum() or text[at] in "_$"):
            at += 1
        return at

    def _symbol(self) -> int:
        for size, known in zip((3, 2), _SYMBOLS, strict=True):
            if self._text[self._at : self._at + size] in known:
                return size
        return 1


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (slash := text.find("\\", at)) >= 0:
        parts.append(text[at:slash])
        escaped = text[slash + 1 : slash + 2]
        parts.append(_ESCAPES.get(escaped, escaped))
        at = slash + 2
    return "".join(parts) + text[at:]
