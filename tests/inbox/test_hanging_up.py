"""The platform gives up after five seconds: what it no longer waits for goes another way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlmodel import col

from bot import inbox
from bot.inbox import Unsaved
from bot.models import Message
from tests.conftest import Office
from tests.inbox.conftest import LAMP, Door, Line, counts


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are watched at once, so that tests need not wait."""
    monkeypatch.setattr(inbox, "PATIENCE", 0.001)


def message_of(office: Office, key: str) -> Message:
    [row] = office.read(lambda work: work.find(Message, col(Message.key) == key))
    return row


async def hung_up(at: Door, *lines: Line) -> None:
    await asyncio.sleep(0.05)
    for line in lines:
        line.hang_up()
    await asyncio.sleep(0.05)


def test_before_the_commit_the_reply_becomes_a_push(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        incoming, line = office.incoming("lin", LAMP), Line()
        await at.hold()
        given_up = at.send(incoming, line)
        await hung_up(at, line)
        await at.release()
        assert await given_up is None
        row = message_of(office, incoming.key)
        assert (row.state, row.reply) == ("pushed", None)
        [push] = office.pushes(purpose="reply")
        assert (push.openid, push.role, push.state) == ("lin", "resident", "pending")
        assert "已登记" in push.text
        made = counts(office.machine)
        # Later redeliveries get «success» and nothing is made again.
        assert [await at.send(incoming) for _ in range(2)] == [None, None]
        assert counts(office.machine) == made
        assert (made["Ticket"], made["Message"]) == (1, 1)

    door(story)


def test_redelivered_while_waiting_it_is_answered(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        incoming, first, second = office.incoming("lin", LAMP), Line(), Line()
        await at.hold()
        one = at.send(incoming, first)
        await hung_up(at, first)
        two = at.send(incoming, second)
        await asyncio.sleep(0.05)
        await at.release()
        await one
        assert "已登记" in str(await two)
        assert message_of(office, incoming.key).state == "done"
        assert not office.pushes(purpose="reply")

    door(story)


def test_when_all_of_them_hung_up_it_is_pushed(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        incoming, lines = office.incoming("lin", LAMP), [Line() for _ in range(3)]
        await at.hold()
        tries = [at.send(incoming, line) for line in lines]
        await hung_up(at, *lines)
        await at.release()
        assert await asyncio.gather(*tries) == [None] * 3
        assert len(office.pushes(purpose="reply")) == 1

    door(story)


def test_silence_is_not_pushed(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        incoming = office.incoming("lin", kind="event", event="unsubscribe")
        line = Line()
        await at.hold()
        given_up = at.send(incoming, line)
        await hung_up(at, line)
        await at.release()
        assert await given_up is None
        assert message_of(office, incoming.key).state == "done"
        assert not office.pushes()

    door(story)


def test_after_the_commit_the_redelivery_gets_the_reply(
    door: Callable[..., None], office: Office
) -> None:
    async def story(at: Door) -> None:
        incoming, line = office.incoming("lin", LAMP), Line()
        answer = await at.send(incoming, line)
        line.hang_up()  # the answer was lost on its way
        assert await at.send(incoming) == answer
        assert not office.pushes(purpose="reply")

    door(story)


def test_waiting_for_a_place_nothing_is_stored(door: Callable[..., None], office: Office) -> None:
    async def story(at: Door) -> None:
        await at.hold()
        inside = at.send(office.incoming("lin", LAMP))
        incoming, line = office.incoming("hu", LAMP), Line()
        outside = at.send(incoming, line)
        await hung_up(at, line)
        with pytest.raises(Unsaved):
            await outside
        await at.release()
        await inside
        assert counts(office.machine)["Message"] == 1
        assert "已登记" in str(await at.send(incoming))
        assert counts(office.machine)["Ticket"] == 2

    door(story, size=1)
