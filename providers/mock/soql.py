"""A small real subset of SOQL: SELECT fields or COUNT() FROM one object, WHERE, ORDER BY, LIMIT, OFFSET."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.mock.errors import Fault
from providers.mock.tables import TABLES, TOOLING_ONLY, Row

Test = Callable[[Row], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<date>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))"
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ORDERINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_MAX_LENGTH, _MAX_DEPTH = 20_000, 50


@dataclass(frozen=True, slots=True)
class Query:
    """One query: *order* holds (field, descending), *count* is ``SELECT COUNT()``."""

    table: str
    fields: tuple[str, ...]
    where: Test
    order: tuple[tuple[str, bool], ...]
    limit: int | None
    offset: int
    count: bool


def _malformed(text: str) -> Fault:
    return Fault("MALFORMED_QUERY", text)


class _Reader:
    """Tokens of one query, read from left to right."""

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise _malformed("SOQL statements cannot be longer than 20000 characters.")
        self._tokens: list[tuple[str, str]] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise _malformed(f"unexpected token: '{text[place:].strip()[:20]}'")
            self._tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            place = found.end()
        self._at = 0

    def peek(self) -> str:
        return self._tokens[self._at][1].upper() if self._at < len(self._tokens) else ""

    def take(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _malformed("unexpected token: '<EOF>'")
        self._at += 1
        return self._tokens[self._at - 1]

    def accept(self, *words: str) -> bool:
        if self.peek() in words and self._tokens[self._at][0] in {"word", "sign"}:
            self._at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise _malformed(f"unexpected token: '{self.peek() or '<EOF>'}', expecting '{word}'")

    def word(self) -> str:
        kind, text = self.take()
        if kind != "word":
            raise _malformed(f"unexpected token: '{text}'")
        return text


def parse(text: str, *, tooling: bool = True) -> Query:
    """Read a query; raises ``Fault`` MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD in Salesforce's words.

    Without *tooling*, objects that only the Tooling API has are unknown.
    """
    reader = _Reader(text)
    reader.expect("SELECT")
    names: list[str] = []
    count = False
    if reader.accept("COUNT"):
        reader.expect("(")
        reader.expect(")")
        count = True
    else:
        names.append(reader.word())
        while reader.accept(","):
            names.append(reader.word())
    reader.expect("FROM")
    table = _table(reader.word(), tooling)
    columns = {name.lower(): name for name in TABLES[table]}
    fields = tuple(_column(table, columns, name) for name in names)
    where: Test = _condition(reader, table, columns, 0) if reader.accept("WHERE") else _everything
    order = _order(reader, table, columns) if reader.accept("ORDER") else ()
    limit = _whole(reader) if reader.accept("LIMIT") else None
    offset = _whole(reader) if reader.accept("OFFSET") else 0
    if reader.peek():
        raise _malformed(f"unexpected token: '{reader.take()[1]}'")
    return Query(table, fields, where, order, limit, offset, count)


def _everything(_: Row) -> bool:
    return True


def _table(name: str, tooling: bool) -> str:
    found = next((table for table in TABLES if table.lower() == name.lower()), None)
    if found is None or (found in TOOLING_ONLY and not tooling):
        raise unknown(name)
    return found


def unknown(name: str) -> Fault:
    """The answer for an object that is not there, or not for this user."""
    return Fault("INVALID_TYPE", f"sObject type '{name}' is not supported.")


def _column(table: str, columns: Mapping[str, str], name: str) -> str:
    found = columns.get(name.lower())
    if found is None:
        raise Fault("INVALID_FIELD", f"No such column '{name}' on entity '{table}'.")
    return found


def _whole(reader: _Reader) -> int:
    kind, text = reader.take()
    if kind != "number" or not text.isdigit():
        raise _malformed(f"unexpected token: '{text}'")
    return int(text)


def _order(reader: _Reader, table: str, columns: Mapping[str, str]) -> tuple[tuple[str, bool], ...]:
    reader.expect("BY")
    found = []
    while True:
        name = _column(table, columns, reader.word())
        descending = reader.accept("DESC")
        if not descending:
            reader.accept("ASC")
        if reader.accept("NULLS") and not reader.accept("FIRST", "LAST"):
            raise _malformed(f"unexpected token: '{reader.peek()}'")
        found.append((name, descending))
        if not reader.accept(","):
            return tuple(found)


def _condition(reader: _Reader, table: str, columns: Mapping[str, str], depth: int) -> Test:
    tests = [_term(reader, table, columns, depth)]
    joined = ""
    while reader.peek() in {"AND", "OR"}:
        word = reader.take()[1].upper()
        if joined and word != joined:
            # Salesforce wants brackets where AND and OR meet.
            raise _malformed(f"unexpected token: '{word}'")
        joined = word
        tests.append(_term(reader, table, columns, depth))
    every = tuple(tests)
    if joined == "OR":
        return lambda row: any(test(row) for test in every)
    return lambda row: all(test(row) for test in every)


def _term(reader: _Reader, table: str, columns: Mapping[str, str], depth: int) -> Test:
    if depth > _MAX_DEPTH:
        raise _malformed("the condition is nested too deeply")
    if reader.accept("NOT"):
        inner = _term(reader, table, columns, depth + 1)
        return lambda row: not inner(row)
    if reader.accept("("):
        test = _condition(reader, table, columns, depth + 1)
        reader.expect(")")
        return test
    name = _column(table, columns, reader.word())
    if reader.accept("NOT"):
        reader.expect("IN")
        values = _values(reader)
        return lambda row: not any(_same(row[name], each) for each in values)
    if reader.accept("IN"):
        values = _values(reader)
        return lambda row: any(_same(row[name], each) for each in values)
    if reader.accept("LIKE"):
        pattern = _pattern(_value(reader))
        return lambda row: isinstance(row[name], str) and pattern.fullmatch(row[name]) is not None
    sign = reader.take()[1]
    value = _value(reader)
    return _comparison(name, sign, value)


def _comparison(name: str, sign: str, value: Any) -> Test:
    if sign == "=":
        return lambda row: _same(row[name], value)
    if sign in {"!=", "<>"}:
        return lambda row: not _same(row[name], value)
    if sign not in _ORDERINGS:
        raise _malformed(f"unexpected token: '{sign}'")
    ordered = _ORDERINGS[sign]

    def compare(row: Row) -> bool:
        left, right = _comparable(_like(row[name], value)), _comparable(value)
        return left is not None and type(left) is type(right) and bool(ordered(left, right))

    return compare


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, datetime):
        return value
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _like(left: Any, value: Any) -> Any:
    """What a row holds, as a moment if it is compared with one: rows say +0000, queries mostly Z, some leave out parts."""
    if isinstance(value, datetime) and isinstance(left, str):
        return _moment(left)
    return left


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _same(left: Any, right: Any) -> bool:
    left = _like(left, right)
    if isinstance(left, str) and isinstance(right, str):
        # Ids may be given in either length.
        short = len(right) == 15 and len(left) == 18 and left[:15] == right
        return short or _comparable(left) == _comparable(right)
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _values(reader: _Reader) -> list[Any]:
    reader.expect("(")
    values = [_value(reader)]
    while reader.accept(","):
        values.append(_value(reader))
    reader.expect(")")
    return values


def _value(reader: _Reader) -> Any:
    kind, text = reader.take()
    if kind == "text":
        return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found.group(1), found.group(1)), text[1:-1], flags=re.DOTALL)
    if kind == "number":
        return float(text) if "." in text else int(text)
    if kind == "date":
        found = _moment(text)
        if found is None:
            raise _malformed(f"line 1: invalid dateTime: {text}")
        return found
    if kind == "word" and text.lower() in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[text.lower()]
    raise _malformed(f"unexpected token: '{text}'")


def _pattern(value: Any) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise _malformed("LIKE needs a text")
    pieces = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in value)
    # Runs of "%" would make matching slow, and one says the same.
    return re.compile(re.sub(r"(\.\*)+", ".*", "".join(pieces)), re.IGNORECASE | re.DOTALL)


def select(query: Query, table: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the records: a dotted field becomes an object of its own, as in Salesforce's JSON."""
    found = [row for row in table if query.where(row)]
    if query.count:
        return [{"count": len(found)}]
    for name, descending in reversed(query.order):
        found.sort(key=lambda row: (row[name] is not None, _sortable(row[name])), reverse=descending)
    end = None if query.limit is None else query.offset + query.limit
    return [_without_empty(dict(_shaped(row, query.fields))) for row in found[query.offset : end]]


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    """A reference that leads nowhere is null, and no object full of nulls."""
    return {
        name: None if isinstance(value, dict) and not any(each is not None for each in value.values()) else value
        for name, value in row.items()
    }


def _sortable(value: Any) -> str:
    return f"{value:020.3f}" if isinstance(value, (int, float)) else str(value).lower()


def _shaped(row: Row, fields: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    related: dict[str, dict[str, Any]] = {}
    for name in fields:
        parent, dotted, rest = name.partition(".")
        if not dotted:
            yield name, row[name]
            continue
        first = parent not in related
        holder = related.setdefault(parent, {})
        holder[rest] = row[name]
        if first:
            yield parent, holder
