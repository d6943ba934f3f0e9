"""What the doctor says about one thing, in words for the person who installs the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``title`` is what was found, ``advice`` what to do about it (empty when ``ok``)."""

    level: Level
    title: str
    advice: str = ""


def ok(title: str) -> Finding:
    return Finding("ok", title)


def warn(title: str, advice: str) -> Finding:
    return Finding("warn", title, advice)


def error(title: str, advice: str) -> Finding:
    return Finding("error", title, advice)
