"""A ticket's clocks: which limits run, what pauses them, and when they next have something to do.

The resident's clock starts at the first message and never resets; a unit's starts at each dispatch.
Only need_info and suspended stop the finishing clock. Nothing here writes: functions take a ticket
and return the columns to change, or the moments to act at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.models import Ticket, sla
from bot.models.office import Site

PAUSED = frozenset({"need_info", "suspended"})
WORKING = frozenset({"dispatched", "in_progress", "joint"})
ALERT_EVERY = timedelta(minutes=5)
ALERT_FOR = timedelta(hours=1)
# These leave no trace on the ticket but ``watched_at``; all other moments end by what they change.
WORDS_ONLY = frozenset(
    "alert accept_soon accept_due sign_soon contact_soon contact_due returned_due review_due".split()
)
Changes = dict[str, Any]
Moment = tuple[datetime, str]


def level_of(site: Site, ticket: Ticket) -> sla.ServiceLevel:
    return site.levels["redo" if ticket.round > 1 else ticket.level]


def on_open(site: Site, level: str, now: datetime) -> Changes:
    """The resident's clock and the desk's: both from the first message."""
    rules = site.levels[level]
    return {
        "accept_due_at": _due(site, rules.accept, now),
        "due_at": _due(site, rules.finish, now),
    }


def on_dispatch(site: Site, ticket: Ticket, now: datetime) -> Changes:
    """A unit's clocks start anew with each dispatch; the resident's promise stays."""
    rules = level_of(site, ticket)
    return {
        "dispatched_at": now,
        "signed_at": None,
        "contacted_at": None,
        "finished_at": None,
        "late_sign": False,
        "card": None,
        "supervision": 0,
        "sign_due_at": _due(site, rules.sign, now),
        # A child's unit owes its lead a report, and the resident nothing.
        "contact_due_at": None if ticket.is_child else _due(site, rules.contact, now),
        "unit_due_at": _due(site, _finish_span(site, ticket), now),
    }


def on_redo(site: Site, now: datetime, *, led: bool) -> Changes:
    """A new round and a new promise. What the first round took still counts from the first message."""
    rules = site.levels["redo"]
    due = _due(site, rules.finish, now)
    return {
        "result": None,
        "finished_at": None,
        "closed_at": None,
        "contacted_at": None,
        "card": None,
        "supervision": 0,
        "follow_ups": 0,
        "unrated": False,
        "satisfaction": None,
        "contact_due_at": _due(site, rules.contact, now) if led else None,
        "accept_due_at": None if led else _due(site, site.levels["C"].accept, now),
        "unit_due_at": due if led else None,
        "due_at": due,
    }


def on_pause(site: Site, ticket: Ticket, now: datetime) -> Changes:
    span = _finish_span(site, ticket)
    left = [
        None if due is None else sla.remaining(span, now, due, site.calendar)
        for due in (ticket.due_at, ticket.unit_due_at)
    ]
    return {"paused_at": now, "paused_left": left}


def on_resume(site: Site, ticket: Ticket, now: datetime) -> Changes:
    """Both finishing clocks go on with what was left of them."""
    span = _finish_span(site, ticket)
    due_at, unit_due_at = (
        None if left is None else sla.resume(span, left, now, site.calendar)
        for left in ticket.paused_left or [None, None]
    )
    return {"due_at": due_at, "unit_due_at": unit_due_at, "paused_at": None, "paused_left": None}


def next_watch(site: Site, ticket: Ticket) -> datetime | None:
    """The first moment not yet acted on; None when the clock has nothing more to do here."""
    return min((at for at, _ in moments(site, ticket)), default=None)


def moments(site: Site, ticket: Ticket) -> Iterator[Moment]:
    """What is still to happen by time alone while the ticket stays as it is, in no order."""
    seen = ticket.watched_at
    return (
        (at, what)
        for at, what in _all_moments(site, ticket)
        if at is not None and (seen is None or at > seen or what not in WORDS_ONLY)
    )


def _all_moments(site: Site, ticket: Ticket) -> Iterator[tuple[datetime | None, str]]:
    state, since = ticket.state, ticket.state_at
    if ticket.urgent and ticket.confirmed_at is None and ticket.is_open:
        yield _next_alert(ticket), "alert"
    if state == "received":
        yield from _limit(ticket.created_at, ticket.accept_due_at, "accept")
    elif state == "dispatched":
        yield from _limit(ticket.dispatched_at, ticket.sign_due_at, "sign")
    elif state == "returned":
        yield _due(site, site.levels["C"].accept, since), "returned_due"
    elif state == "in_review":
        yield site.calendar.add(since, site.calendar.day_minutes), "review_due"
    elif state == "need_info":
        yield since + timedelta(days=5), "info_silent"
    elif state == "suspended":
        yield ticket.review_at, "review_date"
    elif state == "referred":
        yield since + timedelta(days=14), "referred_silent"
    elif state == "awaiting_feedback":
        if ticket.follow_ups < 2:
            yield since + timedelta(days=2), "ask_again"
        yield since + timedelta(days=7), "unanswered"
    if state in WORKING:
        if ticket.contacted_at is None:
            yield from _limit(ticket.dispatched_at, ticket.contact_due_at, "contact")
        yield from _cards(site, ticket)


def _limit(
    start: datetime | None, due: datetime | None, name: str
) -> Iterator[tuple[datetime | None, str]]:
    """A word at four fifths of the time, and one when it is over."""
    if start is not None and due is not None:
        yield start + (due - start) * 0.8, f"{name}_soon"
        yield due, f"{name}_due"


def _cards(site: Site, ticket: Ticket) -> Iterator[tuple[datetime | None, str]]:
    start, due = ticket.dispatched_at, ticket.unit_due_at
    if start is None or due is None:
        return
    span = _finish_span(site, ticket)
    if ticket.card is None:
        yield sla.yellow_at(start, due, span, site.calendar), "yellow"
    if ticket.card != "red":
        yield due, "red"
    if ticket.supervision < 2:
        yield sla.supervision_at(due, site.calendar), "supervise"
    if ticket.supervision < 3:
        yield sla.head_at(due, span, site.calendar), "head_of_street"


def _finish_span(site: Site, ticket: Ticket) -> sla.Span:
    """What the unit has for the work; a child reports in its own time, A and B run on the clock."""
    rules = level_of(site, ticket)
    if ticket.is_child and rules.finish.working:
        return rules.children or site.levels["G"].children or rules.finish
    return rules.finish


def _next_alert(ticket: Ticket) -> datetime:
    """Every five minutes in the first hour, then every hour, until somebody confirms."""
    last = max(ticket.watched_at or ticket.created_at, ticket.created_at)
    age = last - ticket.created_at
    step = ALERT_EVERY if age < ALERT_FOR else ALERT_FOR
    return ticket.created_at + (age // step + 1) * step


def _due(site: Site, span: sla.Span | None, start: datetime) -> datetime | None:
    return None if span is None else sla.due(span, start, site.calendar)
