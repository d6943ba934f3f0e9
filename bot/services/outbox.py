"""Writing what must leave. Sending it is the business of ``bot.wechat.delivery``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import col

from bot.models import Outbox, Receipt, Resident, Staff, Supporter, Ticket
from bot.models.office import Site
from bot.models.workflow import STATES
from bot.work import Work

Purpose = Literal["task", "update", "reminder", "follow_up", "reply", "alert"]


def push(
    work: Work,
    openid: str | None,
    role: str,
    purpose: Purpose,
    text: str,
    *,
    ticket: Ticket | None = None,
    options: Sequence[str] = (),
    once: str | None = None,
    after: timedelta = timedelta(),
) -> Outbox | None:
    """One row of the outbox; None for somebody who cannot be reached (never bound, unfollowed).

    A reminder that is not urgent waits for the hours in which people may be reminded. ``once``
    names a push that must never be made twice, whatever runs twice.
    """
    if not openid:
        return None
    urgent = purpose == "alert" or (ticket is not None and ticket.urgent)
    due = work.now + after
    if purpose == "reminder" and not urgent:
        due = reminder_hour(work.site, due)
    row = work.add(
        Outbox,
        ticket_id=None if ticket is None else ticket.id,
        openid=openid,
        role=role,
        purpose=purpose,
        text=text,
        options=list(options),
        fields={} if ticket is None else template_values(work, ticket, role, text),
        urgent=urgent,
        client_msg_id="",
        once=once,
        created_at=work.now,
        due_at=due,
    )
    row.client_msg_id = f"tx{row.id}"
    return row


def to_resident(
    work: Work, ticket: Ticket, purpose: Purpose, text: str, options: Sequence[str] = ()
) -> None:
    """Tell the reporter and every supporter, each once. A child ticket never speaks to residents."""
    if ticket.is_child:
        return
    for resident in audience(work, ticket):
        mine = options if resident.id == ticket.resident_id else ()
        push(work, resident.openid, "resident", purpose, text, ticket=ticket, options=mine)


def to_staff(
    work: Work,
    people: Iterable[Staff],
    purpose: Purpose,
    text: str,
    *,
    ticket: Ticket | None = None,
    role: str = "staff",
    once: str | None = None,
) -> int:
    """Push to each person once; returns how many can be reached."""
    reached = 0
    for person in {person.id: person for person in people}.values():
        key = None if once is None else f"{once}:{person.id}"
        row = push(work, person.openid, role, purpose, text, ticket=ticket, once=key)
        reached += row is not None
    return reached


def audience(work: Work, ticket: Ticket) -> list[Resident]:
    """Everyone who is told what becomes of a ticket: its reporter first, then supporters."""
    from_ids = [ticket.resident_id] if ticket.resident_id is not None else []
    if ticket.supporters:
        from_ids += supporters(work, ticket)
    return [work.need(Resident, resident_id) for resident_id in dict.fromkeys(from_ids)]


def supporters(work: Work, ticket: Ticket) -> list[int]:
    rows = work.find(Supporter, col(Supporter.ticket_id) == ticket.id, limit=5000)
    return [row.resident_id for row in rows]


def not_delivered(work: Work, platform_id: str, status: str) -> None:
    """The platform accepted a template message and could not bring it: shown to staff."""
    if not platform_id:
        return
    where = (col(Outbox.platform_id) == platform_id, col(Outbox.channel) == "template")
    found = work.find(Outbox, *where, limit=1)
    for row in found:
        row.state, row.error = "undeliverable", status[:200]
    if not found and not work.find(Receipt, col(Receipt.platform_id) == platform_id, limit=1):
        work.add(Receipt, platform_id=platform_id, status=status[:200], created_at=work.now)


def reminder_hour(site: Site, at: datetime) -> datetime:
    """``at`` itself inside the hours for reminders, else the next time they begin."""
    begin, end = (time.fromisoformat(text) for text in site.data["reminders"])
    local = at.astimezone(site.zone)
    if begin <= local.time() < end:
        return at
    day = local.date() + timedelta(days=local.time() >= end)
    return datetime.combine(day, begin, site.zone)


def template_values(work: Work, ticket: Ticket, role: str, text: str) -> dict[str, str]:
    """What the expressions of a site's templates may name; see ``bot.models.template_fields``."""
    site = work.site
    limit = ticket.due_at if role == "resident" else ticket.unit_due_at or ticket.due_at
    return {
        "number": ticket.number,
        "summary": ticket.summary,
        "state": STATES[ticket.state],
        "place": site.name_of("area", ticket.area_id) or "",
        "unit": site.name_of("unit", ticket.lead_id) or site.desk.name,
        "due": "" if limit is None else _minute(limit, site.zone),
        "time": _minute(work.now, site.zone),
        "text": text,
        # What kind of push it is: «新任务» of «【新任务】T2026…».
        "name": text[1:].partition("】")[0] if text.startswith("【") else "",
    }


@lru_cache(1024)
def _minute(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "minutes")[:16]
