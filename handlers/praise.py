"""Thanks are answered; praise of somebody is noted for those it is meant for."""

from __future__ import annotations

import re

from bot.conversation.turn import Reply, Turn
from bot.services import dispatch
from handlers.draft import Draft

WELCOME = "不客气，有事您随时说。"
# Thanks that say little beside these words name nobody: «谢谢啊» makes no ticket.
_COURTESY = re.compile(
    "谢谢|多谢|感谢|谢|辛苦|麻烦|好的|小同志|同志|师傅|大家|客气|[你您们啊了呀哦哈好太真很大都的]|\\W"
)
SHORT = 5


def handle(turn: Turn) -> Reply:
    if len(_COURTESY.sub("", turn.text)) <= SHORT or turn.item.act != "praise":
        return Reply(WELCOME)
    draft = Draft.start(turn, turn.item)
    ticket = draft.open(turn, level="H")
    dispatch.dispatch(turn.work, ticket)
    return Reply(f"谢谢您，这份心意已记下（编号{ticket.number}），工作人员会看到。")
