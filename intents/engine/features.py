"""What the classifier sees of a text: characters, pairs of characters, words, and pairs of sounds.

They are a set, so stretched marks and characters («！！！！», «哈哈哈哈») need no care. Sounds have no
tones and no accents (zh is z, ang is an, l is n): 电体 is the same pair as 电梯.

Triples of characters were measured and left out: no better on other writers' sentences, and twice
the size. Looking a whole batch up in numpy was no faster than these dictionaries, and five times as
slow for a single message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intents.engine.segment import Segment

FIRST_SOUND, LAST_SOUND = 0x4E00, 0x9FFF
_latin = re.compile(r"[a-z]{2,}(?: [a-z]{2,})*")
_number = re.compile(r"\d+|@+")

Ids = NDArray[np.intp]


class Batch(NamedTuple):
    """Numbers of the features of several texts, one text after the other, and where each starts."""

    ids: Ids
    starts: Ids


class Found(NamedTuple):
    """All features of one text, each kind for itself."""

    grams: set[str]
    words: set[str]
    sounds: set[str]


def visible(folded: str) -> str:
    """Folded text without its particular numbers, which are only short or long, and addresses."""
    return _number.sub(_mark, folded)


def _mark(found: re.Match[str]) -> str:
    if found[0][0] == "@":
        return "@"
    return "0" if len(found[0]) < 5 else "9"


class Sounds:
    """Writes texts as they sound.

    ``spelt`` has, for each character from FIRST_SOUND to LAST_SOUND, the one that stands for all of
    its sound; ``syllables`` are Latin spellings with that character behind: «ting停».
    """

    def __init__(self, spelt: str, syllables: Sequence[str]) -> None:
        self.spelt, self.syllables = spelt, syllables
        codes = range(FIRST_SOUND, LAST_SOUND + 1)
        self._table = {c: s for c, s in zip(codes, spelt, strict=True) if chr(c) != s}
        self._of = {syllable[:-1]: syllable[-1] for syllable in syllables}
        longest_first = sorted(self._of, key=len, reverse=True)
        self._syllable = re.compile("|".join(longest_first))

    def pairs(self, text: str) -> map[str]:
        if _latin.search(text):
            text = _latin.sub(self._spoken, text)
        sounds = text.translate(self._table)
        return map(add, sounds, sounds[1:])

    def _spoken(self, words: re.Match[str]) -> str:
        """«ting che wei» and «tingchewei» as three sounds; what is not all syllables stays."""
        letters = words[0].replace(" ", "")
        syllables: list[str] = self._syllable.findall(letters)
        whole = sum(map(len, syllables)) == len(letters)
        return "".join(map(self._of.__getitem__, syllables)) if whole else words[0]


def find(folded: str, segment: Segment, sounds: Sounds) -> Found:
    """The features of one text by name, to choose a vocabulary from."""
    text = visible(folded)
    return Found({*text, *map(add, text, text[1:])}, set(segment(text)), set(sounds.pairs(text)))


class Vocabulary:
    """The features a model knows, numbered: grams, words, sounds."""

    def __init__(
        self, grams: Sequence[str], words: Sequence[str], pairs: Sequence[str], sounds: Sounds
    ) -> None:
        self._gram = {gram: i for i, gram in enumerate(grams)}.get
        self._word = {word: i for i, word in enumerate(words, len(grams))}.get
        self._pair = {pair: i for i, pair in enumerate(pairs, len(grams) + len(words))}.get
        self._sounds = sounds
        self.size = len(grams) + len(words) + len(pairs)

    def batch(self, folded: Sequence[str], segment: Segment) -> Batch:
        """The known features of each text, each once, and ``size``, which stands for none."""
        ids: list[int] = []
        starts: list[int] = []
        for text in map(visible, folded):
            starts.append(len(ids))
            # The kinds share no number, so a set for each is enough, and faster than one for all.
            for found in (
                {*map(self._gram, text)},
                {*map(self._gram, map(add, text, text[1:]))},
                {*map(self._word, segment(text))},
                {*map(self._pair, self._sounds.pairs(text))},
            ):
                found.discard(None)
                ids += found  # type: ignore[arg-type]
            ids.append(self.size)
        return Batch(np.array(ids, np.intp), np.array(starts, np.intp))
