"""The default of every topic: open a ticket, asking only for what is missing."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models import Ticket
from bot.services import dispatch, notices
from bot.services.talks import Question
from handlers.draft import Draft
from handlers.home import Home, home_of
from intents.engine.catalogue import SlotSpec

WHERE = "请问是哪个小区、几号楼？"
HERE, ELSEWHERE = "是", "不是，在别处"
# An answer this long that names no slot is a new matter rather than a place.
LONGEST_PLACE = 24


def handle(turn: Turn) -> Reply:
    return advance(turn, Draft.start(turn, turn.item))


def advance(turn: Turn, draft: Draft, *, home: bool = True) -> Reply:
    """Ask for the next missing thing, or open the ticket. ``home``: the bound home may be offered."""
    missing = draft.missing(turn)
    if missing is None:
        return submit(turn, draft)
    known = home_of(turn) if home else None
    if known is not None and missing.name in ("place", "building"):
        return _offer_home(turn, draft, missing, known)
    return _ask(draft, missing, WHERE if draft.knows_nothing(turn) else missing.question)


def answer(turn: Turn, said: Answer) -> Reply | None:
    """The awaited slot, in whatever words; None when the message is about something else."""
    question = turn.question
    if question is None:
        return None
    draft = Draft.load(question.data)
    wanted = str(question.data["wanted"])
    if question.about == "home" and said.choice is not None:
        draft.messages.append(turn.message.id)
        known = home_of(turn)
        if said.choice == 0 and known is not None:
            draft.slots |= known.slots
        return advance(turn, draft, home=False)
    slots = {} if turn.understanding is None else turn.item.slots
    if wanted not in slots and _another_matter(turn):
        return None
    if turn.incoming.point is not None:
        draft.point = list(turn.incoming.point)
    draft.learn(slots)
    text = mask(turn.text.strip()).replace("<", "").replace(">", "")
    if wanted not in draft.slots and draft.point is None and text:
        draft.slots[wanted] = {"text": text[:LONGEST_PLACE], "value": None}
    draft.say(turn)
    return advance(turn, draft, home=False)


def submit(turn: Turn, draft: Draft) -> Reply:
    """The ticket and where it went, in one breath."""
    ticket = draft.open(turn)
    dispatch.dispatch(turn.work, ticket)
    return Reply(said(turn, ticket))


def said(turn: Turn, ticket: Ticket) -> str:
    due = notices.due(turn.work, ticket)
    if ticket.act == "consult":
        return f"您问的记下了：{notices.name(ticket)}。工作人员{due}答复您。"
    if ticket.act == "suggest":
        return f"谢谢您的建议，已登记：{notices.name(ticket)}。{due}给您回音。"
    if ticket.state == "dispatched":
        unit = notices.unit_of(turn.work, ticket)
        return f"已登记：{notices.name(ticket)}。已派给{unit}，{due}办结。"
    return f"已登记：{notices.name(ticket)}。值班室会尽快安排，{due}办结。"


def _another_matter(turn: Turn) -> bool:
    """Confidently something else, and too much of it to be the name of a place."""
    if turn.understanding is None:
        return False
    item = turn.item
    if item.decision != "act":
        return len(turn.text) > LONGEST_PLACE
    return turn.question is not None and item.intent != turn.question.data["draft"]["intent"]


def _ask(draft: Draft, spec: SlotSpec, text: str) -> Reply:
    question = Question(
        "report", "slot", text, expecting=spec.name, data=draft.data(wanted=spec.name)
    )
    return Reply(text, question=question)


def _offer_home(turn: Turn, draft: Draft, spec: SlotSpec, home: Home) -> Reply:
    text = f"是您家那里吗？（{home.said}）"
    options = (HERE, ELSEWHERE)
    question = Question("report", "home", text, options, spec.name, draft.data(wanted=spec.name))
    return Reply(text, options, question)
