"""``watch_at`` is the earliest thing to do, and a tick touches nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.models import Ticket
from bot.services import clocks, reminders, tickets
from bot.work import table_of

SECOND = timedelta(seconds=1)
STATES = """received need_info dispatched returned in_progress joint in_review awaiting_feedback
closed suspended referred declined invalid merged withdrawn""".split()
RESTING = {"closed", "declined", "invalid", "merged", "withdrawn"}


def placed(scene: Any, state: str, **columns: Any) -> Any:
    """A ticket set into ``state`` whose next moment is known, as after any real move."""
    extra: dict[str, Any] = {"came_from": "received"} if state == "need_info" else {}
    if state == "suspended":
        extra["review_at"] = scene.work.now + timedelta(days=30)
    if state == "dispatched":
        extra["sign_due_at"] = scene.work.now + timedelta(hours=2)
    if state == "awaiting_feedback":
        extra["follow_ups"] = 1
    ticket = scene.put(state, **extra | columns)
    ticket.watch_at = clocks.next_watch(scene.work.site, ticket)
    return ticket


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_due_before_and_something_is_due_then(quick: Any, state: str) -> None:
    """Followed through the whole life of a ticket left alone."""
    ticket = placed(quick, state)
    for _ in range(60):
        if ticket.watch_at is None:
            break
        if ticket.watch_at > quick.work.now + SECOND:
            quick.work.now = ticket.watch_at - SECOND
            assert reminders.run_one(quick.work, ticket.id) == []
        quick.work.now = max(ticket.watch_at, quick.work.now)
        assert reminders.run_one(quick.work, ticket.id)
        assert ticket.watch_at is None or ticket.watch_at > quick.work.now
    assert (ticket.watch_at is None) == (
        state in RESTING or ticket.state in RESTING or ended(ticket)
    )
    quick.later(days=400)
    if ticket.watch_at is None:
        assert reminders.run_one(quick.work, ticket.id) == []


def ended(ticket: Any) -> bool:
    """All words said: late beyond the head of the street, or waiting where only people go on."""
    return ticket.supervision == 3 or ticket.state in ("received", "returned", "in_review")


def test_an_open_matter_never_rests_before_somebody_was_told(quick: Any) -> None:
    for state in set(STATES) - RESTING:
        assert placed(quick, state).watch_at is not None, state
    for state in RESTING:
        assert placed(quick, state).watch_at is None, state


def test_a_tick_does_not_touch_tickets_at_rest(scene: Any) -> None:
    """The same statements for none, for six and for sixty tickets that have nothing to do."""
    counts = []
    for more in (0, 6, 54):
        for number in range(more):
            placed(scene, STATES[number % len(STATES)])
        scene.work.flush()
        with scene.counted() as statements:
            assert reminders.run(scene.work) == []
            scene.work.flush()
        counts.append(len(statements))
        assert not [s for s in statements if s.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert counts[0] == counts[1] == counts[2] == 1


def test_a_tick_finds_its_tickets_by_an_index(sqlite_lab: Any) -> None:
    with sqlite_lab.scene() as scene, scene.counted() as statements:
        reminders.run(scene.work)
        (query,) = statements
        plan = scene.work.connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {query}",
            ("2026-11-23 02:00:00.000000", 100, 0)[: query.count("?")],
        )
        assert "USING INDEX ix_ticket_watch_at" in str(plan.all())


def test_only_what_is_due_is_touched(quick: Any) -> None:
    due, resting = quick.dispatched("A"), [quick.dispatched("H") for _ in range(20)]
    before = [quick.row(ticket) for ticket in resting]
    quick.later(minutes=15)
    did = reminders.run(quick.work)
    assert {entry["ticket"] for entry in did} == {due.number}
    assert [quick.row(ticket) for ticket in resting] == before


def test_the_urgent_come_first(quick: Any) -> None:
    calm = [quick.dispatched("A") for _ in range(3)]
    urgent = quick.dispatched("A", urgent=True)
    quick.later(minutes=20)
    did = [entry["ticket"] for entry in reminders.run(quick.work)]
    assert did[0] == urgent.number
    assert {ticket.number for ticket in calm} < set(did)


def test_a_second_tick_at_the_same_moment_does_nothing(quick: Any) -> None:
    for state in STATES:
        placed(quick, state)
    quick.later(days=20)
    while reminders.run(quick.work):
        pass
    before = quick.counts()
    assert reminders.run(quick.work) == []
    assert quick.counts() == before


def test_a_failing_ticket_is_postponed(quick: Any) -> None:
    ticket = quick.dispatched("A")
    quick.later(minutes=15)
    assert ticket.id in reminders.due(quick.work)
    reminders.postpone(quick.work, ticket.id)
    assert ticket.id not in reminders.due(quick.work)
    quick.later(hours=1)
    assert ticket.id in reminders.due(quick.work)


def test_watch_at_follows_every_note_on_the_ticket(quick: Any) -> None:
    """A contact that was logged takes its reminder away at once."""
    ticket = quick.working("D")
    contact_soon = ticket.watch_at
    tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    assert ticket.watch_at > contact_soon
    table = table_of(Ticket).c
    assert quick.row(ticket)[table.watch_at.name] == ticket.watch_at
