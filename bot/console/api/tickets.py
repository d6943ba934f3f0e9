"""Tickets: read them, take them along an edge of the workflow, note a contact."""

# No postponed annotations here: FastAPI could not resolve ``Holder``, which is local to ``add``.

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from bot.console.api import queries
from bot.console.api.gate import Gate, actor_of, check_right
from bot.console.api.params import ContactBody, Number, Paging, TicketFilter, TransitionBody
from bot.console.api.problems import FORBIDDEN, REFUSED, UNKNOWN
from bot.console.api.views import EventView, Page, TicketDetail, TicketView
from bot.errors import Missing, NotFound
from bot.models.office import Site
from bot.services import tickets
from bot.services.guards import whistled
from bot.services.tokens import TokenHolder
from bot.work import Work


def add(routes: APIRouter, gate: Gate) -> None:
    """The endpoints under ``/tickets``."""
    Holder = Annotated[TokenHolder, Depends(gate.holder)]  # noqa: N806 - a type
    writing = {**FORBIDDEN, **UNKNOWN, **REFUSED}

    @routes.get("/tickets", summary="事项列表，最新的在前", tags=["tickets"])
    def list_tickets(wanted: Annotated[TicketFilter, Query()]) -> Page[TicketView]:
        return gate.read(lambda work: queries.list_tickets(work, wanted))

    @routes.get(
        "/tickets/{number}", summary="一件事项和它的经过", tags=["tickets"], responses=UNKNOWN
    )
    def get_ticket(number: Number) -> TicketDetail:
        return gate.read(lambda work: queries.detail(work, number))

    @routes.get(
        "/tickets/{number}/events",
        summary="一件事项的经过，最新的在前",
        tags=["tickets"],
        responses=UNKNOWN,
    )
    def list_events(number: Number, wanted: Annotated[Paging, Query()]) -> Page[EventView]:
        return gate.read(lambda work: queries.list_events(work, number, wanted))

    @routes.post(
        "/tickets/{number}/transitions",
        summary="让事项进入下一个状态",
        tags=["tickets"],
        responses=writing,
    )
    async def transition(number: Number, body: TransitionBody, holder: Holder) -> TicketDetail:
        check_right(holder, body.actor)
        return await gate.write(lambda work: _transition(work, number, body))

    @routes.post(
        "/tickets/{number}/contacts",
        summary="登记已联系居民",
        tags=["tickets"],
        responses=writing,
    )
    async def contact(number: Number, body: ContactBody, holder: Holder) -> TicketDetail:
        check_right(holder, body.actor)
        return await gate.write(lambda work: _contact(work, number, body))


def _transition(work: Work, number: str, body: TransitionBody) -> TicketDetail:
    ticket = tickets.by_number(work, number)
    actor = actor_of(work, ticket, body.actor)
    fields = body.fields()
    try:
        tickets.transition(work, ticket, body.to, actor, **fields)
    except NotFound as error:
        # The ticket is there: what is not is something that a field names.
        raise Missing(_at_fault(work.site, fields), error.told) from error
    return queries.detail(work, number)


def _at_fault(site: Site, fields: Mapping[str, Any]) -> str:
    """The field that names somebody or something that is not there."""
    for name in ("units", "unit"):
        if any(unit not in site.unit_by_name for unit in whistled({name: fields.get(name)})):
            return name
    return next((name for name in ("staff", "into", "number") if name in fields), "body")


def _contact(work: Work, number: str, body: ContactBody) -> TicketDetail:
    ticket = tickets.by_number(work, number)
    tickets.contact_logged(work, ticket, actor_of(work, ticket, body.actor))
    return queries.detail(work, number)
