"""An office whose site is loaded and loaded again, on a database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

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

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
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
