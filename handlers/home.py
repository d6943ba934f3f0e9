"""The bound home of a resident: read and written sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.conversation.turn import Turn
from bot.db import dumps
from bot.models import Area
from intents.understanding import Slot


@dataclass(frozen=True, slots=True)
class Home:
    """``slots`` as a draft holds them; ``said`` is how it is read back."""

    slots: dict[str, dict[str, Any]]

    @property
    def said(self) -> str:
        return "".join(str(slot["text"]) for slot in self.slots.values())


def home_of(turn: Turn) -> Home | None:
    area = turn.site.areas.get(turn.resident.area_id or 0)
    stored = turn.work.vault.open(turn.resident.home)
    if area is None or not stored:
        return None
    place = {"text": area.name, "value": area.name}
    return Home({"place": place, "building": json.loads(stored)})


def bind_home(turn: Turn, area: Area, building: Slot | None) -> None:
    turn.resident.area_id = area.id
    if building is not None:
        slot = {"text": building.text, "value": building.value}
        turn.resident.home = turn.work.vault.seal(dumps(slot))
