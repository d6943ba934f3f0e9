"""The site file: TOML in, checked plain values out, every mistake told with its line at once.

The format is described in the packaged file, ``bot/data/site.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

from bot.errors import SiteError
from bot.site_file import office, places, work
from bot.site_file.entries import (
    AREA_KINDS,
    ROLES,
    AreaEntry,
    DutyEntry,
    SiteFile,
    StaffEntry,
    UnitEntry,
)
from bot.site_file.lines import Lines
from bot.site_file.table import Complaints, Table
from intents.engine.catalogue import PACKAGED

__all__ = [
    "AREA_KINDS",
    "ROLES",
    "AreaEntry",
    "DutyEntry",
    "SiteFile",
    "StaffEntry",
    "UnitEntry",
    "parse",
    "read",
]


def read(path: Path, intents: Collection[str] | None = None) -> SiteFile:
    """The checked file. ``intents`` are the ids that duties may name, by default the packaged."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise _error(f"{path}: 打不开文件（{error.strerror}）") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise _error(f"{path}:{line}: 文件不是 UTF-8 编码，请另存为 UTF-8") from error
    return parse(text, str(path), intents)


def parse(text: str, file: str, intents: Collection[str] | None = None) -> SiteFile:
    """Raises SiteError whose text has one line a mistake: ``file:line: what is wrong``."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _error(_syntax(file, text, str(error))) from error
    complaints = Complaints(file, Lines(text))
    site = _site(Table(complaints, (), values), _ids() if intents is None else intents)
    mistakes = complaints.told()
    if mistakes:
        raise _error("\n".join(mistakes))
    return site


def _site(root: Table, intents: Collection[str]) -> SiteFile:
    areas = places.areas(root)
    names = {area.name for area in areas}
    units = work.units(root, names)
    staff = work.staff(root, {unit.name for unit in units})
    duties = work.duties(root, intents, names, units, staff)
    data = office.data(root)
    root.nothing_else()
    return SiteFile(areas, units, staff, duties, data)


def _error(text: str) -> SiteError:
    return SiteError(text, told=text)


def _ids() -> set[str]:
    return {path.stem for path in PACKAGED.glob("*.toml")}


def _syntax(file: str, text: str, error: str) -> str:
    """tomllib says «… (at line 3, column 5)» or «… (at end of document)»."""
    problem, _, where = error.rpartition(" (at ")
    words = where.removeprefix("line ").split(",")
    line = words[0] if words[0].isdigit() else str(text.count("\n") + 1)
    return f"{file}:{line}: 不是正确的 TOML（{problem}），请检查引号、括号和等号"
