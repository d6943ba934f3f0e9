"""The schema's history: brings a database to the tables of ``bot.models``, once, whoever starts."""

from __future__ import annotations

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from bot.db import Database

# Any number will do as long as all our processes name the same.
_LOCK = 20_261_122
PATIENCE = 30.0  # seconds, as long as a writer of bot.db waits


def upgrade(database: Database) -> None:
    """Bring the schema to ``head()``; a second process waits and finds nothing left to do."""
    if database.sqlite:
        _open_first(database)
    # SQLite: write() begins IMMEDIATE, so the first process in holds the lock through all steps.
    with database.write() as connection:
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _revision(connection) != head():
            command.upgrade(config(connection), "head")


def _open_first(database: Database) -> None:
    """Connect to a file that others may be turning into a WAL database, for which SQLite alone
    does not wait: it answers «database is locked» at once."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with database.read():
                return
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def current(database: Database) -> str | None:
    """The revision this database is at, None for an empty one."""
    with database.read() as connection:
        return _revision(connection)


def head() -> str:
    """The newest revision that this program knows."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise RuntimeError(
            "no migration in bot/migrations/versions: the installation is incomplete"
        )
    return revision


def knows(revision: str) -> bool:
    """Whether ``revision`` is one of this program's, and not of a newer one."""
    scripts = ScriptDirectory.from_config(config()).walk_revisions()
    return any(script.revision == revision for script in scripts)


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings without an ini file; ``env.py`` works on ``connection``."""
    settings = Config()
    # A % in the path of an installation would be read as an interpolation.
    location = str(Path(__file__).parent).replace("%", "%%")
    settings.set_main_option("script_location", location)
    settings.attributes["connection"] = connection
    return settings


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
