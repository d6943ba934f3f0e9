"""Invariant 3 and the table of deadlines, against an oracle that counts working minutes one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import reminders, tickets

LEAD, OTHER = "安居物业", "综合执法队"
ANSWER = "换了灯泡和开关，现场试过灯亮了"
FINISHED = {"result": "solved", "text": ANSWER}
DAY = 450  # working minutes: 9–12 and 13:30–18

# DESIGN.md's table in minutes: accept, sign, first contact, finish. A and B are clock time.
TABLE: dict[str, tuple[int | None, int | None, int | None, int]] = {
    "A": (5, 15, 30, 120),
    "B": (30, 60, 120, 24 * 60),
    "C": (120, 120, None, DAY),
    "D": (120, 120, DAY, 3 * DAY),
    "E": (120, 120, DAY, 5 * DAY),
    "F": (120, 120, DAY, 10 * DAY),
    "G": (120, 60, 24 * 60, 15 * DAY),
    "H": (120, DAY, None, 15 * DAY),
}
HOURS = [
    "2026-09-08 09:00",  # an opening
    "2026-09-08 11:20",  # before lunch
    "2026-09-08 12:45",  # in it
    "2026-09-10 17:59",  # before closing
    "2026-09-10 22:30",  # at night
    "2026-09-11 17:00",  # before a plain weekend
    "2026-09-19 10:00",  # a Saturday before a Sunday that is worked
    "2026-09-20 10:00",  # that Sunday
    "2026-09-24 16:00",  # before the Mid-Autumn holiday
    "2026-09-30 16:30",  # before National Day
    "2026-10-04 10:00",  # in it
    "2026-10-09 17:00",  # before a Saturday that is worked
]


def after(slow: Any, level: str, start: datetime, minutes: int | None) -> datetime | None:
    if minutes is None:
        return None
    return start + timedelta(minutes=minutes) if level in "AB" else slow.after(start, minutes)


# --- the table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("start", HOURS)
@pytest.mark.parametrize("level", TABLE)
def test_due_times_of_a_fresh_and_of_a_dispatched_ticket(
    quick: Any, slow: Any, level: str, start: str
) -> None:
    accept, sign, contact, finish = TABLE[level]
    quick.at(start)
    opened = quick.work.now
    ticket = quick.open(level)
    assert ticket.accept_due_at == after(slow, level, opened, accept)
    assert ticket.due_at == after(slow, level, opened, finish)
    assert ticket.unit_due_at is None
    quick.later(hours=3)
    quick.go(ticket, "dispatched", "desk", unit=LEAD)
    now = quick.work.now
    assert ticket.sign_due_at == after(slow, level, now, sign)
    assert ticket.contact_due_at == after(slow, level, now, contact)
    assert ticket.unit_due_at == after(slow, level, now, finish)
    assert ticket.due_at == after(slow, level, opened, finish), "the resident's clock goes on"


BY_HAND = [
    # class, opened and dispatched, the resident's due time
    ("D", "2026-09-24 16:00", "2026-09-30 16:00"),  # 25–27 September are a holiday
    ("D", "2026-09-30 17:00", "2026-10-10 17:00"),  # 1–7 October, but Saturday the 10th is worked
    ("C", "2026-09-19 10:00", "2026-09-20 18:00"),  # Sunday the 20th is worked
    ("C", "2026-11-27 12:30", "2026-11-30 12:00"),  # Friday's lunch; Monday's lunch begins
    ("E", "2026-11-23 10:00", "2026-11-30 10:00"),
    ("A", "2026-10-01 23:30", "2026-10-02 01:30"),
    ("B", "2026-10-03 08:00", "2026-10-04 08:00"),
    ("H", "2026-09-21 09:00", "2026-10-16 18:00"),
]


@pytest.mark.parametrize(("level", "start", "due"), BY_HAND)
def test_due_times_by_hand(quick: Any, level: str, start: str, due: str) -> None:
    quick.at(start)
    ticket = quick.open(level)
    quick.go(ticket, "dispatched", "desk", unit=LEAD)
    quick.at(due)
    assert ticket.due_at == ticket.unit_due_at == quick.work.now


@pytest.mark.parametrize("level", "ADEG")
@pytest.mark.parametrize("start", HOURS[::3])
def test_a_redo_has_one_day_for_contact_and_three_for_the_work(
    quick: Any, slow: Any, level: str, start: str
) -> None:
    quick.at("2026-08-31 10:00")
    ticket = quick.awaiting(level)
    opened = ticket.created_at
    quick.at("2026-09-07 10:00")
    quick.go(ticket, "closed", "resident")
    quick.at(start) if start < "2026-09-22" else quick.later(days=15)
    quick.go(ticket, "in_progress", "resident", reason="还是不亮")
    now = quick.work.now
    assert ticket.contact_due_at == slow.after(now, DAY)
    assert ticket.due_at == ticket.unit_due_at == slow.after(now, 3 * DAY)
    assert ticket.created_at == opened, "what it took is still counted from the first message"
    assert (ticket.card, ticket.supervision, ticket.contacted_at) == (None, 0, None)


def test_children_report_in_three_working_days(quick: Any, slow: Any) -> None:
    quick.at("2026-09-29 11:00")
    parent = quick.working("G")
    promised = parent.due_at, parent.unit_due_at
    quick.at("2026-09-30 10:00")
    (child,) = quick.whistle(parent, OTHER)
    three = slow.after(quick.work.now, 3 * DAY)
    assert child.due_at == child.unit_due_at == three
    assert child.sign_due_at == slow.after(quick.work.now, 60)
    assert child.contact_due_at is None, "the lead speaks with the resident"
    assert (parent.due_at, parent.unit_due_at) == promised, "the clock runs on"
    # Sent on, its clock starts anew with the same three days.
    quick.go(child, "returned", "handler", reason="not_ours")
    quick.later(hours=2)
    quick.go(child, "dispatched", "desk", unit="民生服务中心")
    assert child.unit_due_at == slow.after(quick.work.now, 3 * DAY)
    # Cards count in its own three days: a fifth of them before the end.
    assert tick_until(quick, child, "yellow") == slow.before(child.unit_due_at, 3 * DAY // 5)


def test_the_childs_days_are_editable(quick: Any, slow: Any) -> None:
    site = quick.work.site
    plain = dict(site.data)
    site.data["deadlines"] = {"G": {"children": "2d"}}
    del site.__dict__["levels"]
    try:
        quick.at("2026-09-08 10:00")
        (child,) = quick.whistle(quick.working("G"), OTHER)
        assert child.unit_due_at == slow.after(quick.work.now, 2 * DAY)
    finally:
        site.data.clear()
        site.data.update(plain)
        del site.__dict__["levels"]


def test_a_child_of_danger_runs_on_the_clock(quick: Any) -> None:
    quick.at("2026-10-03 22:00")
    (child,) = quick.whistle(quick.working("A"), OTHER)
    assert child.unit_due_at == quick.work.now + timedelta(hours=2)


def test_a_child_of_a_redo_must_be_signed_too(quick: Any, slow: Any) -> None:
    parent = quick.awaiting("G")
    quick.go(parent, "in_progress", "resident")
    quick.at("2026-09-08 10:00")
    (child,) = quick.whistle(parent, OTHER)
    assert child.sign_due_at == slow.after(quick.work.now, 60)


def test_referred_has_no_unit_clock(quick: Any) -> None:
    ticket = quick.working("D")
    quick.go(ticket, "referred", "desk", body="区住建局", outside_number="JS-8")
    assert ticket.unit_due_at is None
    did = tick_through(quick, days=13)
    assert did == []


# --- cards, supervision, the late signature ----------------------------------------------------


def tick_until(scene: Any, ticket: Any, what: str) -> datetime:
    """Ticks at the ticket's own moments, until one of them did ``what``; when that was."""
    for _ in range(40):
        assert ticket.watch_at is not None, f"{what} never comes"
        scene.work.now = max(ticket.watch_at, scene.work.now)
        if what in [entry["did"] for entry in reminders.run(scene.work)]:
            return scene.work.now
    raise AssertionError(f"{what} never comes")


