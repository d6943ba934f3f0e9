"""What every batch writes and reads, of many rows of one table, made once and run with plain tuples.

SQLAlchemy still decides names, types and conversions; what is left out is its work per row and
per statement, which was two thirds of the cost of writing a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, CursorResult, Dialect, Table
from sqlalchemy.types import TypeEngine

from bot.db import dumps


class Statement(NamedTuple):
    """``pick`` takes a row's values in the order of ``sql``; ``convert`` are (place, how)."""

    sql: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    convert: tuple[tuple[int, Callable[[Any], Any]], ...]

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """One executemany; each row holds every column of the statement."""
        connection.exec_driver_sql(self.sql, [self._values(row) for row in rows])

    def _values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        values = list(self.pick(row))
        for place, convert in self.convert:
            values[place] = convert(values[place])
        return tuple(values)


_made: dict[tuple[str, str, tuple[str, ...], str], Statement] = {}
_selections: dict[tuple[str, tuple[str, ...], str, str, str], Selection] = {}


def insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> Statement:
    return _get("INSERT", table, names, dialect)


def update(table: Table, names: tuple[str, ...], dialect: Dialect) -> Statement:
    """Sets ``names`` of the row whose ``id`` is given too."""
    return _get("UPDATE", table, names, dialect)


def _get(verb: str, table: Table, names: tuple[str, ...], dialect: Dialect) -> Statement:
    key = (verb, table.name, names, dialect.name)
    statement = _made.get(key)
    if statement is None:
        statement = _made[key] = _make(verb, table, names, dialect)
    return statement


class Selection:
    """Rows by the values of one column. How to convert is known once a cursor names its types."""

    def __init__(self, sql: str, names: tuple[str, ...], types: Sequence[TypeEngine[Any]]) -> None:
        self._sql = sql
        self._names = names
        self._types = types
        self._convert: Sequence[tuple[int, Callable[[Any], Any]]] | None = None

    def run(self, connection: Connection, values: Sequence[Any]) -> list[dict[str, Any]]:
        if not values:
            return []
        found = connection.exec_driver_sql(self._sql, (listed(values, connection.dialect),))
        if self._convert is None:
            self._convert = self._converters(found, connection.dialect)
        convert = self._convert
        return [self._row(list(row), convert) for row in found]

    def _row(
        self, row: list[Any], convert: Sequence[tuple[int, Callable[[Any], Any]]]
    ) -> dict[str, Any]:
        for place, to in convert:
            if row[place] is not None:
                row[place] = to(row[place])
        return dict(zip(self._names, row, strict=True))

    def _converters(
        self, found: CursorResult[Any], dialect: Dialect
    ) -> list[tuple[int, Callable[[Any], Any]]]:
        columns = found.cursor.description
        processors = [
            kind.dialect_impl(dialect).result_processor(dialect, column[1])
            for kind, column in zip(self._types, columns, strict=True)
        ]
        return [(place, to) for place, to in enumerate(processors) if to is not None]


def select(
    table: Table, names: tuple[str, ...], by: str, dialect: Dialect, ending: str = ""
) -> Selection:
    """``names`` of the rows whose ``by`` is one of the values, in the order of ``by``."""
    key = (table.name, names, by, dialect.name, ending)
    selection = _selections.get(key)
    if selection is None:
        selection = _selections[key] = _select(table, names, by, dialect, ending)
    return selection


def _select(
    table: Table, names: tuple[str, ...], by: str, dialect: Dialect, ending: str
) -> Selection:
    quote = dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    sql = f"SELECT {columns} FROM {quote(table.name)} WHERE {among(by, dialect)} ORDER BY {by}"  # noqa: S608 - our names
    return Selection(sql + ending, names, [table.c[name].type for name in names])


def among(column: str, dialect: Dialect) -> str:
    """The condition «one of the values»: one parameter, however many they are."""
    if dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our names
    return f"{column} = ANY(%s)"


def listed(values: Sequence[Any], dialect: Dialect) -> Any:
    """The parameter of ``among``."""
    return dumps(values) if dialect.name == "sqlite" else list(values)


def _make(verb: str, table: Table, names: tuple[str, ...], dialect: Dialect) -> Statement:
    quote = dialect.identifier_preparer.quote
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    if verb == "INSERT":
        columns = names
        into = ", ".join(map(quote, names))
        marks = ", ".join([mark] * len(names))
        sql = f"INSERT INTO {quote(table.name)} ({into}) VALUES ({marks})"  # noqa: S608 - our names
    else:
        columns = (*names, "id")
        sets = ", ".join(f"{quote(name)} = {mark}" for name in names)
        sql = f"UPDATE {quote(table.name)} SET {sets} WHERE id = {mark}"  # noqa: S608 - our names
    kinds = [table.c[name].type.dialect_impl(dialect) for name in columns]
    processors = [kind.bind_processor(dialect) for kind in kinds]
    convert = tuple((place, to) for place, to in enumerate(processors) if to is not None)
    return Statement(sql, _picker(columns), convert)


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """itemgetter gives a bare value for a single name."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: (row[names[0]],)
