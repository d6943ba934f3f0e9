"""One form for every way of writing the same text, position by position.

``fold`` never changes the length: character ``i`` of the result stands for character ``i`` of the
message. So whatever is found in folded text is an exact substring of the original, and no map
has to be carried along. Only ``squeeze``, which feeds the classifier alone, shortens.
"""

from __future__ import annotations

import re
import unicodedata
from functools import partial

import opencc

MAX_CHARS = 2000

_to_simplified = partial(opencc.OpenCC("t2s").convert)
_CHINESE_MARKS = {"。": ".", "、": ",", "〜": "~", "—": "-", "–": "-", "－": "-", "·": "·", "•": "·"}


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


_TABLE = _fold_table()
_is_plain = re.compile(r"[\u4e00-\u9fff0-9a-z,.?! ]*").fullmatch
_surrogates = re.compile(r"[\ud800-\udfff]")
_repeated = re.compile(r"([^\w\s])\1+|(\w)\2{2,}")
_blanks = re.compile(r"\s+")


def fold(text: str) -> str:
    """The text in simplified, half-width, lower-case characters, as long as it was (≤ 2,000)."""
    text = text[:MAX_CHARS]
    if not _is_plain(text):
        text = _surrogates.sub(" ", text).translate(_TABLE)
    simplified: str = _to_simplified(text)
    if len(simplified) != len(text):  # a phrase was reworded: fall back to single characters
        simplified = "".join(one if len(one := _to_simplified(c)) == 1 else c for c in text)
    return simplified


def squeeze(folded: str) -> str:
    """Folded text without blanks at the ends, stretched marks and stretched characters."""
    return _blanks.sub(" ", _repeated.sub(_shorten, folded)).strip()


def _shorten(run: re.Match[str]) -> str:
    return run[1] or run[2] * 2
