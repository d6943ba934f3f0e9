"""Two server processes on one PostgreSQL database: nothing is made, sent or done by both."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from bot.batch import Entry
from bot.machine import Machine
from bot.models import Event, Outbox, Ticket
from tests.conftest import Office
from tests.crash import checks
from tests.crash.harness import Load, Server, pretend_platform, until
from tests.crash.test_sigkill import RESIDENTS, STAFF, speak

only_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@pytest.mark.timeout(300)
@only_postgres
@pytest.mark.usefixtures("database_url")
def test_messages_through_both(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")

    async def story() -> None:
        async with pretend_platform(machine, monkeypatch, RESIDENTS + STAFF) as (received, base):
            servers = [Server(machine.settings, base, tmp_path) for _ in range(2)]
            load = Load(received.platform, random.Random(seed))
            for openid in STAFF:
                load.say(openid, "你好")
            speak(load, 300)
            try:
                await asyncio.gather(*(server.start() for server in servers))
                # Deliveries of one message meet in both processes, often at the same moment.
                await load.deliver(load.said, [server.url for server in servers], again=0.5)
                await until(lambda: checks.delivered(machine))
                # Stopped as a service is, both end well (uvicorn ends by the signal it was sent).
                codes = {await server.end() for server in servers}
                logs = [server.log.read_text() for server in servers]
                assert codes <= {0, -signal.SIGTERM}, logs
                for server in servers:
                    assert "_failed" not in server.log.read_text()
            finally:
                for server in servers:
                    server.close()
            assert not load.refused
            assert not load.unanswered()
            checks.every_message_once(machine, load.said)
            checks.every_ticket_once(machine, load.said)
            assert checks.every_push_arrived(machine, received) == 0
            assert {row.attempts for row in checks.rows(machine, Outbox)} <= {1, 2}

    asyncio.run(story())


@pytest.mark.timeout(300)
@only_postgres
@pytest.mark.usefixtures("database_url")
def test_both_clocks_tick(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days of reminders, cards and automatic steps come due for both processes at once."""
    office = Office(machine)
    # More than one tick takes at a time.
    for start in range(0, 110, 55):
        words = [f"阳光小区{n % 6 + 1}号楼1单元楼道灯坏了" for n in range(start, start + 55)]
        said = [office.incoming(f"oR{start + n}", one) for n, one in enumerate(words)]
        machine.batches.run([Entry(one) for one in said], machine.clock.now())
    for n in range(8):
        office.say(f"oH{n}", "转人工")

    async def story() -> None:
        async with pretend_platform(machine, monkeypatch, RESIDENTS + STAFF) as (received, base):
            servers = [Server(machine.settings, base, tmp_path) for _ in range(2)]
            for server in servers:
                server.ahead = _weeks_later(machine)
            try:
                await asyncio.gather(*(server.start() for server in servers))
                await until(lambda: not _waiting(machine, servers[0]), 120)
            finally:
                for server in servers:
                    server.close()
            _each_thing_once(machine)
            sent = checks.rows(machine, Outbox, col(Outbox.state) == "sent")
            assert len(sent) > 500
            for row in sent:
                if row.channel == "template":
                    assert (
                        len(received.templates[row.openid, row.client_msg_id]) == row.attempts == 1
                    )

    asyncio.run(story())


def _weeks_later(machine: Machine) -> float:
    """Seconds until an hour in which people may be reminded, when every deadline is long over."""
    now = machine.clock.now().astimezone(machine.settings.zone)
    return ((now + timedelta(days=25)).replace(hour=10) - now).total_seconds()


def _waiting(machine: Machine, server: Server) -> bool:
    """Whether something is still due by the servers' clocks."""
    now = machine.clock.now() + timedelta(seconds=server.ahead)
    due_pushes = (col(Outbox.state).in_(checks.WAITING), col(Outbox.due_at) <= now)
    return bool(
        checks.rows(machine, Ticket, col(Ticket.watch_at) <= now)
        or checks.rows(machine, Outbox, *due_pushes)
    )


def _each_thing_once(machine: Machine) -> None:
    numbers = {ticket.id: ticket for ticket in checks.rows(machine, Ticket)}
    assert len(numbers) >= 110
    steps: Counter[tuple[object, ...]] = Counter()
    for event in checks.rows(machine, Event):
        what = (event.changes.get("card"), event.changes.get("supervision"))
        steps[event.ticket_id, event.kind, event.to_state, *what] += 1
    assert {step for step, count in steps.items() if count > 1} == set()
    # It was signed for by the clock, and each has had its cards.
    assert sum(step[1] == "card" for step in steps) >= 110
    texts = Counter(
        (row.openid, row.once or row.id, row.text) for row in checks.rows(machine, Outbox)
    )
    assert set(texts.values()) == {1}
    pushes = Counter((row.openid, row.text) for row in checks.rows(machine, Outbox))
    reminders = {what: n for what, n in pushes.items() if n > 1}
    assert not reminders, list(reminders)[:3]
