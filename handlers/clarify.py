"""When it is not sure what is meant: two or three options, then other words, then a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models.actor import RESIDENT
from bot.services import dispatch, notices, tickets
from bot.services.talks import Question
from handlers.draft import attach
from handlers.mine import presses
from intents.understanding import Item, Slot, Understanding

NEITHER = "都不是"
# Above this it is not asked whether something else was meant.
SURE = 0.9
WORTH_OFFERING = 0.1
SAYS_LITTLE = 8
# What is offered when the words say nothing: an intent, and how the matter is called.
COMMONEST = (("facility_repair", "楼道灯"), ("facility_repair", "电梯"))
REPORTED = "我报过的事"
ASK = "您说的是哪一件？"
SAY = "您请说，是什么事、在哪里？"
AGAIN = "那请您换个说法，说说是什么事、在哪里。"


def handle(turn: Turn) -> Reply:
    """Offer what it may be; said in vain twice, a person gets the words."""
    if not any(character.isalnum() for character in turn.text):
        return Reply(SAY, keep=True)
    words = [*_said_before(turn), turn.text]
    if len(words) > 2 or (turn.question is not None and turn.question.about == "again"):
        return to_person(turn, words)
    item = turn.item
    offered = _offered(turn)
    options = (*(title for _, title in offered), NEITHER)
    intents = [intent for intent, _ in offered]
    data: dict[str, Any] = {"words": words, "intents": intents, "media": _shown_before(turn)}
    data |= {"act": item.act, "slots": as_data(item.slots)}
    return Reply(ASK, options, Question("clarify", "which", ASK, options, data=data))


def unless_sure(turn: Turn, nothing: str) -> Reply:
    """For intents about a ticket when there is none: «那个又不行了» may be a new matter."""
    if turn.understanding is None or turn.item.confidence >= SURE:
        return Reply(nothing)
    return handle(turn)


def _offered(turn: Turn) -> list[tuple[str, str]]:
    """The two likeliest things to do something about; words that say nothing get the commonest.

    Who has something under way and names no place may well mean that.
    """
    item = turn.item
    mine = [t for t in tickets.of_resident(turn.work, turn.resident) if t.is_open]
    reported = [("progress", REPORTED)] if mine and "place" not in item.slots else []
    scored = [(item.intent, item.confidence), *item.alternatives]
    likely = [intent for intent, confidence in scored if confidence >= WORTH_OFFERING]
    known = turn.catalogue.intents
    named = any(known[i].matter(turn.text) for i in likely if known[i].matters)
    if not named and len(turn.text) <= SAYS_LITTLE:
        likely = []  # «那个又不行了» names nothing, whatever it is most like
    matters = [(i, known[i].title) for i in likely if known[i].group != "conversation"]
    return list(dict.fromkeys([*reported, *matters, *COMMONEST]))[:2]


def answer(turn: Turn, said: Answer) -> Reply | None:
    question = turn.question
    if question is None:
        return None
    if question.about == "which" and said.choice is not None:
        chosen = list(question.data["intents"])
        if said.choice < len(chosen):
            words = [*question.data["words"], question.options[said.choice]]
            return _go_on(turn, question, chosen[said.choice], words)
        return Reply(AGAIN, question=Question("clarify", "again", AGAIN, data=question.data))
    if turn.understanding is None:
        return None
    # Once more in vain is no chat: a person will understand.
    lost = question.about == "again" and turn.item.intent == "chitchat"
    if turn.item.decision == "act" and not lost:
        return None
    words = [*question.data["words"], turn.text]
    meant = _meant(turn, question) if question.about == "which" else None
    return to_person(turn, words) if meant is None else _go_on(turn, question, meant, words)


def _meant(turn: Turn, question: Question) -> str | None:
    """The one of the offered that free words come nearest to: «就是楼梯口那个灯»."""
    offered = list(question.data["intents"])
    if "progress" in offered and presses(turn):
        return "progress"
    item = turn.item
    scored = [(item.intent, item.confidence), *item.alternatives]
    return next((i for i, share in scored if i in offered and share >= WORTH_OFFERING), None)


def to_person(turn: Turn, words: list[str]) -> Reply:
    """The desk gets everything that was said."""
    ticket = tickets.open_ticket(
        turn.work,
        actor=RESIDENT,
        intent="other_request",
        act="report",
        level="C",
        summary="没听懂的话",
        message_id=turn.message.id,
        resident_id=turn.resident.id,
        area_id=turn.resident.area_id,
        text=mask("\n".join(words))[:2000],
        confident=False,
    )
    turn.message.ticket_id = ticket.id
    if shown := _shown_before(turn):
        attach(turn, ticket, shown["messages"])
    dispatch.dispatch(turn.work, ticket)
    due = notices.due(turn.work, ticket)
    return Reply(f"我没听懂，已转工作人员，前面说的都带上了（编号{ticket.number}）。{due}回复您。")


def _said_before(turn: Turn) -> list[str]:
    question = turn.question
    if question is None or question.handler != "clarify":
        return []
    return list(question.data["words"])


def _shown_before(turn: Turn) -> dict[str, Any] | None:
    """The picture or pin whose words these are."""
    question = turn.question
    if question is None:
        return None
    if question.handler == "media" and question.about == "words":
        return dict(question.data)
    return question.data.get("media") if question.handler == "clarify" else None


def _go_on(turn: Turn, question: Question, intent: str, words: list[str]) -> Reply:
    """As if all these words had been understood so from the first."""
    usual = turn.catalogue.intents[intent].act
    act = usual if question.data["act"] == "none" else question.data["act"]
    slots = from_data(question.data["slots"])
    if turn.understanding is not None:
        slots |= turn.item.slots
    turn.understanding = Understanding((Item(intent, "act", 1.0, (), act, slots),))
    turn.incoming = replace(turn.incoming, text=" ".join(words))
    shown = question.data.get("media")
    if shown:
        turn.question = Question("media", "words", question.text, data=shown)
        return turn.handlers.answer["media"](turn, Answer(turn.text, None)) or turn.route()
    return turn.route()


def as_data(slots: Mapping[str, tuple[Slot, ...]]) -> dict[str, list[list[Any]]]:
    return {name: [[s.text, s.start, s.value] for s in found] for name, found in slots.items()}


def from_data(data: Mapping[str, list[list[Any]]]) -> dict[str, tuple[Slot, ...]]:
    return {name: tuple(Slot(*values) for values in found) for name, found in data.items()}
