"""Reading ``[[area]]``: places that lie in each other, their other names and buildings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.site_file.entries import AREA_KINDS, AreaEntry
from bot.site_file.table import Table
from intents.engine.normalise import fold

# «1-12号楼 3单元 6层», «A座 1单元 18层», «5号楼»
_BUILDINGS = re.compile(
    r"(?:(?P<first>\d{1,3})-(?P<last>\d{1,3}))?(?P<name>\S+?)"
    r"(?:\s+(?P<units>\d{1,2})单元)?(?:\s+(?P<floors>\d{1,3})层)?"
)


def areas(root: Table) -> tuple[AreaEntry, ...]:
    """Every area after the one it lies in."""
    tables = root.tables("area")
    if not tables:
        root.wrong("area", "至少要有一个 [[area]]")
    entries = [_area(table) for table in tables]
    _names_once(tables, entries)
    parents = {entry.name: entry.within for entry in entries}
    for table, entry in zip(tables, entries, strict=True):
        if entry.within is not None:
            table.known("in", entry.within, parents, "区域")
            if _in_itself(entry.name, parents):
                table.wrong("in", f"「{entry.name}」绕了一圈又在自己里面")
    return tuple(sorted(entries, key=lambda entry: _depth(entry.name, parents)))


def _area(table: Table) -> AreaEntry:
    entry = AreaEntry(
        name=table.need("name"),
        kind=table.need("kind"),
        within=table.get("in", str),
        aliases=table.texts("aliases"),
        buildings=_buildings(table),
        latitude=_degrees(table, "latitude", 90),
        longitude=_degrees(table, "longitude", 180),
    )
    if entry.kind:
        table.known("kind", entry.kind, AREA_KINDS, "区域类型")
    if (entry.latitude is None) != (entry.longitude is None):
        table.wrong("latitude", "latitude 和 longitude 要么都写，要么都不写")
    table.nothing_else()
    return entry


def _degrees(table: Table, key: str, limit: float) -> float | None:
    value: float | None = table.get(key, float)
    if value is not None and not -limit <= value <= limit:
        table.wrong(key, f"{key} 应在 -{limit} 和 {limit} 之间")
    return value


def _names_once(tables: list[Table], entries: list[AreaEntry]) -> None:
    """No two areas may be called the same, by name or alias: nobody could tell which is meant."""
    seen: dict[str, tuple[str, int]] = {}
    for table, entry in zip(tables, entries, strict=True):
        for key, name in (("name", entry.name), *(("aliases", alias) for alias in entry.aliases)):
            line = table.complaints.line_of((*table.place, key))
            if not name or fold(name) not in seen:
                seen[fold(name)] = (entry.name, line)
                continue
            other, other_line = seen[fold(name)]
            table.wrong(key, f"「{name}」在第 {other_line} 行已是「{other}」的名称")


def _in_itself(name: str, parents: Mapping[str, str | None]) -> bool:
    above, steps = parents.get(name), 0
    while above is not None and above != name and steps <= len(parents):
        above, steps = parents.get(above), steps + 1
    return above == name


def _depth(name: str, parents: Mapping[str, str | None]) -> int:
    depth, above = 0, parents.get(name)
    while above is not None and depth <= len(parents):
        depth, above = depth + 1, parents.get(above)
    return depth


def _buildings(table: Table) -> tuple[Mapping[str, Any], ...]:
    """«1-12号楼 3单元 6层», or a list of such texts and of ``{name, units, floors}``."""
    if isinstance(table.peek("buildings"), str):
        given = [table.get("buildings", str)]
    else:
        given = table.get("buildings", list, [])
    rows = [row for item in given for row in _rows(table, item)]
    names = [row["name"] for row in rows]
    for name in {name for name in names if name and names.count(name) > 1}:
        table.wrong("buildings", f"「{name}」写了两次")
    return tuple(rows)


def _rows(table: Table, item: object) -> list[dict[str, Any]]:
    if isinstance(item, Mapping):
        inner = Table(table.complaints, (*table.place, "buildings"), item)
        row = {"name": inner.need("name")}
        row |= {key: inner.get(key, int) for key in ("units", "floors") if key in item}
        inner.nothing_else()
        return [row]
    match = _BUILDINGS.fullmatch(item.strip()) if isinstance(item, str) else None
    if match is None:
        table.wrong("buildings", f"看不懂楼栋「{item}」，应写成 1-12号楼 3单元 6层")
        return []
    size = {key: int(match[key]) for key in ("units", "floors") if match[key]}
    if match["first"] is None:
        return [{"name": match["name"], **size}]
    first, last = int(match["first"]), int(match["last"])
    if first > last:
        table.wrong("buildings", f"「{item}」从大到小了")
    return [{"name": f"{number}{match['name']}", **size} for number in range(first, last + 1)]
