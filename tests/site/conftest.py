"""A database of each kind for every test, empty or migrated."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import make_url, text

from bot import migrations
from bot.counters import Ids, Numbers
from bot.data import PACKAGED_SITE
from bot.db import Database
from bot.models.office import Site
from bot.services import site
from bot.services.site_changes import Changes
from bot.site_file import SiteFile, read
from bot.vault import Vault
from bot.work import Means, Work

POSTGRES = os.environ.get("TEST_DATABASE_URL", "")
ZONE = ZoneInfo("Asia/Shanghai")
needs_postgres = pytest.mark.skipif(not POSTGRES, reason="TEST_DATABASE_URL is not set")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database; on PostgreSQL a schema of its own, so that parallel tests never meet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    schema = f"test_{uuid.uuid4().hex[:12]}"
    server = Database(POSTGRES)
    with server.write() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with server.write() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    server.close()


@pytest.fixture
def empty(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    migrations.upgrade(empty)
    return empty


@dataclass
class Office:
    """A database with the site in it, and the verbs of the tests."""

    database: Database
    means: Means

    def load(self, site_file: SiteFile) -> Changes:
        self.means.ids.reserve()
        with self.database.write() as connection:
            return site.apply(connection, self.means.ids, site_file, self.means.vault)

    @contextmanager
    def working(self, now: datetime) -> Iterator[Work]:
        """A unit of work in a transaction of its own."""
        self.means.ids.reserve()
        with self.database.write() as connection:
            work = Work(connection, self.means, site.load(connection, ZONE), now)
            yield work
            work.flush()

    def picture(self) -> Site:
        with self.database.read() as connection:
            return site.load(connection, ZONE)

    def version(self) -> int:
        with self.database.read() as connection:
            return site.version(connection)


@pytest.fixture
def office(database: Database) -> Office:
    """Nothing loaded yet."""
    return Office(database, Means(Ids(database), Numbers(database), Vault("a secret")))


@pytest.fixture
def loaded(office: Office) -> Office:
    office.load(read(PACKAGED_SITE))
    return office
