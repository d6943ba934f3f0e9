"""A fresh office for each story: the migrated and seeded database is made once and copied."""

from __future__ import annotations

import asyncio
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from sqlalchemy import create_engine, make_url, text

from bot import app, demo
from bot.machine import build
from bot.settings import Settings
from intents.engine.engine import Engine
from tests.conftest import FrozenClock, seed
from tests.stories.script import Story
from tests.stories.stage import opened


@pytest.fixture(scope="session")
def seeded(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("seeded") / "office.db"
    machine = build(_settings(file.parent, f"sqlite:///{file}"), FrozenClock(), engine)
    seed(machine)
    machine.close()
    return file


@pytest.fixture
def sqlite_office(seeded: Path, tmp_path: Path) -> str:
    shutil.copy(seeded, tmp_path / "office.db")
    return f"sqlite:///{tmp_path}/office.db"


@contextmanager
def _database(postgres: str, template: str = "template1") -> Iterator[str]:
    """The name of a new database, a copy of ``template``."""
    server = make_url(postgres).set(drivername="postgresql+psycopg")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"story_{uuid.uuid4().hex[:12]}"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield name
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _url(postgres: str, name: str) -> str:
    return make_url(postgres).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def seeded_postgres(
    postgres: str, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A seeded database, to be copied."""
    with _database(postgres) as name:
        settings = _settings(tmp_path_factory.mktemp("seeded"), _url(postgres, name))
        machine = build(settings, FrozenClock(), engine)
        seed(machine)
        machine.close()
        yield name


@pytest.fixture
def postgres_office(postgres: str, seeded_postgres: str) -> Iterator[str]:
    with _database(postgres, seeded_postgres) as name:
        yield _url(postgres, name)


@pytest.fixture
def play(
    engine: Engine,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Story, str], None]:
    """Plays a story through the webhook, on a database of the given kind."""
    # A server that starts collects and freezes its garbage: wasted on one that lives for a second.
    monkeypatch.setattr(app, "gc", Mock())

    def run(story: Story, kind: str) -> None:
        url = request.getfixturevalue(f"{kind}_office")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            settings = _settings(tmp_path, url, listener.getsockname()[1])
            machine = build(settings, FrozenClock(), engine)

            async def whole() -> None:
                async with opened(machine, listener) as stage:
                    await stage.play(story)

            asyncio.run(whole())

    return run


def _settings(folder: Path, url: str, port: int = 0) -> Settings:
    """As ``make demo`` has them, on this port and database."""
    base = Settings.model_validate({"data_dir": folder, "port": port})
    return demo.settings_for(base).model_copy(update={"database_url": url})
