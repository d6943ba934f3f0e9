"""What the classifier sees of a text: its characters, pairs of characters and words.

They are a set, so stretched marks and characters («！！！！», «哈哈哈哈») need no care.
Triples were measured and left out: with them the model was right in 77.5 % of another writer's
sentences instead of 78.8 %, at twice the size.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from operator import add

from intents.engine.segment import Segment

_number = re.compile(r"\d+")


def visible(folded: str) -> str:
    """Folded text without its particular numbers: only short or long."""
    return _number.sub(_short_or_long, folded)


def _short_or_long(number: re.Match[str]) -> str:
    return "0" if len(number[0]) < 5 else "9"


def grams_and_words(folded: str, segment: Segment) -> tuple[set[str], set[str]]:
    """All features of one text, as strings."""
    text = visible(folded)
    return {*text, *map(add, text, text[1:])}, set(segment(text))


class Vocabulary:
    """The features a model knows, numbered; words and characters in separate spaces."""

    def __init__(self, grams: Sequence[str], words: Sequence[str]) -> None:
        self._gram = {gram: i for i, gram in enumerate(grams)}.get
        self._word = {word: i for i, word in enumerate(words, len(grams))}.get
        self.size = len(grams) + len(words)

    def ids(self, folded: str, segment: Segment) -> Collection[int]:
        """The numbers of the known features, each once, then ``size``, which stands for none."""
        text = visible(folded)
        found = {*map(self._gram, text), *map(self._gram, map(add, text, text[1:]))}
        found.update(map(self._word, segment(text)))
        found.discard(None)
        found.add(self.size)
        return found  # type: ignore[return-value]
