"""What a resident adds after the desk or the unit asked for it: the work goes on."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.models.actor import RESIDENT
from bot.services import tickets
from handlers.update_ticket import add


def answer(turn: Turn, said: Answer) -> Reply | None:
    if turn.question is None:
        return None
    ticket = tickets.by_number(turn.work, str(turn.question.data["ticket"]))
    if ticket.state != "need_info":
        return None
    reply = add(turn, ticket, turn.text)
    tickets.transition(turn.work, ticket, ticket.came_from or "received", RESIDENT, tell=False)
    return reply
