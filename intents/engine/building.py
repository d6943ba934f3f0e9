"""Where in a compound: the unbroken run of building, unit, floor and room, in every spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from intents.engine.numerals import read

_CN = "[一二三四五六七八九十百零〇]"
_NUM = rf"(?:\d{{1,3}}|{_CN}{{1,4}})"
_CN_ROOM = "[一二三四五六七八九][一二三四五六七八九零〇幺]{2,3}"
# A room is floor and two digits, so «300-500元» is none.
_ROOM_DIGITS = r"(?!0)\d{1,2}(?:0[1-9]|[12]\d|3[0-2])(?!\d)"
_CALLED_ROOM = r"(?!1(?:10|14|19|20|22)(?!\d))"  # the numbers to ring are no rooms
_ROOM = rf"(?:[a-f]?{_ROOM_DIGITS}|{_CN_ROOM})(?:\s?(?:号房间?|室|房间?))?(?![元块米年岁人天度])"
_SEP = r"[\s-]{0,2}"

# «一栋楼» and «两栋» count buildings, «哪一栋» asks for one.
_BUILDING = rf"""(?P<building>\d{{1,3}}|(?<![每哪同整这那]){_CN}{{1,4}}|[a-h]\d?|\d{{1,2}}[a-d])\s?(?:
      号楼 | 号栋 | (?<=[0-9a-h\s])[栋幢]楼? | [栋幢](?!楼) | (?<=[0-9a-h])\s?座 | \#楼? | 楼栋
    | (?:号|楼)(?=\s?(?:{_NUM}|[a-h东西南北中])\s?单元)
    | 号(?={_SEP}{_ROOM_DIGITS})
)"""
_UNIT = rf"(?P<unit>{_NUM}|[a-h东西南北中])\s?(?:单元|门洞|号门洞)"
_FLOOR = rf"""(?:(?P<below>地下|负)\s?)?(?P<floor>{_NUM}|[二三四五六七八九]?十几)\s?
    (?:楼(?![梯道组长])|层(?![楼层灰油土水冰膜皮纸]))"""

_run = re.compile(
    rf"""(?=[\d一二三四五六七八九十百零〇a-h东西南北中地负])(?<![\da-z])(?:
      (?P<dash_building>[1-9]\d{{0,2}})\s?[-/#]\s?(?:(?P<dash_unit>[1-9]\d?)\s?[-/]\s?)?
        (?P<dash_room>{_ROOM_DIGITS})(?![-/\d元块米年岁人天度])
    | {_BUILDING}
      (?:{_SEP}{_UNIT})?(?:{_SEP}(?:{_FLOOR}|(?P<top>顶楼|顶层)))?(?:{_SEP}(?P<room>{_ROOM}))?
    | {_UNIT.replace("<unit>", "<unit2>")}
      (?:{_SEP}{_FLOOR.replace("<floor>", "<floor2>").replace("<below>", "<below2>")})?
      (?:{_SEP}(?P<room2>{_ROOM}))?
    | {_FLOOR.replace("<floor>", "<floor3>").replace("<below>", "<below3>")}
      (?:{_SEP}(?P<room3>{_ROOM}))?
    | (?P<room4>(?:[a-f]?{_ROOM_DIGITS}|{_CN_ROOM})\s?(?:号房间?|室|房间?))
    | (?<=[住在是家壁上下对门到])(?P<room5>{_CALLED_ROOM}{_ROOM_DIGITS})(?![:点路元块米年月日岁人天度分线次-])
    | (?P<room6>{_CALLED_ROOM}{_ROOM_DIGITS})(?=的|家|那家|那户|住户|业主|租户|门口)
    )""",
    re.VERBOSE,
)
# Which part each group of the pattern is: a name may be used once, so they carry numbers.
_kinds = [name.removeprefix("dash_").rstrip("23456") for name in _run.groupindex]
_may_hold_one = re.compile(r"[楼层栋幢座室房#洞]|单元|\d{3}").search
_bare = re.compile(
    r"\s*(?:(?P<building>\d{1,2}|[一二三四五六七八九十]{1,3}|[a-h])号?|(?P<room>\d{3,4}))\s*"
)


def find_buildings(text: str, expected: bool = False) -> list[tuple[int, int, Any]]:
    """``(start, end, value)`` of each run in folded text.

    ``expected``: it was asked for, so a bare «3» or «501» is an answer too.
    """
    found = []
    if _may_hold_one(text):
        for match in _run.finditer(text):
            found.append((*match.span(), _value(zip(_kinds, match.groups(), strict=True))))
    if expected and not found and (bare := _bare.fullmatch(text)):
        group = "building" if bare["building"] else "room"
        found.append((*bare.span(group), _value([(group, bare[group])])))
    return found


def _value(parts: Iterable[tuple[str, str | None]]) -> dict[str, str | None] | None:
    value: dict[str, str | None] = {"building": None, "unit": None, "floor": None, "room": None}
    below = False
    for kind, text in parts:
        if not text:
            continue
        if kind == "below":
            below = True
        elif kind == "top":
            value["floor"] = "顶"
        else:
            number = _read(text)
            value[kind] = f"-{number}" if number and below and kind == "floor" else number
    return value if any(value.values()) else None


def _read(text: str) -> str | None:
    """A part's number or letter; 室 and 房 say nothing more."""
    text = text.strip().rstrip("室号房间 ")
    return text if text in "东西南北中" else read(text)