def tick_through(scene: Any, *, days: int) -> list[str]:
    did: list[str] = []
    for _ in range(days * 6):
        scene.later(hours=4)
        did += [entry["did"] for entry in reminders.run(scene.work)]
    return did


@pytest.mark.parametrize("start", ["2026-09-08 10:20", "2026-09-24 16:00", "2026-09-30 17:30"])
@pytest.mark.parametrize("level", TABLE)
def test_cards_and_supervision_come_when_they_must(
    quick: Any, slow: Any, level: str, start: str
) -> None:
    finish = TABLE[level][3]
    quick.at(start)
    ticket = quick.working(level)
    due = ticket.unit_due_at
    if level in "AB":
        fifth, triple = due - timedelta(minutes=finish / 5), due + timedelta(minutes=2 * finish)
    else:
        fifth, triple = slow.before(due, finish // 5), slow.after(due, 2 * finish)
    yellow = max(fifth, slow.before(due, DAY), quick.work.now)
    supervised = slow.after(due, DAY)
    moments = [(yellow, "yellow", 0), (due, "red", 1), (supervised, "red", 2), (triple, "red", 3)]
    if triple < supervised:
        del moments[2]
    for at, card, supervision in sorted(moments):
        quick.work.now = at - timedelta(minutes=1)
        reminders.run(quick.work)
        assert (ticket.card, ticket.supervision) != (card, supervision), f"{card} too early"
        quick.work.now = at
        reminders.run(quick.work)
        assert (ticket.card, ticket.supervision) == (card, supervision)
    quick.later(days=100)
    assert reminders.run(quick.work) == [], "after the head of the street there is nobody"
    assert ticket.watch_at is None


def test_cards_are_pushed_to_those_above_once(quick: Any) -> None:
    quick.at("2026-09-08 10:00")
    ticket = quick.working("D")
    tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    tick_through(quick, days=30)
    pushed = [
        (p.text.split("】")[0][1:], p.openid) for p in quick.pushes(ticket, purpose="reminder")
    ]
    assert len(pushed) == len(set(pushed))
    assert ("督办：已达3倍时限", "demo-staff-03") in pushed
    assert ("红牌：已超期", "demo-staff-10") in pushed, "the unit's head"
    assert ("黄牌：快到期", "demo-staff-03") not in pushed


@pytest.mark.parametrize("start", ["2026-09-08 10:20", "2026-09-19 22:00", "2026-09-30 17:30"])
@pytest.mark.parametrize("level", TABLE)
def test_what_is_not_signed_in_time_the_system_signs(
    quick: Any, slow: Any, level: str, start: str
) -> None:
    quick.at(start)
    ticket = quick.dispatched(level)
    limit = after(slow, level, quick.work.now, TABLE[level][1])
    heard = len(quick.pushes(ticket, role="resident"))
    quick.work.now = limit - timedelta(minutes=1)
    reminders.run(quick.work)
    assert (ticket.state, ticket.late_sign) == ("dispatched", False)
    quick.work.now = limit
    reminders.run(quick.work)
    assert (ticket.state, ticket.late_sign, ticket.signed_at) == ("in_progress", True, limit)
    assert quick.events(ticket)[-1].role == "system"
    assert len(quick.pushes(ticket, role="resident")) == heard, "the resident hears nothing of it"
    assert [p for p in quick.pushes(ticket, purpose="reminder") if "超时未签收" in p.text]


def test_a_redo_without_a_signing_limit_still_has_cards(quick: Any, slow: Any) -> None:
    """Answered from an entry, reopened, dispatched for the first time in its second round."""
    ticket = quick.open("C", act="consult")
    quick.go(ticket, "closed", "desk", text="周一到周五")
    quick.go(ticket, "received", "resident")
    quick.at("2026-09-08 10:00")
    quick.go(ticket, "dispatched", "desk", unit=LEAD)
    due = slow.after(quick.work.now, 3 * DAY)
    assert ticket.sign_due_at is None
    assert tick_until(quick, ticket, "red") == due
    assert ticket.state == "dispatched"


def test_what_the_system_does_by_itself(quick: Any) -> None:
    """Silence after a question, a review date, an outside body that is silent, an unrated end."""
    asked, suspended, referred = quick.open(), quick.working(), quick.open()
    quick.go(asked, "need_info", "desk", text="哪一层？")
    quick.go(suspended, "suspended", "supervisor", plan="等配件", review_date="2026-12-01")
    quick.go(referred, "referred", "desk", body="区住建局", outside_number="JS-8")
    unrated = quick.awaiting()
    start = quick.work.now
    steps = [
        (asked, "received", start + timedelta(days=5)),
        (unrated, "closed", start + timedelta(days=7)),
        (suspended, "in_progress", datetime.fromisoformat("2026-12-01T00:00:00+08:00")),
        (referred, "received", start + timedelta(days=14)),
    ]
    for ticket, state, at in steps:
        quick.work.now = at - timedelta(minutes=1)
        reminders.run(quick.work)
        assert ticket.state != state
        quick.work.now = at
        reminders.run(quick.work)
        assert ticket.state == state
        assert quick.events(ticket)[-1].role == "system"
    assert unrated.unrated
    assert unrated.follow_ups == 2


@pytest.mark.parametrize("at_the_desk", [True, False])
def test_an_alert_repeats_until_somebody_confirms(quick: Any, at_the_desk: bool) -> None:
    """Also at the minutes in which another word is due: 5 at the desk, 15 and 30 at a unit."""
    ticket = quick.open("A", urgent=True)
    if not at_the_desk:
        quick.go(ticket, "dispatched", "system", unit=LEAD)
    times: list[int] = []
    for minute in range(1, 181):
        quick.later(minutes=1)
        times += [minute for e in reminders.run(quick.work) if e["did"] == "alert"]
    assert times == [*range(5, 61, 5), 120, 180]
    tickets.record(quick.work, ticket, "confirmed", quick.person("马志强", ticket))
    assert "alert" not in tick_through(quick, days=1)


def test_an_alert_swallows_no_other_reminder(quick: Any) -> None:
    """Danger, class A: 30 minutes after dispatch both an alert and the first contact are due."""
    ticket = quick.open("A", urgent=True)
    quick.go(ticket, "dispatched", "system", unit=LEAD)
    did: list[str] = []
    for _ in range(31):
        quick.later(minutes=1)
        did += [entry["did"] for entry in reminders.run(quick.work)]
    assert {"sign_soon", "sign_due", "contact_soon", "contact_due"} <= set(did)


def test_after_a_pause_of_the_server_each_word_is_said_once_and_alerts_but_once(quick: Any) -> None:
    ticket = quick.open("A", urgent=True)
    quick.go(ticket, "dispatched", "system", unit=LEAD)
    quick.later(minutes=45)
    did = [entry["did"] for entry in reminders.run(quick.work)]
    assert did.count("alert") == 1
    assert {"sign_soon", "sign_due", "contact_soon", "contact_due"} <= set(did)
    assert reminders.run(quick.work) == []


# --- 3. pauses ---------------------------------------------------------------------------------

END = datetime.fromisoformat("2026-10-18T00:00:00+08:00")
MOVES = {
    # what it is called here: from, to, by whom, fields
    "ask": ("in_progress", "need_info", "handler", {"text": "哪一层？"}),
    "answer": ("need_info", "in_progress", "resident", {}),
    "suspend": (
        "in_progress",
        "suspended",
        "supervisor",
        {"plan": "等", "review_date": "2026-10-20"},
    ),
    "resume": ("suspended", "in_progress", "head", {}),
    "whistle": ("in_progress", "joint", "handler", {"units": [OTHER]}),
    "join": ("joint", "in_progress", "supervisor", {}),
    "hand": ("in_progress", "in_review", "handler", FINISHED),
    "refuse": ("in_review", "in_progress", "head", {"reason": "没写清楚"}),
}


class Oracle:
    """A finishing clock: its minutes run out one by one, except while it stands still."""

    def __init__(self, slow: Any, level: str, start: datetime) -> None:
        self.slow, self.clock_time = slow, level in "AB"
        self.due = after(slow, level, start, TABLE[level][3])
        self.left = 0

    def count(self, a: datetime, b: datetime) -> int:
        return round((b - a) / timedelta(minutes=1)) if self.clock_time else self.slow.between(a, b)

    def pause(self, now: datetime) -> None:
        if now < self.due:
            self.left = max(1, self.count(now, self.due))
        else:
            self.left = -max(1, self.count(self.due, now)) if now > self.due else 0

    def resume(self, now: datetime) -> None:
        if self.clock_time:
            self.due = now + timedelta(minutes=self.left)
        elif self.left >= 0:
            self.due = self.slow.after(now, self.left)
        else:
            self.due = self.slow.before(now, -self.left)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(TABLE)), st.integers(0, 2**32))
