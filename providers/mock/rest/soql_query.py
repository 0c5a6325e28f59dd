"""A query as values: what is selected of which object, under which conditions, in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from providers.mock.rest.soql_values import keyed
from providers.mock.rest.tables import Row


@dataclass(frozen=True, slots=True)
class Field:
    """A column of the object itself, or of a record that `steps` (reference column, object) lead to."""

    name: str
    column: str
    steps: tuple[tuple[str, str], ...] = ()

    def of(self, row: Row, tables: Tables) -> Any:
        for reference, target in self.steps:
            found = tables.record(target, row[reference])
            if found is None:
                return None
            row = found
        return row[self.column]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function over a group of rows, such as MIN; `field` is None where rows are counted."""

    function: str
    field: Field | None
    alias: str

    def of(self, rows: list[Row], tables: Tables) -> Any:
        if self.field is None:
            return len(rows)
        values = [value for row in rows if (value := self.field.of(row, tables)) is not None]
        if self.function == "COUNT":
            return len(values)
        if self.function == "COUNT_DISTINCT":
            return len({keyed(value) for value in values})
        return (min if self.function == "MIN" else max)(values, key=keyed, default=None)


@dataclass(frozen=True, slots=True)
class Order:
    field: Field
    descending: bool = False
    nulls_last: bool = False


Test = Callable[[Row, "Tables"], bool]


def everything(_row: Row, _tables: Tables) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Query:
    """One query, checked; `count` is `SELECT COUNT()`, `tables` all objects that it asks."""

    table: str
    selected: tuple[Field | Aggregate, ...] = ()
    where: Test = everything
    groups: tuple[Field, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    count: bool = False
    tables: frozenset[str] = frozenset()

    @property
    def aggregated(self) -> bool:
        return bool(self.groups) or any(isinstance(each, Aggregate) for each in self.selected)

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(each.name if isinstance(each, Field) else each.alias for each in self.selected)


@dataclass(slots=True)
class Tables:
    """The org's rows as one query reads them: the rows of each object are fetched once."""

    rows_of: Callable[[str], Iterable[Row]]
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _by_id: dict[str, dict[str, Row]] = field(default_factory=dict)
    _answers: dict[int, frozenset[Any]] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        if table not in self._rows:
            self._rows[table] = list(self.rows_of(table))
        return self._rows[table]

    def record(self, table: str, record_id: object) -> Row | None:
        if table not in self._by_id:
            self._by_id[table] = {str(row["Id"])[:15]: row for row in self.rows(table)}
        return self._by_id[table].get(str(record_id)[:15]) if record_id else None

    def answers(self, query: Query) -> frozenset[Any]:
        """Return the values that a semi-join's query selects, ids cut to 15 characters."""
        if id(query) not in self._answers:
            (wanted,) = (each for each in query.selected if isinstance(each, Field))
            values = (wanted.of(row, self) for row in self.rows(query.table) if query.where(row, self))
            self._answers[id(query)] = frozenset(keyed(value) for value in values if value is not None)
        return self._answers[id(query)]
