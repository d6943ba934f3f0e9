"""One form for every way of writing the same text, position by position.

``fold`` never changes the length: character ``i`` of the result stands for character ``i`` of the
message. So whatever is found in folded text is an exact substring of the original, and no map
has to be carried along.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

import opencc

MAX_CHARS = 2000

_to_simplified = partial(opencc.OpenCC("t2s").convert)
_CHINESE_MARKS = {
    "。": ".",
    "、": ",",
    "〜": "~",
    "—": "-",
    "–": "-",
    "－": "-",
    "·": "·",
    "•": "·",
}


def _fold_table() -> dict[int, str]:
    """Width, case and circled digits, wherever one character answers to exactly one other."""
    table: dict[int, str] = {}
    for code in (*range(0x00A0, 0x0250), *range(0x2000, 0x3400), *range(0xFE00, 0xFFF0)):
        one = unicodedata.normalize("NFKC", chr(code)).lower()
        if len(one) == 1 and one != chr(code):
            table[code] = one
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    table |= {ord(mark): plain for mark, plain in _CHINESE_MARKS.items()}
    # Joiners, variation selectors, marks of direction and skin tones say nothing by themselves.
    silent = (*range(0x200B, 0x2010), 0x20E3, 0x2060, *range(0xFE00, 0xFE10), 0xFEFF)
    skin_tones = range(0x1F3FB, 0x1F400)
    controls = (*range(0x20), 0x7F, *range(0x80, 0xA0))
    return table | dict.fromkeys((*silent, *skin_tones, *controls), " ")


def _simplified_characters() -> dict[str, str]:
    """The traditional characters, each with its simplified one."""
    characters = [chr(code) for code in (*range(0x3400, 0xA000), *range(0xF900, 0xFB00))]
    simplified = _to_simplified("\n".join(characters)).split("\n")
    pairs = zip(characters, simplified, strict=True)
    return {old: new for old, new in pairs if old != new and len(new) == 1}


_TABLE = _fold_table()
_simple_characters = _simplified_characters()
_TRADITIONAL = frozenset(_simple_characters)  # few texts hold one, and only they are converted
_is_plain = re.compile(r"[\u4e00-\u9fff0-9a-z,.?! ]*").fullmatch
_surrogates = re.compile(r"[\ud800-\udfff]")


def fold(text: str) -> str:
    """The text in simplified, half-width, lower-case characters, as long as it was (≤ 2,000)."""
    text = text[:MAX_CHARS]
    if not _is_plain(text):
        text = _surrogates.sub(" ", text).translate(_TABLE)
    if _TRADITIONAL.isdisjoint(text):
        return text
    simplified: str = _to_simplified(text)
    if len(simplified) == len(text):
        return simplified
    return "".join(map(_simple_characters.get, text, text))  # a phrase was reworded
