"""The lists of the API: one bounded query and one count each, over indexed columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Column, ColumnElement, FromClause, Select, func, select

from bot.console.api.params import OutboxFilter, Paging, TicketFilter
from bot.console.api.views import (
    EventView,
    OutboxView,
    Page,
    Row,
    TicketDetail,
    TicketView,
    event_view,
    outbox_view,
    ticket_detail,
    ticket_view,
)
from bot.errors import Missing, NotFound
from bot.models import Event, Outbox, Ticket
from bot.models.office import Site
from bot.work import Work, table_of

V = TypeVar("V")
Conditions = list[ColumnElement[bool]]
# A history longer than this is paged through /events; no ticket of an office comes near.
MOST_EVENTS: Final = 2000

_TICKET, _EVENT, _OUTBOX = table_of(Ticket), table_of(Event), table_of(Outbox)
_PARENT = _TICKET.alias("parent")
_TICKETS = _TICKET.outerjoin(_PARENT, _PARENT.c.id == _TICKET.c.parent_id)
_POST = _OUTBOX.outerjoin(_TICKET, _TICKET.c.id == _OUTBOX.c.ticket_id)
# Sealed columns and the residents' own words are not even read.
_TICKET_COLUMNS: Final = [
    _TICKET.c[name]
    for name in (
        "id number state result intent act summary slots area_id lead_id assignee_id urgent "
        "supporters due_at created_at"
    ).split()
] + [_PARENT.c.number.label("parent")]
_EVENT_COLUMNS: Final = [
    _EVENT.c[name] for name in ("at", "kind", "actor", "from_state", "to_state", "data")
]
_OUTBOX_COLUMNS: Final = [
    _OUTBOX.c[name]
    for name in (
        "id openid role purpose channel client_msg_id text state errcode attempts due_at sent_at"
    ).split()
] + [_TICKET.c.number]


def list_tickets(work: Work, wanted: TicketFilter) -> Page[TicketView]:
    """Newest first."""
    where = _of_ticket(work.site, wanted.number, wanted)
    where += _since(work, _TICKET.c.created_at, wanted.since)
    where += _equal(_TICKET, {"state": wanted.state, "urgent": wanted.urgent})
    query = select(*_TICKET_COLUMNS).select_from(_TICKETS).where(*where)
    query = query.order_by(_TICKET.c.created_at.desc(), _TICKET.c.id.desc())
    return _page(work, query, _count(work, _TICKET, where), wanted, ticket_view)


def list_outbox(work: Work, wanted: OutboxFilter) -> Page[OutboxView]:
    """Newest first."""
    where = _of_ticket(work.site, wanted.ticket or wanted.number, wanted)
    where += _since(work, _OUTBOX.c.created_at, wanted.since)
    names = ("state", "purpose", "role", "channel", "urgent")
    where += _equal(_OUTBOX, {name: getattr(wanted, name) for name in names})
    where += _equal(_OUTBOX, {"openid": wanted.to})
    query = select(*_OUTBOX_COLUMNS).select_from(_POST).where(*where)
    query = query.order_by(_OUTBOX.c.created_at.desc(), _OUTBOX.c.id.desc())
    return _page(work, query, _count(work, _POST, where), wanted, outbox_view)


def list_events(work: Work, number: str, wanted: Paging) -> Page[EventView]:
    """Newest first."""
    ticket_id = _row(work, number)["id"]
    where = [_EVENT.c.ticket_id == ticket_id]
    total = _count(work, _EVENT, where)
    return _page(work, _events(ticket_id), total, wanted, event_view)


def detail(work: Work, number: str) -> TicketDetail:
    """One ticket and its history, as this work sees it; NotFound for an unknown number."""
    work.flush()
    row = _row(work, number)
    latest = work.connection.execute(_events(row["id"]).limit(MOST_EVENTS)).mappings().all()
    events = [event_view(work.site, event) for event in reversed(latest)]
    return ticket_detail(ticket_view(work.site, row), events)


def _row(work: Work, number: str) -> Row:
    query = select(*_TICKET_COLUMNS).select_from(_TICKETS)
    found = work.connection.execute(query.where(_TICKET.c.number == number.upper())).mappings()
    row = found.first()
    if row is None:
        raise NotFound(f"no ticket {number}", told="没有这个编号的事项")
    return row


def _events(ticket_id: int) -> Select[Any]:
    """Newest first, by time: ids of two processes come from different blocks."""
    query = select(*_EVENT_COLUMNS).where(_EVENT.c.ticket_id == ticket_id)
    return query.order_by(_EVENT.c.at.desc(), _EVENT.c.id.desc())


def _of_ticket(site: Site, number: str | None, wanted: TicketFilter | OutboxFilter) -> Conditions:
    areas = {name: area.id for name, area in site.area_by_name.items()}
    units = {name: unit.id for name, unit in site.unit_by_name.items()}
    values = {
        "number": None if number is None else number.upper(),
        "intent": wanted.intent,
        "area_id": _id_of("area", wanted.area, areas),
        "lead_id": _id_of("lead", wanted.lead, units),
    }
    return _equal(_TICKET, values)


def _id_of(field: str, name: str | None, ids: Mapping[str, int]) -> int | None:
    if name is not None and name not in ids:
        kind = {"area": "区域", "lead": "单位"}[field]
        raise Missing(field, f"没有叫“{name}”的{kind}")
    return None if name is None else ids[name]


def _equal(table: FromClause, values: Mapping[str, Any]) -> Conditions:
    return [table.c[name] == value for name, value in values.items() if value is not None]


def _since(
    work: Work, column: Column[Any], since: datetime | None
) -> Iterator[ColumnElement[bool]]:
    if since is not None:
        yield column >= (since if since.tzinfo else since.replace(tzinfo=work.site.zone))


def _count(work: Work, source: FromClause, where: Conditions) -> int:
    query = select(func.count()).select_from(source).where(*where)
    return work.connection.execute(query).scalar_one()


def _page(
    work: Work,
    query: Select[Any],
    total: int,
    paging: Paging,
    view: Callable[[Site, Row], V],
) -> Page[V]:
    rows = work.connection.execute(query.limit(paging.limit).offset(paging.offset)).mappings()
    return Page(items=[view(work.site, row) for row in rows], total=total)
