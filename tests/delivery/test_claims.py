"""A push is claimed before it is sent and recorded after: what is cut between is sent again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.services import post
from bot.services.post import LEASE, Letter
from tests.conftest import Office
from tests.delivery.world import TEMPLATE, World, play, world


def claim(world: World) -> list[Letter]:
    letters: list[Letter] = world.office.write(post.claim)
    return letters


def test_a_claim_is_nobody_elses(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        push = world.push("lin")
        [letter] = claim(world)
        assert letter.id == push
        assert (world.row(push).state, world.row(push).attempts) == ("sending", 1)
        assert world.row(push).due_at == world.clock.now() + LEASE
        assert claim(world) == []
        assert await world.delivery.once() == []

    play(office, story)


def test_a_lapsed_claim_is_sent_again_with_the_same_id(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        push = world.push("lin")
        # Sent, and then the process was gone before it wrote that down.
        [letter] = claim(world)
        await world.client.send_template(
            letter.openid, letter.template_id, letter.data, letter.client_msg_id
        )
        assert await world.delivery.once() == []
        office.later(seconds=61)
        [outcome] = await world.delivery.once()
        assert (outcome.id, outcome.state) == (push, "sent")
        row = world.row(push)
        assert (row.attempts, row.client_msg_id) == (2, letter.client_msg_id)
        first, second = world.calls(TEMPLATE)
        assert first.request == second.request
        # The platform knew the id: one card, one msgid.
        assert len(world.phone("lin", "template")) == 1
        assert str(row.platform_id) in first.response
        assert str(row.platform_id) in second.response

    play(office, story)


def test_a_template_that_only_looked_refused_is_shown_once(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.fail_next(TEMPLATE, -1, done=True)
        push = world.push("lin")
        await world.delivery.once()
        assert world.row(push).state == "pending"
        office.later(seconds=11)
        await world.delivery.once()
        assert world.row(push).state == "sent"
        assert len(world.phone("lin", "template")) == 1

    play(office, story)


def test_two_that_claim_at_once_share_the_work(office: Office) -> None:
    """Each push leaves once, whoever takes it."""

    async def story(world: World) -> None:
        for n in range(10):
            world.platform.follow(f"r{n}")
        ids = world.pushes([(f"r{n % 10}", f"{n}") for n in range(300)])
        both = [world.delivery.once() for _ in range(2)]
        done = [outcome.id for batch in await asyncio.gather(*both) for outcome in batch]
        assert len(set(done)) == len(done) == 256
        done += [outcome.id for outcome in await world.delivery.once()]
        assert sorted(done) == sorted(ids)
        assert {row.attempts for row in office.pushes(purpose="update")} == {1}

    play(office, story)


def test_skip_locked_on_postgres(office: Office) -> None:
    """A claim not yet committed by another process is passed over, not waited for."""
    if office.machine.database.sqlite:
        pytest.skip("SQLite has one writer")

    async def story(world: World) -> None:
        for n in range(4):
            world.push(f"r{n}")

        def nested(work: Any) -> tuple[list[Letter], list[Letter]]:
            mine = post.claim(work, 2)
            work.flush()
            return mine, claim(world)

        mine, others = office.write(nested)
        assert len(mine) == len(others) == 2
        assert not {letter.id for letter in mine} & {letter.id for letter in others}

    play(office, story)


def test_cancelled_it_still_records_what_it_sent(office: Office) -> None:
    """Otherwise each restart of the service would repeat customer messages."""

    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.faults.latency = 0.3
        push = world.push("lin")
        running = asyncio.ensure_future(world.delivery.run())
        while world.row(push).state != "sending":
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert world.row(push).state == "sent"
        assert len(world.phone("lin", "custom")) == 1

    play(office, story)


def test_a_stopped_server_has_recorded_what_it_sent(office: Office) -> None:
    async def story(at: World) -> None:
        at.platform.follow("lin")
        await at.outside.send_text("lin", "你好")
        at.platform.faults.latency = 0.3
        push = at.push("lin")
        while at.row(push).state != "sending":
            await asyncio.sleep(0.01)

    async def whole() -> None:
        async with world(office, server=True) as made:
            await story(made)

    asyncio.run(whole())
    [row] = office.pushes(purpose="update")
    assert (row.state, row.attempts) == ("sent", 1)
