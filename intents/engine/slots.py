"""The details a message names: place, building, phone, plate and ticket, as exact substrings.

Each finder sees the text with what earlier ones took blanked out, so that a phone number never
yields a room nor a plate a ticket.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from intents.engine.building import find_buildings
from intents.engine.numerals import DIGITS
from intents.understanding import Gazetteer, Home, Slot

Found = tuple[int, int, Any]
_TAKEN = "\ue000"
ADDRESS = "@"

_ticket = re.compile(r"(?<![\da-z])(?:t\s?)?(20\d{6})[\s-]{0,2}(\d{4,6})(?!\d)")
_serial = re.compile(
    r"(?:(?<=尾号)|(?<=尾号是)|(?<=单号)|(?<=编号)|(?<=工单)|(?<=工单号)|(?<=单子)|(?<=单号是)"
    r"|(?<=编号是)|(?<=\#))\s?:?\s?(\d{4,6})(?![\d元])"
    r"|(?<![\d.:/-])(\d{4,6})(?=号?(?:那[个件条]|这[个件条]|工单|单子|号单))"
    r"|(?<![\d.:/-])(0\d{3})(?![\d.:/点时元年月日室-])"
)
_tail_of_else = re.compile(
    r"(?:(?:车|手机|电话|卡|证|牌|号码)[^,.!?]{0,4}尾号是?|工号|警号)\s?:?\s?$"
).search
_plate = re.compile(
    r"([京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼])\s?([a-z])\s?[·.-]?\s?"
    r"([a-z0-9]{5,6}(?![a-z0-9])|[a-z0-9]{4}[挂学警港澳])"
)
_phone = re.compile(
    r"(?<![\da-z])(?:\+?(?:00)?86[\s-]?)?(1[3-9]\d(?:[\s-]?\d){8})(?!\d)"
    r"|(?<!\d)(\(?0\d{2,3}\)?[\s-]?[2-9]\d{2,3}[\s-]?\d{4})(?!\d)"
    r"|(?<!\d)([48]00[\s-]?\d{3}[\s-]?\d{4})(?!\d)"
    r"|(?:电话|座机|号码|联系|打|拨)[^\d,.!?]{0,4}([2-9]\d{2,3}[\s-]?\d{4})(?!\d)"
)
_home = re.compile(r"(?:我们?|咱们?|俺们?)(?:家|这?楼)(?:楼[上下]|门口|门前|楼道|隔壁|对门)?")
_digits_spoken = re.compile(r"[一二三四五六七八九零〇幺]{4,}")
_may_hold_digits = re.compile(r"\d{3}|[一二三四五六七八九零〇幺]{4}").search
_not_digits = re.compile(r"\D")


def find_slots(
    text: str,
    folded: str,
    gazetteer: Gazetteer | None = None,
    home: Home | None = None,
    expecting: str = "",
) -> Mapping[str, tuple[Slot, ...]]:
    """The slots of a message by name, each in order of the text; ``folded`` is its folded form."""
    found: dict[str, tuple[Slot, ...]] = {}
    left = folded
    if gazetteer is not None and (places := gazetteer.find(folded)):
        left = _take("place", places, text, left, found)
    if _may_hold_digits(left):
        left = _take("ticket", _tickets(_spoken_digits(left)), text, left, found)
        left = _take("plate", _plates(left), text, left, found)
        left = _take("phone", _phones(_spoken_digits(left)), text, left, found)
        left = _take("ticket", _serials(_spoken_digits(left)), text, left, found)
    if buildings := find_buildings(left, expecting == "building"):
        left = _take("building", buildings, text, left, found)
    if home is not None and "place" not in found:
        homes = [(*match.span(), home.place) for match in _home.finditer(left)]
        _take("place", homes, text, left, found)
    return found


def without_address(folded: str, slots: Mapping[str, tuple[Slot, ...]]) -> str:
    """The text to classify, as long as it was: places and buildings are marks, whatever they are called.

    «和平里2号楼1单元灯不亮了» is about a lamp, and its address says nothing about that.
    """
    for name in ("place", "building"):
        for slot in slots.get(name, ()):
            end = slot.start + len(slot.text)
            folded = folded[: slot.start] + ADDRESS * len(slot.text) + folded[end:]
    return folded


def _take(
    name: str, spans: Iterable[Found], text: str, left: str, found: dict[str, tuple[Slot, ...]]
) -> str:
    """Adds what was found and returns the text with it blanked out."""
    for start, end, value in spans:
        found[name] = (*found.get(name, ()), Slot(text[start:end], start, value))
        left = left[:start] + _TAKEN * (end - start) + left[end:]
    return left


def _spoken_digits(text: str) -> str:
    """Numbers read out digit by digit, «幺三八…», as digits."""
    return _digits_spoken.sub(lambda run: run[0].translate(DIGITS), text)


def _tickets(text: str) -> list[Found]:
    return [(*m.span(), f"T{m[1]}-{m[2]}") for m in _ticket.finditer(text)]


def _serials(text: str) -> list[Found]:
    return [
        (*m.span(m.lastindex or 0), m[m.lastindex or 0])
        for m in _serial.finditer(text)
        if not _tail_of_else(text, 0, m.start(m.lastindex or 0))
    ]


def _plates(text: str) -> list[Found]:
    return [(*m.span(), "".join(m.groups()).upper()) for m in _plate.finditer(text)]


def _phones(text: str) -> list[Found]:
    return [
        (*(m.span(4) if m[4] else m.span()), _not_digits.sub("", m[m.lastindex or 0]))
        for m in _phone.finditer(text)
    ]
