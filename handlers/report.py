"""The default of every topic: open a ticket, asking only for what is missing."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation.turn import Answer, Reply, Turn
from bot.masking import mask
from bot.models import Ticket
from bot.services import dispatch, notices
from bot.services.talks import Question
from handlers.draft import Draft
from handlers.home import Home, home_of
from intents.engine.catalogue import SlotSpec
from intents.understanding import Slot

WHERE = "请问是哪个小区、几号楼？"
HERE, ELSEWHERE = "是", "不是，在别处"
# An answer this long that names no slot is a new matter rather than a place.
LONGEST_PLACE = 24
# Said in the middle of a report these are a digression, even when they name a place.
_DIGRESSIONS = ("progress", "human")
_AROUND_A_NAME = re.compile(r"^(?:就是|是|在)|[的吧啊呀嘛那里\W]+$")
_FILLER = re.compile(r"(?:[嗯哦噢啊喂诶哎唉好的在吗知道了你您]|\W)+")
_HEARD = {
    "image": "照片收到。",
    "video": "视频收到。",
    "voice": "语音收到，工作人员会听。",
}


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
        draft.elsewhere = said.choice != 0
        return advance(turn, draft, home=False)
    slots = _slots(turn)
    tells = bool({wanted, "place", "building"} & set(slots))
    if _another_matter(turn) and (not tells or turn.item.intent in _DIGRESSIONS):
        return None
    if turn.incoming.point is not None:
        draft.point = list(turn.incoming.point)
    draft.learn(slots)
    text = mask(turn.text.strip()).replace("<", "").replace(">", "")
    draft.say(turn)
    if turn.incoming.kind == "location" and text:
        draft.slots["place"] = {"text": text[:LONGEST_PLACE], "value": None}
    elif not tells and draft.point is None and text:
        if question.fails == 0 and _nothing_new(turn, draft):
            return _ask_simpler(turn, draft, question.failed())
        draft.slots[wanted] = {"text": text[:LONGEST_PLACE], "value": None}
    reply = advance(turn, draft, home=False)
    heard = "" if turn.text else _HEARD.get(turn.incoming.kind, "")
    return replace(reply, text=f"{heard}{reply.text}")


def _slots(turn: Turn) -> dict[str, tuple[Slot, ...]]:
    """What the answer names; «阳光» is enough where only one place is called so."""
    slots = {} if turn.understanding is None else dict(turn.item.slots)
    words = _AROUND_A_NAME.sub("", turn.text.strip())
    if "place" in slots or len(words) < 2:
        return slots
    near = [
        area.name
        for area in turn.site.areas.values()
        if area.kind != "street" and any(words in name for name in (area.name, *area.aliases))
    ]
    if len(near) == 1:
        slots["place"] = (Slot(words, turn.text.find(words), near[0]),)
    return slots


def _nothing_new(turn: Turn, draft: Draft) -> bool:
    """A mere «嗯», or the matter told once more instead of where it is."""
    if turn.understanding is None or _FILLER.fullmatch(turn.text):
        return True
    return turn.item.decision == "act" and turn.item.intent == draft.intent


def _ask_simpler(turn: Turn, draft: Draft, question: Question) -> Reply:
    """The same question in plainer words; after that, whatever is said is taken as the answer."""
    wanted = str(question.data["wanted"])
    spec = turn.catalogue.intents[draft.intent].slot(wanted)
    text = question.text if question.options or spec is None else spec.simpler
    question = replace(question, text=text, data=draft.data(wanted=wanted))
    return Reply(text, question.options, question)


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
