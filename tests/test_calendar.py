"""Working time against the State Council's notice and against counting minute by minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from time import sleep
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calendar import WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
HOURS = [(time(9), time(12)), (time(13, 30), time(18))]
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# 国务院办公厅关于2026年部分节假日安排的通知 (4 November 2025), typed from the notice.
WORKED_2026 = {(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)}
OFF_2026 = (
    {(1, day) for day in (1, 2, 3)}
    | {(2, day) for day in range(15, 24)}
    | {(4, day) for day in (4, 5, 6)}
    | {(5, day) for day in (1, 2, 3, 4, 5)}
    | {(6, day) for day in (19, 20, 21)}
    | {(9, day) for day in (25, 26, 27)}
    | {(10, day) for day in range(1, 8)}
)


@pytest.fixture(scope="module")
def office() -> WorkCalendar:
    return WorkCalendar(SHANGHAI, HOURS)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def works(day: date) -> bool:
    if day.year == 2026 and (day.month, day.day) in WORKED_2026 | OFF_2026:
        return (day.month, day.day) in WORKED_2026
    return day.weekday() < 5


# ── days ──────────────────────────────────────────────────────────────────────────────────────────


def test_every_day_of_2026_is_as_the_notice_says(office: WorkCalendar) -> None:
    days = [date(2026, 1, 1) + n * DAY for n in range(365)]
    assert [d for d in days if office.is_working_day(d) != works(d)] == []
    assert sum(map(office.is_working_day, days)) == 248


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2025, 1, 26), True),
        (date(2025, 10, 8), False),
        (date(2025, 10, 11), True),
        (date(2024, 10, 12), True),
        (date(2018, 12, 29), True),
        (date(2018, 12, 31), False),
        # A day that the next year's notice took.
        (date(2001, 12, 29), True),
        (date(2001, 12, 31), True),
        (date(2011, 12, 31), True),
    ],
)
def test_other_years(office: WorkCalendar, day: date, working: bool) -> None:
    assert office.is_working_day(day) is working


def test_a_year_not_published_has_only_weekends(office: WorkCalendar) -> None:
    assert office.published(2026)
    assert not office.published(2095)
    days = [date(2095, 1, 1) + n * DAY for n in range(365)]
    assert [d for d in days if office.is_working_day(d)] == [d for d in days if d.weekday() < 5]


def test_our_own_days_win() -> None:
    ours = {date(2026, 2, 14): False, date(2026, 5, 1): True, date(2026, 5, 6): False}
    calendar = WorkCalendar(SHANGHAI, HOURS, ours)
    assert {day: calendar.is_working_day(day) for day in ours} == ours
    assert calendar.opening_after(at("2026-05-05T10:00")) == at("2026-05-07T09:00")
    assert calendar.add(at("2026-04-30T18:00"), 1) == at("2026-05-01T09:01")


# ── hours ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "minutes", "expected"),
    [
        ("2026-05-13T10:00", 120, "2026-05-13T12:00"),  # closing time, not the next opening
        ("2026-05-13T10:00", 121, "2026-05-13T13:31"),
        ("2026-05-13T12:30", 450, "2026-05-14T12:00"),
        ("2026-05-16T11:00", 3 * 450, "2026-05-20T18:00"),  # Saturday + 3 WD
        ("2026-05-08T17:00", 120, "2026-05-09T10:00"),  # into a make-up Saturday
        ("2026-02-14T17:30", 60, "2026-02-24T09:30"),  # over the Spring Festival
        ("2026-09-30T18:00", 1, "2026-10-08T09:01"),
        ("2026-05-13T03:00", 0, "2026-05-13T03:00"),
        ("2026-05-13T03:00", -1, "2026-05-12T17:59"),
        ("2026-05-13T18:00", -450, "2026-05-13T09:00"),  # an opening, not the last closing
        ("2026-05-11T09:00", -450, "2026-05-09T09:00"),
        ("2026-05-13T10:00:30.000001", 120, "2026-05-13T13:30:30.000001"),
        ("2026-05-13T17:59:59.999999", 1, "2026-05-14T09:00:59.999999"),
    ],
)
def test_add(office: WorkCalendar, start: str, minutes: int, expected: str) -> None:
    result = office.add(at(start), minutes)
    assert result == at(expected)
    assert result.tzinfo is UTC


def test_openings(office: WorkCalendar) -> None:
    assert office.day_minutes == 450
    assert office.is_open(at("2026-05-13T09:00"))
    assert not office.is_open(at("2026-05-13T12:00"))
    assert not office.is_open(at("2026-05-13T18:00"))
    assert office.next_opening(at("2026-05-13T12:00")) == at("2026-05-13T13:30")
    assert office.next_opening(at("2026-05-13T18:00")) == at("2026-05-14T09:00")
    assert office.next_opening(at("2026-05-13T10:11:12")) == at("2026-05-13T10:11:12")
    assert office.opening_after(at("2026-05-13T07:00")) == at("2026-05-14T09:00")
    assert office.opening_after(at("2026-05-08T20:00")) == at("2026-05-09T09:00")
    # Still Friday in UTC, already Saturday at the office.
    assert office.opening_after(datetime(2026, 5, 15, 17, tzinfo=UTC)) == at("2026-05-18T09:00")
    for result in (
        office.next_opening(at("2026-05-13T10:00")),
        office.opening_after(at("2026-05-13")),
    ):
        assert result.tzinfo is UTC


def test_between_cuts_towards_zero(office: WorkCalendar) -> None:
    assert office.between(at("2026-05-13T11:59:01"), at("2026-05-13T13:30:30")) == 1
    assert office.between(at("2026-05-13T11:59:40"), at("2026-05-13T13:30:30")) == 0
    assert office.between(at("2026-05-13T13:30:30"), at("2026-05-13T11:58:01")) == -2


def test_the_clock_changes_while_the_office_is_open() -> None:
    night = WorkCalendar(
        BERLIN, [(time(0), time(6))], {date(2026, 3, 29): True, date(2026, 10, 25): True}
    )
    for day, hours in (("2026-03-29", 5), ("2026-10-25", 7)):
        opens, closes = at(f"{day}T00:00", BERLIN), at(f"{day}T06:00", BERLIN)
        assert night.between(opens, closes) == hours * 60
        assert night.add(opens, hours * 60) == closes


def test_an_opening_in_the_hour_that_is_skipped_moves_on_and_none_overlap() -> None:
    night = WorkCalendar(
        BERLIN, [(time(2, 15), time(2, 45)), (time(3), time(5))], {date(2026, 3, 29): True}
    )
    start = at("2026-03-29T00:00", BERLIN)
    assert night.next_opening(start) == at("2026-03-29T03:15", BERLIN)
    assert night.between(start, at("2026-03-29T05:00", BERLIN)) == 105
    assert night.add(start, 105) == at("2026-03-29T05:00", BERLIN)


def test_an_office_that_never_closes() -> None:
    always = WorkCalendar(SHANGHAI, [(time(0), time(0))])
    assert always.day_minutes == 24 * 60
    assert always.add(at("2026-05-13T10:00"), 24 * 60) == at("2026-05-14T10:00")
    assert always.is_open(at("2026-05-14T00:00"))
    assert not always.is_open(at("2026-05-16T00:00"))


@pytest.mark.parametrize(
    "hours",
    [
        [],
        [(time(12), time(9))],
        [(time(9), time(9))],
        [(time(9), time(14)), (time(13), time(18))],
        [(time(13), time(18)), (time(9), time(12))],
        [(time(9, 0, 30), time(12))],
    ],
)
def test_impossible_hours_are_refused(hours: list[tuple[time, time]]) -> None:
    with pytest.raises(ValueError, match="office hours"):
        WorkCalendar(SHANGHAI, hours)


def test_a_moment_without_zone_never_passes_for_local_time_of_the_machine(
    office: WorkCalendar,
) -> None:
    naive = datetime(2026, 5, 13, 10)
    for call in (
        lambda: office.add(naive, 5),
        lambda: office.add(naive, 0),
        lambda: office.between(naive, naive),
        lambda: office.is_open(naive),
        lambda: office.opening_after(naive),
    ):
        with pytest.raises(ValueError, match="zone"):
            call()


def test_threads_that_make_it_grow_at_once_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(calendar: WorkCalendar, year: int) -> list[tuple[float, float]]:
        built.append(year)
        sleep(0.001)
        return openings(calendar, year)

    built: list[int] = []
    openings = WorkCalendar._openings
    starts = [at(f"{2016 + n * 7 % 20}-06-01T10:00") for n in range(20)]
    alone = WorkCalendar(SHANGHAI, HOURS)
    expected = [alone.add(start, 200_000) for start in starts]
    monkeypatch.setattr(WorkCalendar, "_openings", interrupted)
    shared = WorkCalendar(SHANGHAI, HOURS)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda start: shared.add(start, 200_000), starts))
    assert results == expected
    assert len(built) == len(set(built)), "a table was replaced by one that does not contain it"


# ── minute by minute ──────────────────────────────────────────────────────────────────────────────


@cache
def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone)


class Oracle:
    """The same sums, counted: a minute is worked when the office's wall clock shows it is."""

    def __init__(self, zone: ZoneInfo, hours: list[tuple[time, time]], days: dict[date, bool]):
        self.zone, self.hours, self.days = zone, hours, days

    def open(self, moment: datetime) -> bool:
        local = wall(moment, self.zone)
        if not self.days.get(local.date(), works(local.date())):
            return False
        return any(start <= local.time() < stop for start, stop in self.hours)

    def add(self, moment: datetime, minutes: int) -> datetime:
        while minutes > 0:
            minutes -= self.open(moment)
            moment += MINUTE
        while minutes < 0:
            moment -= MINUTE
            minutes += self.open(moment)
        return moment

    def between(self, a: datetime, b: datetime) -> int:
        if b < a:
            return -self.between(b, a)
        return sum(self.open(a + n * MINUTE) for n in range((b - a) // MINUTE))


# Holidays, make-up days, both changes of summer time, and both ends of the year.
ANCHORS = [(1, 1), (2, 14), (3, 29), (5, 1), (5, 13), (10, 8), (10, 25), (12, 31)]


@st.composite
def offices(draw: st.DrawFn) -> tuple[WorkCalendar, Oracle, datetime]:
    zone = draw(st.sampled_from([SHANGHAI, BERLIN]))
    # Between 2 and 3 a wall clock in Berlin may show a time twice or never: no edge lies there.
    quarters = st.integers(0, 95).filter(lambda quarter: not 8 < quarter < 12)
    edges = sorted(draw(st.sets(quarters, min_size=4, max_size=4)))
    marks = [time(quarter // 4, quarter % 4 * 15) for quarter in edges]
    hours = [(marks[0], marks[1]), (marks[2], marks[3])]
    anchor = date(2026, *draw(st.sampled_from(ANCHORS)))
    nearby = st.integers(-4, 4).map(lambda n: anchor + n * DAY)
    days = draw(st.dictionaries(nearby, st.booleans(), max_size=4))
    midnight = datetime.combine(anchor, time(), UTC)
    start = midnight + draw(st.integers(-2 * 1440, 2 * 1440)) * MINUTE
    return WorkCalendar(zone, hours, days), Oracle(zone, hours, days), start


@settings(max_examples=50, deadline=None)
@given(offices(), st.integers(-1200, 1200))
def test_add_is_what_counting_gives(
    office: tuple[WorkCalendar, Oracle, datetime], minutes: int
) -> None:
    calendar, oracle, start = office
    minutes = max(-2 * calendar.day_minutes, min(2 * calendar.day_minutes, minutes))
    assert calendar.add(start, minutes) == oracle.add(start, minutes)


@settings(max_examples=40, deadline=None)
@given(offices(), st.integers(-6000, 6000))
def test_between_is_what_counting_gives(
    office: tuple[WorkCalendar, Oracle, datetime], minutes: int
) -> None:
    calendar, oracle, start = office
    end = start + minutes * MINUTE
    assert calendar.between(start, end) == oracle.between(start, end)


@settings(max_examples=40, deadline=None)
@given(offices())
def test_openings_are_what_counting_gives(office: tuple[WorkCalendar, Oracle, datetime]) -> None:
    calendar, oracle, start = office
    assert calendar.is_open(start) == oracle.open(start)
    expected = start
    while not oracle.open(expected):
        expected += MINUTE
    assert calendar.next_opening(start) == expected


@settings(max_examples=80, deadline=None)
@given(
    offices(),
    st.integers(-2000, 2000),
    st.timedeltas(timedelta(), timedelta(minutes=1)),
)
def test_what_is_added_has_passed_to_the_microsecond(
    office: tuple[WorkCalendar, Oracle, datetime], minutes: int, part: timedelta
) -> None:
    calendar, _, start = office
    start += part
    end = calendar.add(start, minutes)
    assert calendar.between(start, end) == minutes
    assert calendar.between(end, start) == -minutes
    # Neither end may be found a microsecond nearer.
    nearer = timedelta(microseconds=1 if minutes < 0 else -1)
    assert minutes == 0 or abs(calendar.between(start, end + nearer)) < abs(minutes)
    if minutes > 0 and calendar.is_open(start):
        assert calendar.add(end, -minutes) == start
