"""What the benchmark must know of a stack: how to start it, when it is ready, what it stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.account import Account
from benchmarks.server import ROOT
from benchmarks.wire import Platform


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows on disk: messages, tickets, and outbox rows by state."""

    messages: int = 0
    tickets: int = 0
    outbox: Mapping[str, int] = field(default_factory=dict)

    @property
    def backlog(self) -> int:
        return self.outbox.get("pending", 0) + self.outbox.get("sending", 0)


@dataclass(frozen=True)
class Stack:
    """A baseline: the module of its name in ``stacks``, listening on the port given to it."""

    name: str
    title: str
    database: str = ""
    outbox: str = "SELECT state, count(*) FROM outbox GROUP BY state"

    @property
    def stores(self) -> bool:
        return bool(self.database)

    def argv(self, port: int) -> list[str]:
        return ["-m", f"benchmarks.stacks.{self.name}", str(port)]

    def environment(self, account: Account, api: str, folder: Path, port: int) -> dict[str, str]:
        return {**account.environment(), "PYTHONPATH": str(ROOT), "DATA_DIR": str(folder)}

    def prepare(self, account: Account, api: str, folder: Path) -> None:
        """Makes ``folder`` what every round starts from."""

    def ready(self, platform: Platform) -> str:
        """The path that answers 200 as soon as messages may come."""
        return platform.verification()

    def counts(self, folder: Path) -> Counts:
        if not self.stores:
            return Counts()
        with closing(self._read(folder)) as database:
            (messages,) = database.execute("SELECT count(*) FROM message").fetchone()
            (tickets,) = database.execute("SELECT count(*) FROM ticket").fetchone()
            outbox = dict(database.execute(self.outbox))
        return Counts(messages, tickets, outbox)

    def tickets_by_openid(self, folder: Path) -> dict[str, int]:
        with closing(self._read(folder)) as database:
            return dict(
                database.execute(
                    "SELECT r.openid, count(t.id) FROM resident r"
                    " LEFT JOIN ticket t ON t.resident_id = r.id GROUP BY r.openid"
                )
            )

    def _read(self, folder: Path) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{folder / self.database}?mode=ro", uri=True, timeout=30)
