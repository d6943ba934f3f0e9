"""The outbox: what was or will be pushed to whom, and what became of it."""

# No postponed annotations here, as in ``tickets``.

from typing import Annotated

from fastapi import APIRouter, Query

from bot.console.api import queries
from bot.console.api.gate import Gate
from bot.console.api.params import OutboxFilter
from bot.console.api.views import OutboxView, Page


def add(routes: APIRouter, gate: Gate) -> None:
    """The endpoint ``/outbox``."""

    @routes.get("/outbox", summary="推送列表，最新的在前", tags=["outbox"])
    def list_outbox(wanted: Annotated[OutboxFilter, Query()]) -> Page[OutboxView]:
        return gate.read(lambda work: queries.list_outbox(work, wanted))
