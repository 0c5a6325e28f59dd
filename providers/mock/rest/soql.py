"""SOQL as far as tools need it: reads a query, checks its names and values, and picks the rows.

Understood: fields and fields of related records, `FIELDS(…)`, COUNT, COUNT_DISTINCT, MIN, MAX with GROUP BY, WHERE with
AND, OR, NOT, IN, LIKE, date literals and semi-joins, ORDER BY, LIMIT, OFFSET. Everything else is refused in Salesforce's
words, with its pointer at row and column. How much of the query stands before the pointer is our choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from providers.mock.columns import HIDDEN_FROM_TOOLING, NOT_FILTERABLE, TABLES, TOOLING_ONLY, relation, type_of
from providers.mock.rest.soql_query import Aggregate, Field, Order, Query, Tables, Test, everything
from providers.mock.rest.soql_reader import AGGREGATES, CLAUSES, MAX_ALL, MAX_DEPTH, MAX_OFFSET, Reader, Token
from providers.mock.rest.soql_values import Span, comparison, keyed, likeness, literal, moment, same, spelled
from providers.mock.rest.tables import Row
from providers.mock.state import ids
from providers.mock.state.errors import Fault

_WSDL = " Please reference your WSDL or the describe call for the appropriate names."


def parse(text: str, *, tooling: bool = True, now: datetime | None = None) -> Query:
    """Read a query; raises `Fault` MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD in Salesforce's words.

    Without `tooling`, objects that only the Tooling API has are unknown, and with it those that it has not. `now` is
    what date literals begin from.
    """
    reader = Reader(text)
    query = _Parser(reader, tooling, now or datetime.now(UTC)).query(0)
    if reader.peek().kind:
        raise reader.unexpected(reader.peek())
    return query


@dataclass(frozen=True, slots=True)
class _Item:
    """One item after SELECT, as it is read before the object is known."""

    token: Token
    function: str = ""
    alias: str = ""


class _Parser:
    def __init__(self, reader: Reader, tooling: bool, now: datetime) -> None:
        self._reader, self._tooling, self._now = reader, tooling, now
        self._asked: set[str] = set()
        self._joins = 0

    def query(self, depth: int) -> Query:
        reader = self._reader
        reader.expect("SELECT")
        items, count = self._items()
        reader.expect("FROM")
        table, alias = self._table()
        names = frozenset({alias, table.lower()}) - {""}
        where = self._condition(table, names, depth) if reader.accept("WHERE") else everything
        # These change who may see which field, and here nothing does.
        if reader.accept("WITH") and not reader.accept("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"):
            raise reader.unexpected(reader.peek())
        groups = self._groups(table, names) if reader.accept("GROUP") else ()
        if table in NOT_FILTERABLE and (groups or any(each.function not in {"", "FIELDS"} for each in items)):
            # The Object Reference: SetupAuditTrail takes no aggregate functions. Its words for it are not quoted anywhere.
            raise reader.malformed(f"{table} does not support aggregate queries", items[0].token.at)
        order = self._order(table, names, items) if reader.accept("ORDER") else ()
        limit = self._whole() if reader.accept("LIMIT") else None
        offset = self._offset() if reader.accept("OFFSET") else 0
        if reader.accept("FOR") and not reader.accept("VIEW", "REFERENCE"):
            raise reader.unexpected(reader.peek())
        selected = self._selected(table, names, items, groups, limit)
        return Query(table, selected, where, groups, order, limit, offset, count, frozenset(self._asked))

    # -- SELECT

    def _items(self) -> tuple[list[_Item], bool]:
        reader = self._reader
        items: list[_Item] = []
        if reader.peek().upper == "COUNT" and reader.peek(1).text == "(" and reader.peek(2).text == ")":
            for _ in range(3):
                reader.take()
            return [], True
        while True:
            items.append(self._item(len(items)))
            if not reader.accept(","):
                return items, False

    def _item(self, place: int) -> _Item:
        reader = self._reader
        if reader.peek().text == "(" and reader.peek(1).upper == "SELECT":
            inner = reader.peek(1)
            while reader.peek().kind and reader.peek().upper != "FROM":
                reader.take()
            name = reader.peek(1).text
            text = f"Didn't understand relationship '{name}' in FROM part of query call.{_relationship_hint()}"
            raise reader.error("INVALID_TYPE", text, inner.at)
        token = reader.word()
        if reader.peek().text != "(":
            return _Item(token)
        function = token.upper
        if function not in AGGREGATES | {"FIELDS"}:
            raise reader.unexpected(reader.peek())
        reader.take()
        inside = reader.word()
        reader.expect(")")
        alias = ""
        following = reader.peek()
        if function != "FIELDS" and following.kind == "word" and following.upper != "FROM":
            alias = reader.word().text
        return _Item(inside, function, alias)

    def _selected(
        self, table: str, names: frozenset[str], items: list[_Item], groups: tuple[Field, ...], limit: int | None
    ) -> tuple[Field | Aggregate, ...]:
        found: list[Field | Aggregate] = []
        unnamed = 0
        for item in items:
            if item.function == "FIELDS":
                found += self._all_fields(table, item, limit)
            elif item.function:
                alias, unnamed = (item.alias, unnamed) if item.alias else (f"expr{unnamed}", unnamed + 1)
                found.append(Aggregate(item.function, self._field(table, names, item.token), alias))
            else:
                one = self._field(table, names, item.token)
                if (groups or any(each.function in AGGREGATES for each in items)) and one not in groups:
                    text = f"Field must be grouped or aggregated: {one.name}"
                    raise self._reader.malformed(text, item.token.at)
                found.append(one)
        twice = [each for each in found if isinstance(each, Field) and found.count(each) > 1]
        if twice:
            raise self._reader.error("INVALID_FIELD", f"duplicate field selected: {twice[0].name}", items[-1].token.at)
        return tuple(found)

    def _all_fields(self, table: str, item: _Item, limit: int | None) -> list[Field | Aggregate]:
        which = item.token.upper
        if which == "CUSTOM":
            raise self._reader.malformed("The SOQL FIELDS function must select at least one field", item.token.at)
        if which not in {"ALL", "STANDARD"}:
            raise self._reader.unexpected(item.token)
        if which == "ALL" and (limit is None or limit > MAX_ALL):
            raise self._reader.malformed("The SOQL FIELDS function must have a LIMIT of at most 200", item.token.at)
        return [Field(column, column) for column in TABLES[table]]

    # -- FROM

    def _table(self) -> tuple[str, str]:
        token = self._reader.word()
        found = next((table for table in TABLES if table.lower() == token.text.lower()), None)
        if found is None or found in (HIDDEN_FROM_TOOLING if self._tooling else TOOLING_ONLY):
            raise self._reader.error("INVALID_TYPE", unknown(token.text, tooling=self._tooling), token.at)
        self._asked.add(found)
        alias = ""
        self._reader.accept("AS")
        following = self._reader.peek()
        if following.kind == "word" and following.upper not in CLAUSES:
            alias = self._reader.word().text.lower()
        return found, alias

    def _field(self, table: str, names: frozenset[str], token: Token) -> Field:
        pieces = token.text.split(".")
        if len(pieces) > 1 and pieces[0].lower() in names and relation(table, pieces[0]) is None:
            pieces = pieces[1:]
        steps: list[tuple[str, str]] = []
        spelled_out: list[str] = []
        here = table
        for piece in pieces[:-1]:
            found = relation(here, piece)
            if found is None:
                text = f"Didn't understand relationship '{piece}' in field path.{_relationship_hint()}"
                raise self._reader.error("INVALID_FIELD", text, token.at)
            name, reference, here = found
            spelled_out.append(name)
            steps.append((reference, here))
        column = next((each for each in TABLES[here] if each.lower() == pieces[-1].lower()), None)
        if column is None:
            raise self._reader.error("INVALID_FIELD", no_such_column(pieces[-1], here), token.at)
        return Field(".".join((*spelled_out, column)), column, tuple(steps))

    # -- WHERE

    def _condition(self, table: str, names: frozenset[str], depth: int, *, nested: bool = False) -> Test:
        at, joins = self._reader.peek().at, self._joins
        tests = [self._term(table, names, depth)]
        joined = ""
        while self._reader.peek().upper in {"AND", "OR"}:
            token = self._reader.take()
            if joined and token.upper != joined:
                # Salesforce wants brackets where AND and OR meet.
                raise self._reader.unexpected(token)
            joined = token.upper
            tests.append(self._term(table, names, depth))
        every = tuple(tests)
        if len(every) == 1:
            return every[0]
        # Both sentences: https://www.apsona.com/docs/help-and-support/semijoin-subselect/ and the SOQL reference.
        if self._joins > joins and nested:
            text = "are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
            raise self._reader.malformed(f"Semi join sub-selects {text}", at)
        if self._joins > joins and joined == "OR":
            raise self._reader.malformed("Semi join sub-selects are not allowed with the 'OR' operator", at)
        if joined == "OR":
            return lambda row, tables: any(test(row, tables) for test in every)
        return lambda row, tables: all(test(row, tables) for test in every)

    def _term(self, table: str, names: frozenset[str], depth: int) -> Test:
        reader = self._reader
        if depth > MAX_DEPTH:
            raise reader.malformed("the condition is nested too deeply", reader.peek().at)
        if reader.accept("NOT"):
            inner = self._term(table, names, depth + 1)
            return lambda row, tables: not inner(row, tables)
        if reader.accept("("):
            test = self._condition(table, names, depth + 1, nested=True)
            reader.expect(")")
            return test
        token = reader.word()
        one = self._field(table, names, token)
        owner = one.steps[-1][1] if one.steps else table
        if one.column in NOT_FILTERABLE.get(owner, ()):
            text = f"field '{one.column}' can not be filtered in a query call"
            raise reader.error("INVALID_FIELD", text, token.at)
        kind = type_of(owner, one.column)
        if reader.accept("NOT"):
            reader.expect("IN")
            return self._among(one, kind, token, depth, wanted=False)
        if reader.accept("IN"):
            return self._among(one, kind, token, depth, wanted=True)
        if reader.accept("LIKE"):
            return self._like(one, kind, token)
        sign = reader.take()
        value = self._value(one, kind, token)
        test_of = comparison(sign.text, value)
        if test_of is None:
            raise reader.unexpected(sign)
        return lambda row, tables: test_of(one.of(row, tables))

    def _among(self, one: Field, kind: str, token: Token, depth: int, *, wanted: bool) -> Test:
        reader = self._reader
        reader.expect("(")
        if reader.peek().upper == "SELECT":
            at = reader.peek().at
            inner = self.query(depth + 1)
            reader.expect(")")
            self._joins += 1
            if kind not in {"id", "reference"}:
                # The SOQL reference, "Semi-Joins with IN and Anti-Joins with NOT IN"; the sentence is ours.
                raise reader.malformed(f"the left operand of a semi join must be an id field, not '{one.column}'", at)
            if inner.aggregated or inner.count or len(inner.selected) != 1:
                raise reader.malformed("semi join sub-selects must select one field", at)
            return lambda row, tables: (keyed(one.of(row, tables)) in tables.answers(inner)) is wanted
        values = [self._value(one, kind, token)]
        while reader.accept(","):
            values.append(self._value(one, kind, token))
        reader.expect(")")
        return lambda row, tables: any(same(one.of(row, tables), each) for each in values) is wanted

    def _like(self, one: Field, kind: str, token: Token) -> Test:
        given = self._reader.take()
        if given.kind != "text":
            raise self._reader.unexpected(given)
        if kind not in {"string", "picklist"}:
            # github.com/simple-salesforce/simple-salesforce/issues/73, UnofficialSF/LightningFlowComponents/issues/255
            shown = {"dateTime": "datetime", "reference": "id"}.get(kind, kind)
            raise self._reader.error("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {shown} field", token.at)
        try:
            wanted = likeness(given.text)
        except ValueError:
            raise self._reader.unexpected(given) from None

        def matches(row: Row, tables: Tables) -> bool:
            value = one.of(row, tables)
            return isinstance(value, str) and wanted(value)

        return matches

    def _value(self, one: Field, kind: str, token: Token) -> Any:
        given = self._reader.take()
        value = self._literal(given)
        if value is None or _fits(kind, value):
            if kind in {"id", "reference"} and value and not ids.short(value):
                # github.com/jsforce/jsforce/issues/684 and restforce/restforce/issues/557
                raise self._reader.error("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {value}", token.at)
            return value
        quotes = "enclosed in quotes" if kind in {"string", "id", "reference", "picklist"} else ""
        text = f"value of filter criterion for field '{one.column}' must be of type {'string' if quotes else kind}"
        text += " and should be enclosed in quotes" if quotes else " and should not be enclosed in quotes"
        raise self._reader.error("INVALID_FIELD", text, token.at)

    def _literal(self, given: Token) -> Any:
        try:
            if given.kind == "text":
                return spelled(given.text)
            if given.kind == "number":
                return float(given.text) if "." in given.text else int(given.text)
            if given.kind == "day":
                return date.fromisoformat(given.text)
            if given.kind == "moment":
                found = moment(given.text)
                if found is None:
                    raise ValueError
                return found
            if given.kind == "word":
                return literal(given.text, self._now)
        except (ValueError, OverflowError):
            pass
        raise self._reader.unexpected(given)

    # -- the rest

    def _groups(self, table: str, names: frozenset[str]) -> tuple[Field, ...]:
        self._reader.expect("BY")
        found = [self._field(table, names, self._reader.word())]
        while self._reader.accept(","):
            found.append(self._field(table, names, self._reader.word()))
        return tuple(found)

    def _order(self, table: str, names: frozenset[str], items: list[_Item]) -> tuple[Order, ...]:
        reader = self._reader
        reader.expect("BY")
        found = []
        while True:
            token = reader.word()
            if any(each.function in AGGREGATES for each in items) and token.upper in AGGREGATES:
                raise reader.malformed("Ordering by an aggregate is not supported", token.at)
            one = self._field(table, names, token)
            descending = reader.accept("DESC")
            if not descending:
                reader.accept("ASC")
            nulls_last = False
            if reader.accept("NULLS"):
                nulls_last = reader.accept("LAST")
                if not nulls_last:
                    reader.expect("FIRST")
            found.append(Order(one, descending, nulls_last))
            if not reader.accept(","):
                return tuple(found)

    def _whole(self) -> int:
        token = self._reader.take()
        if token.kind != "number" or not token.text.isdigit() or len(token.text) > 9:
            raise self._reader.unexpected(token)
        return int(token.text)

    def _offset(self) -> int:
        token = self._reader.peek()
        found = self._whole()
        if found > MAX_OFFSET:
            text = f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            raise self._reader.error("NUMBER_OUTSIDE_VALID_RANGE", text, token.at)
        return found


def _fits(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind in {"int", "double"}:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "dateTime":
        return isinstance(value, (datetime, Span))
    return isinstance(value, str)


def _relationship_hint() -> str:
    return (
        " If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship"
        f" name.{_WSDL}"
    )


def unknown(name: str, *, tooling: bool = False) -> str:
    """Return the error text for an object that does not exist, or not for this user; the Tooling API says less."""
    text = f"sObject type '{name}' is not supported."
    custom = " If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
    return text if tooling else text + custom + _WSDL


def no_such_column(name: str, table: str) -> str:
    custom = " If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
    return f"No such column '{name}' on entity '{table}'.{custom}{_WSDL}"


def not_shown(text: str, table: str, *, tooling: bool) -> Fault:
    """The refusal of a query about an object that this user may not see."""
    found = re.search(rf"\b{table}\b", text, re.IGNORECASE)
    return Reader(text).error("INVALID_TYPE", unknown(table, tooling=tooling), found.start() if found else 0)


# -- picking ---------------------------------------------------------------------------------------------------------


def select(query: Query, tables: Tables) -> list[dict[str, Any]]:
    """Return the records that a query selects, by the names of `query.fields`; names of related fields stay dotted."""
    found = [row for row in tables.rows(query.table) if query.where(row, tables)]
    if query.aggregated:
        return _cut(query, _grouped(query, found, tables))
    for order in reversed(query.order):
        found = _sorted(found, order, tables)
    if query.count:
        return [{"count": len(_cut(query, found))}]
    fields = [each for each in query.selected if isinstance(each, Field)]
    return [{each.name: each.of(row, tables) for each in fields} for row in _cut(query, found)]


def _cut(query: Query, rows: list[Any]) -> list[Any]:
    return rows[query.offset : None if query.limit is None else query.offset + query.limit]


def _sorted(rows: list[Row], order: Order, tables: Tables) -> list[Row]:
    """Sort rows by one field; nulls come first in either direction unless the query says otherwise (SOQL reference)."""
    null = [row for row in rows if order.field.of(row, tables) is None]
    rest = [row for row in rows if order.field.of(row, tables) is not None]
    rest.sort(key=lambda row: keyed(order.field.of(row, tables)), reverse=order.descending)
    return rest + null if order.nulls_last else null + rest


def _grouped(query: Query, rows: list[Row], tables: Tables) -> list[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Row]] = {} if query.groups else {(): rows}
    for row in rows if query.groups else ():
        groups.setdefault(tuple(keyed(each.of(row, tables)) for each in query.groups), []).append(row)
    members = list(groups.values())
    for order in reversed(query.order):
        firsts = _sorted([each[0] for each in members if each], order, tables)
        places = {id(row): place for place, row in enumerate(firsts)}
        members.sort(key=lambda each: places.get(id(each[0]), -1) if each else -1)
    return [
        {
            (each.alias if isinstance(each, Aggregate) else each.column): (
                each.of(group, tables) if isinstance(each, Aggregate) else each.of(group[0], tables)
            )
            for each in query.selected
        }
        for group in members
    ]


def shaped(fields: Iterable[Field | Aggregate], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in which dotted names are nested: a related record becomes an object of its own."""
    found: dict[str, Any] = {}
    for each in fields:
        if isinstance(each, Aggregate) or not each.steps:
            name = each.alias if isinstance(each, Aggregate) else each.name
            found[name] = record.get(name, record.get(each.column) if isinstance(each, Field) else None)
            continue
        holder = found
        for step in each.name.split(".")[:-1]:
            holder = holder.setdefault(step, {})
        holder[each.column] = record[each.name]
    return found
