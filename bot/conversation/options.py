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
_YES = re.compile(r"(?:是|对|嗯|恩|好|行|没错)+(?:[的啊呀呢了吧嘛]|就是|没错)*\W*")
_NO = re.compile(r"(?:都?不[是对]?|错了|没有?)+[的啊呀呢了吧嘛]*\W*")
_DENYING = ("不是", "都不是", "没")


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
    if _YES.fullmatch(said) or _NO.fullmatch(said):
        return _yes_or_no(options, no=_NO.fullmatch(said) is not None)
    if len(words) < 2 or words.startswith(("不", "都不", "没")):
        return None
    near = [i for i, option in enumerate(options) if words in option or option in words]
    return near[0] if len(near) == 1 else None


def _yes_or_no(options: Sequence[str], *, no: bool) -> int | None:
    """«是的», «不对» to a question that offers a yes and a no, or a «都不是»."""
    if not no:
        return 0 if options and options[0] == "是" else None
    denials = [i for i, option in enumerate(options) if option.startswith(_DENYING)]
    return denials[0] if len(denials) == 1 else None


def is_number(text: str) -> bool:
    """A number or ordinal by itself: an answer, to whatever question."""
    return _NUMBER.match(text.strip()) is not None


def _value(match: re.Match[str]) -> int:
    digit, circled, chinese = match.groups()
    if digit:
        return int(digit) - 1
    return _CIRCLED.index(circled) if circled else _CHINESE.index(chinese)
