"""A person takes over a talk: the desk is called, words are relayed, a limit ends the wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlmodel import col

from bot.masking import mask
from bot.models import Conversation, Event, Message, Resident, Ticket
from bot.models.actor import RESIDENT, Actor
from bot.services import notices, outbox, talks, tickets
from bot.work import Work

WAIT: Final = timedelta(minutes=10)
# After a person has answered, the bot stays silent this long beyond the last word of either side.
TALK: Final = timedelta(minutes=30)
NOBODY: Final = (
    "暂时没有人接。您的话都留下了（编号{number}），工作人员看到会回复您。您也可以接着跟我说。"
)
ENDED: Final = "人工服务已结束。还需要什么，直接告诉我。"


def request(work: Work, resident: Resident, message: Message, words: str) -> Ticket:
    """A question at the desk that carries the talk; the clerks are called."""
    ticket = tickets.open_ticket(
        work,
        actor=RESIDENT,
        intent="human",
        act="consult",
        level="C",
        summary="找工作人员",
        message_id=message.id,
        resident_id=resident.id,
        area_id=resident.area_id,
        text=mask(words)[:2000],
    )
    message.ticket_id = ticket.id
    number = notices.short(ticket)
    text = f"【居民找人工】{ticket.number}\n原话：{ticket.text}\n回复居民：回复 {number} 内容"
    outbox.to_staff(work, work.site.desk_staff, "task", text, ticket=ticket, role="desk")
    return ticket


def relay(work: Work, message: Message, number: str, words: str) -> None:
    """What the resident says meanwhile goes to the desk and onto the ticket."""
    ticket = tickets.by_number(work, number)
    message.ticket_id = ticket.id
    said = mask(words) or f"[{message.kind}]"
    changes = {"text": f"{ticket.text}\n{said}"[:2000]}
    tickets.record(work, ticket, "said", RESIDENT, data={"message": message.id}, **changes)
    text = f"【居民】{notices.short(ticket)}:{said}"
    outbox.to_staff(work, work.site.desk_staff, "update", text, ticket=ticket, role="desk")


def reply(work: Work, ticket: Ticket, actor: Actor, words: str) -> None:
    """A staff member speaks to the resident; while he does the bot keeps silent."""
    tickets.record(work, ticket, "replied", actor, data={"text": words})
    resident = work.need(Resident, ticket.resident_id)
    outbox.push(work, resident.openid, "resident", "reply", f"工作人员：{words}", ticket=ticket)
    talk = work.need(Conversation, resident.id)
    if talk.due_at is not None:
        talk.due_at = work.now + TALK


def run(work: Work) -> list[dict[str, str]]:
    """End the talks whose limit is over, saying which of the two it was."""
    due = work.find(
        Conversation,
        col(Conversation.due_at) <= work.now,
        order=[col(Conversation.due_at)],
        limit=100,
        lock=True,
        skip_locked=True,
    )
    return [_end(work, talk) for talk in due]


def _end(work: Work, talk: Conversation) -> dict[str, str]:
    question = talks.open_question(work, talk)
    talks.put(work, talk, None)
    if question is None or question.handler != "human":
        return {"talk": "stale"}
    ticket = tickets.by_number(work, str(question.data["ticket"]))
    answered = _answered(work, ticket)
    text = ENDED if answered else NOBODY.format(number=ticket.number)
    resident = work.need(Resident, talk.id)
    outbox.push(work, resident.openid, "resident", "reply", text, ticket=ticket)
    return {"ticket": ticket.number, "did": "handover_ended" if answered else "nobody_came"}


def _answered(work: Work, ticket: Ticket) -> bool:
    where = (col(Event.ticket_id) == ticket.id, col(Event.kind) == "replied")
    return bool(work.find(Event, *where, limit=1))
