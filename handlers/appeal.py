"""«申诉»: the resident does not accept that a matter was declined. Once, it is taken up again."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models.actor import RESIDENT
from bot.services import notices, tickets

_APPEAL = ("申诉", "不同意", "不服", "不接受")


def answer(turn: Turn, said: Answer) -> Reply | None:
    if turn.question is None or not any(word in said.text for word in _APPEAL):
        return None
    ticket = tickets.by_number(turn.work, str(turn.question.data["ticket"]))
    if ticket.state != "declined":
        return None
    reason = mask(said.text)
    tickets.transition(turn.work, ticket, "received", RESIDENT, reason=reason, tell=False)
    return Reply(f"好的，{notices.name(ticket)}已重新受理，值班室会再看一遍。")
