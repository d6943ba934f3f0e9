"""After the work: is it solved, and are you content? No sends it back."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.conversation.turn import Answer, Reply, Turn
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import notices, tickets
from bot.services.guards import REOPEN_DAYS
from bot.services.talks import Question
from handlers import clarify

LOOKS_BACK = True
NOTHING = "谢谢您的评价。要说哪件事，告诉我编号就行。"
HOW_CONTENT = "太好了。您对这次办理满意吗？"
THANKS = f"谢谢您。{REOPEN_DAYS}天内又有问题，直接告诉我。"
_NOT = re.compile(
    "没(?:有)?(?:好|修|解决|弄|处理|办|来|人)|不行|不满|不好|还是|又坏|还没|依旧|白修|差评|糊弄|敷衍"
)
_YES = re.compile(
    "好了|修好|解决了|可以了|行了|弄好|亮了|通了|没问题|满意|不错|挺好|很好|好评|谢谢|感谢"
)


def handle(turn: Turn) -> Reply:
    """An opinion without an open question: about the last thing that was finished."""
    ticket = _finished(turn)
    if ticket is None:
        return clarify.unless_sure(turn, NOTHING)
    return _judge(turn, ticket, None) or Reply(NOTHING)


def answer(turn: Turn, said: Answer) -> Reply | None:
    question = turn.question
    if question is None:
        return None
    ticket = tickets.by_number(turn.work, str(question.data["ticket"]))
    if question.about == "content":
        return _content(turn, ticket, said)
    if ticket.state != "awaiting_feedback":
        return None
    return _judge(turn, ticket, said.choice)


def _finished(turn: Turn) -> Ticket | None:
    mine = tickets.of_resident(turn.work, turn.resident)
    waiting = [ticket for ticket in mine if ticket.state == "awaiting_feedback"]
    fresh = timedelta(days=REOPEN_DAYS)
    closed = [
        ticket
        for ticket in mine
        if ticket.state == "closed" and turn.work.now - ticket.state_at < fresh
    ]
    return next(iter([*waiting, *closed]), None)


def _judge(turn: Turn, ticket: Ticket, choice: int | None) -> Reply | None:
    bad = choice == 1 or (choice is None and _NOT.search(turn.text) is not None)
    good = choice == 0 or (choice is None and _YES.search(turn.text) is not None)
    if bad:
        return _redo(turn, ticket, "没有解决")
    if not good:
        return None
    if ticket.state == "awaiting_feedback":
        tickets.transition(turn.work, ticket, "closed", RESIDENT, tell=False, result="solved")
    question = Question(
        "feedback", "content", HOW_CONTENT, notices.SATISFIED, data={"ticket": ticket.number}
    )
    return Reply(HOW_CONTENT, notices.SATISFIED, question)


def _content(turn: Turn, ticket: Ticket, said: Answer) -> Reply | None:
    choice = said.choice
    if choice is None and _NOT.search(said.text):
        choice = 2
    elif choice is None and _YES.search(said.text):
        choice = 0
    if choice is None:
        return None
    tickets.record(turn.work, ticket, "rated", RESIDENT, satisfaction=notices.SATISFIED[choice])
    return Reply(THANKS) if choice < 2 else _redo(turn, ticket, "不满意")


def _redo(turn: Turn, ticket: Ticket, reason: str) -> Reply:
    to = "in_progress" if ticket.lead_id is not None else "received"
    tickets.transition(turn.work, ticket, to, RESIDENT, reason=reason, tell=False)
    due = notices.due(turn.work, ticket)
    if to == "received":
        return Reply(f"对不起，{notices.name(ticket)}已转人工重新处理，{due}给您答复。")
    unit = notices.unit_of(turn.work, ticket)
    return Reply(f"对不起，{notices.name(ticket)}已退回{unit}重办，{due}办结。")
