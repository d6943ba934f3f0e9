"""Pushes claimed by the transaction that wrote them: delivery need not look for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col

from bot.batch import Entry
from bot.models import Conversation, Outbox, Resident
from bot.services import outbox, post
from bot.services.post import LEASE, Letter
from bot.work import Work
from tests.conftest import Office
from tests.delivery.world import TEMPLATE, World, play, until
from tests.inbox.conftest import BROKEN, LAMP, breaking, quiet

__all__ = ["breaking", "quiet"]


def batch(office: Office, *words: str, room: int) -> list[Letter]:
    """One batch of messages, each of another resident."""
    office.machine.batches.room = lambda: room
    entries = [Entry(office.incoming(f"r{n}", text)) for n, text in enumerate(words)]
    return office.machine.batches.run(entries, office.machine.clock.now())


def test_what_is_taken_along_is_nobody_elses(office: Office) -> None:
    letters = batch(office, LAMP, LAMP, room=10)
    assert len(letters) == 2
    rows = {row.id: row for row in office.pushes()}
    for letter in letters:
        row = rows[letter.id]
        assert (row.state, row.attempts, row.channel) == ("sending", 1, letter.channel)
        assert row.due_at == office.machine.clock.now() + LEASE
    assert office.write(post.claim) == []
    office.later(seconds=61)
    assert {letter.id for letter in office.write(post.claim)} == set(rows)


def test_without_room_it_waits(office: Office) -> None:
    assert batch(office, LAMP, LAMP, room=0) == []
    assert len(office.write(post.claim)) == 2


def test_the_urgent_go_first_where_there_is_little_room(office: Office) -> None:
    letters = batch(office, LAMP, "着火了，阳光小区3号楼", room=1)
    rows = {row.id: row for row in office.pushes()}
    assert [rows[letter.id].urgent for letter in letters] == [True]
    assert len([row for row in rows.values() if row.state == "pending"]) == len(rows) - 1


def test_what_may_leave_only_later_is_left(office: Office) -> None:
    def write(work: Work) -> list[Letter]:
        outbox.push(work, "lin", "resident", "update", "以后", after=timedelta(minutes=5))
        return post.take_along(work, 10)

    assert office.write(write) == []
    assert [row.state for row in office.pushes()] == ["pending"]


def test_the_window_is_that_of_the_same_transaction(office: Office) -> None:
    """Somebody who has just written is reached by a customer message, and one fewer is left."""

    def write(work: Work) -> list[Letter]:
        outbox.push(work, "r0", "resident", "update", "有进展")
        return post.take_along(work, 10)

    batch(office, "你好", room=0)
    [letter] = office.write(write)
    assert (letter.channel, letter.text) == ("custom", "有进展")

    def talk(work: Work) -> Conversation:
        [resident] = work.find(Resident, col(Resident.openid) == "r0")
        return work.need(Conversation, resident.id)

    assert office.read(talk).window_left == 4


def test_a_stranger_who_hung_up_is_reached_at_once(office: Office) -> None:
    """His row and his window are of this very transaction, not yet written."""
    office.machine.batches.room = lambda: 10
    entry = Entry(office.incoming("never-seen", "你好"), waiting=0)
    [letter] = office.machine.batches.run([entry], office.machine.clock.now())
    assert (letter.openid, letter.channel) == ("never-seen", "custom")
    [row] = office.pushes(purpose="reply")
    assert row.state == "sending"


def test_nothing_of_a_batch_that_was_rolled_back_leaves(office: Office, breaking: object) -> None:
    assert batch(office, LAMP, BROKEN, room=10) == []
    states = {row.state for row in office.pushes()}
    assert states == {"pending"}
    assert not office.pushes(openid="half-done")


def test_somebody_another_process_is_busy_with_stays_waiting(office: Office) -> None:
    if office.machine.database.sqlite:
        pytest.skip("SQLite has one writer")
    office.say("r0", "你好")

    def write(work: Work) -> tuple[list[Letter], list[Letter]]:
        [resident] = work.find(Resident, col(Resident.openid) == "r0")
        work.find(Conversation, col(Conversation.id) == resident.id, lock=True)

        def beside(other: Work) -> list[Letter]:
            outbox.push(other, "r0", "resident", "update", "有进展")
            outbox.push(other, "r1", "resident", "reply", "别的")
            return post.take_along(other, 10)

        return office.write(beside), []

    taken, _ = office.write(write)
    assert taken == []
    assert {row.openid: row.state for row in office.pushes()} == {
        "r0": "pending",
        "r1": "undeliverable",
    }


def test_a_server_sends_what_its_messages_made_without_looking(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "claim", lambda work, limit: [])

    async def story(at: World) -> None:
        at.platform.follow("lin")
        for person in office.read(lambda work: list(work.site.staff.values())):
            at.platform.follow(person.openid)
        await at.outside.send_text("lin", LAMP)
        [push] = at.office.pushes()
        await until(lambda: at.row(push.id).state == "sent")
        assert len(at.calls(TEMPLATE)) == 1

    play(office, story, server=True)


def test_stopped_it_still_sends_what_it_has_taken(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        push = world.push("lin")
        [letter] = office.write(post.claim)
        running = asyncio.ensure_future(world.delivery.run())
        await asyncio.sleep(0)
        world.delivery.committed([letter])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert world.row(push).state == "sent"
        assert world.delivery.room() == 0

    play(office, story)


def test_room_shrinks_with_what_is_taken(office: Office) -> None:
    async def story(world: World) -> None:
        assert world.delivery.room() == 0  # nobody delivers yet
        world.meet("lin")
        push = world.push("lin")
        [letter] = office.write(post.claim)
        world.platform.faults.latency = 0.3
        running = asyncio.ensure_future(world.delivery.run())
        await until(lambda: world.delivery.room())
        whole = world.delivery.room()
        world.delivery.committed([letter])
        assert world.delivery.room() == whole - 1
        await until(lambda: world.row(push).state == "sent")
        await until(lambda: world.delivery.room() == whole)
        running.cancel()

    play(office, story)


def test_rows_read_meanwhile_are_no_new_pushes(office: Office) -> None:
    batch(office, LAMP, room=0)

    def again(work: Work) -> list[Letter]:
        [row] = work.find(Outbox)
        row.state = "sent"
        return post.take_along(work, 10)

    assert office.write(again) == []
