"""Random histories of legal moves by random actors, with time and ticks: what holds after each step.

Invariant 10 (replay), and on the way 4, 7 and 9 and the meaning of ``watch_at``.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import NotAllowed
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import clocks, reminders, tickets
from bot.work import table_of

LEAD, OTHER, THIRD = "安居物业", "综合执法队", "市政养护站"
LED = {"dispatched", "returned", "in_progress", "joint", "in_review", "suspended"}
CLOCKED = LED - {"returned"}
# What a ticket is besides: bound at its opening or kept elsewhere, and neither state, clock nor flag.
OTHERS = {
    *("id", "number", "intent", "act", "summary", "text", "slots", "private", "phone_mark"),
    *("plate_mark", "area_id", "latitude", "longitude", "resident_id", "parent_id"),
    # When it began is when it was opened; how far ticks have looked is no part of what happened.
    *("created_at", "watch_at", "watched_at"),
}

MOVES: dict[str, list[tuple[str, str]]] = {
    "received": [
        ("dispatched", "desk"),
        ("dispatched", "system"),
        ("need_info", "desk"),
        ("declined", "desk"),
        ("invalid", "desk"),
        ("merged", "desk"),
        ("referred", "desk"),
        ("closed", "desk"),
        ("withdrawn", "resident"),
    ],
    "need_info": [("received", "resident"), ("in_progress", "resident"), ("received", "system")],
    "dispatched": [
        ("in_progress", "handler"),
        ("in_progress", "handler"),
        ("returned", "handler"),
        ("received", "desk"),
        ("merged", "desk"),
        ("in_progress", "system"),
    ],
    "returned": [("dispatched", "desk"), ("dispatched", "supervisor"), ("declined", "desk")],
    "in_progress": [
        ("need_info", "handler"),
        ("returned", "handler"),
        ("joint", "handler"),
        ("joint", "head"),
        ("suspended", "supervisor"),
        ("in_review", "handler"),
        ("in_review", "handler"),
        ("closed", "supervisor"),
        ("referred", "desk"),
        ("withdrawn", "resident"),
    ],
    "joint": [("in_progress", "supervisor"), ("in_progress", "system"), ("withdrawn", "resident")],
    "in_review": [
        ("awaiting_feedback", "head"),
        ("in_progress", "head"),
        ("closed", "lead"),
        ("in_progress", "lead"),
    ],
    "awaiting_feedback": [
        ("closed", "resident"),
        ("closed", "callback"),
        ("in_progress", "resident"),
        ("received", "resident"),
        ("closed", "system"),
    ],
    "closed": [("in_progress", "resident"), ("in_progress", "supervisor"), ("received", "callback")],
    "suspended": [("in_progress", "head"), ("in_progress", "system"), ("withdrawn", "resident")],
    "referred": [("awaiting_feedback", "desk"), ("received", "system")],
    "declined": [("received", "resident")],
    "invalid": [("received", "desk")],
    "merged": [("received", "desk")],
    "withdrawn": [],
}
STEP = st.tuples(
    st.sampled_from(["move"] * 6 + ["child"] * 2 + ["tick"] * 2 + ["contact", "join", "urge", "rate"]),
    st.integers(0, 11),
    # Minutes mostly, sometimes days, and seconds that make no whole minute.
    st.one_of(st.integers(0, 3 * 3600), st.integers(0, 6 * 86400)),
)


class Life:
    """One ticket, its children and its neighbours, moved about at random."""

    def __init__(self, scene: Any, level: str, fields: dict[str, Any], **columns: Any) -> None:
        self.scene, self.fields = scene, fields
        self.ticket = scene.open(level, **columns)
        self.into = scene.open(level).number
        self.joined: list[str] = []

    def family(self) -> list[Any]:
        return [self.ticket, *tickets.children(self.scene.work, self.ticket)]

    def step(self, kind: str, choice: int, seconds: int) -> None:
        work = self.scene.work
        work.now += timedelta(seconds=seconds)
        children = self.family()[1:]
        match kind:
            case "move":
                self.move(self.ticket, choice)
            case "child" if children:
                self.move(children[choice % len(children)], choice)
            case "tick":
                self.tick()
            case "contact" if self.ticket.state in ("in_progress", "joint"):
                tickets.contact_logged(work, self.ticket, self.scene.as_a("handler"))
            case "join" if self.ticket.is_open and len(self.joined) < 3:
                (neighbour,) = self.scene.supported(self.ticket)
                self.joined.append(neighbour.openid)
            case "urge" if self.ticket.is_open:
                tickets.urge(work, self.ticket, RESIDENT)
            case "rate" if self.ticket.state == "closed":
                tickets.record(work, self.ticket, "rated", RESIDENT, satisfaction="满意")

    def move(self, ticket: Any, choice: int) -> None:
        """One of the moves of its state; a guard may say no, and then nothing has changed."""
        possible = MOVES[ticket.state]
        if not possible:
            return
        to, role = possible[choice % len(possible)]
        units = {"unit": [LEAD, OTHER, THIRD][choice % 3], "units": [OTHER, THIRD][: 1 + choice % 2]}
        fields = self.fields | units | {"into": self.into, "review_date": self.review_date()}
        before, counts = dict(vars(ticket)), self.scene.counts()
        heard = len(self.scene.pushes(ticket, role="resident"))
        try:
            self.scene.go(ticket, to, role, **fields)
        except NotAllowed:
            assert (dict(vars(ticket)), self.scene.counts()) == (before, counts)
            return
        news = [p.openid for p in self.scene.pushes(ticket, role="resident")[heard:]]
        assert max(Counter(news).values(), default=0) <= 1, "each hears it once"
        if news:
            assert set(news) >= set(self.joined), "every supporter hears it"

    def review_date(self) -> str:
        return (self.scene.work.now + timedelta(days=9)).isoformat()

    def tick(self) -> None:
        """Nothing a second before ``watch_at``; at it something; and after a tick it lies ahead."""
        work, ticket = self.scene.work, self.ticket
        if ticket.watch_at is not None and ticket.watch_at > work.now + timedelta(seconds=1):
            work.now = ticket.watch_at - timedelta(seconds=1)
            assert reminders.run_one(work, ticket.id) == []
            work.now += timedelta(seconds=1)
            assert reminders.run_one(work, ticket.id)
        while reminders.run(work):
            pass
        for one in self.family():
            assert one.watch_at is None or one.watch_at > work.now

    def check(self) -> None:
        scene = self.scene
        for ticket in self.family():
            replayed_equals_row(scene, ticket)
            assert ticket.watch_at == clocks.next_watch(scene.work.site, ticket)
            if ticket.state in LED:
                assert ticket.lead_id is not None
                assert ticket.due_at is not None
            if ticket.state in CLOCKED:
                assert ticket.unit_due_at is not None
            assert (ticket.state in ("need_info", "suspended")) == (ticket.paused_left is not None)
            assert (ticket.closed_at is not None) == (not ticket.is_open)
        children = self.family()[1:]
        for child in children:
            assert child.state in {
                *("dispatched", "returned", "in_progress", "in_review", "closed", "withdrawn")
            }
            assert not scene.pushes(child, role="resident")
        if any(child.is_open for child in children):
            assert self.ticket.state == "joint"

    def check_reminders(self) -> None:
        zone = self.scene.work.site.zone
        for push in self.scene.pushes():
            if push.purpose == "reminder" and not push.urgent:
                assert time(8) <= push.due_at.astimezone(zone).time() < time(20)
        keys = [push.once for push in self.scene.pushes() if push.once]
        assert len(keys) == len(set(keys))


def replayed_equals_row(scene: Any, ticket: Any) -> None:
    """Invariant 10, for every column of the table but those named in OTHERS."""
    row = scene.row(ticket)
    replayed = tickets.replay(scene.events(ticket))
    assert not set(replayed) - set(row), "an event sets what is no column"
    for column in table_of(Ticket).columns:
        if column.key in OTHERS:
            continue
        default = column.default.arg if column.default is not None else None
        value = replayed.get(column.key, default)
        actual = row[column.key]
        if isinstance(actual, datetime) and isinstance(value, str):
            value = datetime.fromisoformat(value).astimezone(UTC)
        assert value == actual, f"{column.key}: {value} by its events, {actual} in the row"
    opened = scene.events(ticket)[0]
    assert opened.at == ticket.created_at


def live(lab: Any, level: str, flags: dict[str, bool], hour: int, steps: Any, fields: Any) -> None:
    with lab.scene() as scene:
        scene.at("2026-09-17 00:00")
        scene.later(hours=hour)
        life = Life(scene, level, fields, **flags)
        for step in steps:
            life.step(*step)
            life.check()
        life.check_reminders()


FLAGS = st.sampled_from(
    [{}, {}, {"urgent": True}, {"sensitive": True}, {"confident": False}, {"act": "consult"}]
)


@settings(max_examples=70, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from("ABCDEFGH"), FLAGS, st.integers(0, 200), st.lists(STEP, max_size=30))
def test_whatever_happens_the_history_tells_it(
    sqlite_lab: Any,
    all_fields: dict[str, Any],
    level: str,
    flags: dict[str, bool],
    hour: int,
    steps: list[tuple[str, int, int]],
) -> None:
    live(sqlite_lab, level, flags, hour, steps, all_fields)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from("ADG"), FLAGS, st.integers(0, 200), st.lists(STEP, min_size=8, max_size=20))
def test_and_on_postgresql_too(
    postgres_lab: Any,
    all_fields: dict[str, Any],
    level: str,
    flags: dict[str, bool],
    hour: int,
    steps: list[tuple[str, int, int]],
) -> None:
    live(postgres_lab, level, flags, hour, steps, all_fields)


def test_a_long_life_by_hand(scene: Any, all_fields: dict[str, Any]) -> None:
    """Asked, returned, locked, jointly worked, suspended, refused, redone, closed by the system."""
    life = Life(scene, "D", all_fields)
    ticket, answer = life.ticket, {"result": "solved", "text": all_fields["text"]}
    script: list[tuple[Any, ...]] = [
        ("need_info", "desk", {"text": "哪一层？"}, 30),
        ("received", "resident", {}, 600),
        ("dispatched", "desk", {"unit": LEAD}, 20),
        ("returned", "handler", {"reason": "not_ours"}, 45),
        ("dispatched", "desk", {"unit": LEAD}, 15),
        ("in_progress", "handler", {}, 30),
        ("joint", "handler", {"units": [OTHER, THIRD]}, 60),
        ("in_progress", "supervisor", {}, 3000),
        ("suspended", "supervisor", {"plan": "等配件", "review_date": "2026-12-05"}, 10),
        ("in_progress", "head", {}, 5000),
        ("in_review", "handler", answer, 100),
        ("in_progress", "head", {"reason": "没写清楚"}, 700),
        ("in_review", "handler", answer, 100),
        ("awaiting_feedback", "head", {}, 20),
        ("in_progress", "resident", {"reason": "还是不亮"}, 4000),
        ("in_review", "handler", answer, 100),
        ("awaiting_feedback", "head", {}, 20),
    ]
    for to, role, fields, minutes in script:
        scene.later(minutes=minutes)
        scene.go(ticket, to, role, **fields)
        life.check()
    for _ in range(8):
        scene.later(days=1)
        reminders.run(scene.work)
        life.check()
    assert (ticket.state, ticket.unrated, ticket.round) == ("closed", True, 2)
    kinds = Counter(event.kind for event in scene.events(ticket))
    assert kinds["opened"] == 1
    assert kinds["transition"] == len(script) + 1
    ids = [event.id for event in scene.events(ticket)]
    assert ids == sorted(ids), "the order of what happened"
