"""On which line each key of a TOML text stands: tomllib parses, but forgets where."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Place = tuple[str | int, ...]


class Lines:
    """``of("area", 2, "name")`` is the line of that key, or of what it stands in.

    Made from a text that tomllib accepts. A statement is the shortest run of lines that tomllib
    accepts by itself, so strings and arrays over several lines need no grammar of ours.
    """

    def __init__(self, text: str) -> None:
        self._known: dict[Place, int] = {}
        self._count: dict[Place, int] = {}
        table: Place = ()
        for number, statement in _statements(text):
            if statement.lstrip().startswith("["):
                table = self._enter(number, tomllib.loads(statement))
            else:
                self._note(number, table, tomllib.loads(statement))

    def of(self, *place: str | int) -> int:
        """1-based; 1 for what is not in the file at all."""
        while place and place not in self._known:
            place = place[:-1]
        return self._known.get(place, 1)

    def _enter(self, number: int, header: Any) -> Place:
        """The place that a ``[header]`` or ``[[header]]`` opens."""
        place: Place = ()
        while header:
            key, header = next(iter(header.items()))
            place = (*place, key)
            self._known.setdefault(place, number)
            if isinstance(header, list):
                self._count[place] = self._count.get(place, 0) + 1
                header = header[0]
            if place in self._count:
                # Also for [area.more], which belongs to the [[area]] before it.
                place = (*place, self._count[place] - 1)
                self._known.setdefault(place, number)
        return place

    def _note(self, number: int, table: Place, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            self._known.setdefault((*table, key), number)
            if isinstance(value, Mapping):
                self._note(number, (*table, key), value)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement with the line it begins on."""
    begun, held = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        if not held and not line.partition("#")[0].strip():
            continue
        begun, held = (begun, f"{held}\n{line}") if held else (number, line)
        if _complete(held):
            yield begun, held
            held = ""


def _complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True
