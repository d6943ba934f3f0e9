"""One TOML table, read with every complaint noted at its line instead of raised."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from bot.site_file.lines import Lines, Place

_KINDS: dict[type, str] = {
    str: "文字（用引号）",
    bool: "true 或 false",
    int: "整数",
    float: "数字",
    list: "列表 […]",
    dict: "一个表",
}


class Complaints:
    """Everything wrong with a file, to be told at once."""

    def __init__(self, file: str, lines: Lines) -> None:
        self.file = file
        self._lines = lines
        self._found: set[tuple[int, str]] = set()

    def add(self, place: Place, problem: str) -> None:
        self._found.add((self._lines.of(*place), problem))

    def line_of(self, place: Place) -> int:
        return self._lines.of(*place)

    def told(self) -> list[str]:
        """``file:line: what is wrong``, in order of the file."""
        return [f"{self.file}:{line}: {problem}" for line, problem in sorted(self._found)]


class Table:
    """A table at ``place``. A value that is missing or wrong reads as the default."""

    def __init__(self, complaints: Complaints, place: Place, values: Mapping[str, Any]) -> None:
        self.complaints, self.place = complaints, place
        self._values = values
        self._read: dict[str, None] = {}  # a set in order

    def wrong(self, key: str, problem: str) -> None:
        self.complaints.add((*self.place, key), problem)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def peek(self, key: str) -> object:
        """The value as it is, where several kinds are allowed."""
        return self._values.get(key)

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        """The value if it is of ``kind``; whole numbers pass as floats."""
        self._read[key] = None
        value = self._values.get(key, default)
        if value is default:
            return default
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            self.wrong(key, f"{key} 应为{_KINDS[kind]}")
            return default
        return str(value).strip() if kind is str else value

    def need(self, key: str) -> str:
        """A text that must be there and say something."""
        value: str = self.get(key, str, "")
        if not value and not isinstance(self._values.get(key, ""), str):
            return ""
        if not value:
            self.wrong(key, f"{key} 是空的" if key in self._values else f"缺少 {key}{self._here()}")
        return value

    def _here(self) -> str:
        """For what is missing: its line alone would not tell in which table."""
        names = [step for step in self.place if isinstance(step, str)]
        return f"（在 [{'.'.join(names)}] 里）"

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, none empty."""
        values = self.get(key, list, [])
        if not all(isinstance(value, str) and value.strip() for value in values):
            self.wrong(key, f"{key} 只能是文字的列表，且不能有空的")
            return ()
        return tuple(value.strip() for value in values)

    def one_of(self, key: str, allowed: Collection[str], what: str) -> str | None:
        """A text among ``allowed``, None where it is not given or not among them."""
        value: str | None = self.get(key, str)
        if value is None:
            return None
        return value if self.known(key, value, allowed, what) else None

    def known(self, key: str, value: str, allowed: Collection[str], what: str) -> bool:
        """Whether ``value`` is among ``allowed``; if not, a complaint with the nearest one."""
        if value in allowed:
            return True
        near = get_close_matches(value, [*allowed], 1)
        hint = f"，是不是「{near[0]}」" if near else ""
        if not near and 0 < len(allowed) <= 12:
            hint = f"，可用的有 {'、'.join(allowed)}"
        self.wrong(key, f"没有「{value}」这个{what}{hint}")
        return False

    def table(self, key: str) -> Table:
        return Table(self.complaints, (*self.place, key), self.get(key, dict, {}))

    def tables(self, key: str) -> list[Table]:
        rows = self.get(key, list, [])
        if not all(isinstance(row, Mapping) for row in rows):
            self.wrong(key, f"{key} 应写成 [[{key}]]")
            return []
        return [Table(self.complaints, (*self.place, key, i), row) for i, row in enumerate(rows)]

    def nothing_else(self) -> None:
        """Complain of every key that nobody asked for: most are misspelt ones."""
        for key in self._values.keys() - self._read.keys():
            self.known(key, key, self._read, "字段")
