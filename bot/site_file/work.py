"""Reading ``[[unit]]``, ``[[staff]]`` and ``[[duty]]``: who there is and who is on for what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bot.site_file.entries import ROLES, DutyEntry, StaffEntry, UnitEntry
from bot.site_file.table import Table

ANY_INTENT = "*"


def units(root: Table, areas: Collection[str]) -> tuple[UnitEntry, ...]:
    tables = root.tables("unit")
    entries = [_unit(table, areas) for table in tables]
    _once(tables, "name", [entry.name for entry in entries], "单位")
    desks = [table for table, entry in zip(tables, entries, strict=True) if entry.desk]
    if not desks:
        root.wrong("unit", "没有值班单位：请给一个 [[unit]] 写上 desk = true")
    for table in desks[1:]:
        first = table.complaints.line_of((*desks[0].place, "desk"))
        table.wrong("desk", f"只能有一个值班单位，第 {first} 行已有一个")
    return tuple(entries)


def _unit(table: Table, areas: Collection[str]) -> UnitEntry:
    entry = UnitEntry(
        name=table.need("name"),
        kind=table.get("kind", str, ""),
        area=table.one_of("area", areas, "区域"),
        review=table.get("review", bool, True),
        desk=table.get("desk", bool, False),
    )
    table.nothing_else()
    return entry


def staff(root: Table, units: Collection[str]) -> tuple[StaffEntry, ...]:
    tables = root.tables("staff")
    entries = [_person(table, units) for table in tables]
    _once(tables, "name", [entry.name for entry in entries], "人员")
    _once(tables, "openid", [entry.openid or "" for entry in entries], "openid")
    return tuple(entries)


def _person(table: Table, units: Collection[str]) -> StaffEntry:
    unit = table.need("unit")
    if unit:
        table.known("unit", unit, units, "单位")
    roles = table.texts("roles")
    for role in roles:
        table.known("roles", role, ROLES, "角色")
    entry = StaffEntry(
        name=table.need("name"),
        unit=unit,
        roles=tuple(dict.fromkeys(roles or ("handler",))),
        openid=table.get("openid", str),
        phone=table.get("phone", str),
    )
    table.nothing_else()
    return entry


def duties(
    root: Table,
    intents: Collection[str],
    areas: Collection[str],
    units: Iterable[UnitEntry],
    staff: Iterable[StaffEntry],
) -> tuple[DutyEntry, ...]:
    """One entry an intent and area, each pair at most once."""
    names = [unit.name for unit in units]
    unit_of = {person.name: person.unit for person in staff}
    entries: list[DutyEntry] = []
    seen: dict[tuple[str, str | None], int] = {}
    for table in root.tables("duty"):
        for entry in _duty(table, intents, areas, names):
            line = table.complaints.line_of(table.place)
            first = seen.setdefault((entry.intent, entry.area), line)
            if first != line:
                where = entry.area or "全街道"
                table.wrong("intents", f"{entry.intent} 在「{where}」的职责第 {first} 行已写过")
            entries.append(entry)
        _check_person(table, unit_of)
        table.nothing_else()
    return tuple(dict.fromkeys(entries))


def _duty(
    table: Table, intents: Collection[str], areas: Collection[str], units: Sequence[str]
) -> list[DutyEntry]:
    topics = table.texts("intents")
    if not topics:
        table.wrong("intents", '缺少 intents，如 ["facility_repair"]，全部事项写 ["*"]')
    for topic in topics:
        table.known("intents", topic, (*intents, ANY_INTENT), "事项")
    unit = table.need("unit")
    if unit:
        table.known("unit", unit, units, "单位")
    area = table.one_of("area", areas, "区域")
    person: str | None = table.get("staff", str)
    return [DutyEntry(topic, area, unit, person) for topic in topics]


def _check_person(table: Table, unit_of: dict[str, str]) -> None:
    person, unit = table.get("staff", str), table.get("unit", str)
    if person is None or not table.known("staff", person, unit_of, "人员"):
        return
    if unit_of[person] != unit:
        table.wrong("staff", f"{person} 属于「{unit_of[person]}」，不在「{unit}」")


def _once(tables: Sequence[Table], key: str, values: Sequence[str], what: str) -> None:
    seen: dict[str, int] = {}
    for table, value in zip(tables, values, strict=True):
        line = table.complaints.line_of((*table.place, key))
        if value and seen.setdefault(value, line) != line:
            table.wrong(key, f"{what}「{value}」在第 {seen[value]} 行已有")
