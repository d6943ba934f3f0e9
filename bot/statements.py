"""INSERT and UPDATE of many rows of one table, made once and run with plain tuples.

SQLAlchemy still decides names, types and conversions; what is left out is its work per row, which
was two thirds of the cost of writing a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table


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
