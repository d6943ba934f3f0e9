"""Reading ``[site]``, ``[days]``, ``[deadlines.X]`` and ``[templates.X]``: rules for everyone."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from bot.calendar import WorkCalendar
from bot.errors import SiteError
from bot.models import sla, template_fields
from bot.site_file.table import Table

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HOURS = [["09:00", "12:00"], ["13:30", "18:00"]]
_REMINDERS = ["08:00", "20:00"]


def data(root: Table) -> dict[str, Any]:
    """The JSON of ``SiteState.data``."""
    site = root.table("site")
    found = {
        "name": site.need("name"),
        "phone": site.get("phone", str, ""),
        "hours": _hours(site),
        "reminders": _reminders(site),
        "days": _days(root.table("days")),
        "deadlines": _deadlines(root.table("deadlines")),
        "templates": _templates(root.table("templates")),
    }
    site.nothing_else()
    return found


def _hours(site: Table) -> list[list[str]]:
    """The openings of a working day, a lunch break between them."""
    hours = site.get("hours", list, _HOURS)
    if not hours or not all(isinstance(pair, list) and _is_span(pair) for pair in hours):
        site.wrong("hours", 'hours 应写成 [["09:00", "12:00"], ["13:30", "18:00"]]')
        return _HOURS
    spans = [(time.fromisoformat(a), time.fromisoformat(b)) for a, b in hours]
    try:
        WorkCalendar(ZoneInfo("UTC"), spans)
    except ValueError:
        site.wrong("hours", "hours 各段要从早到晚，中间有休息，不能重叠")
    return [list(pair) for pair in hours]


def _reminders(site: Table) -> list[str]:
    given = site.get("reminders", list, _REMINDERS)
    if not _is_span(given) or given[0] >= given[1]:
        site.wrong("reminders", 'reminders 应从早到晚，写成 ["08:00", "20:00"]')
        return _REMINDERS
    return list(given)


def _is_span(pair: list[Any]) -> bool:
    return len(pair) == 2 and all(isinstance(x, str) and _CLOCK.fullmatch(x) for x in pair)


def _days(table: Table) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for key in table:
        works = table.get(key, bool)
        try:
            found[date.fromisoformat(key).isoformat()] = works
        except ValueError:
            table.wrong(key, f"「{key}」不是日期，应写成 2026-10-01 = false")
    return found


def _deadlines(root: Table) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for level in root:
        table = root.table(level)
        if not root.known(level, level, sla.DEFAULTS, "时限等级"):
            continue
        found[level] = {key: table.need(key) for key in table}
        for key, text in found[level].items():
            if table.known(key, key, sla.FIELDS, "时限") and text:
                _check_span(table, level, key, text)
    return found


def _check_span(table: Table, level: str, key: str, text: str) -> None:
    try:
        sla.load({level: {key: text}})
    except (SiteError, ValueError):
        none = "" if key == "finish" else "，取消写 none"
        table.wrong(key, f"「{text}」不是时限，应写成 5min、2h 或 3d{none}")


def _templates(root: Table) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for purpose in root:
        table = root.table(purpose)
        if root.known(purpose, purpose, template_fields.PURPOSES, "模板用途"):
            found[purpose] = {"id": table.need("id"), "fields": _fields(table)}
            table.nothing_else()
    return found


def _fields(table: Table) -> dict[str, str]:
    fields = table.table("fields")
    found = {keyword: fields.need(keyword) for keyword in fields}
    if not found:
        table.wrong("fields", '缺少 fields，如 fields = {thing1 = "summary"}')
    for keyword, expression in found.items():
        try:
            if expression:
                template_fields.parse(keyword, expression)
        except ValueError as error:
            fields.wrong(keyword, str(error))
    return found
