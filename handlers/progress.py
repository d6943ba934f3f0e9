"""«我上次报的怎么样了», and pressing when it takes too long."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.models.workflow import STATES
from bot.services import notices, outbox, tickets
from handlers import clarify
from handlers.mine import number_of, presses, which

LOOKS_BACK = True
NONE = "没有查到您报过的事。有什么事，直接告诉我就行。"


def handle(turn: Turn) -> Reply:
    pressing = presses(turn)
    mine = tickets.of_resident(turn.work, turn.resident)
    number = number_of(turn)
    if number:
        mine = [ticket for ticket in mine if ticket.number.endswith(number)]
    open_ones = [ticket for ticket in mine if ticket.is_open]
    candidates = open_ones or mine[:1]
    if not candidates:
        return clarify.unless_sure(turn, NONE)
    if len(candidates) > 1:
        return which(turn, candidates, "progress", "urge" if pressing else "look")
    return _tell(turn, candidates[0], pressing=pressing)


def answer(turn: Turn, said: Answer) -> Reply | None:
    question = turn.question
    if question is None or said.choice is None:
        return None
    ticket = tickets.by_number(turn.work, question.data["tickets"][said.choice])
    return _tell(turn, ticket, pressing=question.about == "urge")


def _tell(turn: Turn, ticket: Ticket, *, pressing: bool) -> Reply:
    status = say(turn, ticket)
    if not pressing or not ticket.is_open:
        return Reply(status)
    return Reply(f"让您久等了，{_urge(turn, ticket)}{status}")


def _urge(turn: Turn, ticket: Ticket) -> str:
    """Presses, and says what that brings: nobody is woken for what is not urgent."""
    if not tickets.urge(turn.work, ticket, RESIDENT):
        return "已记下催办。"
    if ticket.urgent or outbox.reminder_hour(turn.site, turn.work.now) == turn.work.now:
        return "已催办并提醒负责人。"
    return "已记下催办，早上就提醒负责人。"


def say(turn: Turn, ticket: Ticket) -> str:
    """Where the ticket is, in one sentence; never the name of a state alone."""
    name, due = notices.name(ticket), notices.due(turn.work, ticket)
    unit = notices.unit_of(turn.work, ticket)
    by_state = {
        "received": f"值班室正在安排，{due}办结。",
        "need_info": "还等您补充情况。",
        "dispatched": f"已派给{unit}，{due}办结。",
        "returned": f"正在重新安排单位，{due}办结。",
        "in_progress": f"{unit}正在办，{due}办结。",
        "joint": f"几个单位正在一起办，{due}办结。",
        "in_review": f"{unit}已办完，正在审核。",
        "awaiting_feedback": "已经办完，等您说说解决了没有。回复 1 好了，2 没好。",
        "suspended": "暂时办不了，有进展会告诉您。",
        "referred": "已转给有关部门，正等他们的结果。",
        "closed": f"已办结({notices.result_of(ticket)})。" if ticket.result else "已办结。",
    }
    return f"{name}：{by_state.get(ticket.state, STATES[ticket.state] + '。')}"
