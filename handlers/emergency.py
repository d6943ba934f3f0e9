"""Danger now: advice first, then everybody who can help, all in one turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import dispatch, reminders, tickets
from bot.services.talks import Question
from handlers.draft import Draft, attach
from intents.understanding import Item

LOOKS_BACK = True
ADVICE = "请先离开危险的地方。火警119，急救120，报警110。"
CALLED = "已通知值班人员。"
WHERE = "您在哪个小区几号楼？"
SAME = timedelta(minutes=30)


def handle(turn: Turn) -> Reply:
    """A second cry within half an hour belongs to the first: it is added and the alarm repeated."""
    draft = Draft.start(turn, _danger(turn))
    matter = draft.matter(turn)
    advice = matter.advice if matter is not None and matter.advice else ADVICE
    ticket = _running(turn)
    if ticket is not None:
        return _more(turn, ticket, f"{advice}{CALLED}")
    draft.confident = True
    ticket = draft.open(turn, level="A", urgent=True)
    dispatch.dispatch(turn.work, ticket)
    reminders.alert(turn.work, ticket)
    if draft.area(turn) is not None:
        return Reply(f"{advice}{CALLED}（编号{ticket.number}）")
    question = Question("emergency", "where", WHERE, data={"ticket": ticket.number})
    return Reply(f"{advice}{CALLED}{WHERE}", question=question)


def answer(turn: Turn, said: Answer) -> Reply | None:
    """Where it is, or anything else: it goes to those on the way at once."""
    ticket = _running(turn)
    if ticket is None or _about_something_else(turn):
        return None
    return _more(turn, ticket, "已告诉值班人员。")


def _about_something_else(turn: Turn) -> bool:
    """«谢谢你们», «上次报的灯怎么样了»: surely no place, and no reason to alarm again."""
    if turn.understanding is None or {"place", "building"} & set(turn.item.slots):
        return False
    return turn.item.decision == "act" and turn.intent.group == "conversation"


def _danger(turn: Turn) -> Item:
    return next(
        item
        for item in (turn.understanding.items if turn.understanding else ())
        if item.intent == "emergency"
    )


def _running(turn: Turn) -> Ticket | None:
    mine = tickets.of_resident(turn.work, turn.resident)
    return next((t for t in mine if t.urgent and t.is_open and _recent(turn, t)), None)


def _recent(turn: Turn, ticket: Ticket) -> bool:
    return turn.work.now - ticket.created_at < SAME


def _more(turn: Turn, ticket: Ticket, text: str) -> Reply:
    changes: dict[str, Any] = {"text": f"{ticket.text}\n{mask(turn.text)}"[:2000]}
    place = turn.item.slots.get("place", ()) if turn.understanding is not None else ()
    area = turn.site.area_by_name.get(str(place[0].value)) if place else None
    if area is not None and ticket.area_id is None:
        changes |= {"area_id": area.id, "summary": f"{area.name} {ticket.summary}"[:60]}
    if turn.incoming.point is not None:
        changes |= dict(zip(("latitude", "longitude"), turn.incoming.point, strict=True))
    turn.message.ticket_id = ticket.id
    attach(turn, ticket, [turn.message.id])
    data = {"message": turn.message.id}
    tickets.record(turn.work, ticket, "said", RESIDENT, data=data, **changes)
    if "area_id" in changes and ticket.state == "received":
        dispatch.dispatch(turn.work, ticket)
    reminders.alert(turn.work, ticket)
    return Reply(text)
