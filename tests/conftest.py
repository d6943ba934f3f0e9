"""What the tests share: real databases, a seeded office at a known hour, and a way to speak to it.

Every database test runs on SQLite and on PostgreSQL. PostgreSQL comes from ``TEST_DATABASE_URL``
or from a private cluster in a temporary folder; without its binaries those tests are skipped, which
``CI=1`` forbids.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from bot.batch import Entry
from bot.clock import Clock
from bot.conversation.incoming import Incoming
from bot.data import PACKAGED_SITE
from bot.machine import Machine, build, load_site
from bot.migrations import upgrade
from bot.models import Event, Outbox, Ticket
from bot.settings import Settings
from bot.work import Work
from intents.engine.engine import Engine

# A Monday, ten in the morning in Shanghai.
MONDAY_TEN = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class FrozenClock(Clock):
    """Stands still until it is moved."""

    def __init__(self, at: datetime = MONDAY_TEN) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


def shared() -> Path:
    """The folder of shared samples; its tests are skipped where it is missing."""
    return Path(os.environ.get("TONGXIN_SHARED", "../shared"))


def forbidden_to_skip() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true")


def missing(what: str) -> Any:
    """Skip for want of ``what``; on CI that is a failure."""
    if forbidden_to_skip():
        pytest.fail(f"CI must have {what}")
    pytest.skip(f"{what} is not here")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.load(cache_dir=tmp_path_factory.getbasetemp().parent / "jieba")


# --- databases ---------------------------------------------------------------------------------


def _postgres_bin() -> Path | None:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    candidates += [Path(found).parent] if found else []
    return next((c for c in candidates if (c / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server where databases may be made; one cluster for all workers of a run."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    binaries = _postgres_bin()
    if binaries is None:
        missing("PostgreSQL")
    cluster = PrivateCluster(binaries)
    try:
        yield cluster.url
    finally:
        cluster.stop()


class PrivateCluster:
    """A PostgreSQL of its own on a socket in a temporary folder; root runs it as user postgres."""

    def __init__(self, binaries: Path) -> None:
        self._bin = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="tongxin-pg-", dir="/tmp"))
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        data = self.folder / "data"
        self._run(
            "initdb", "-D", str(data), "-U", "tongxin", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(data), "-w", "-l", log, "-o", options, "start")
        self.url = f"postgresql://tongxin@/postgres?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as, str(self._bin / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/tmp")


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/tongxin.db"
        return
    server = make_url(request.getfixturevalue("postgres"))
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


# --- the office --------------------------------------------------------------------------------


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return make_settings(database_url, tmp_path)


def make_settings(database_url: str, folder: Path, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "database_url": database_url,
        "data_dir": folder,
        "secret_key": "test-secret-key",
        "wechat_appid": "wx0123456789abcdef",
        "wechat_secret": "an-app-secret-for-tests",
        "wechat_token": "test-token",
        "wechat_aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    }
    return Settings.model_validate(values | more)


@pytest.fixture
def machine(settings: Settings, engine: Engine) -> Iterator[Machine]:
    """Migrated and seeded with the packaged site; it is Monday, ten o'clock."""
    built = build(settings, FrozenClock(), engine)
    seed(built)
    yield built
    built.close()


def seed(machine: Machine) -> None:
    upgrade(machine.database)
    load_site(machine, PACKAGED_SITE)


@dataclass
class Office:
    """A seeded office in one process: speak to it, look at it, let time pass."""

    machine: Machine
    _count: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def say(self, openid: str, words: str = "", **more: Any) -> str | None:
        """What the account answers to a message (or ``kind=…``, ``event=…``) of ``openid``."""
        entry = Entry(self.incoming(openid, words, **more))
        self.machine.batches.run([entry], self.machine.clock.now())
        return entry.reply

    def incoming(self, openid: str, words: str = "", **more: Any) -> Incoming:
        values = {"key": f"key-{next(self._count)}", "kind": "text", "account": "gh_test"} | more
        return Incoming(openid=openid, at=self.machine.clock.now(), text=words, **values)

    def tickets(self) -> list[Ticket]:
        return self.read(lambda work: work.find(Ticket, order=[_column(Ticket, "id")]))

    def events(self, ticket: Ticket) -> list[Event]:
        where = _column(Event, "ticket_id") == ticket.id
        order = [_column(Event, "at"), _column(Event, "id")]
        return self.read(lambda work: work.find(Event, where, order=order))

    def pushes(self, **where: Any) -> list[Outbox]:
        conditions = [_column(Outbox, name) == value for name, value in where.items()]
        order = [_column(Outbox, "id")]
        return self.read(lambda work: work.find(Outbox, *conditions, order=order))

    def read(self, job: Any) -> Any:
        return self.machine.read(job)

    def write(self, job: Any) -> Any:
        return self.machine.write(job)

    def later(self, **by: float) -> None:
        self.machine.clock.move(timedelta(**by))


def _column(model: Any, name: str) -> Any:
    return model.__table__.c[name]


@pytest.fixture
def office(machine: Machine) -> Office:
    return Office(machine)


@pytest.fixture
def work(machine: Machine) -> Iterator[Work]:
    """A unit of work on the seeded office that is rolled back at the end."""
    machine.means.ids.reserve()
    with machine.database.engine.connect() as connection:
        writing = connection.execution_options(tongxin_write=True)
        with writing.begin() as transaction:
            yield Work(connection, machine.means, machine.site(connection), machine.clock.now())
            transaction.rollback()
