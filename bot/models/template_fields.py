"""From a site's expressions to a template message's values, each within the platform's limits.

An expression is names and 'literals' joined by ``+``: ``"'编号' + number"``. The names are NAMES;
an unknown value is empty. A ``const`` keyword takes listed values only, so they follow after ``|``,
the first standing for whatever is not listed; ``ours=theirs`` renames one:
``"state | 处理中 待受理=已受理 已办结"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

# due and time come as «2026-11-22 15:01» or ISO 8601, in the office's own zone.
NAMES: Final = ("number", "summary", "state", "place", "unit", "due", "time", "text", "name")
PURPOSES: Final = ("task", "update", "reminder", "follow_up", "alert")

_KEYWORD: Final = re.compile(r"([a-z_]+?)\d+")
_PIECE: Final = re.compile(r"\s*(?:'([^']*)'|([A-Za-z_]+))\s*(\+|$)")
_MOMENT: Final = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?(?:[T ]*(\d{1,2}):(\d{2}))?")


@dataclass(frozen=True, slots=True)
class Expression:
    """``pieces`` are (is a name, text) in order; ``listed`` our word → the platform's."""

    pieces: tuple[tuple[bool, str], ...]
    listed: Mapping[str, str]

    def value(self, values: Mapping[str, str]) -> str:
        text = "".join(values.get(piece, "") if named else piece for named, piece in self.pieces)
        if not self.listed:
            return text
        return self.listed.get(text) or next(iter(self.listed.values()))


@cache
def parse(keyword: str, expression: str) -> Expression:
    """Raises ValueError, in words for the person who wrote the site file."""
    kind = kind_of(keyword)
    source, bar, listed = expression.partition("|")
    pairs = dict(_listed(item) for item in listed.split())
    if kind == "const" and not pairs:
        raise ValueError("const 只能填平台列出的值，请写在 | 后面，如 state | 处理中 已办结")
    if bar and kind != "const":
        raise ValueError("只有 const 可以在 | 后面列出值")
    return Expression(tuple(_pieces(source)), pairs)


def kind_of(keyword: str) -> str:
    """``thing`` of ``thing12``; ValueError for what the platform has no such keyword for."""
    match = _KEYWORD.fullmatch(keyword)
    if match is None or match[1] not in _FITTED:
        raise ValueError(f"「{keyword}」不是模板字段名，应为 thing1、time2 这样的形式")
    return match[1]


def render_fields(template_fields: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Keyword → a value that the platform accepts, never empty.

    A moment that is not known is shown as ``time``, which ``values`` should therefore hold.
    """
    return {
        keyword: _fitted(kind_of(keyword), parse(keyword, expression).value(values), values)
        for keyword, expression in template_fields.items()
    }


def _pieces(source: str) -> list[tuple[bool, str]]:
    pieces, at, joined = [], 0, True
    while joined:
        match = _PIECE.match(source, at)
        if match is None:
            raise ValueError(f"看不懂表达式「{source.strip()}」，应为 名称、'文字' 或用 + 连接")
        literal, name, plus = match.groups()
        if name is not None and name not in NAMES:
            raise ValueError(f"没有「{name}」这个名称，可用的有 {'、'.join(NAMES)}")
        pieces.append((name is not None, name or literal or ""))
        at, joined = match.end(), bool(plus)
    return pieces


def _listed(item: str) -> tuple[str, str]:
    ours, renamed, theirs = item.partition("=")
    if renamed and not (ours and theirs):
        raise ValueError(f"「{item}」应写成 我们的词=平台的词")
    return ours, theirs or ours


def _fitted(kind: str, text: str, values: Mapping[str, str]) -> str:
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    if kind in ("time", "date"):
        return _moment(text) or _moment(values.get("time", "")) or "-"
    fit, nothing = _FITTED[kind]
    return fit(text).strip() or nothing


def _moment(text: str) -> str:
    """«2026-11-22 15:01», or the day alone where no time is said; empty if there is none."""
    match = _MOMENT.search(text)
    if match is None:
        return ""
    year, month, day, hour, minute = (int(part) if part else 0 for part in match.groups())
    try:
        moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001  (a wall clock's words)
    except ValueError:
        return ""
    return f"{moment:%Y-%m-%d %H:%M}" if match[4] else f"{moment:%Y-%m-%d}"


def _cut(limit: int, allowed: str = ".") -> Callable[[str], str]:
    """Keeps the characters that match ``allowed``, shortened to ``limit`` of them."""
    pattern = re.compile(allowed)

    def fit(text: str) -> str:
        return "".join(pattern.findall(text))[:limit]

    return fit


def _thing(text: str) -> str:
    """20 characters as the platform counts them: an emoji is two."""
    if _width(text) <= 20:
        return text
    while _width(text) > 19:
        text = text[:-1]
    return text + "…"


def _width(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _name(text: str) -> str:
    """10 Chinese characters or 20 letters, not both."""
    chinese = _cut(10, r"[\u3400-\u9fff·]")(text)
    return chinese or _cut(20, r"[A-Za-z ]")(text)


def _plate(text: str) -> str:
    """At least two characters, or it is none."""
    plate = _cut(8, r"[A-Z0-9\u4e00-\u9fff]")(text)
    return plate if len(plate) > 1 else ""


def _amount(text: str) -> str:
    match = re.search(r"\d{1,10}(\.\d{1,2})?元?", text)
    return match[0] if match else ""


def _number(text: str) -> str:
    match = re.search(r"-?\d{1,16}(\.\d{1,8})?", text)
    return match[0] if match else ""


# What makes a value of the kind from any text, and what is shown where nothing remains of it.
_FITTED: Final[Mapping[str, tuple[Callable[[str], str], str]]] = {
    "thing": (_thing, "无"),
    "const": (_thing, "无"),
    "character_string": (_cut(32, "[!-~]"), "-"),
    "number": (_number, "0"),
    "letter": (_cut(32, "[A-Za-z]"), "N"),
    "symbol": (_cut(5, r"[^\w\s]"), "-"),
    "phrase": (_cut(5, r"[\u3400-\u9fff]"), "无"),
    "name": (_name, "无"),
    "phone_number": (_cut(17, r"[\d+()*-]"), "-"),
    "car_number": (_plate, "暂无"),
    "amount": (_amount, "0元"),
    "time": (_moment, ""),
    "date": (_moment, ""),
}
