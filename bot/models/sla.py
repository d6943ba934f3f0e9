"""By when what must be done: the table of deadlines, and the rules of due times and cards.

A and B run on the clock. In every other class minutes, hours and days are working time, and a
working day is as many minutes as the office works in a day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.calendar import WorkCalendar
from bot.errors import SiteError

CLOCK_CLASSES: Final = frozenset("AB")
MINUTE: Final = timedelta(minutes=1)
_MINUTES: Final = {"min": 1, "h": 60, "d": 24 * 60}
_SPAN: Final = re.compile(r"([1-9][0-9]{0,3}) ?(min|h|d)")
_WEEKDAYS: Final = "一二三四五六日"
# All tickets of a batch are opened at one instant: the same sums come again and again.
_remembered: Final = lru_cache(1024)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: ``days`` are working days and only there when ``working``."""

    minutes: int = 0
    days: int = 0
    working: bool = True

    @classmethod
    def parse(cls, text: str, *, working: bool) -> Span:
        """«5min», «2h», «3d»; a ``d`` is a working day, or 24 hours on the clock."""
        match = _SPAN.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a time such as 5min, 2h or 3d")
        number, unit = int(match[1]), match[2]
        if working and unit == "d":
            return cls(days=number)
        return cls(minutes=number * _MINUTES[unit], working=working)

    def __add__(self, other: Span) -> Span:
        """Both one after the other, as in finish + extension."""
        if self.working != other.working:
            raise ValueError("working time and clock time do not add up")
        return replace(self, minutes=self.minutes + other.minutes, days=self.days + other.days)

    def __str__(self) -> str:
        """«3个工作日», «24小时», «工作时间2小时»: hours that stop at closing time say so."""
        hours, minutes = divmod(self.minutes, 60)
        days = f"{self.days}个工作日" if self.days else ""
        clock = (f"{hours}小时" if hours else "") + (f"{minutes}分钟" if minutes else "")
        return days + ("工作时间" if clock and self.working and not days else "") + clock

    def total(self, calendar: WorkCalendar) -> int:
        """All of it in minutes of its own kind."""
        return self.minutes + self.days * calendar.day_minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """What one class promises; None is no promise.

    ``accept`` and ``finish`` run from the first message, ``sign`` and ``contact`` from dispatch.
    ``thanks`` is the first word on a suggestion, ``children`` the finish of a child ticket.
    """

    accept: Span | None = None
    sign: Span | None = None
    contact: Span | None = None
    finish: Span
    extension: Span | None = None
    thanks: Span | None = None
    children: Span | None = None


FIELDS: Final = tuple(field.name for field in fields(ServiceLevel))


def _level(
    name: str, accept: str, sign: str, contact: str, finish: str, **more: str
) -> ServiceLevel:
    texts = {"accept": accept, "sign": sign, "contact": contact, "finish": finish, **more}
    working = name not in CLOCK_CLASSES
    spans = {key: Span.parse(text, working=working) for key, text in texts.items() if text}
    return ServiceLevel(**spans)


DEFAULTS: Final[Mapping[str, ServiceLevel]] = {
    row[0]: _level(*row, **more)
    for row, more in (
        # class, accept, sign, first contact, finish
        (("A", "5min", "15min", "30min", "2h"), {}),
        (("B", "30min", "1h", "2h", "24h"), {"extension": "24h"}),
        (("C", "2h", "2h", "", "1d"), {"extension": "1d"}),
        (("D", "2h", "2h", "1d", "3d"), {"extension": "2d"}),
        (("E", "2h", "2h", "1d", "5d"), {"extension": "10d"}),
        (("F", "2h", "2h", "1d", "10d"), {"extension": "5d"}),
        (("G", "2h", "1h", "24h", "15d"), {"children": "3d"}),
        (("H", "2h", "1d", "", "15d"), {"extension": "15d", "thanks": "1d"}),
        (("redo", "", "", "1d", "3d"), {}),
    )
}


def load(overrides: Mapping[str, Mapping[str, str]]) -> Mapping[str, ServiceLevel]:
    """The defaults with the site file's ``[deadlines.X]``; «none» takes a promise away."""
    levels = dict(DEFAULTS)
    for name, values in overrides.items():
        if name not in levels:
            raise SiteError(f"deadlines.{name}: no such class, only {', '.join(DEFAULTS)}")
        if not isinstance(values, Mapping):
            raise SiteError(f"deadlines.{name}: must be a table of {', '.join(FIELDS)}")
        for field, text in values.items():
            change: dict[str, Any] = {field: _override(name, field, text)}
            levels[name] = replace(levels[name], **change)
    return levels


