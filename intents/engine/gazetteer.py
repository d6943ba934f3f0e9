"""The named places of a site, found in one pass however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

from intents.engine.normalise import fold


class Gazetteer:
    """Built from ``(canonical name, aliases)`` pairs; the longest name wins, then the earlier."""

    def __init__(self, places: Iterable[tuple[str, Iterable[str]]]) -> None:
        names: dict[str, str] = {}
        for canonical, aliases in places:
            for name in (canonical, *aliases):
                if name.strip():
                    names.setdefault(fold(name.strip()), canonical)
        self._canonical = list(names.values())
        self._search = AhoCorasick(list(names), matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str) -> Sequence[tuple[int, int, str]]:
        """Non-overlapping ``(start, end, canonical name)`` of the places named in ``text``."""
        if not self._canonical:
            return ()
        found = self._search.find_matches_as_indexes(fold(text))
        return [(start, end, self._canonical[name]) for name, start, end in found]
