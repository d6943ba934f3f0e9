"""What is not on disk is not answered: no reply, no status, until the platform gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from bot.inbox import Unsaved
from bot.machine import Machine
from bot.work import Work
from tests.conftest import Office
from tests.delivery.world import World, play, until
from tests.inbox.conftest import LAMP, Door, counts


@contextmanager
def failing(machine: Machine, at: str) -> Iterator[list[str]]:
    """The driver raises at every statement, or only when the batch is to be committed."""
    failed: list[str] = []

    def fail(*_: Any) -> None:
        failed.append(at)
        raise OperationalError(LAMP, {"text": LAMP}, Exception("disk I/O error"))

    event.listen(machine.database.engine, at, fail)
    try:
        yield failed
    finally:
        event.remove(machine.database.engine, at, fail)


@pytest.mark.parametrize("at", ["before_cursor_execute", "commit"])
def test_nothing_is_answered_until_it_is_saved(office: Office, at: str) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        with failing(office.machine, at) as failed:
            got = await world.outside.send_text("lin", LAMP)
            assert (got.tries, got.status) == (3, 0)
            assert got.error.startswith("timeout")
            assert failed
        assert counts(office.machine)["Message"] == 0
        world.outside.courier.timeout = 20
        [again] = await world.outside.redeliver(openid="lin")
        assert "已登记" in again.reply_text
        assert counts(office.machine)["Ticket"] == 1
        assert world.running is not None
        assert world.running.inbox.waiting == 0

    play(office, story, server=True, timeout=0.4)


def test_postgres_goes_away_and_comes_back(office: Office) -> None:
    if office.machine.database.sqlite:
        pytest.skip("there is no server to lose")
    url = make_url(office.machine.settings.database_url)
    name = url.database
    server = url.set(drivername="postgresql+psycopg", database="postgres")
    admin = create_engine(server, isolation_level="AUTOCOMMIT")

    def say(sql: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(sql))

    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.outside.courier.timeout = 20
        await world.outside.send_text("lin", "你好")
        world.outside.courier.timeout = 0.4
        say(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        say(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        got = await world.outside.send_text("lin", LAMP)
        assert (got.tries, got.status) == (3, 0)
        say(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        world.outside.courier.timeout = 20
        [again] = await world.outside.redeliver(openid="lin")
        assert "已登记" in again.reply_text
        await until(lambda: counts(office.machine)["Ticket"] == 1)

    play(office, story, server=True, timeout=0.4)
    admin.dispose()


def test_a_batch_that_another_process_got_in_the_way_of_is_run_again(office: Office) -> None:
    left = [2]

    def collide(*_: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise OperationalError("", {}, DeadlockDetected("deadlock detected"))

    event.listen(office.machine.database.engine, "commit", collide)
    try:
        assert "已登记" in str(office.say("lin", LAMP))
    finally:
        event.remove(office.machine.database.engine, "commit", collide)
    made = counts(office.machine)
    assert (left[0], made["Message"], made["Ticket"]) == (0, 1, 1)


def test_so_is_a_job(door: Callable[..., None], office: Office) -> None:
    tries = []

    def collide(_: Work) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("", {}, DeadlockDetected("deadlock detected"))
        return "done"

    async def story(at: Door) -> None:
        assert await at.inbox.run(lambda: office.machine.write(collide)) == "done"

    door(story)
    assert len(tries) == 3


def test_all_who_wait_for_it_are_left_without_an_answer(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        one, other = office.incoming("lin", LAMP), office.incoming("hu", LAMP)
        with failing(office.machine, "commit"):
            got = await asyncio.gather(
                at.send(one), at.send(one), at.send(other), return_exceptions=True
            )
        assert [type(error) for error in got] == [Unsaved] * 3
        assert at.inbox.waiting == 0
        assert LAMP not in "".join(map(str, got))
        assert "已登记" in str(await at.send(one))

    door(story, size=2)


def test_a_failing_job_fails_only_whoever_asked(door: Callable[..., None], office: Office) -> None:
    def broken() -> None:
        raise ValueError("a job's mistake")

    async def story(at: Door) -> None:
        with pytest.raises(ValueError, match="a job's mistake"):
            await at.inbox.run(broken)
        assert "已登记" in str(await at.send(office.incoming("lin", LAMP)))

    door(story)