def _override(name: str, field: str, text: object) -> Span | None:
    where = f"deadlines.{name}.{field}"
    if field not in FIELDS:
        raise SiteError(f"{where}: no such field, only {', '.join(FIELDS)}")
    if text == "none" and field != "finish":
        return None
    try:
        return Span.parse(str(text), working=name not in CLOCK_CLASSES)
    except ValueError as error:
        raise SiteError(f"{where}: {error}") from None


def _shift(span: Span, at: datetime, minutes: int, calendar: WorkCalendar) -> datetime:
    if span.working:
        return calendar.add(at, minutes)
    return at.astimezone(UTC) + minutes * MINUTE


@_remembered
def due(span: Span, start: datetime, calendar: WorkCalendar) -> datetime:
    """When ``span`` from ``start`` is over, in UTC."""
    return _shift(span, start, span.total(calendar), calendar)


def remaining(span: Span, at: datetime, due: datetime, calendar: WorkCalendar) -> int:
    """The minutes left when the clock is paused ``at``; below 0 exactly when it is too late."""
    if at == due:
        return 0
    left = calendar.between(at, due) if span.working else int((due - at) / MINUTE)
    return max(left, 1) if at < due else min(left, -1)


def resume(span: Span, left: int, at: datetime, calendar: WorkCalendar) -> datetime:
    """The due time of a clock that goes on ``at`` with what was ``remaining``.

    What was overdue stays overdue by as much: the pause neither heals it nor makes it worse.
    """
    return _shift(span, at, left, calendar)


@_remembered
def yellow_at(start: datetime, due: datetime, span: Span, calendar: WorkCalendar) -> datetime:
    """At 80 % of ``span`` or one working day before ``due``, whichever is later.

    Counted back from ``due``, so that pauses do not count. With an extension, give the sum.
    """
    fifth = _shift(span, due, -(span.total(calendar) // 5), calendar)
    return max(start.astimezone(UTC), fifth, calendar.add(due, -calendar.day_minutes))


@_remembered
def supervision_at(due: datetime, calendar: WorkCalendar) -> datetime:
    """One working day after ``due``."""
    return calendar.add(due, calendar.day_minutes)


@_remembered
def head_at(due: datetime, span: Span, calendar: WorkCalendar) -> datetime:
    """When three times ``span`` are over: twice ``span`` after ``due``."""
    return _shift(span, due, 2 * span.total(calendar), calendar)


def say_due(due: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How a resident of eighty is told: «今天18点前», «下周二12点前», «12月3日(周四)18点前»."""
    # A begun minute is said as its end, or we would promise less time than the unit has.
    moment = (due.astimezone(UTC) + MINUTE - timedelta.resolution).replace(second=0, microsecond=0)
    moment = moment.astimezone(zone)
    # Midnight is the end of the day people think of, not the 0点 of the next.
    midnight = not (moment.hour or moment.minute)
    day = (moment - MINUTE if midnight else moment).date()
    clock = "24点" if midnight else f"{moment.hour}点"
    if moment.minute:
        clock += f"{moment.minute:02d}分"
    return f"{_say_day(day, now.astimezone(zone).date())}{clock}前"


@_remembered
def say_promise(due: datetime, now: datetime, zone: ZoneInfo) -> str:
    """``say_due`` in round times: nobody remembers «下周一10点01分».

    Rounded up, to five minutes within half a day and to half an hour beyond, so that a unit that
    keeps its limit keeps what was said too.
    """
    step = 5 * MINUTE if due - now < timedelta(hours=12) else 30 * MINUTE
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return say_due(start - (start - due) // step * step, now, zone)


def _say_day(day: date, today: date) -> str:
    weekday = f"周{_WEEKDAYS[day.weekday()]}"
    ahead = (day - today).days
    if ahead in (0, 1):
        return "明天" if ahead else "今天"
    weeks = (ahead + today.weekday()) // 7
    if ahead > 0 and weeks < 2:
        return f"下{weekday}" if weeks else weekday
    return f"{day.month}月{day.day}日({weekday})"
