"""The database: one engine, transactions that read and transactions that write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

T = TypeVar("T")

# Deadlocks and serialisation failures of PostgreSQL: the batch is simply run again.
RETRY_STATES = frozenset({"40001", "40P01"})
RETRIES = 5


def dumps(value: Any) -> str:
    """Compact JSON, as text, for columns and for what is sealed."""
    return orjson.dumps(value).decode()


class Database:
    """An engine with our pragmas. SQLite: WAL, synchronous FULL, explicit BEGIN."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.sqlite = url.startswith("sqlite")
        if self.sqlite:
            path = make_url(url).database or ""
            if path and path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                # People's words: for whoever runs the server only.
                Path(path).touch(mode=0o600)
            # With the driver's own transactions, releasing a savepoint opened before any write commits.
            arguments: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
            self.engine = create_engine(
                url,
                connect_args=arguments | {"timeout": 30},
                json_serializer=dumps,
                json_deserializer=orjson.loads,
                hide_parameters=True,
            )
            event.listen(self.engine, "connect", _pragmas)
            event.listen(self.engine, "begin", _begin)
        else:
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
            self.engine = create_engine(
                url,
                pool_size=pool_size,
                pool_pre_ping=True,
                json_serializer=dumps,
                json_deserializer=orjson.loads,
                hide_parameters=True,
            )
        self._writing = self.engine.execution_options(tongxin_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing written in it is kept."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end, rolled back on any exception."""
        with self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


def retried(transaction: Callable[[], T]) -> T:
    """Run a whole transaction, and again while another process keeps getting in its way."""
    for _ in range(RETRIES - 1):
        try:
            return transaction()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in RETRY_STATES:
                raise
    return transaction()


def is_failing(error: Exception) -> bool:
    """Whether the database itself is in trouble, and not only what it was asked to do."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError)


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA cache_size=-20000")
    cursor.close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("tongxin_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
