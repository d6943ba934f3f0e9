"""The queue is bounded: what finds it full waits for a place, in order, and is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.inbox import Unsaved
from tests.conftest import Office
from tests.inbox.conftest import LAMP, Door, Line, counts


def test_more_than_fit_are_all_answered(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        sent = [at.send(office.incoming(f"r{n}", LAMP)) for n in range(40)]
        await asyncio.sleep(0.05)
        assert at.inbox.waiting == 5
        await at.release()
        answers = await asyncio.gather(*sent)
        assert len(set(answers)) == 40
        # First come, first served.
        assert [str(a)[-200:].split("T20261123-")[1][:4] for a in answers] == [
            f"{n:04}" for n in range(1, 41)
        ]
        assert at.inbox.waiting == 0

    door(story, size=5, batch=3)
    assert counts(office.machine)["Ticket"] == 40


def test_who_hung_up_in_front_does_not_keep_the_others_out(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        inside = at.send(office.incoming("r0", LAMP))
        lines = [Line() for _ in range(5)]
        gone = [at.send(office.incoming(f"g{n}", LAMP), line) for n, line in enumerate(lines)]
        patient = [at.send(office.incoming(f"p{n}", LAMP)) for n in range(3)]
        await asyncio.sleep(0.05)
        for line in lines:
            line.hang_up()
        await asyncio.sleep(0.05)
        await at.release()
        answers = await asyncio.wait_for(asyncio.gather(inside, *patient), 10)
        assert all("已登记" in str(answer) for answer in answers)
        for task in gone:
            with pytest.raises(Unsaved):
                await task

    door(story, size=1)
    assert counts(office.machine)["Message"] == 4


def test_a_redelivery_outside_gives_its_place_back(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        inside = at.send(office.incoming("r0", LAMP))
        twice = office.incoming("r1", LAMP)
        waiting = [at.send(twice), at.send(twice), at.send(office.incoming("r2", LAMP))]
        await asyncio.sleep(0.05)
        await at.release()
        answers = await asyncio.wait_for(asyncio.gather(inside, *waiting), 10)
        assert answers[1] == answers[2]
        assert all("已登记" in str(answer) for answer in answers)
        # And as many as before fit in afterwards.
        await at.hold()
        later = [at.send(office.incoming(f"s{n}", LAMP)) for n in range(3)]
        await asyncio.sleep(0.05)
        assert at.inbox.waiting == 2
        await at.release()
        await asyncio.wait_for(asyncio.gather(*later), 10)

    door(story, size=2)
    assert counts(office.machine)["Message"] == 6


def test_a_redelivery_of_one_inside_needs_no_place(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        incoming = office.incoming("r0", LAMP)
        first = at.send(incoming)
        await asyncio.sleep(0.01)
        again = [at.send(incoming) for _ in range(10)]
        await asyncio.sleep(0.01)
        assert at.inbox.waiting == 1
        await at.release()
        assert set(await asyncio.gather(*again)) == {await first}

    door(story, size=1)


def test_what_was_queued_before_the_end_is_written(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        sent = [at.send(office.incoming(f"r{n}", LAMP)) for n in range(10)]
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(at.inbox.stop())
        await asyncio.sleep(0.01)
        await at.release()
        assert all("已登记" in str(answer) for answer in await asyncio.gather(*sent))
        await stopping

    door(story)