def test_only_questions_and_suspensions_stop_the_clocks(
    sqlite_lab: Any, slow: Any, level: str, seed: int
) -> None:
    random = Random(seed)
    with sqlite_lab.scene() as scene:
        scene.at("2026-08-31 00:00")
        scene.later(minutes=random.randrange(60 * 24 * 12))
        ticket = scene.open(level)
        residents = Oracle(slow, level, scene.work.now)
        scene.later(minutes=random.randrange(300))
        scene.go(ticket, "dispatched", "desk", unit=LEAD)
        units = Oracle(slow, level, scene.work.now)
        scene.go(ticket, "in_progress", "handler")
        began = ticket.created_at
        for _ in range(14):
            scene.later(minutes=random.choice([0, 7, 90, 700, 4000]) * random.random() // 1)
            if scene.work.now > END:
                break
            name = random.choice([name for name in MOVES if MOVES[name][0] == ticket.state])
            _, to, role, fields = MOVES[name]
            scene.go(ticket, to, role, **fields)
            for clock in (residents, units):
                if name in ("ask", "suspend"):
                    clock.pause(scene.work.now)
                elif name in ("answer", "resume"):
                    clock.resume(scene.work.now)
            assert (ticket.due_at, ticket.unit_due_at) == (residents.due, units.due)
            assert ticket.created_at == began


def test_a_pause_at_the_desk_stops_the_residents_clock(quick: Any, slow: Any) -> None:
    quick.at("2026-09-24 16:00")
    ticket = quick.open("D")
    quick.at("2026-09-28 09:30")  # 150 minutes used, the holiday not counted
    quick.go(ticket, "need_info", "desk", text="哪一层？")
    quick.at("2026-09-30 17:00")
    quick.go(ticket, "received", "resident")
    assert ticket.due_at == slow.after(quick.work.now, 3 * DAY - 150)


def test_each_dispatch_starts_the_units_clock_and_never_the_residents(
    quick: Any, slow: Any
) -> None:
    quick.at("2026-09-08 10:00")
    ticket = quick.open("D")
    promised = ticket.due_at
    for unit in (LEAD, OTHER, "市政养护站"):
        quick.later(hours=2)
        quick.go(ticket, "dispatched", "desk", unit=unit)
        assert ticket.unit_due_at == slow.after(quick.work.now, 3 * DAY)
        quick.later(hours=1)
        quick.go(ticket, "returned", "handler", reason="not_ours")
        if ticket.returns == 2:
            break
    quick.go(ticket, "dispatched", "desk", unit=OTHER)
    quick.go(ticket, "received", "desk")
    assert (ticket.unit_due_at, ticket.lead_id, ticket.sign_due_at) == (None, None, None)
    assert ticket.due_at == promised


def test_a_refused_hand_in_counts_as_never_handed_in(quick: Any) -> None:
    ticket = quick.working("D")
    due = ticket.unit_due_at
    quick.go(ticket, "in_review", "handler", **FINISHED)
    assert ticket.finished_at == quick.work.now
    quick.later(days=2)
    quick.go(ticket, "in_progress", "head", reason="没写清楚")
    assert (ticket.finished_at, ticket.unit_due_at) == (None, due)
    quick.later(hours=1)
    quick.go(ticket, "in_review", "handler", **FINISHED)
    handed_in = quick.work.now
    quick.later(hours=5)
    quick.go(ticket, "awaiting_feedback", "head")
    assert ticket.finished_at == handed_in, "the entry that was approved"
