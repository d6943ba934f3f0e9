"""Lines in, understood lines out, in the format that outside checks read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from intents.engine.engine import Engine
from intents.understanding import Gazetteer, Item, Query, Understanding

_BATCH = 64


def classify(
    engine: Engine, lines: Iterable[str], *, gazetteer: Gazetteer | None, at: datetime
) -> Iterator[dict[str, Any]]:
    """One JSON-able object a line, in order, for empty lines too."""
    left = iter(lines)
    while batch := list(islice(left, _BATCH)):
        texts = [line.rstrip("\r\n") for line in batch]
        understood = engine.understand([Query(text, at, gazetteer) for text in texts])
        yield from map(_as_json, texts, understood)


def _as_json(text: str, understood: Understanding) -> dict[str, Any]:
    items = [_item_as_json(item) for item in understood.items]
    return {"text": text, "emergency": understood.emergency, "items": items}


def _item_as_json(item: Item) -> dict[str, Any]:
    return {
        "intent": item.intent,
        "decision": item.decision,
        "confidence": round(item.confidence, 4),
        "alternatives": [[intent, round(p, 4)] for intent, p in item.alternatives],
        "act": item.act,
        "slots": {
            name: [{"text": slot.text, "start": slot.start, "value": slot.value} for slot in slots]
            for name, slots in item.slots.items()
        },
    }
