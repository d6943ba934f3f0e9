"""The migrations give exactly the tables of the models, once, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import SQLModel

import bot.models  # noqa: F401
from bot import migrations
from bot.db import Database


def test_an_empty_database_is_brought_to_head(empty: Database) -> None:
    assert migrations.current(empty) is None
    migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.head()
    migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.head()


def test_the_migrated_schema_equals_the_models(database: Database) -> None:
    with database.read() as connection:
        found = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
    assert found == []


def test_knows_its_own_revisions_only() -> None:
    assert migrations.knows(migrations.head())
    assert not migrations.knows("9999")


def test_many_start_at_once_and_one_migrates(database_url: str) -> None:
    def start(_: int) -> str | None:
        database = Database(database_url)
        try:
            migrations.upgrade(database)
            return migrations.current(database)
        finally:
            database.close()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(start, range(6))) == {migrations.head()}


@pytest.mark.parametrize(
    "statement", ["UPDATE ticket_event SET kind = 'x'", "DELETE FROM ticket_event"]
)
def test_history_can_be_neither_changed_nor_deleted(database: Database, statement: str) -> None:
    now = "2026-11-22 07:00:00+00:00"
    with database.write() as connection:
        connection.execute(
            text(
                "INSERT INTO ticket (id, number, state, round, intent, act, level, summary, text,"
                " slots, private, phone_mark, plate_mark, urgent, sensitive, confident, locked,"
                " late_sign, unrated, supervision, extended, appealed, supporters, returns,"
                " info_rounds, follow_ups, created_at, state_at) VALUES (1, 'T1', 'received', 1,"
                " 'noise', 'report', 'D', '', '', '{}', '', '', '', false, false, true, false,"
                f" false, false, 0, false, false, 0, 0, 0, 0, '{now}', '{now}')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO ticket_event (id, ticket_id, at, kind, role, actor, data, changes)"
                f" VALUES (1, 1, '{now}', 'opened', 'resident', '居民', '{{}}', '{{}}')"
            )
        )
    with pytest.raises(DatabaseError, match="append-only"), database.write() as connection:
        connection.execute(text(statement))
