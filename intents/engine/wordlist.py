"""Many words looked for at once; «摔…起不来» means both parts, in that order, near each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from intents.engine.normalise import fold

T = TypeVar("T")
GAP = "…"
MAX_GAP = 14


class Hit(NamedTuple, Generic[T]):
    """Where a word was found, what it stands for, and how many characters it names."""

    start: int
    end: int
    value: T
    weight: int


class WordList(Generic[T]):
    """Finds all its words in one pass over folded text."""

    def __init__(self, words: Iterable[tuple[str, T]]) -> None:
        self._whole: dict[int, list[T]] = {}
        self._starts: dict[int, list[tuple[tuple[int, ...], T, int]]] = {}
        parts: dict[str, int] = {}
        for word, value in words:
            ids = tuple(parts.setdefault(part, len(parts)) for part in fold(word).split(GAP))
            if len(ids) == 1:
                self._whole.setdefault(ids[0], []).append(value)
            else:
                entry = (ids[1:], value, len(word) - len(ids) + 1)
                self._starts.setdefault(ids[0], []).append(entry)
        self._search = AhoCorasick(list(parts), matchkind=MatchKind.Standard)

    def find(self, folded: str) -> list[Hit[T]]:
        """Every word found, overlapping ones too."""
        found: list[tuple[int, int, int]] = self._search.find_matches_as_indexes(
            folded, overlapping=True
        )
        hits: list[Hit[T]] = []
        for part, start, end in found:
            for value in self._whole.get(part, ()):
                hits.append(Hit(start, end, value, end - start))
            for rest, value, weight in self._starts.get(part, ()):
                last = _follow(rest, end, found)
                if last is not None:
                    hits.append(Hit(start, last, value, weight))
        return hits


def _follow(rest: tuple[int, ...], end: int, found: list[tuple[int, int, int]]) -> int | None:
    """Where the last of the following parts ends, each beginning soon after the one before."""
    for wanted in rest:
        ends = [e for part, s, e in found if part == wanted and end <= s <= end + MAX_GAP]
        if not ends:
            return None
        end = min(ends)
    return end
