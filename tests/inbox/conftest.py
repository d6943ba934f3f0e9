"""An inbox that can be held, lines that can be hung up, and handlers that break on demand."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from bot.conversation.incoming import Incoming
from bot.conversation.turn import Answer, Reply, Turn
from bot.inbox import Inbox
from bot.machine import Machine
from bot.models import Event, Media, Message, Outbox, Ticket
from bot.work import table_of
from tests.conftest import Office

LAMP = "阳光小区3号楼2单元楼道灯坏了"
BROKEN = "这句话会出错"


class Line:
    """One request of the platform."""

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    async def gone(self) -> None:
        await self._ended.wait()

    def hang_up(self) -> None:
        self._ended.set()


class Door:
    """The inbox of one process, with a gate in the writer's thread."""

    def __init__(self, office: Office, inbox: Inbox) -> None:
        self.office = office
        self.inbox = inbox
        self._gate = threading.Event()

    def send(self, incoming: Incoming, line: Line | None = None) -> asyncio.Task[str | None]:
        line = line or Line()
        return asyncio.ensure_future(self.inbox.submit(incoming, line.gone))

    async def hold(self) -> None:
        """The writer is busy with something else until ``release``."""
        self._gate.clear()
        held = threading.Event()
        self._job = asyncio.ensure_future(self.inbox.run(lambda: held.set() or self._gate.wait(20)))
        await asyncio.to_thread(held.wait, 20)

    async def release(self) -> None:
        self._gate.set()
        await self._job


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Unconfigured, structlog draws every variable of a failing turn, which takes a minute."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def door(office: Office) -> Callable[..., None]:
    """Runs a story with a started inbox: ``door(story, size=4)``."""

    @asynccontextmanager
    async def opened(size: int, batch: int) -> Any:
        machine = office.machine
        inbox = Inbox(machine.batches, machine.clock, size=size, batch=batch)
        inbox.start()
        made = Door(office, inbox)
        try:
            yield made
        finally:
            made._gate.set()
            await inbox.stop()

    def run(story: Callable[[Door], Awaitable[None]], *, size: int = 100, batch: int = 64) -> None:
        async def whole() -> None:
            async with opened(size, batch) as made:
                await asyncio.wait_for(story(made), 60)

        asyncio.run(whole())

    return run


def counts(machine: Machine) -> Counter[str]:
    """How many rows there are of everything that must not be made twice."""
    with machine.database.read() as connection:
        return Counter(
            {
                model.__name__: connection.execute(
                    select(func.count()).select_from(table_of(model))
                ).scalar_one()
                for model in (Message, Ticket, Event, Outbox, Media)
            }
        )


def wrap_staff(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, before: Callable[[Turn], None]
) -> None:
    """``before`` sees every message's turn first, as a handler would."""
    known = machine.batches._handlers.answer
    staff = known["staff"]

    def first(turn: Turn, answer: Answer) -> Reply | None:
        before(turn)
        return staff(turn, answer)

    monkeypatch.setitem(known, "staff", first)  # type: ignore[arg-type]


@pytest.fixture
def breaking(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The handler of BROKEN does half of its work and raises; counted by text."""
    tried: Counter[str] = Counter()

    def breaks(turn: Turn) -> None:
        tried[turn.text] += 1
        if turn.text.startswith(BROKEN):
            machine_row(turn)
            raise ZeroDivisionError("a handler's mistake")

    wrap_staff(machine, monkeypatch, breaks)
    return tried


def machine_row(turn: Turn) -> None:
    """Half of a turn's work, which must not stay."""
    turn.work.add(
        Outbox,
        openid="half-done",
        role="staff",
        purpose="task",
        text="half",
        client_msg_id=f"half-{turn.work.next_id()}",
        created_at=turn.work.now,
        due_at=turn.work.now,
    )
    turn.work.flush()
