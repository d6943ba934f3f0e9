"""Pictures, pins, voices and files: they join the matter being told, or wait for its words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.conversation.turn import Answer, Reply, Turn
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import dispatch, tickets
from bot.services.talks import Question
from handlers import report, update_ticket
from handlers.draft import Draft, attach

PHOTO = "照片收到。是什么问题、在哪里？"
BOTH = "照片和位置都收到了。是什么问题？"
PIN = "位置收到。是什么问题？"
OTHER = "收到了。请用文字说说是什么事、在哪里。"
THEIRS, OTHERS = "是", "不是，是别的事"
# A picture this soon after a report most likely belongs to it.
SOON = timedelta(minutes=30)
VOICE_TOO = "这段也收到了，和刚才的放在一起。"
VOICE = "收到语音，工作人员会听（编号{number}）。也可以按住说话转成文字再发，办得更快。"

# «就是这个灯» is about what was just asked, whatever the lamp alone would be taken for.
_POINTS = re.compile(r"(?:对|是的|嗯|就是|没错)(?!.*(?:不是|另))")


def handle(turn: Turn) -> Reply:
    kind = turn.incoming.kind
    if kind == "voice":
        return _voice(turn)
    if kind == "unknown":
        return Reply(None, keep=True)
    data: dict[str, Any] = {"messages": [turn.message.id], "point": _point(turn)}
    data |= {"place": turn.text if kind == "location" else ""}
    ticket = _just_reported(turn) if kind in ("image", "video") else None
    if ticket is not None:
        return _ask_whose(ticket, data)
    text = {"image": PHOTO, "video": PHOTO, "location": PIN}.get(kind, OTHER)
    return Reply(text, question=Question("media", "words", text, data=data | {"draft": True}))


def answer(turn: Turn, said: Answer) -> Reply | None:
    """The words to the picture or pin; more pictures are simply added."""
    question = turn.question
    if question is None:
        return None
    if question.about == "voice":
        return _after_voice(turn, str(question.data["ticket"]))
    messages = [*question.data["messages"], turn.message.id]
    if question.about == "whose":
        answered = _whose(turn, question, said, messages)
        if answered is not None:
            return answered
    if turn.understanding is None:
        if turn.incoming.kind == "voice":
            return _voice(turn, messages)
        point = _point(turn) or question.data["point"]
        place = turn.text if turn.incoming.point else question.data["place"]
        data = {"messages": messages, "point": point, "place": place, "draft": True}
        text = question.text if point is None else BOTH
        return Reply(text, question=Question("media", "words", text, data=data))
    if (
        turn.item.decision != "act"
        or turn.catalogue.intents[turn.item.intent].group == "conversation"
    ):
        return None
    draft = Draft.start(turn, turn.item)
    draft.messages = messages
    draft.point = question.data["point"]
    if question.data["place"]:
        draft.slots.setdefault("place", {"text": question.data["place"], "value": None})
    return report.advance(turn, draft)


def _just_reported(turn: Turn) -> Ticket | None:
    mine = tickets.of_resident(turn.work, turn.resident, limit=1)
    return next((t for t in mine if t.is_open and turn.work.now - t.created_at < SOON), None)


def _ask_whose(ticket: Ticket, data: dict[str, Any]) -> Reply:
    text = f"照片收到。是{ticket.summary}的吗？"
    options = (THEIRS, OTHERS)
    data = data | {"ticket": ticket.number, "draft": True}
    return Reply(text, options, Question("media", "whose", text, options, data=data))


def _whose(turn: Turn, question: Question, said: Answer, messages: list[int]) -> Reply | None:
    """Of what was just reported, unless it is denied or the words tell another matter."""
    if turn.understanding is None and turn.incoming.kind in ("image", "video"):
        data = {**question.data, "messages": messages}
        return Reply(question.text, question.options, replace(question, data=data))
    ticket = tickets.by_number(turn.work, str(question.data["ticket"]))
    if said.choice == 1 or not ticket.is_open:
        data = {"messages": messages, "point": None, "place": "", "draft": True}
        return Reply(PHOTO, question=Question("media", "words", PHOTO, data=data))
    told = turn.understanding is None or turn.item.decision == "act"
    if said.choice is None and told and not _POINTS.match(turn.text):
        return None
    attach(turn, ticket, messages)
    return update_ticket.add(turn, ticket, "" if said.choice == 0 else turn.text)


def _voice(turn: Turn, messages: list[int] | None = None) -> Reply:
    """Nobody here can listen: the sound lies on a ticket at the desk."""
    ticket = tickets.open_ticket(
        turn.work,
        actor=RESIDENT,
        intent="other_request",
        act="report",
        level="C",
        summary="语音留言",
        message_id=turn.message.id,
        resident_id=turn.resident.id,
        area_id=turn.resident.area_id,
        text="[语音]",
        confident=False,
    )
    turn.message.ticket_id = ticket.id
    attach(turn, ticket, messages or [turn.message.id])
    dispatch.dispatch(turn.work, ticket)
    text = VOICE.format(number=ticket.number)
    return Reply(text, question=Question("media", "voice", text, data={"ticket": ticket.number}))


def _after_voice(turn: Turn, number: str) -> Reply | None:
    """More of it joins the ticket; what was spoken, now in words, sends it where they say."""
    if turn.understanding is None and turn.incoming.kind in ("voice", "image", "video"):
        ticket = tickets.by_number(turn.work, number)
        turn.message.ticket_id = ticket.id
        attach(turn, ticket, [turn.message.id])
        tickets.record(turn.work, ticket, "said", RESIDENT, data={"message": turn.message.id})
        return Reply(VOICE_TOO, keep=True)
    if turn.understanding is None or turn.item.decision != "act":
        return None
    intent = turn.catalogue.intents[turn.item.intent]
    ticket = tickets.by_number(turn.work, number)
    if intent.group == "conversation" or ticket.state != "received":
        return None
    draft = Draft.start(turn, turn.item)
    return _put_into_words(turn, ticket, draft)


def _put_into_words(turn: Turn, ticket: Ticket, draft: Draft) -> Reply:
    area = draft.area(turn)
    turn.message.ticket_id = ticket.id
    tickets.record(
        turn.work,
        ticket,
        "said",
        RESIDENT,
        data={"message": turn.message.id},
        **draft.columns(turn),
        intent=draft.intent,
        act=draft.act,
        summary=draft.summary(turn)[:60],
        area_id=None if area is None else area.id,
        confident=True,
    )
    dispatch.dispatch(turn.work, ticket)
    return Reply(f"好的，和语音记在一起了。{report.said(turn, ticket)}")


def _point(turn: Turn) -> list[float] | None:
    return None if turn.incoming.point is None else list(turn.incoming.point)
