"""Thanks are answered; praise of somebody is noted for those it is meant for."""

from __future__ import annotations

from bot.conversation.turn import Reply, Turn
from bot.services import dispatch
from handlers.draft import Draft

WELCOME = "不客气，有事您随时说。"
# Shorter thanks name nobody: «谢谢啊» makes no ticket.
SHORT = 12


def handle(turn: Turn) -> Reply:
    if len(turn.text) <= SHORT or turn.item.act != "praise":
        return Reply(WELCOME)
    draft = Draft.start(turn, turn.item)
    ticket = draft.open(turn, level="H")
    dispatch.dispatch(turn.work, ticket)
    return Reply(f"谢谢您，这份心意已记下（编号{ticket.number}），工作人员会看到。")
