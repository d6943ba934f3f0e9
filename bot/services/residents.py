"""Residents and the state of the talk with each, loaded for a whole batch at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql

from bot.models import Conversation, Resident
from bot.work import Work, table_of

MESSAGE_WINDOW = (timedelta(hours=48), 5)
CLICK_WINDOW = (timedelta(minutes=1), 3)


def load(work: Work, openids: Iterable[str]) -> dict[str, tuple[Resident, Conversation]]:
    """Everyone who wrote, known or new, locked until the commit.

    On PostgreSQL two processes meet here: missing rows are inserted without conflict and all are
    locked in the order of their openids, so neither waits for the other in a circle.
    """
    wanted = sorted(set(openids))
    found = _find(work, wanted)
    missing = [openid for openid in wanted if openid not in found]
    if missing and work.connection.dialect.name != "sqlite":
        _insert(work, missing)
        found, missing = _find(work, wanted), []
    ids = [resident.id for resident in found.values()]
    talks = {row.id: row for row in work.fetch(Conversation, "id", ids, lock=True)}
    known = {openid: (row, talks[row.id]) for openid, row in found.items()}
    return known | {openid: _new(work, openid) for openid in missing}


def _new(work: Work, openid: str) -> tuple[Resident, Conversation]:
    """A resident and his conversation share one id. SQLite's one writer meets nobody here."""
    resident = work.add(Resident, openid=openid, created_at=work.now)
    return resident, work.add(Conversation, id=resident.id)


def _find(work: Work, openids: list[str]) -> dict[str, Resident]:
    rows = work.fetch(Resident, "openid", openids, lock=True)
    return {row.openid: row for row in rows}


def _insert(work: Work, openids: list[str]) -> None:
    residents = [
        {"id": work.next_id(), "openid": openid, "created_at": work.now} for openid in openids
    ]
    statement = postgresql.insert(table_of(Resident)).on_conflict_do_nothing(
        index_elements=["openid"]
    )
    work.connection.execute(statement, residents)
    ids = [row.id for row in work.fetch(Resident, "openid", openids)]
    talk = postgresql.insert(table_of(Conversation)).on_conflict_do_nothing(index_elements=["id"])
    work.connection.execute(talk, [{"id": row_id} for row_id in ids])


def heard(conversation: Conversation, at: datetime, *, click: bool) -> None:
    """A message or click opens the platform's window for customer messages."""
    span, count = CLICK_WINDOW if click else MESSAGE_WINDOW
    until = at + span
    conversation.last_at = at
    if conversation.window_until is None or until >= conversation.window_until:
        conversation.window_until = until
        conversation.window_left = count
