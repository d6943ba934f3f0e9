"""What must be true in the database and on the phones, whatever was killed meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlmodel import col

from bot.machine import Machine
from bot.models import Event, Message, Outbox, Ticket
from bot.models.template_fields import render_fields
from bot.work import Work
from tests.crash.harness import Received, Said

WAITING = ("pending", "sending")
LAMP = "楼道灯坏了"


def rows(machine: Machine, model: Any, *where: Any) -> list[Any]:
    return machine.read(lambda work: work.find(model, *where, order=[model.id], limit=50_000))


def delivered(machine: Machine) -> bool:
    """Nothing waits to leave."""
    return not rows(machine, Outbox, col(Outbox.state).in_(WAITING))


def every_message_once(machine: Machine, said: Sequence[Said]) -> None:
    stored = Counter(row.key for row in rows(machine, Message))
    assert set(stored.values()) <= {1}
    assert set(stored) == {one.key for one in said}
    for one in said:
        assert len(set(one.answers)) == 1, (one.words, one.answers)


def every_ticket_once(machine: Machine, said: Sequence[Said]) -> None:
    tickets = rows(machine, Ticket)
    numbers = {ticket.number for ticket in tickets}
    assert len(numbers) == len(tickets)
    reports = [one for one in said if LAMP in one.words]
    assert len(tickets) == len(reports)
    opened = rows(machine, Event, col(Event.kind) == "opened")
    by_message = Counter(event.data["message"] for event in opened)
    assert set(by_message.values()) == {1}
    assert len(by_message) == len(tickets)
    # The number in the answer is the ticket of that message.
    id_of = {row.key: row.id for row in rows(machine, Message)}
    number_of = {ticket.id: ticket.number for ticket in tickets}
    of_message = {event.data["message"]: number_of[event.ticket_id] for event in opened}
    for one in reports:
        assert of_message[id_of[one.key]] in one.answers[0]


def every_push_arrived(machine: Machine, received: Received) -> int:
    """And once, but for customer messages that were cut between call and record; their number."""
    pushes = rows(machine, Outbox)
    assert {row.state for row in pushes} == {"sent"}, Counter(row.state for row in pushes)
    custom: dict[str, Counter[str]] = {}
    twice = 0
    for row in (row for row in pushes if row.channel == "custom"):
        seen = custom.setdefault(row.openid, received.shown(row.openid, "custom"))[row.text]
        assert 1 <= seen <= row.attempts, (row.id, seen, row.attempts)
        twice += seen - 1
    shown: Counter[str] = Counter()
    for row in (row for row in pushes if row.channel == "template"):
        calls = received.templates[row.openid, row.client_msg_id]
        # A row may have begun as a customer message and ended as a template.
        assert 1 <= len(calls) <= row.attempts
        assert all(call == calls[0] for call in calls)
        assert calls[0]["data"] == {
            keyword: {"value": value} for keyword, value in _fields(machine, row).items()
        }
        shown[row.openid] += 1
    # However often it was called for, each card was shown once.
    for openid, count in shown.items():
        assert received.shown(openid, "template").total() == count
    return twice


def _fields(machine: Machine, row: Outbox) -> dict[str, str]:
    def render(work: Work) -> dict[str, str]:
        return render_fields(work.site.templates[row.purpose].fields, row.fields)

    return machine.read(render)
