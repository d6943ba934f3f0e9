"""«不用处理了,已经好了»: the resident takes a ticket back."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import notices, tickets
from bot.services.talks import Question
from handlers import clarify
from handlers.mine import open_ones, which

LOOKS_BACK = True
NONE = "您现在没有在办的事。"
KEPT = "好的，接着办。"
WITHDRAW, GO_ON = "撤回", "不撤，接着办"


def handle(turn: Turn) -> Reply:
    mine = open_ones(turn)
    if not mine:
        return clarify.unless_sure(turn, NONE)
    if len(mine) > 1:
        return which(turn, mine, "cancel", "withdraw")
    if turn.item.confidence < clarify.SURE:
        return _ask(mine[0])
    return _withdraw(turn, mine[0])


def _ask(ticket: Ticket) -> Reply:
    """What cannot be taken back is not done on a guess."""
    text = f"要撤回{notices.name(ticket)}吗？"
    options = (WITHDRAW, GO_ON)
    data = {"tickets": [ticket.number]}
    return Reply(text, options, Question("cancel", "sure", text, options, data=data))


def answer(turn: Turn, said: Answer) -> Reply | None:
    if turn.question is None or said.choice is None:
        return None
    if turn.question.about == "sure" and said.choice == 1:
        return Reply(KEPT)
    number = turn.question.data["tickets"][said.choice]
    return _withdraw(turn, tickets.by_number(turn.work, number))


def _withdraw(turn: Turn, ticket: Ticket) -> Reply:
    if ticket.state == "awaiting_feedback":
        tickets.transition(turn.work, ticket, "closed", RESIDENT, tell=False)
        return Reply(f"好的，{notices.name(ticket)}已办结。谢谢您告诉我们。")
    if ticket.resident_id != turn.resident.id:
        return Reply(f"{notices.name(ticket)}是邻居报的，会继续办。")
    tickets.transition(turn.work, ticket, "withdrawn", RESIDENT, tell=False)
    return Reply(f"好的，{notices.name(ticket)}已撤回。")
