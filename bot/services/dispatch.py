"""From a fresh ticket to the one that must act: the most local duty, or the desk."""

from __future__ import annotations

from bot.models import Ticket
from bot.models.actor import SYSTEM
from bot.services import notices, tickets
from bot.work import Work


def dispatch(work: Work, ticket: Ticket) -> bool:
    """Send ``ticket`` to the lead unit of its duty; False when it waits at the desk instead.

    Questions, unsure and sensitive matters, and whatever no duty names, are the desk's.
    """
    site = work.site
    duty = site.duty(ticket.intent, ticket.area_id)
    by_system = ticket.confident and not ticket.sensitive and ticket.act != "consult"
    if not by_system or duty is None or duty.unit_id == site.desk.id:
        if not ticket.urgent:  # the alarm tells the desk more, and at once
            notices.opened(work, ticket)
        return False
    unit = site.units[duty.unit_id].name
    tickets.transition(work, ticket, "dispatched", SYSTEM, unit=unit, tell=False)
    return True
