"""The JSON API under ``/api/v1``: what other programs read and do (DESIGN.md, section 9).

gate       who asks, and how reading and writing reach the database
problems   every error as ``{"code", "message"}``
params     what may be asked: paging, filters, bodies
views      what is answered: the shapes, and personal data kept out of them
queries    the lists, each one bounded query and one count
tickets, outbox, office   the endpoints
"""

from __future__ import annotations

from fastapi import APIRouter, Depends

from bot.console.api import office, outbox, tickets
from bot.console.api.gate import Gate
from bot.console.api.problems import DOCUMENTED, Route, add_unknown_paths
from bot.inbox import Inbox
from bot.machine import Machine

PREFIX = "/api/v1"


def router(machine: Machine, inbox: Inbox) -> APIRouter:
    """Everything under ``/api/v1``; writes pass through ``inbox``, which must have been started."""
    gate = Gate(machine, inbox)
    routes = APIRouter(
        prefix=PREFIX,
        route_class=Route,
        dependencies=[Depends(gate.holder)],
        responses=DOCUMENTED,
    )
    tickets.add(routes, gate)
    outbox.add(routes, gate)
    office.add(routes, gate)
    outside = APIRouter()
    outside.include_router(routes)
    add_unknown_paths(outside, routes)
    return outside
