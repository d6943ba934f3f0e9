"""A request on its way to becoming a ticket: what was said, what is known, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, cast

from bot.conversation.turn import Turn
from bot.db import dumps
from bot.masking import mask
from bot.models import Area, Media, Ticket
from bot.models.actor import RESIDENT
from bot.models.office import Site
from bot.services import tickets
from intents.engine.catalogue import Intent, Matter, SlotSpec
from intents.understanding import Act, Item, Slot

# What names a person or a door is sealed; the rest may be searched and counted.
_PRIVATE = ("phone", "plate", "person", "room")


@dataclass
class Draft:
    """Kept, sealed, in the open question between two messages. ``slots``: name → {text, value}."""

    intent: str
    act: Act
    words: str
    confident: bool
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    point: list[float] | None = None
    messages: list[int] = field(default_factory=list)
    elsewhere: bool = False  # than at home, or where the QR code was
    _matter: tuple[str, Matter | None] | None = field(default=None, init=False, repr=False)

    @classmethod
    def start(cls, turn: Turn, item: Item) -> Draft:
        draft = cls(item.intent, item.act, turn.text, item.decision == "act")
        draft.messages.append(turn.message.id)
        draft.learn(item.slots)
        return draft

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Draft:
        return cls(**data["draft"])

    def data(self, **more: Any) -> dict[str, Any]:
        kept = {item.name: getattr(self, item.name) for item in fields(self) if item.init}
        return {"draft": kept, **more}

    def learn(self, slots: Mapping[str, tuple[Slot, ...]]) -> None:
        """Take over what the message told; a later word about the same thing wins."""
        for name, found in slots.items():
            if found:
                self.slots[name] = {"text": found[0].text, "value": found[0].value}

    def say(self, turn: Turn) -> None:
        if turn.text:
            self.words = f"{self.words} {turn.text}".strip()
        self.messages.append(turn.message.id)

    def text_of(self, name: str) -> str:
        return str(self.slots.get(name, {}).get("text", ""))

    def area(self, turn: Turn) -> Area | None:
        """The named place, else the area bound by a QR code or by the home."""
        named = self.slots.get("place", {}).get("value")
        if named:
            return turn.site.area_by_name.get(str(named))
        if "place" in self.slots or self.point or self.elsewhere:
            return None
        return turn.site.areas.get(turn.resident.area_id or 0)

    def matter(self, turn: Turn) -> Matter | None:
        """Looked up once for the same words: several questions are asked of it."""
        if self._matter is None or self._matter[0] != self.words:
            words = self.words
            for name in ("place", "building"):  # «3单元门口» names no 单元门
                words = words.replace(self.text_of(name) or "\0", " ")
            self._matter = (self.words, turn.catalogue.matter(self.intent, words))
        return self._matter[1]

    def knows_nothing(self, turn: Turn) -> bool:
        """Compound and building are both missing: one question asks for both."""
        names = [spec.name for spec in self._needs(turn)]
        return (
            self.area(turn) is None
            and {"place", "building"} <= set(names)
            and not {"place", "building"} & set(self.slots)
        )

    def _needs(self, turn: Turn) -> tuple[SlotSpec, ...]:
        return turn.catalogue.intents[self.intent].needs(self.act, self.matter(turn))

    def missing(self, turn: Turn) -> SlotSpec | None:
        """The first thing without which nobody would know where to go."""
        for spec in self._needs(turn):
            if spec.name in self.slots or (spec.name in ("place", "building") and self.point):
                continue
            if spec.name == "place" and self.area(turn) is not None:
                continue
            if spec.name == "building" and not _has_buildings(self.area(turn)):
                continue
            return spec
        return None

    def summary(self, turn: Turn) -> str:
        """«阳光小区3号楼 楼道灯»: what and where, without the door number."""
        where = self.where(turn.site, self.area(turn))
        return f"{where} {what(turn.catalogue.intents[self.intent], self.matter(turn))}".strip()

    def where(self, site: Site, area: Area | None) -> str:
        place = area.name if area is not None and area.kind != "street" else self.text_of("place")
        return f"{place}{self.building()[0]}"

    def building(self) -> tuple[str, str]:
        """(3号楼2单元, 501): what may be read by all, and the door."""
        slot = self.slots.get("building")
        if slot is None:
            return "", ""
        value = slot["value"]
        if not isinstance(value, dict):
            return str(slot["text"]), ""
        parts = (("building", "号楼"), ("unit", "单元"), ("floor", "层"))
        public = "".join(f"{value[key]}{name}" for key, name in parts if value.get(key))
        return public, str(value.get("room") or "")

    def open(self, turn: Turn, *, level: str = "", urgent: bool = False) -> Ticket:
        """The ticket, received, with its words masked and what is personal sealed."""
        work, intent = turn.work, turn.catalogue.intents[self.intent]
        area = self.area(turn)
        ticket = tickets.open_ticket(
            work,
            actor=RESIDENT,
            intent=self.intent,
            act=self.act,
            level=level or intent.class_for(self.act, self.matter(turn)),
            summary=self.summary(turn)[:60],
            message_id=self.messages[0],
            resident_id=turn.resident.id,
            area_id=None if area is None else area.id,
            latitude=self.point[0] if self.point else None,
            longitude=self.point[1] if self.point else None,
            urgent=urgent,
            sensitive=intent.sensitive,
            confident=self.confident,
            **self.columns(turn),
        )
        turn.message.ticket_id = ticket.id
        attach(turn, ticket, self.messages)
        return ticket

    def columns(self, turn: Turn) -> dict[str, Any]:
        """The ticket's text and slots: words masked, what is personal sealed."""
        building, room = self.building()
        open_slots = {k: mask(v["text"]) for k, v in self.slots.items() if k not in _PRIVATE}
        if building or room:
            open_slots["building"] = building
        private = {name: self.text_of(name) for name in _PRIVATE if self.text_of(name)}
        if room:
            private["room"] = room
        vault = turn.work.vault
        marks = {
            f"{name}_mark": vault.fingerprint(str(self.slots[name]["value"]))
            for name in ("phone", "plate")
            if name in self.slots
        }
        sealed = vault.seal(dumps(private)) if private else ""
        text = mask(self.words)[:2000]
        return {"text": text, "slots": open_slots, "private": sealed, **marks}


def what(intent: Intent, matter: Matter | None) -> str:
    return matter.title if matter is not None else intent.title


def attach(turn: Turn, ticket: Ticket, messages: list[int]) -> None:
    """Pictures and voices of these messages belong to the ticket."""
    for row in turn.work.pending(Media):
        if row.message_id in messages:
            row.ticket_id = ticket.id
    if len(messages) > 1 or turn.incoming.media_id:
        for row in turn.work.find(Media, cast(Any, Media).message_id.in_(messages), limit=50):
            row.ticket_id = ticket.id


def _has_buildings(area: Area | None) -> bool:
    return area is None or bool(area.buildings) or area.kind == "compound"
