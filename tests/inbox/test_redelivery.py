"""A message delivered more than once makes one of everything and gets one answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from bot.batch import Entry
from bot.conversation.turn import Turn
from bot.machine import Machine, build
from bot.settings import Settings
from intents.engine.engine import Engine
from tests.conftest import FrozenClock, Office
from tests.inbox.conftest import LAMP, Door, counts, wrap_staff


def test_while_it_is_queued(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        incoming = office.incoming("lin", LAMP)
        await at.hold()
        deliveries = [at.send(incoming) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert at.inbox.waiting == 1
        await at.release()
        answers = await asyncio.gather(*deliveries)
        assert len(set(answers)) == 1
        assert "T20261123-0001" in str(answers[0])

    door(story)
    made = counts(office.machine)
    assert (made["Message"], made["Ticket"], len(office.pushes(purpose="task"))) == (1, 1, 1)


def test_while_its_batch_is_written(
    door: Callable[..., None], office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate = threading.Event(), threading.Event()

    def pause(_: Turn) -> None:
        reached.set()
        gate.wait(20)

    wrap_staff(office.machine, monkeypatch, pause)

    async def story(at: Door) -> None:
        incoming = office.incoming("lin", LAMP)
        first = at.send(incoming)
        await asyncio.to_thread(reached.wait, 20)
        second = at.send(incoming)
        await asyncio.sleep(0.01)
        gate.set()
        answers = await asyncio.gather(first, second)
        assert answers[0] == answers[1]
        assert answers[0]

    door(story)
    made = counts(office.machine)
    assert (made["Message"], made["Ticket"]) == (1, 1)


def test_after_the_commit(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        incoming = office.incoming("lin", LAMP)
        answer = await at.send(incoming)
        before = counts(office.machine)
        office.later(minutes=1)
        assert [await at.send(incoming) for _ in range(3)] == [answer] * 3
        # Beside new messages in one batch, too.
        await at.hold()
        other = at.send(office.incoming("wang", LAMP))
        again = at.send(incoming)
        await at.release()
        assert await again == answer
        assert await other != answer
        after = counts(office.machine)
        assert after["Message"] == before["Message"] + 1
        assert after["Ticket"] == before["Ticket"] + 1

    door(story)


def test_what_had_no_answer_has_none_again(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        left = office.incoming("lin", kind="event", event="unsubscribe")
        assert [await at.send(left) for _ in range(2)] == [None, None]

    door(story)
    assert counts(office.machine)["Message"] == 1


def test_an_open_question_is_not_answered_by_its_own_message(office: Office) -> None:
    """The redelivered «楼道灯坏了» must not count as the answer to «which building»."""
    machine, now = office.machine, office.machine.clock.now()
    first = office.incoming("lin", "楼道灯坏了")
    one, two = Entry(first), Entry(first)
    machine.batches.run([one], now)
    machine.batches.run([two], now)
    assert one.reply == two.reply
    assert not office.tickets()
    office.say("lin", "阳光小区3号楼2单元")
    assert [t.summary for t in office.tickets()] == ["阳光小区3号楼2单元 楼道灯"]


def test_two_processes_get_it_at_once(
    machine: Machine, settings: Settings, engine: Engine, office: Office
) -> None:
    """Both read, both wait for the same rows; one writes, the other repeats its answer."""
    other = build(settings, FrozenClock(), engine)
    now = machine.clock.now()
    batches = [
        [office.incoming(f"r{n:02}", LAMP, key=f"k{part}-{n}") for n in range(20)]
        for part in range(4)
    ]
    answers: dict[str, list[list[str | None]]] = {"one": [], "two": []}
    start = threading.Barrier(2)

    def run(name: str, of: Machine, backwards: bool) -> None:
        start.wait(20)
        for incoming in batches:
            entries = [Entry(one) for one in incoming]
            of.batches.run(entries[::-1] if backwards else entries, now)
            answers[name].append([entry.reply for entry in entries])

    threads = [
        threading.Thread(target=run, args=("one", machine, False)),
        threading.Thread(target=run, args=("two", other, True)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    other.close()
    assert answers["one"] == answers["two"]
    assert len(answers["one"]) == 4
    made = counts(machine)
    assert (made["Message"], made["Ticket"]) == (80, 80)
    assert len({t.number for t in office.tickets()}) == 80
    assert len(office.pushes(purpose="task")) == 80
