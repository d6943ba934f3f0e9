"""Numbered options: how they are shown, and how an answer is matched to one of them."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_CIRCLED = "①②③④⑤⑥⑦⑧⑨"
_CHINESE = "一二三四五六七八九"
_NUMBER = re.compile(
    rf"^(?:我?(?:选|要|是|点)|第)*\s*(?:([1-9１-９])|([{_CIRCLED}])|([{_CHINESE}]))"
    r"\s*(?:个|项|条|号|件|种)?\s*[吧啊呀哈的]?[。.，,！!、)）]*$"
)
_NOISE = re.compile(r"[\s\W_]+|^(?:就是|是|那个|选)|[吧啊呀哦呢]$")


def as_links(options: Sequence[str]) -> str:
    """Numbered lines for a passive reply; a tap on one sends its wording as the resident's message."""
    return "\n".join(
        f'<a href="weixin://bizmsgmenu?msgmenucontent={html.escape(option)}&msgmenuid={number}">'
        f"{number} {html.escape(option)}</a>"
        for number, option in enumerate(options, 1)
    )


def as_lines(options: Sequence[str]) -> str:
    return "\n".join(f"{number} {option}" for number, option in enumerate(options, 1))


def choice(options: Sequence[str], text: str) -> int | None:
    """The index meant by a number, an ordinal or the wording; None when it is something else."""
    said = text.strip()
    number = _NUMBER.match(said)
    if number is not None:
        index = _value(number)
        return index if index < len(options) else None
    words = _NOISE.sub("", said)
    exact = [i for i, option in enumerate(options) if words == _NOISE.sub("", option)]
    if exact:
        return exact[0]
    if len(words) < 2:
        return None
    near = [i for i, option in enumerate(options) if words in option or option in words]
    return near[0] if len(near) == 1 else None


def is_number(text: str) -> bool:
    """A number or ordinal by itself: an answer, to whatever question."""
    return _NUMBER.match(text.strip()) is not None


def _value(match: re.Match[str]) -> int:
    digit, circled, chinese = match.groups()
    if digit:
        return int(digit) - 1
    return _CIRCLED.index(circled) if circled else _CHINESE.index(chinese)
