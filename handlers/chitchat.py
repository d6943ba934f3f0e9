"""What is none of the subdistrict's business, said kindly, with what is."""

from __future__ import annotations

from bot.conversation.turn import Reply, Turn
from handlers import clarify

CANNOT = "这个我办不了。我能：登记报修和投诉、查进度、回答办事的问题、转人工。"
# As long as this, somebody meant something, even if it was not understood.
LONG = 30


def handle(turn: Turn) -> Reply:
    if turn.item.intent != "chitchat" and len(turn.text) >= LONG:
        return clarify.handle(turn)
    return Reply(CANNOT)
