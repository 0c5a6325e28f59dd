"""Splits the text of a SOQL query into tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from providers.mock.state.errors import Fault

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<day>\d{4}-\d\d-\d\d)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*(?::\d+)?)|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))",
    re.DOTALL,
)
MAX_LENGTH, MAX_DEPTH, MAX_OFFSET, MAX_ALL = 20_000, 50, 2_000, 200
AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "MIN", "MAX"})
CLAUSES = frozenset({"WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "USING", "ALL", "UPDATE"})


# -- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    at: int

    @property
    def upper(self) -> str:
        return self.text.upper()


class Reader:
    """Tokens of one query, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_LENGTH:
            raise Fault("MALFORMED_QUERY", "SOQL statements cannot be longer than 20000 characters.")
        self._tokens: list[Token] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None:
                begin = place + len(text[place:]) - len(text[place:].lstrip())
                raise self.malformed(f"unexpected token: '{text[begin : begin + 20]}'", begin)
            kind = found.lastgroup or ""
            self._tokens.append(Token(kind, found.group(kind), found.start(kind)))
            place = found.end()
        self._end = Token("", "<EOF>", end)
        self._at = 0

    def error(self, code: str, text: str, at: int) -> Fault:
        """Return a refusal whose message points at the position `at` of the query."""
        begin = max((at_space + 1 for at_space in _spaces(self.text) if at_space < at - 40), default=0)
        end = min((at_space for at_space in _spaces(self.text) if at_space > at + 40), default=len(self.text))
        row, last = self.text.count("\n", 0, at) + 1, self.text.rfind("\n", 0, at)
        shown = self.text[begin:end].replace("\n", " ")
        pointer = f"\n{shown}\n{' ' * (at - begin)}^\nERROR at Row:{row}:Column:{at - last}\n"
        return Fault(code, pointer + text)

    def malformed(self, text: str, at: int) -> Fault:
        return self.error("MALFORMED_QUERY", text, at)

    def unexpected(self, token: Token, expecting: str = "") -> Fault:
        more = f" expecting '{expecting}'" if expecting else ""
        return self.malformed(f"unexpected token: '{token.text}'{more}", token.at)

    def peek(self, ahead: int = 0) -> Token:
        place = self._at + ahead
        return self._tokens[place] if place < len(self._tokens) else self._end

    def take(self) -> Token:
        found = self.peek()
        if found is self._end:
            raise self.unexpected(found)
        self._at += 1
        return found

    def accept(self, *words: str) -> bool:
        found = self.peek()
        if found.upper in words and found.kind in {"word", "sign"}:
            self._at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected(self.peek(), word)

    def word(self) -> Token:
        found = self.take()
        if found.kind != "word" or ":" in found.text:
            raise self.unexpected(found)
        return found


def _spaces(text: str) -> Iterator[int]:
    return (place for place, letter in enumerate(text) if letter.isspace())
