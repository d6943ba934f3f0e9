"""The open question of a talk: what was asked, what is known so far, which answers were offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from bot.db import dumps
from bot.models import Conversation
from bot.work import Work

STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """``handler`` gets the answer; ``about`` tells its questions apart; ``data`` is its draft.

    ``options`` are the wordings offered, in order. ``expecting`` names the slot an answer may hold.
    ``fails`` counts answers that were not understood.
    """

    handler: str
    about: str
    text: str
    options: tuple[str, ...] = ()
    expecting: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    fails: int = 0

    def failed(self) -> Question:
        return replace(self, fails=self.fails + 1)


def open_question(work: Work, conversation: Conversation) -> Question | None:
    """The question still open; a draft nobody went on with for a day is not one any more."""
    if not conversation.state:
        return None
    stored = orjson.loads(work.vault.open(conversation.state))
    question = Question(**stored | {"options": tuple(stored["options"])})
    asked = conversation.asked_at or work.now
    if question.data.get("draft") and work.now - asked > STALE:
        return None
    return question


def put(
    work: Work,
    conversation: Conversation,
    question: Question | None,
    *,
    due_at: datetime | None = None,
) -> None:
    """Replace the open question. It may hold the resident's own words, so it is sealed."""
    sealed = "" if question is None else work.vault.seal(dumps(asdict(question)))
    conversation.state = sealed
    conversation.asked_at = None if question is None else work.now
    conversation.due_at = due_at


def ask_later(work: Work, resident_id: int | None, question: Question) -> bool:
    """Note a question that a push asks; an open one of the resident's own doing is not overwritten."""
    conversation = work.get(Conversation, resident_id)
    if conversation is None:
        return False
    current = open_question(work, conversation)
    if current is not None and current.handler not in ("feedback", "info", "appeal"):
        return False
    put(work, conversation, question)
    return True
