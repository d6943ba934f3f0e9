"""The database: one engine, transactions that read and transactions that write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

# Deadlocks and serialisation failures of PostgreSQL: the batch is simply run again.
RETRY_STATES = frozenset({"40001", "40P01"})


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Database:
    """An engine with our pragmas. SQLite: WAL, synchronous FULL, explicit BEGIN."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.sqlite = url.startswith("sqlite")
        if self.sqlite:
            path = make_url(url).database or ""
            if path and path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            # With the driver's own transactions, releasing a savepoint opened before any write commits.
            arguments: dict[str, Any] = {"isolation_level": None, "check_same_thread": False}
            self.engine = create_engine(
                url, connect_args=arguments | {"timeout": 30}, json_serializer=dumps
            )
            event.listen(self.engine, "connect", _pragmas)
            event.listen(self.engine, "begin", _begin)
        else:
            url = url.replace("postgresql://", "postgresql+psycopg://", 1)
            self.engine = create_engine(
                url, pool_size=pool_size, pool_pre_ping=True, json_serializer=dumps
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


def worth_retrying(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in RETRY_STATES


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
