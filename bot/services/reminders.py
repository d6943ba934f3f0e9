"""What time alone does to tickets and talks: reminders, cards, automatic steps.

A tick selects only rows whose ``watch_at`` or ``due_at`` has come, by an index; a ticket at rest
costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import col

from bot.models import Resident, Ticket
from bot.models.actor import SYSTEM
from bot.models.cases import Event
from bot.services import clocks, notices, tickets
from bot.services.guards import answer_of
from bot.services.outbox import push, reminder_hour, to_staff
from bot.work import Work

BATCH: Final = 100
# A ticket left alone for a year has a few dozen moments behind it; more is a mistake in the clocks.
MOST_MOMENTS: Final = 50


def run(work: Work) -> list[dict[str, str]]:
    """Act on at most ``BATCH`` tickets whose time has come; an empty list says nothing is left."""
    return [entry for ticket in _due(work) for entry in _catch_up(work, ticket)]


def due(work: Work) -> list[int]:
    return [ticket.id for ticket in _due(work)]


def run_one(work: Work, ticket_id: int) -> list[dict[str, str]]:
    """The same for one; nothing where another process was faster."""
    where = (col(Ticket.id) == ticket_id, col(Ticket.watch_at) <= work.now)
    found = work.find(Ticket, *where, limit=1, lock=True, skip_locked=True)
    return [entry for ticket in found for entry in _catch_up(work, ticket)]


def postpone(work: Work, ticket_id: int) -> None:
    """One ticket whose step raises must not hold up the others, nor be asked at every tick."""
    work.need(Ticket, ticket_id).watch_at = work.now + timedelta(hours=1)


def _due(work: Work) -> list[Ticket]:
    return work.find(
        Ticket,
        col(Ticket.watch_at) <= work.now,
        order=[col(Ticket.urgent).desc(), col(Ticket.watch_at)],
        limit=BATCH,
        lock=True,
        skip_locked=True,
    )


def _catch_up(work: Work, ticket: Ticket) -> list[dict[str, str]]:
    done: list[dict[str, str]] = []
    called = False
    for _ in range(MOST_MOMENTS):
        moments = (m for m in clocks.moments(work.site, ticket) if m[0] <= work.now)
        # Of the missed alerts one is worth sending: first, and without hiding any other word.
        missed = [moment for moment in moments if not (called and moment[1] == "alert")]
        if not missed:
            break
        at, what = min(missed, key=lambda moment: (moment[1] != "alert", *moment))
        if what == "alert":
            called = True
        else:
            ticket.watched_at = max(at, ticket.watched_at or at)
        ACTIONS[what](work, ticket, at)
        done.append({"ticket": ticket.number, "did": what, "at": at.isoformat()})
    if called:
        ticket.watched_at = work.now
    ticket.watch_at = clocks.next_watch(work.site, ticket)
    return done


Action = Callable[[Work, Ticket, datetime], None]


def _remind(title: str, *, head: bool = False, supervisor: bool = False) -> Action:
    def action(work: Work, ticket: Ticket, at: datetime) -> None:
        people = list(notices.in_charge(work, ticket))
        if head:
            people += work.site.heads(ticket.lead_id)
        if supervisor:
            people += work.site.supervisors
        once = f"{ticket.id}:{title}:{int(at.timestamp())}"
        text = f"【{title}】{notices.brief(work, ticket)}"
        to_staff(work, people, "reminder", text, ticket=ticket, once=once)

    return action


def _card(color: str, level: int, title: str, *, supervisor: bool) -> Action:
    remind = _remind(title, head=True, supervisor=supervisor)

    def action(work: Work, ticket: Ticket, at: datetime) -> None:
        changes: dict[str, Any] = {"card": color, "supervision": max(level, ticket.supervision)}
        tickets.record(work, ticket, "card", SYSTEM, **changes)
        remind(work, ticket, at)

    return action


def _sign(work: Work, ticket: Ticket, at: datetime) -> None:
    _remind("超时未签收", head=True)(work, ticket, at)
    tickets.transition(work, ticket, "in_progress", SYSTEM)


def _silent_resident(work: Work, ticket: Ticket, at: datetime) -> None:
    tickets.transition(work, ticket, ticket.came_from or "received", SYSTEM, tell=False)


def _step(to: str) -> Action:
    def action(work: Work, ticket: Ticket, at: datetime) -> None:
        tickets.transition(work, ticket, to, SYSTEM)

    return action


def _ask_again(work: Work, ticket: Ticket, at: datetime) -> None:
    text = notices.follow_up(ticket, answer_of(work, ticket))
    reporter = work.get(Resident, ticket.resident_id)
    if reporter is not None:
        # Only he is asked again, by day: those who joined him know the result already.
        wait = reminder_hour(work.site, work.now) - work.now
        push(
            work,
            reporter.openid,
            "resident",
            "follow_up",
            text,
            ticket=ticket,
            options=notices.SOLVED,
            after=wait,
        )
    notices.ask(work, ticket, "feedback", "solved", text, notices.SOLVED)
    tickets.record(work, ticket, "asked", SYSTEM, follow_ups=ticket.follow_ups + 1)


def _alert(work: Work, ticket: Ticket, at: datetime) -> None:
    """Nobody has confirmed: the same people again, and from the second time on those above them."""
    times = len(_alerts(work, ticket)) + 1
    alert(work, ticket, climb=times > 1)
    tickets.record(work, ticket, "alerted", SYSTEM, data={"times": times})


def _alerts(work: Work, ticket: Ticket) -> list[Event]:
    where = (col(Event.ticket_id) == ticket.id, col(Event.kind) == "alerted")
    return work.find(Event, *where, limit=200)


def alert(work: Work, ticket: Ticket, *, climb: bool = False) -> int:
    """Call the desk and the most local unit at once, whatever the hour; returns how many."""
    site = work.site
    people = [*site.desk_staff, *notices.in_charge(work, ticket)]
    people += site.staff_of_unit.get(ticket.lead_id or 0, ())
    if climb:
        people += [*site.heads(ticket.lead_id), *site.supervisors]
    number = notices.short(ticket)
    text = f"【紧急求助】{notices.brief(work, ticket)}\n原话：{ticket.text}\n回复：确认 {number}"
    return to_staff(work, people, "alert", text, ticket=ticket)


ACTIONS: Final[Mapping[str, Action]] = {
    "alert": _alert,
    "accept_soon": _remind("即将超时未派单"),
    "accept_due": _remind("超时未派单", supervisor=True),
    "sign_soon": _remind("请签收"),
    "sign_due": _sign,
    "contact_soon": _remind("请联系居民"),
    "contact_due": _remind("超时未联系居民", head=True),
    "yellow": _card("yellow", 0, "黄牌：快到期", supervisor=False),
    "red": _card("red", 1, "红牌：已超期", supervisor=True),
    "supervise": _card("red", 2, "督办：超期1个工作日", supervisor=True),
    "head_of_street": _card("red", 3, "督办：已达3倍时限", supervisor=True),
    "returned_due": _remind("退单待审超时", supervisor=True),
    "review_due": _remind("请审核"),
    "info_silent": _silent_resident,
    "review_date": _step("in_progress"),
    "referred_silent": _step("received"),
    "ask_again": _ask_again,
    "unanswered": _step("closed"),
}
