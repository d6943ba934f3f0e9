"""Which of a resident's tickets is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.conversation.turn import Reply, Turn
from bot.models import Ticket
from bot.services import tickets
from bot.services.talks import Question

_PRESSING = re.compile(
    "还没|怎么还|咋还|还不|催|快点|快些|赶紧|几天了|多少天|多久了|三天|一个?(?:星期|礼拜|月)|没人管|没动静|没消息|拖"
)


def presses(turn: Turn) -> bool:
    """«怎么还没修»: impatient about something that was told before."""
    blames = turn.understanding is not None and turn.item.act == "complain"
    return blames or _PRESSING.search(turn.text) is not None


def number_of(turn: Turn) -> str:
    """The ticket number that was said, or its end («0007那个»); empty when none was."""
    slots = turn.item.slots.get("ticket", ()) if turn.understanding is not None else ()
    return str(slots[0].value or slots[0].text) if slots else ""


def open_ones(turn: Turn) -> list[Ticket]:
    """What the resident has under way, of the number that was said if one was."""
    number = number_of(turn)
    mine = tickets.of_resident(turn.work, turn.resident)
    return [ticket for ticket in mine if ticket.is_open and ticket.number.endswith(number)]


def which(turn: Turn, candidates: Sequence[Ticket], handler: str, about: str, **kept: str) -> Reply:
    """Ask which one; the answer comes back to ``handler`` with ``about`` and what was ``kept``."""
    shown = candidates[:5]
    options = tuple(f"{ticket.summary}({ticket.number})" for ticket in shown)
    data = {"tickets": [ticket.number for ticket in shown], **kept}
    text = f"您有{len(shown)}件事，说的是哪件？"
    return Reply(text, options, Question(handler, about, text, options, data=data))
