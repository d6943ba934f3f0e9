"""Row ids and ticket numbers: unique across processes, without a round trip each."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import date

from sqlalchemy import Connection, bindparam, text

from bot.db import Database

ID_BLOCK = 20_000
# A batch may use at most this many ids; 64 messages use some 600.
ID_RESERVE = 8_000
SERIAL_BLOCK = 20

_TAKE = text(
    "INSERT INTO counter (name, value) VALUES (:name, :by) "
    "ON CONFLICT (name) DO UPDATE SET value = counter.value + :by RETURNING value"
).bindparams(bindparam("name"), bindparam("by"))

_READ = text("SELECT value FROM counter WHERE name = :name")
_SET = text(
    "INSERT INTO counter (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = :value"
)


class Ids(Iterator[int]):
    """One sequence for the rows of all tables, reserved in blocks in transactions of their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = self._end = 0

    def __next__(self) -> int:
        if self._next >= self._end:
            raise RuntimeError("ids used up inside a transaction: call reserve() before it")
        self._next += 1
        return self._next

    def reserve(self) -> None:
        """Make sure that the next transaction finds enough; called outside of any."""
        if self._end - self._next < ID_RESERVE:
            self._end = _take(self._database, "id", ID_BLOCK)
            self._next = self._end - ID_BLOCK


class Numbers:
    """Ticket numbers T20261122-0007: the office's day and a serial of at least four digits.

    SQLite has one writer at a time, so the serial is counted inside the transaction and has no
    gaps; PostgreSQL processes take small blocks in short transactions of their own, since a row
    lock on the counter held until the commit would make their batches wait for each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blocks: dict[str, tuple[int, int]] = {}

    def take(self, connection: Connection, day: date, counted: MutableMapping[str, int]) -> str:
        """The next number of ``day``. ``counted`` keeps this transaction's count, by day, until
        ``settle`` writes it; only SQLite uses it."""
        name = f"T{day:%Y%m%d}"
        if self._database.sqlite:
            if name not in counted:
                counted[name] = int(connection.execute(_READ, {"name": name}).scalar() or 0)
            serial = counted[name] = counted[name] + 1
        else:
            serial = self._from_block(name)
        return f"{name}-{serial:04d}"

    def settle(self, connection: Connection, counted: MutableMapping[str, int]) -> None:
        for name, value in counted.items():
            connection.execute(_SET, {"name": name, "value": value})
        counted.clear()

    def _from_block(self, name: str) -> int:
        serial, end = self._blocks.get(name, (0, 0))
        if serial >= end:
            end = _take(self._database, name, SERIAL_BLOCK)
            serial = end - SERIAL_BLOCK
        self._blocks = {name: (serial + 1, end)}
        return serial + 1


def _take(database: Database, name: str, by: int) -> int:
    with database.write() as connection:
        if not database.sqlite:
            # Any later commit flushes this one with it; waiting for the disk here buys nothing.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
        return int(connection.execute(_TAKE, {"name": name, "by": by}).scalar_one())
