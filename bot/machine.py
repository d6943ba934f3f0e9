"""The parts of a running Tongxin, put together once: the server, the ticks and the terminal use it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

import handlers as handlers_package
from bot import site_file
from bot.batch import Batches
from bot.clock import Clock
from bot.conversation.turn import Handlers
from bot.counters import Ids, Numbers
from bot.db import Database, retried
from bot.errors import ConfigurationError
from bot.models.office import Site
from bot.services import site as sites
from bot.services.site_changes import Changes
from bot.settings import Settings
from bot.vault import Vault
from bot.work import Means, Work
from intents.engine.catalogue import Catalogue
from intents.engine.engine import Engine

T = TypeVar("T")


class SiteCache:
    """The site as of its newest version; asking costs one tiny query."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._site: Site | None = None

    def __call__(self, connection: Connection) -> Site:
        version = sites.version(connection)
        if self._site is None or self._site.version != version:
            self._site = sites.load(connection, self._zone)
        return self._site


@dataclass(frozen=True)
class Machine:
    settings: Settings
    clock: Clock
    database: Database
    means: Means
    site: SiteCache
    engine: Engine
    batches: Batches

    def write(self, job: Callable[[Work], T]) -> T:
        """Run ``job`` in a transaction of its own, again where another process got in its way."""
        return retried(lambda: self._written(job))

    def _written(self, job: Callable[[Work], T]) -> T:
        self.means.ids.reserve()
        with self.database.write() as connection:
            work = Work(connection, self.means, self.site(connection), self.clock.now())
            result = job(work)
            work.flush()
            return result

    def read(self, job: Callable[[Work], T]) -> T:
        """Run ``job`` on a consistent view; what it changes is not kept."""
        with self.database.read() as connection:
            return job(Work(connection, self.means, self.site(connection), self.clock.now()))

    def close(self) -> None:
        self.database.close()


def build(settings: Settings, clock: Clock | None = None, engine: Engine | None = None) -> Machine:
    """Everything but threads and sockets; raises ConfigurationError in plain words."""
    clock = clock or Clock()
    database = Database(settings.database_url)
    means = Means(Ids(database), Numbers(database), Vault(settings.secret_key))
    engine = engine or Engine.load(cache_dir=settings.data_dir / "cache")
    site = SiteCache(settings.zone)
    batches = Batches(database, means, engine, find_handlers(engine.catalogue), site)
    return Machine(settings, clock, database, means, site, engine, batches)


def load_site(machine: Machine, path: Path) -> Changes:
    """Validate the site file and make the database say the same; returns what changed."""
    checked = site_file.read(path, machine.engine.catalogue.intents)
    machine.means.ids.reserve()
    with machine.database.write() as connection:
        return sites.apply(connection, machine.means.ids, checked, machine.means.vault)


def find_handlers(catalogue: Catalogue) -> Handlers:
    """The modules of ``handlers`` by name; every name the catalogue uses must be there."""
    names = [module.name for module in pkgutil.iter_modules(handlers_package.__path__)]
    modules = {name: importlib.import_module(f"handlers.{name}") for name in names}
    for intent in catalogue.intents.values():
        if not hasattr(modules.get(intent.handler), "handle"):
            raise ConfigurationError(
                f"intents/catalogue/{intent.id}.toml names the handler {intent.handler!r}, "
                f"but handlers/{intent.handler}.py has no function handle"
            )
    return Handlers(
        {n: m.handle for n, m in modules.items() if hasattr(m, "handle")},
        {n: m.answer for n, m in modules.items() if hasattr(m, "answer")},
        frozenset(n for n, m in modules.items() if getattr(m, "LOOKS_BACK", False)),
    )
