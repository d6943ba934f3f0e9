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
from intents.understanding import Item, Slot, Understanding

NEITHER = "都不是"
# Above this it is not asked whether something else was meant.
SURE = 0.9
WORTH_OFFERING = 0.1
COMMONEST = ("facility_repair", "parking")
ASK = "您说的是哪一件？"
AGAIN = "那请您换个说法，说说是什么事、在哪里。"


def handle(turn: Turn) -> Reply:
    """Offer what it may be; said in vain twice, a person gets the words."""
    words = [*_said_before(turn), turn.text]
    if len(words) > 2:
        return to_person(turn, words)
    item = turn.item
    intents = _offered(turn)
    options = (*(turn.catalogue.intents[intent].title for intent in intents), NEITHER)
    data = {"words": words, "intents": intents, "act": item.act, "slots": as_data(item.slots)}
    return Reply(ASK, options, Question("clarify", "which", ASK, options, data=data))


def unless_sure(turn: Turn, nothing: str) -> Reply:
    """For intents about a ticket when there is none: «那个又不行了» may be a new matter."""
    if turn.understanding is None or turn.item.confidence >= SURE:
        return Reply(nothing)
    return handle(turn)


def _offered(turn: Turn) -> list[str]:
    """The two likeliest things to do something about; words that say nothing get the commonest."""
    item = turn.item
    scored = [(item.intent, item.confidence), *item.alternatives]
    likely = [intent for intent, confidence in scored if confidence >= WORTH_OFFERING]
    matters = [i for i in likely if turn.catalogue.intents[i].group != "conversation"]
    return list(dict.fromkeys([*matters, *COMMONEST]))[:2]


def answer(turn: Turn, said: Answer) -> Reply | None:
    question = turn.question
    if question is None:
        return None
    if question.about == "which" and said.choice is not None:
        chosen = list(question.data["intents"])
        if said.choice < len(chosen):
            return _go_on(turn, question, chosen[said.choice])
        return Reply(AGAIN, question=Question("clarify", "again", AGAIN, data=question.data))
    if turn.understanding is None or turn.item.decision == "act":
        return None
    return to_person(turn, [*question.data["words"], turn.text])


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
    dispatch.dispatch(turn.work, ticket)
    due = notices.due(turn.work, ticket)
    return Reply(f"我没听懂，已转工作人员，前面说的都带上了（编号{ticket.number}）。{due}回复您。")


def _said_before(turn: Turn) -> list[str]:
    question = turn.question
    if question is None or question.handler != "clarify":
        return []
    return list(question.data["words"])


def _go_on(turn: Turn, question: Question, intent: str) -> Reply:
    """As if the first words had been understood so."""
    item = Item(intent, "act", 1.0, (), question.data["act"], from_data(question.data["slots"]))
    turn.understanding = Understanding((item,), emergency=intent == "emergency")
    turn.incoming = replace(turn.incoming, text=" ".join(question.data["words"]))
    return turn.route()


def as_data(slots: Mapping[str, tuple[Slot, ...]]) -> dict[str, list[list[Any]]]:
    return {name: [[s.text, s.start, s.value] for s in found] for name, found in slots.items()}


def from_data(data: Mapping[str, list[list[Any]]]) -> dict[str, tuple[Slot, ...]]:
    return {name: tuple(Slot(*values) for values in found) for name, found in data.items()}
