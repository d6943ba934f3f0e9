"""What goes into the understanding and what comes out: plain values, no database, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

Act = Literal["report", "consult", "complain", "suggest", "praise", "none"]
Decision = Literal["act", "ask", "refuse"]
ACTS: tuple[Act, ...] = ("report", "consult", "complain", "suggest", "praise", "none")
SLOT_NAMES = ("place", "building", "time", "phone", "plate", "person", "ticket")


class Gazetteer(Protocol):
    """The named places of a site; see ``intents.engine.gazetteer``."""

    def find(self, text: str) -> Sequence[tuple[int, int, str]]:
        """Non-overlapping ``(start, end, canonical name)`` of the places named in ``text``."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the writer lives, as far as bound: «我家楼下» resolves to it."""

    place: str
    building: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One message to understand. ``at`` is aware; ``expecting`` names the slot or option asked for."""

    text: str
    at: datetime
    gazetteer: Gazetteer | None = None
    home: Home | None = None
    expecting: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """An exact substring of the message: ``text == message[start:start + len(text)]``.

    ``value`` is JSON-able, None when it cannot be resolved: place → canonical name; building →
    {"building", "unit", "floor", "room"} (strings or None); time → {"from", "to"} ISO 8601 with
    offset; phone → digits; plate → capitals without the dot; person, ticket → text.
    """

    text: str
    start: int
    value: Any


@dataclass(frozen=True, slots=True)
class Item:
    """One thing asked. ``alternatives`` are (intent, confidence) without ``intent``, best first;
    ``span`` is the (start, end) of the clauses it was read from."""

    intent: str
    decision: Decision
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    act: Act
    slots: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    span: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Understanding:
    """``items`` is never empty and in order of the text; ``emergency`` iff one item is one."""

    items: tuple[Item, ...]
    emergency: bool = False
