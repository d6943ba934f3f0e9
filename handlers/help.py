"""Greetings, and what the account can do."""

from __future__ import annotations

from bot.conversation.turn import Reply, Turn

THREE_THINGS = (
    "一、哪里坏了、谁扰民、车被堵，直接说，我来登记派人。\n"
    "二、报过的事，问一句“怎么样了”，我查给您。\n"
    "三、要找人，说“转人工”。"
)


def handle(turn: Turn) -> Reply:
    return Reply(f"您好，这里是{turn.site.name}。\n{THREE_THINGS}")
