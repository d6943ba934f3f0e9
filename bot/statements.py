"""INSERT and UPDATE of many rows of one table, made once and run with plain tuples.

SQLAlchemy still decides names, types and conversions; what is left out is its work per row, which
was two thirds of the cost of writing a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Table

Convert = Callable[[Any], Any] | None


class Statement(NamedTuple):
    sql: str
    columns: tuple[tuple[str, Convert], ...]

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """One executemany; each row holds every column of the statement."""
        values = [
            tuple(row[name] if to is None else to(row[name]) for name, to in self.columns)
            for row in rows
        ]
        connection.exec_driver_sql(self.sql, values)


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
    return Statement(sql, tuple((name, _converter(table, name, dialect)) for name in columns))


def _converter(table: Table, name: str, dialect: Dialect) -> Convert:
    kind = table.c[name].type.dialect_impl(dialect)
    return kind.bind_processor(dialect)
