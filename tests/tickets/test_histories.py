"""Random histories of legal moves by random actors, with time and ticks: what holds after each step.

Invariant 10 (replay), and on the way 4, 7 and 9 and the meaning of ``watch_at``.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import NotAllowed
from bot.models import Ticket
from bot.models.actor import RESIDENT
from bot.services import clocks, reminders, tickets
from bot.work import table_of

LEAD, OTHER, THIRD = "安居物业", "综合执法队", "市政养护站"
LED = {"dispatched", "returned", "in_progress", "joint", "in_review", "suspended"}
CLOCKED = LED - {"returned"}
SECONDS, MINUTES = timedelta(seconds=90), timedelta(minutes=90)
HOURS, DAYS = timedelta(hours=30), timedelta(days=6)
# What a ticket is besides: bound at its opening or kept elsewhere, and neither state, clock nor flag.
OTHERS = {
    *("id", "number", "intent", "act", "summary", "text", "slots", "private", "phone_mark"),
    *("plate_mark", "area_id", "latitude", "longitude", "resident_id", "parent_id"),
    # When it began is when it was opened; how far ticks have looked is no part of what happened.
    *("created_at", "watch_at", "watched_at"),
}

MOVES = """
received           dispatched/desk dispatched/system dispatched/desk need_info/desk closed/desk
received           declined/desk invalid/desk merged/desk referred/desk withdrawn/resident
need_info          received/resident in_progress/resident received/system in_progress/system
dispatched         in_progress/handler in_progress/handler in_progress/handler in_progress/system
dispatched         returned/handler received/desk merged/desk
returned           dispatched/desk dispatched/desk dispatched/supervisor declined/desk merged/desk
in_progress        need_info/handler returned/handler joint/handler joint/head joint/handler
in_progress        suspended/supervisor in_review/handler in_review/handler in_review/handler
in_progress        closed/supervisor referred/desk withdrawn/resident merged/desk
joint              in_progress/supervisor in_progress/system withdrawn/resident
in_review          awaiting_feedback/head awaiting_feedback/head in_progress/head
in_review          closed/lead closed/lead in_progress/lead
awaiting_feedback  closed/resident closed/callback in_progress/resident in_progress/supervisor
awaiting_feedback  received/resident closed/system
closed             in_progress/resident in_progress/supervisor received/callback
suspended          in_progress/head in_progress/system withdrawn/resident
referred           awaiting_feedback/desk awaiting_feedback/desk received/system
declined           received/resident
invalid            received/desk
merged             received/desk
withdrawn
"""
ENDS = {"declined", "invalid", "withdrawn", "merged"}


def possible(state: str, random: Random) -> list[tuple[str, str]]:
    """The moves worth trying from ``state``, in random order, the ends seldom first."""
    lines = (line.split() for line in MOVES.strip().splitlines())
    moves = [tuple(move.split("/")) for source, *rest in lines if source == state for move in rest]
    random.shuffle(moves)
    return sorted(moves, key=lambda move: move[0] in ENDS and random.random() < 0.8)


class Life:
    """One ticket, its children and its neighbours, moved about at random."""

    def __init__(
        self, scene: Any, random: Random, fields: dict[str, Any], level: str = "", **columns: Any
    ) -> None:
        self.scene, self.random, self.fields = scene, random, fields
        self.level, self.columns = level or random.choice("ABCDEFGH"), columns
        self.begin()

    def begin(self) -> None:
        self.ticket = self.scene.open(self.level, **self.columns)
        self.into = self.scene.open(self.level).number
        self.joined: list[str] = []

    def family(self) -> list[Any]:
        return [self.ticket, *tickets.children(self.scene.work, self.ticket)]

    def step(self) -> None:
        self.ticket = self.scene.anew(self.ticket)
        work, random = self.scene.work, self.random
        work.now += random.choice([timedelta(), SECONDS, MINUTES, HOURS, DAYS]) * random.random()
        ticket, children = self.ticket, self.family()[1:]
        what = ["move"] * 6 + ["child"] * 6 * (ticket.state == "joint")
        match random.choice([*what, "tick", "contact", "join", "urge", "rate"]):
            case "move" if ticket.state == "withdrawn":
                self.begin()
            case "move":
                self.move(ticket)
            case "child":
                self.move(random.choice(children))
            case "tick":
                self.tick()
            case "contact" if ticket.state in ("in_progress", "joint") and random.random() < 0.5:
                tickets.contact_logged(work, ticket, self.scene.as_a("handler"))
            case "join" if ticket.is_open and len(self.joined) < 3:
                (neighbour,) = self.scene.supported(ticket)
                self.joined.append(neighbour.openid)
            case "urge" if ticket.is_open:
                tickets.urge(work, ticket, RESIDENT)
            case "rate" if ticket.state == "closed":
                tickets.record(work, ticket, "rated", RESIDENT, satisfaction="满意")

    def move(self, ticket: Any) -> None:
        """The first move of its state that no guard refuses; a refusal has changed nothing."""
        for to, role in possible(ticket.state, self.random)[:5]:
            before, counts = dict(vars(ticket)), self.scene.counts()
            heard = len(self.scene.pushes(ticket, role="resident"))
            try:
                self.scene.go(ticket, to, role, **self.given())
            except NotAllowed:
                assert (dict(vars(ticket)), self.scene.counts()) == (before, counts)
                continue
            news = [p.openid for p in self.scene.pushes(ticket, role="resident")[heard:]]
            assert max(Counter(news).values(), default=0) <= 1, "each hears it once"
            assert not news or set(news) >= set(self.joined), "every supporter hears it"
            return

    def given(self) -> dict[str, Any]:
        units = self.random.sample([LEAD, OTHER, THIRD], 2)
        called = self.random.sample([OTHER, THIRD], self.random.choice([1, 2]))
        return self.fields | {
            "unit": units[0],
            "units": called,
            "into": self.into,
            "review_date": self.review_date(),
        }

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


def live(lab: Any, seed: int, fields: dict[str, Any], *, steps: int) -> None:
    random = Random(seed)
    flags = random.choice([{}, {}, {"urgent": True}, {"sensitive": True}, {"act": "consult"}])
    with lab.scene() as scene:
        scene.at("2026-09-17 00:00")
        scene.later(hours=random.randrange(200))
        life = Life(scene, random, fields, **flags)
        for _ in range(steps):
            life.step()
            life.check()
        life.check_reminders()


@settings(max_examples=18, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_happens_the_history_tells_it(
    sqlite_lab: Any, all_fields: dict[str, Any], seed: int
) -> None:
    live(sqlite_lab, seed, all_fields, steps=40)


@pytest.mark.parametrize("seed", range(3))
def test_and_on_postgresql_too(postgres_lab: Any, all_fields: dict[str, Any], seed: int) -> None:
    live(postgres_lab, seed, all_fields, steps=30)


def test_a_long_life_by_hand(scene: Any, all_fields: dict[str, Any]) -> None:
    """Asked, returned, locked, jointly worked, suspended, refused, redone, closed by the system."""
    life = Life(scene, Random(1), all_fields, "D")
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
