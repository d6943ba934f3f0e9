"""Working time: the State Council's days, the office's hours, and sums over both.

Every moment is aware and every result is in UTC. An opening is one unbroken stretch of office
hours, [opens, closes): at its closing time the office is closed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, pairwise
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

from holidays import country_holidays

# Imported from where it lives, so that its 0.2 s are paid at start-up, not by the first message.
from holidays.countries.china import ChinaStaticHolidays

# The years whose notice, with its make-up days, the package knows.
PUBLISHED: Final = frozenset(ChinaStaticHolidays.special_public_holidays)
MIDNIGHT: Final = time(0)
DAY: Final = timedelta(days=1)


@cache
def national_days(year: int) -> Mapping[date, bool]:
    """Date → working?, wherever the State Council's calendar differs from Monday to Friday.

    Empty for a year not published: the package would guess its holidays, but not its make-up days.
    """
    if year not in PUBLISHED:
        return {}
    notice = country_holidays("CN", years=year)
    # The package adds the make-up days in a December that another year's notice took.
    days = dict.fromkeys(notice, False) | dict.fromkeys(notice.weekend_workdays, True)
    return {day: works for day, works in days.items() if day.year == year}


@dataclass(frozen=True, slots=True)
class _Table:
    """Openings in order, in seconds since 1970, and the seconds worked ``before`` and ``after``.

    Floats, because datetime converts them fastest; a double holds the microseconds of our era.
    """

    first: int
    last: int
    opens: list[float]
    before: list[float]
    after: list[float]

    def worked(self, at: float) -> float:
        """Seconds worked until ``at``, counted from some moment that never changes."""
        i = bisect_right(self.opens, at) - 1
        done = self.before[i] + at - self.opens[i]
        return done if done < self.after[i] else self.after[i]

    def joined(self, later: _Table) -> _Table:
        """Both, where ``later`` begins with the year after ours."""
        return _Table(
            self.first,
            later.last,
            self.opens + later.opens,
            self.before + later.before,
            self.after + later.after,
        )


def _sums(year: int, spans: Sequence[tuple[float, float]], done: float) -> _Table:
    """The table of one year, before which ``done`` seconds were worked."""
    after = list(accumulate((closes - opens for opens, closes in spans), initial=done))
    return _Table(year, year, [opens for opens, _ in spans], after[:-1], after[1:])


class WorkCalendar:
    """Which moments are working time. ``days`` (date → working?) wins over the national calendar.

    ``hours`` are the openings of a working day in order, a lunch break between them; an end of
    00:00 is midnight.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        hours: Sequence[tuple[time, time]],
        days: Mapping[date, bool] = {},
    ) -> None:
        marks = [m for a, b in hours for m in (_minute(a), _minute(b) or 24 * 60)]
        if not marks or any(a >= b for a, b in pairwise(marks)):
            raise ValueError(f"office hours must be in order, with a break between: {hours!r}")
        self.zone = zone
        self.hours = tuple(hours)
        self.days = dict(days)
        self.day_minutes: int = sum(marks[1::2]) - sum(marks[::2])
        # Only ever replaced by a longer one, so readers need no lock; the lock is for growing.
        self._table = _Table(0, -1, [], [], [])
        self._lock = Lock()

    def is_working_day(self, day: date) -> bool:
        works = self.days.get(day)
        if works is None:
            works = national_days(day.year).get(day)
        return day.weekday() < 5 if works is None else works

    def is_open(self, at: datetime) -> bool:
        return self.next_opening(at) == at

    def next_opening(self, at: datetime) -> datetime:
        """``at`` itself while open, else when the office opens next."""
        moment = _seconds(at)
        table = self._around(moment)
        i = bisect_right(table.opens, moment) - 1
        if moment - table.opens[i] < table.after[i] - table.before[i]:
            return at.astimezone(UTC)
        return datetime.fromtimestamp(table.opens[i + 1], UTC)

    def add(self, start: datetime, minutes: int) -> datetime:
        """The earliest moment by which ``minutes`` have been worked since ``start``.

        That may be a closing time, and is ``start`` itself for 0. Negative minutes give the latest
        moment from which as many are worked until ``start``; that may be an opening.
        """
        moment = _seconds(start)
        if not minutes:
            return start.astimezone(UTC)
        table = self._around(moment)
        goal = table.worked(moment) + minutes * 60
        if not table.before[0] <= goal <= table.after[-1]:
            table = self._reaching(goal)
        later = minutes > 0
        i = bisect_left(table.after, goal) if later else bisect_right(table.before, goal) - 1
        return datetime.fromtimestamp(goal - table.before[i] + table.opens[i], UTC)

    def between(self, a: datetime, b: datetime) -> int:
        """Whole minutes worked from ``a`` to ``b``; negative, and cut the same way, if b < a."""
        start, end = _seconds(a), _seconds(b)
        self._around(start)
        table = self._around(end)
        return int((table.worked(end) - table.worked(start)) / 60)

    def opening_after(self, at: datetime) -> datetime:
        """The first opening of the next working day, whatever is left of today's hours."""
        day = datetime.fromtimestamp(_seconds(at), self.zone).date() + DAY
        while not self.is_working_day(day):
            day += DAY
        return datetime.combine(day, self.hours[0][0], self.zone).astimezone(UTC)

    def published(self, year: int) -> bool:
        """False where only weekends are known, besides our own ``days``: the caller warns."""
        return year in PUBLISHED

    def _around(self, moment: float) -> _Table:
        """The table, grown until it has an opening before ``moment`` and one after it."""
        table = self._table
        if not table.opens:
            table = self._grown(datetime.fromtimestamp(moment, self.zone).year)
        while moment < table.opens[0]:
            table = self._grown(table.first - 1)
        while moment >= table.opens[-1]:
            table = self._grown(table.last + 1)
        return table

    def _reaching(self, goal: float) -> _Table:
        """The table, grown until ``goal`` seconds of work lie inside it."""
        table = self._table
        while goal < table.before[0]:
            table = self._grown(table.first - 1)
        while goal > table.after[-1]:
            table = self._grown(table.last + 1)
        return table

    def _grown(self, year: int) -> _Table:
        """The table, one year nearer to having ``year``."""
        with self._lock:
            old = self._table
            if not old.opens:
                self._table = _sums(year, self._openings(year), 0.0)
            elif year < old.first:
                spans = self._openings(old.first - 1)
                zero = old.before[0] - sum(closes - opens for opens, closes in spans)
                self._table = _sums(old.first - 1, spans, zero).joined(old)
            elif year > old.last:
                spans = self._openings(old.last + 1)
                self._table = old.joined(_sums(old.last + 1, spans, old.after[-1]))
            return self._table

    def _openings(self, year: int) -> list[tuple[float, float]]:
        """The openings of ``year`` in seconds since 1970, right across changes of summer time."""
        spans: list[tuple[float, float]] = []
        day = date(year, 1, 1)
        while day.year == year:
            if self.is_working_day(day):
                for start, stop in self.hours:
                    until = day + DAY if stop == MIDNIGHT else day
                    opens = datetime.combine(day, start, self.zone).timestamp()
                    closes = datetime.combine(until, stop, self.zone).timestamp()
                    # The hour that a spring night skips may swallow an opening or push it on.
                    opens = max(opens, spans[-1][1]) if spans else opens
                    if closes > opens:
                        spans.append((opens, closes))
            day += DAY
        return spans


def _minute(mark: time) -> int:
    """Minutes since midnight."""
    if mark.second or mark.microsecond or mark.tzinfo:
        raise ValueError(f"office hours are local and in whole minutes: {mark!r}")
    return mark.hour * 60 + mark.minute


def _seconds(at: datetime) -> float:
    """Since 1970. A moment without a zone is a mistake, not this machine's local time."""
    if at.tzinfo is None:
        raise ValueError(f"a moment needs a zone: {at!r}")
    return at.timestamp()
