"""One message → the handler that answers it → its reply.

The order is the policy: events, a staff member's command, danger, the open question, pictures and
voices, and then what was understood. Handlers hold no branches for any of this.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation import options
from bot.conversation.turn import Answer, Reply, Turn
from bot.errors import NotFound, Refused
from bot.services import talks
from bot.services.talks import Question

_CALLED_OFF = re.compile(
    r"^(?:那|哎|唉)?[，, ]?(?:算了|不报了|不用了|不说了|不弄了|取消|别报了|先不报)"
    r"[吧啊了呀，,。！! ]*(?:不报了|不用了|不说了|不麻烦了?|取消)?[吧啊了呀。！! ]*$"
)
_ONLY_MARKS = re.compile(r"[\s,，.。、!！?？;；:：…~～·\-—]+")
NOTHING_ASKED = "这个数字我没对上。请直接说是什么事、在哪里。"
CALLED_OFF = "好的，没有提交。有事您再说。"


def converse(turn: Turn) -> str | None:
    """The text to answer with (None: nothing), the talk's new state noted in the unit of work."""
    turn.question = talks.open_question(turn.work, turn.conversation)
    try:
        reply = _reply(turn)
    except (Refused, NotFound) as refusal:
        reply = Reply(refusal.told, keep=True)
    if not reply.keep:
        due = None if reply.wait is None else turn.work.now + reply.wait
        if reply.question is not None or turn.question is not None:
            talks.put(turn.work, turn.conversation, reply.question, due_at=due)
    if reply.text is None or not reply.options:
        return reply.text
    return f"{reply.text}\n{options.as_links(reply.options)}"


def _reply(turn: Turn) -> Reply:
    if turn.incoming.kind == "event":
        return turn.handlers.handle["event"](turn)
    if turn.incoming.kind not in ("text", "voice"):
        turn.understanding = None
    command = turn.handlers.answer["staff"](turn, Answer(turn.text, None))
    if command is not None:
        return command
    if turn.understanding is not None and turn.understanding.emergency and not _names_only(turn):
        return turn.handlers.handle["emergency"](turn)
    if turn.question is not None:
        answered = _answered(turn, turn.question)
        if answered is not None:
            return answered
    if turn.understanding is None:
        return turn.handlers.handle["media"](turn)
    return _understood(turn)


def _names_only(turn: Turn) -> bool:
    """«和平里» as an answer to «哪个小区» is a place, whatever the classifier makes of it."""
    if turn.question is None or not turn.question.expecting:
        return False
    slots = turn.item.slots
    named = {slot.text for name in ("place", "building") for slot in slots.get(name, ())}
    rest = turn.text
    for text in named:
        rest = rest.replace(text, "")
    return bool(named) and not rest.strip(" ，,。.的")


def _answered(turn: Turn, question: Question) -> Reply | None:
    """The reply if the message answers the open question; None when it is about something else."""
    if question.data.get("draft") and _CALLED_OFF.match(turn.text.strip()):
        return Reply(CALLED_OFF)
    answer = Answer(turn.text, options.choice(question.options, turn.text))
    return turn.handlers.answer[question.handler](turn, answer)


def _understood(turn: Turn) -> Reply:
    if options.is_number(turn.text):
        return Reply(NOTHING_ASKED, keep=True)
    decision = turn.item.decision
    if decision == "ask" or _ONLY_MARKS.fullmatch(turn.text):
        return turn.handlers.handle["clarify"](turn)
    if decision == "refuse":
        return turn.handlers.handle["chitchat"](turn)
    reply = turn.route()
    return _and_back(turn, reply)


def _and_back(turn: Turn, reply: Reply) -> Reply:
    """After a digression the question that was open stays open; one of a draft is asked again."""
    question = turn.question
    if question is None or reply.question is not None:
        return reply
    if not question.data.get("draft"):
        return replace(reply, keep=True)
    text = f"{reply.text}\n接着说：{question.text}" if reply.text else question.text
    return replace(reply, text=text, options=question.options, keep=True)
