"""«转人工»: announced, the bot silent meanwhile, with a limit, and nothing lost if nobody comes."""

from __future__ import annotations

from bot.conversation.turn import Answer, Reply, Turn
from bot.models.sla import say_due
from bot.services import handover, tickets
from bot.services.talks import Question
from handlers.draft import attach

CLOSED = "现在没人值班，您的话已留给工作人员（编号{number}），{opening}回复您。急事请打{phone}。"
CALLED = "已通知工作人员，大约10分钟内回复您（编号{number}）。这期间您说的话我都会转给他们。"
_SHOWN = {"image": "[图片]", "voice": "[语音]", "video": "[视频]", "location": "[位置]"}
BACK = "好的，不等人工了。有什么事直接告诉我。"


def handle(turn: Turn) -> Reply:
    words = "\n".join([*_said_before(turn), turn.text]).strip()
    ticket = handover.request(turn.work, turn.resident, turn.message, words)
    site, now = turn.site, turn.work.now
    if not site.calendar.is_open(now):
        opening = say_due(site.calendar.next_opening(now), now, site.zone).removesuffix("前")
        phone = str(site.data.get("phone") or "110")
        return Reply(CLOSED.format(number=ticket.number, opening=opening, phone=phone))
    question = Question("human", "waiting", CALLED, data={"ticket": ticket.number})
    return Reply(CALLED.format(number=ticket.number), question=question, wait=handover.WAIT)


def _said_before(turn: Turn) -> list[str]:
    """What was told so far goes along, so that it need not be told again."""
    data = turn.question.data if turn.question is not None else {}
    draft = data.get("draft")
    return [draft["words"]] if isinstance(draft, dict) else list(data.get("words", ()))


def answer(turn: Turn, said: Answer) -> Reply | None:
    """Everything goes to the desk while a person is awaited or talking; the bot stays silent."""
    question = turn.question
    if question is None:
        return None
    if turn.understanding is not None and turn.item.intent == "cancel":
        return Reply(BACK)
    ticket = tickets.by_number(turn.work, str(question.data["ticket"]))
    attach(turn, ticket, [turn.message.id])
    words = turn.text or _SHOWN.get(turn.incoming.kind, "[文件]")
    handover.relay(turn.work, turn.message, ticket.number, words)
    return Reply(None, keep=True)
