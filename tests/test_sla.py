"""Deadlines: the table, due times, pauses, cards, the site file's changes, and the words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.calendar import WorkCalendar
from bot.errors import SiteError
from bot.models import sla
from bot.models.sla import DEFAULTS, Span

ZONE = ZoneInfo("Asia/Shanghai")
OFFICE = WorkCalendar(ZONE, [(time(9), time(12)), (time(13, 30), time(18))])
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def work(text: str) -> Span:
    return Span.parse(text, working=True)


def clock(text: str) -> Span:
    return Span.parse(text, working=False)


# ── spans ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("span", "expected", "words"),
    [
        (work("3d"), Span(days=3), "3个工作日"),
        (work("2h"), Span(minutes=120), "工作时间2小时"),
        (work("30min"), Span(minutes=30), "工作时间30分钟"),
        (work(" 24 h "), Span(minutes=1440), "工作时间24小时"),
        (work("3d") + work("2h"), Span(minutes=120, days=3), "3个工作日2小时"),
        (clock("24h"), Span(minutes=1440, working=False), "24小时"),
        (clock("1d"), Span(minutes=1440, working=False), "24小时"),
        (clock("30min"), Span(minutes=30, working=False), "30分钟"),
        (clock("90min"), Span(minutes=90, working=False), "1小时30分钟"),
    ],
)
def test_spans(span: Span, expected: Span, words: str) -> None:
    assert span == expected
    assert str(span) == words


@pytest.mark.parametrize(
    "text", ["", "3", "d", "0h", "-2h", "2 hours", "1.5h", "3D", "２h", "2h3d"]
)
def test_what_is_not_a_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time"):
        work(text)


def test_working_time_and_clock_time_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="add up"):
        work("2h") + clock("2h")


# ── the table ─────────────────────────────────────────────────────────────────────────────────────

# DESIGN, section 4: accept, sign, first contact, finish, extension.
TABLE = """
A     5min   15min  30min  2h   –
B     30min  1h     2h     24h  24h
C     2h     2h     –      1d   1d
D     2h     2h     1d     3d   2d
E     2h     2h     1d     5d   10d
F     2h     2h     1d     10d  5d
G     2h     1h     24h    15d  –
H     2h     1d     –      15d  15d
redo  –      –      1d     3d   –
"""


def test_the_defaults_are_the_table() -> None:
    rows = [line.split() for line in TABLE.split("\n") if line]
    assert list(DEFAULTS) == [row[0] for row in rows]
    for name, *texts in rows:
        read = clock if name in "AB" else work
        level = DEFAULTS[name]
        spans = [level.accept, level.sign, level.contact, level.finish, level.extension]
        assert spans == [None if text == "–" else read(text) for text in texts], name
    assert DEFAULTS["H"].thanks == work("1d")
    assert DEFAULTS["G"].children == work("3d")


def test_the_site_file_changes_what_it_names() -> None:
    levels = sla.load({"D": {"accept": "90min", "extension": "none"}, "A": {"finish": "1d"}})
    assert levels["D"].accept == work("90min")
    assert levels["D"].extension is None
    assert levels["D"].finish == DEFAULTS["D"].finish
    assert levels["A"].finish == clock("24h")
    assert levels["E"] == DEFAULTS["E"]
    assert sla.load({}) == DEFAULTS
    assert DEFAULTS["D"].accept == work("2h")


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        ({"X": {"accept": "2h"}}, r"deadlines\.X: no such class"),
        ({"D": {"acept": "2h"}}, r"deadlines\.D\.acept: no such field"),
        ({"D": {"accept": "2 hours"}}, r"deadlines\.D\.accept: '2 hours' is not a time"),
        ({"D": {"accept": 2}}, r"deadlines\.D\.accept: '2' is not a time"),
        ({"D": {"finish": "none"}}, r"deadlines\.D\.finish: 'none' is not a time"),
        ({"D": "2h"}, r"deadlines\.D: must be a table"),
    ],
)
def test_a_wrong_site_file_is_told_where(overrides: dict[str, dict[str, str]], where: str) -> None:
    with pytest.raises(SiteError, match=where):
        sla.load(overrides)


# ── due times ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("span", "start", "expected"),
    [
        (work("3d"), "2026-05-16T11:00", "2026-05-20T18:00"),  # Saturday: Wednesday's close
        (work("3d"), "2026-05-13T10:20", "2026-05-18T10:20"),
        (work("1d"), "2026-05-08T18:00", "2026-05-09T18:00"),  # a make-up Saturday
        (work("5d"), "2026-09-30T09:00", "2026-10-12T18:00"),  # National Day, 10 October worked
        (work("2h"), "2026-05-13T11:00", "2026-05-13T14:30"),
        (work("24h"), "2026-05-13T09:00", "2026-05-18T10:30"),
        (clock("24h"), "2026-05-16T11:00", "2026-05-17T11:00"),
        (clock("2h"), "2026-02-17T23:30", "2026-02-18T01:30"),
    ],
)
def test_due(span: Span, start: str, expected: str) -> None:
    result = sla.due(span, at(start), OFFICE)
    assert result == at(expected)
    assert result.tzinfo is UTC


# ── pauses ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("span", "due", "paused", "left", "resumed", "expected"),
    [
        (work("3d"), "05-20T18:00", "05-19T10:00", 840, "06-01T09:00", "06-02T17:00"),
        (work("3d"), "05-20T18:00", "05-16T10:00", 1350, "05-17T12:00", "05-20T18:00"),
        (clock("24h"), "05-17T11:00", "05-16T12:00", 1380, "05-20T01:00", "05-21T00:00"),
        # Too late stays too late by as much, also where no working minute has passed since.
        (work("3d"), "05-20T18:00", "05-21T10:00", -60, "05-25T11:00", "05-25T10:00"),
        (work("3d"), "05-20T18:00", "05-20T22:00", -1, "05-25T11:00", "05-25T10:59"),
        (clock("2h"), "05-17T11:00", "05-17T11:30:30", -30, "05-18T11:00", "05-18T10:30"),
        # The last begun minute is not taken away.
        (work("3d"), "05-20T18:00", "05-20T17:59:30", 1, "05-25T11:00", "05-25T11:01"),
        (clock("2h"), "05-17T11:00", "05-17T11:00", 0, "05-18T11:00", "05-18T11:00"),
    ],
)
def test_a_pause(span: Span, due: str, paused: str, left: int, resumed: str, expected: str) -> None:
    assert sla.remaining(span, at(f"2026-{paused}"), at(f"2026-{due}"), OFFICE) == left
    assert sla.resume(span, left, at(f"2026-{resumed}"), OFFICE) == at(f"2026-{expected}")


spans = st.sampled_from(
    [work("30min"), work("2h"), work("3d"), work("15d"), clock("5min"), clock("24h")]
)
moments = st.integers(0, 60 * 24 * 120).map(lambda n: at("2026-01-20T00:00") + n * MINUTE)


@settings(max_examples=100, deadline=None)
@given(spans, moments, st.integers(-9000, 9000), st.integers(0, 30_000), st.integers(0, 59))
def test_a_pause_neither_heals_nor_harms(
    span: Span, start: datetime, after: int, pause: int, seconds: int
) -> None:
    due = sla.due(span, start, OFFICE)
    paused = due + after * MINUTE + timedelta(seconds=seconds)
    resumed = paused + pause * MINUTE
    left = sla.remaining(span, paused, due, OFFICE)
    assert (left > 0, left < 0) == (paused < due, paused > due)
    later = sla.resume(span, left, resumed, OFFICE)
    assert (later > resumed, later < resumed) == (paused < due, paused > due)
    assert sla.remaining(span, resumed, later, OFFICE) == left
    assert later + MINUTE >= due


# ── cards ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("span", "start", "due", "expected"),
    [
        # 80 % of 3 WD is later than 1 WD before.
        (work("3d"), "2026-05-16T11:00", "2026-05-20T18:00", "2026-05-20T13:30"),
        # 80 % of 10 WD would be 2 WD before: 1 WD before is later.
        (work("10d"), "2026-05-11T09:00", "2026-05-22T18:00", "2026-05-22T09:00"),
        (work("2h"), "2026-05-13T10:00", "2026-05-13T12:00", "2026-05-13T11:36"),
        (clock("2h"), "2026-05-16T10:00", "2026-05-16T12:00", "2026-05-16T11:36"),
        (clock("24h"), "2026-05-16T10:00", "2026-05-17T10:00", "2026-05-17T05:12"),
        # With an extension of 24 h the last fifth is 9:36, but 1 WD before is Tuesday at 9.
        (clock("48h"), "2026-05-17T18:00", "2026-05-19T18:00", "2026-05-19T09:00"),
        # Resumed with less than a fifth left: at once, never before the start.
        (work("3d"), "2026-05-20T17:00", "2026-05-20T18:00", "2026-05-20T17:00"),
    ],
)
def test_yellow(span: Span, start: str, due: str, expected: str) -> None:
    assert sla.yellow_at(at(start), at(due), span, OFFICE) == at(expected)


@settings(max_examples=100, deadline=None)
@given(spans, moments)
def test_cards_come_in_order(span: Span, start: datetime) -> None:
    due = sla.due(span, start, OFFICE)
    yellow = sla.yellow_at(start, due, span, OFFICE)
    assert start <= yellow < due < sla.supervision_at(due, OFFICE)
    assert due < sla.head_at(due, span, OFFICE)
    total, left = span.total(OFFICE), sla.remaining(span, yellow, due, OFFICE)
    assert left <= total // 5
    assert left == total // 5 or OFFICE.between(yellow, due) == OFFICE.day_minutes


def test_supervision_and_the_head() -> None:
    due = at("2026-05-20T18:00")
    assert sla.supervision_at(due, OFFICE) == at("2026-05-21T18:00")
    assert sla.supervision_at(at("2026-05-16T12:00"), OFFICE) == at("2026-05-18T18:00")
    assert sla.head_at(due, work("3d"), OFFICE) == at("2026-05-28T18:00")
    assert sla.head_at(due, clock("2h"), OFFICE) == at("2026-05-20T22:00")


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2026-12-01T18:00", "今天18点前"),
        ("2026-12-01T17:05", "今天17点05分前"),
        ("2026-12-01T17:30", "今天17点30分前"),
        ("2026-12-01T17:59:00.000001", "今天18点前"),
        ("2026-12-02T12:00", "明天12点前"),
        ("2026-12-02T00:00", "今天24点前"),
        ("2026-12-02T00:01", "明天0点01分前"),
        ("2026-12-03T18:00", "周四18点前"),
        ("2026-12-06T18:00", "周日18点前"),
        ("2026-12-07T00:00", "周日24点前"),
        ("2026-12-07T18:00", "下周一18点前"),
        ("2026-12-13T09:00", "下周日9点前"),
        ("2026-12-14T18:00", "12月14日(周一)18点前"),
        ("2027-01-05T18:00", "1月5日(周二)18点前"),
        # What is past is never «周一».
        ("2026-11-30T18:00", "11月30日(周一)18点前"),
        ("2026-12-01T09:00", "今天9点前"),
    ],
)
def test_say_due_on_a_tuesday(due: str, expected: str) -> None:
    assert sla.say_due(at(due), at("2026-12-01T10:00").astimezone(UTC), ZONE) == expected
    assert sla.say_due(at(due).astimezone(UTC), at("2026-12-01T23:59"), ZONE) == expected


def test_tomorrow_wins_over_next_week() -> None:
    sunday = at("2026-12-06T20:00")
    assert sla.say_due(at("2026-12-07T12:00"), sunday, ZONE) == "明天12点前"
    assert sla.say_due(at("2026-12-08T12:00"), sunday, ZONE) == "下周二12点前"
    assert date(2026, 12, 6).weekday() == 6
