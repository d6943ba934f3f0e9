"""Something to add or to put right on a ticket that is under way."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import notices, outbox, tickets
from handlers import clarify
from handlers.draft import attach
from handlers.mine import open_ones, which

LOOKS_BACK = True
NONE = "您现在没有在办的事。要报什么，直接告诉我就行。"


def handle(turn: Turn) -> Reply:
    mine = open_ones(turn)
    if not mine:
        return clarify.unless_sure(turn, NONE)
    if len(mine) > 1:
        return which(turn, mine, "update_ticket", "add", words=turn.text)
    return add(turn, mine[0], turn.text)


def answer(turn: Turn, said: Answer) -> Reply | None:
    if turn.question is None or said.choice is None:
        return None
    ticket = tickets.by_number(turn.work, turn.question.data["tickets"][said.choice])
    return add(turn, ticket, str(turn.question.data.get("words", "")))


def add(turn: Turn, ticket: Ticket, words: str) -> Reply:
    """Note the words on the ticket and show them to whoever is working on it."""
    text = mask(words)
    turn.message.ticket_id = ticket.id
    attach(turn, ticket, [turn.message.id])
    changes = {"text": f"{ticket.text}\n补充：{text}"[:2000]} if text else {}
    data = {"message": turn.message.id}
    tickets.record(turn.work, ticket, "said", RESIDENT, data=data, **changes)
    people = notices.in_charge(turn.work, ticket)
    note = f"【居民补充】{notices.brief(turn.work, ticket)}\n{text or '[图片或语音]'}"
    outbox.to_staff(turn.work, people, "update", note, ticket=ticket)
    return Reply(f"好的，已补充到{notices.name(ticket)}。")
