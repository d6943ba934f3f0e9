"""Each class of the platform's errors, as WECHAT.md says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.models import Outbox
from bot.wechat import delivery
from bot.wechat.errcodes import ErrorClass, classify
from tests.conftest import Office
from tests.delivery.world import CUSTOM, TEMPLATE, TOKEN, World, play

# What an error means does not depend on the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def once(world: World, push: int) -> Outbox:
    await world.delivery.once()
    return world.row(push)


def wait(world: World, row: Outbox) -> float:
    return (row.due_at - world.clock.now()).total_seconds()


def test_a_refused_token_is_replaced_and_the_push_leaves(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        await once(world, world.push("lin"))
        world.platform.tokens.revoke()
        row = await once(world, world.push("lin"))
        assert (row.state, row.attempts) == ("sent", 1)
        assert len(world.calls(TOKEN)) == 2

    play(office, story)


def test_a_lasting_refusal_costs_one_refresh(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        await once(world, world.push("lin"))
        before = len(world.calls(TOKEN))
        world.platform.fail_next(CUSTOM, 40001, times=10_000)
        world.platform.fail_next(TEMPLATE, 40001, times=10_000)
        for n in range(50):
            world.platform.follow(f"r{n}")
        ids = world.pushes([(f"r{n}", "进展") for n in range(50)])
        await world.delivery.once()
        assert len(world.calls(TOKEN)) == before + 1
        assert {(world.row(n).state, world.row(n).errcode) for n in ids} == {("pending", 40001)}
        # A minute of trying again later still asks for no other one.
        for _ in range(3):
            office.later(seconds=15)
            await world.delivery.once()
        assert len(world.calls(TOKEN)) == before + 1
        world.platform.faults.clear()
        office.later(minutes=3)
        await world.delivery.once()
        assert {world.row(n).state for n in ids} == {"sent"}

    play(office, story)


def test_a_wrong_secret_stops_everything_and_keeps_it(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(TOKEN, 40125, times=10_000)
        ids = [world.push("lin", f"{n}") for n in range(5)]
        await world.delivery.once()
        rows = [world.row(n) for n in ids]
        assert {(row.state, row.errcode) for row in rows} == {("pending", 40125)}
        assert len(world.calls(TOKEN)) == 1
        assert not world.calls(CUSTOM)
        world.platform.faults.clear()
        office.later(minutes=11)
        await world.delivery.once()
        assert {world.row(n).state for n in ids} == {"sent"}
        assert {world.row(n).channel for n in ids} == {"custom"}

    play(office, story)


@pytest.mark.parametrize("errcode", [-1, 61450, 45011])
def test_passing_trouble_backs_off(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, errcode, times=4)
        push, waits = world.push("lin"), []
        for _ in range(4):
            row = await once(world, push)
            assert (row.state, row.errcode) == ("pending", errcode)
            assert await world.delivery.once() == []
            waits.append(wait(world, row))
            office.later(seconds=waits[-1])
        assert waits == [10, 20, 40, 80]
        row = await once(world, push)
        # Still as a customer message: what did not leave has not used up the window.
        assert (row.state, row.channel, row.attempts, row.error) == ("sent", "custom", 5, "")

    play(office, story)


def test_a_gateways_error_page_is_passing_trouble(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.break_next(CUSTOM, 502)
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode) == ("pending", -2)

    play(office, story)


def test_an_outage_of_an_hour_loses_nothing(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, -1, times=10_000)
        reply = world.push("lin", purpose="reply")
        for _ in range(20):
            office.later(minutes=3)
            await world.delivery.once()
        assert world.row(reply).state == "pending"
        assert 5 < world.row(reply).attempts < 20
        world.platform.faults.clear()
        office.later(minutes=11)
        row = await once(world, reply)
        assert (row.state, row.channel) == ("sent", "custom")

    play(office, story)


def test_after_a_day_of_trouble_it_is_given_up_with_the_reason(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_ATTEMPTS", 3)

    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, -1, times=10_000)
        push = world.push("lin")
        for _ in range(3):
            office.later(minutes=15)
            row = await once(world, push)
        assert row.state == "failed"
        assert "errcode -1" in row.error

    play(office, story)


@pytest.mark.parametrize("errcode", [45009, 48006])
def test_a_used_up_quota_waits_long_and_keeps_it(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, errcode, times=12)
        push = world.push("lin")
        for _ in range(12):
            row = await once(world, push)
            assert (row.state, row.errcode) == ("pending", errcode)
            assert wait(world, row) >= 3600
            office.later(hours=1)
        row = await once(world, push)
        assert (row.state, row.channel) == ("sent", "custom")

    play(office, story)


@pytest.mark.parametrize("errcode", [45015, 45047])
def test_a_closed_window_means_the_template_at_once(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, errcode)
        push = world.push("lin")
        row = await once(world, push)
        assert (row.state, row.due_at) == ("pending", world.clock.now())
        row = await once(world, push)
        assert (row.state, row.channel, row.attempts) == ("sent", "template", 2)
        # It is believed for what comes after, too.
        row = await once(world, world.push("lin"))
        assert row.channel == "template"
        assert len(world.calls(CUSTOM)) == 1

    play(office, story)


def test_a_window_error_on_a_template_goes_round_in_no_circle(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.fail_next(TEMPLATE, 45015, times=100)
        row = await once(world, world.push("lin"))
        assert row.state == "failed"
        assert await world.delivery.once() == []

    play(office, story)


@pytest.mark.parametrize("errcode", [43004, 46004, 40003, 50005, 43019, 48002, 43101, 50002])
def test_who_cannot_be_reached_is_shown(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, errcode)
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode, row.attempts) == ("undeliverable", errcode, 1)
        assert f"errcode {errcode}" in row.error
        assert "rid" in row.error
        office.later(days=1)
        assert await world.delivery.once() == []

    play(office, story)


def test_who_left_is_undeliverable_by_template(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.unfollow("lin")
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode) == ("undeliverable", 43004)

    play(office, story)


@pytest.mark.parametrize("errcode", [48001, 40164, 48004, 50007])
def test_a_wrong_setting_keeps_the_message(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.fail_next(TEMPLATE, errcode, times=12)
        push = world.push("lin")
        for _ in range(12):
            row = await once(world, push)
            assert (row.state, row.errcode) == ("pending", errcode)
            office.later(minutes=10)
        assert (await once(world, push)).state == "sent"

    play(office, story)


@pytest.mark.parametrize("errcode", [40037, 47003, 45002, 44004])
def test_wrong_data_fails_with_its_reason(office: Office, errcode: int) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.fail_next(TEMPLATE, errcode)
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode, row.attempts) == ("failed", errcode, 1)
        assert f"errcode {errcode}" in row.error
        assert await world.delivery.once() == []

    play(office, story)


def test_a_template_that_was_deleted_fails_as_data(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.templates.remove("demo-update")
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode) == ("failed", 40037)

    play(office, story)


def test_an_unknown_error_fails_and_says_so(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, 99_999)
        assert classify(99_999) is ErrorClass.UNKNOWN
        row = await once(world, world.push("lin"))
        assert (row.state, row.errcode) == ("failed", 99_999)

    play(office, story)


def test_one_letter_that_breaks_costs_the_others_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        send = world.client.send_text

        async def picky(openid: str, text: str) -> Any:
            if text == "坏的":
                raise RuntimeError("a mistake of ours")
            return await send(openid, text)

        monkeypatch.setattr(world.client, "send_text", picky)
        broken, good = world.push("lin", "坏的"), world.push("lin", "好的")
        await world.delivery.once()
        assert world.row(good).state == "sent"
        assert (world.row(broken).state, world.row(broken).errcode) == ("pending", -2)
        office.later(seconds=61)
        await world.delivery.once()
        assert world.phone("lin", "custom") == ["好的"]

    play(office, story)


def test_nothing_of_a_failure_gives_a_secret_away(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        for errcode in (40001, -1, 48001, 43004, 47003):
            world.platform.fail_next(CUSTOM, errcode, times=2)
            push = world.push("lin")
            row = await once(world, push)
            shown = f"{row.error} {row!r}"
            for secret in (*world.platform.account.secrets, *world.platform.tokens.values):
                assert secret not in shown
            world.platform.faults.clear()
            office.later(minutes=20)

    play(office, story)


def test_a_dead_platform_is_passing_trouble(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        await once(world, world.push("lin"))

        async def refuse(*_: Any, **__: Any) -> Any:
            raise aiohttp.ClientConnectionError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aiohttp.ClientSession, "_request", refuse)
            row = await once(world, world.push("lin"))
        assert (row.state, row.errcode) == ("pending", -2)
        assert row.due_at - world.clock.now() == timedelta(seconds=10)

    play(office, story)
