"""The outbox seen from delivery: what is due, by which channel, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import col

from bot.models import Conversation, Outbox, Receipt, Resident
from bot.models.post import WAITING
from bot.models.template_fields import render_fields
from bot.work import Work

LEASE: Final = timedelta(seconds=60)
UNREACHABLE: Final = "对方48小时内没有发过消息，也没有配置合适的模板，推送不了"


@dataclass(frozen=True, slots=True)
class Letter:
    """One push, ready to go. ``channel`` custom: ``text`` and ``options``; template: the rest."""

    id: int
    openid: str
    channel: str
    text: str
    options: Sequence[str]
    template_id: str
    data: dict[str, str]
    client_msg_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter: ``state`` sent | pending | failed | undeliverable. ``window_over``:
    the platform says that customer messages are used up. ``again_in`` only when pending."""

    id: int
    openid: str
    state: str
    errcode: int | None = None
    error: str = ""
    channel: str = "custom"
    platform_id: str | None = None
    again_in: timedelta = timedelta()
    window_over: bool = False


def claim(work: Work, limit: int = 100) -> list[Letter]:
    """The most urgent that are due, ours for ``LEASE``; a lapsed claim counts as due again."""
    letters: list[Letter] = []
    # What nothing can bring is marked so and must not look like the end of what is due.
    while not letters and (rows := _due(work, limit)):
        letters = _letters(work, rows, _talks(work, {row.openid for row in rows}))
    return letters


def take_along(work: Work, room: int) -> list[Letter]:
    """Claim in their own transaction what it just wrote, the most urgent ``room`` of what is due.

    Nobody has to look for them. Those for somebody another process is busy with stay waiting.
    """
    rows = [row for row in work.held(Outbox) if row.state == "pending" and row.due_at <= work.now]
    if not rows or room < 1:
        return []
    rows = sorted(rows, key=lambda row: not row.urgent)[:room]
    talks = _talks(work, {row.openid for row in rows}, skip_locked=True)
    free = [row for row in rows if talks.get(row.openid, True) is not None]
    return _letters(work, free, talks)


def _letters(
    work: Work, rows: Iterable[Outbox], talks: Mapping[str, Conversation | None]
) -> list[Letter]:
    found = (_letter(work, row, talks.get(row.openid)) for row in rows)
    return [letter for letter in found if letter is not None]


def _due(work: Work, limit: int) -> list[Outbox]:
    """Urgent ones first; each kind is read off its index, however long the backlog."""
    rows: list[Outbox] = []
    for urgent in (True, False):
        if len(rows) < limit:
            rows += work.find(
                Outbox,
                text(WAITING),
                col(Outbox.urgent).is_(urgent),
                col(Outbox.due_at) <= work.now,
                order=[col(Outbox.due_at), col(Outbox.id)],
                limit=limit - len(rows),
                lock=True,
                skip_locked=True,
            )
    return rows


def _letter(work: Work, row: Outbox, talk: Conversation | None) -> Letter | None:
    """The right channel for this moment, noted on the row; None when there is none."""
    template = work.site.templates.get(row.purpose)
    row.attempts += 1
    if talk is not None and talk.window_left > 0 and _open(talk, work.now):
        row.channel = "custom"
        talk.window_left -= 1
    elif template is not None and row.fields:
        row.channel = "template"
    else:
        row.state, row.error = "undeliverable", UNREACHABLE
        return None
    row.state, row.due_at = "sending", work.now + LEASE
    by_template = template is not None and row.channel == "template"
    return Letter(
        row.id,
        row.openid,
        row.channel,
        row.text,
        row.options,
        template.id if template is not None else "",
        render_fields(template.fields, row.fields) if template is not None and by_template else {},
        row.client_msg_id,
        row.attempts,
    )


def _open(talk: Conversation, now: datetime) -> bool:
    return talk.window_until is not None and talk.window_until > now


def settle(work: Work, outcomes: Sequence[Outcome]) -> None:
    """Record a batch of results, with what the platform has said of them in the meantime."""
    refused = _refused(work, outcomes)
    for outcome in outcomes:
        state, error = outcome.state, outcome.error
        if outcome.platform_id in refused:
            state, error = "undeliverable", refused[outcome.platform_id]
        values: dict[str, Any] = {"state": state, "errcode": outcome.errcode, "error": error}
        if outcome.state == "sent":
            values |= {"sent_at": work.now, "platform_id": outcome.platform_id}
        elif outcome.state == "pending":
            values["due_at"] = work.now + outcome.again_in
        work.change(Outbox, outcome.id, values)
    _count_again(work, outcomes)


def _refused(work: Work, outcomes: Sequence[Outcome]) -> dict[str | None, str]:
    sent = [outcome.platform_id for outcome in outcomes if outcome.platform_id]
    receipts = work.fetch(Receipt, "platform_id", sent)
    return {receipt.platform_id: receipt.status for receipt in receipts}


def _count_again(work: Work, outcomes: Sequence[Outcome]) -> None:
    """The platform's word on the window; and what did not leave has used nothing up."""
    over = {outcome.openid for outcome in outcomes if outcome.window_over}
    kept = Counter(
        outcome.openid
        for outcome in outcomes
        if outcome.state == "pending" and outcome.channel == "custom"
    )
    for openid, talk in _talks(work, over | set(kept)).items():
        if talk is not None:
            talk.window_left = 0 if openid in over else min(talk.window_left + kept[openid], 5)


def _talks(
    work: Work, openids: Iterable[str], *, skip_locked: bool = False
) -> dict[str, Conversation | None]:
    """The talks of those who ever wrote; None where another process holds one."""
    ids = {row.id: row.openid for row in work.fetch(Resident, "openid", sorted(openids))}
    found = work.fetch(Conversation, "id", sorted(ids), lock=True, skip_locked=skip_locked)
    talks: dict[str, Conversation | None] = dict.fromkeys(ids.values())
    return talks | {ids[talk.id]: talk for talk in found}
