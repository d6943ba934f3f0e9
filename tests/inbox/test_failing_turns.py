"""One message that cannot be handled costs the others of its batch nothing, and is not lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col

from bot import counters
from bot.batch import Entry
from bot.conversation.turn import Turn
from bot.models import Media, Message, Outbox
from bot.services import outbox, post
from tests.conftest import Office
from tests.inbox.conftest import BROKEN, LAMP, Door, counts, wrap_staff


def messages(office: Office, **where: Any) -> list[Message]:
    conditions = [col(getattr(Message, name)) == value for name, value in where.items()]
    return office.read(lambda work: work.find(Message, *conditions, order=[col(Message.id)]))


def run(office: Office, *said: tuple[str, str]) -> list[Entry]:
    entries = [Entry(office.incoming(openid, words)) for openid, words in said]
    office.machine.batches.run(entries, office.machine.clock.now())
    return entries


def test_the_others_are_served_and_the_words_are_kept(
    office: Office, breaking: Counter[str]
) -> None:
    before, failing, after = run(
        office, ("lin", LAMP), ("hu", f"{BROKEN}13912345678"), ("wu", LAMP)
    )
    assert "已登记" in str(before.reply)
    assert "已登记" in str(after.reply)
    [ticket] = [t for t in office.tickets() if t.summary == "系统没能处理的话"]
    assert failing.reply == f"已收到，工作人员会看（编号{ticket.number}）。"
    assert ticket.text == f"{BROKEN}139******78"
    assert (ticket.state, ticket.lead_id) == ("received", None)
    [row] = messages(office, state="failed")
    assert (row.text, row.ticket_id) == (ticket.text, ticket.id)
    desk = [p for p in office.pushes(ticket_id=ticket.id) if p.purpose == "task"]
    assert {p.openid for p in desk} == {"demo-staff-01", "demo-staff-02"}
    assert BROKEN in desk[0].text
    assert not office.pushes(openid="half-done")
    assert len(office.tickets()) == 3
    assert breaking[f"{BROKEN}13912345678"] == 2


def test_its_redelivery_gets_the_same(
    door: Callable[..., None], office: Office, breaking: Counter[str]
) -> None:
    async def story(at: Door) -> None:
        incoming = office.incoming("hu", BROKEN)
        first = await at.send(incoming)
        made = counts(office.machine)
        again = await asyncio.gather(*(at.send(incoming) for _ in range(3)))
        assert again == [first] * 3
        assert counts(office.machine) == made

    door(story)
    assert breaking[BROKEN] == 2


def test_the_window_opens_and_the_picture_is_fetched_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Turn) -> None:
        raise KeyError("photo")

    wrap_staff(office.machine, monkeypatch, breaks)
    office.say("hu", kind="image", media_id="m-1")
    [media] = office.read(lambda work: work.find(Media))
    assert media.media_id == "m-1"
    [ticket] = office.tickets()
    assert ticket.text == "[image]"

    # A push to somebody who has just written goes as a customer message.
    def claim(work: Any) -> list[post.Letter]:
        outbox.push(work, "hu", "resident", "reply", "在看了")
        return post.claim(work)

    assert "custom" in {letter.channel for letter in office.write(claim) if letter.openid == "hu"}


def test_an_event_of_the_platform_that_fails_bothers_nobody(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_: Turn) -> Any:
        raise KeyError("event")

    monkeypatch.setitem(office.machine.batches._handlers.handle, "event", breaks)  # type: ignore[arg-type]
    assert office.say("hu", kind="event", event="templatesendjobfinish") is None
    assert office.say("hu", kind="event", event="view") is None
    assert not office.tickets()
    assert len(messages(office, state="failed")) == 2
    # A tap on the menu was made by somebody who waits.
    assert "编号" in str(office.say("hu", kind="event", event="click", event_key="human"))
    assert len(office.tickets()) == 1


def test_what_cannot_be_understood_fails_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = office.machine.engine
    understand = engine.understand

    def picky(queries: Any) -> Any:
        if any(query.text == BROKEN for query in queries):
            raise RuntimeError("a mistake in the engine")
        return understand(queries)

    monkeypatch.setattr(engine, "understand", picky)
    before, failing, after = run(office, ("lin", LAMP), ("hu", BROKEN), ("wu", LAMP))
    assert "已登记" in str(before.reply)
    assert "已登记" in str(after.reply)
    assert "工作人员会看" in str(failing.reply)
    [row] = messages(office, state="failed")
    assert row.text == BROKEN


@pytest.mark.parametrize(
    "statement", ["INSERT INTO counter (name) VALUES (NULL)", "SELECT nothing"]
)
def test_a_statement_the_database_refuses_is_the_turns_own_fault(
    office: Office, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    if statement == "SELECT nothing" and office.machine.database.sqlite:
        pytest.skip("SQLite calls a mistake in SQL operational")

    def breaks(turn: Turn) -> None:
        if turn.text == BROKEN:
            turn.work.connection.execute(text(statement))

    wrap_staff(office.machine, monkeypatch, breaks)
    before, failing, after = run(office, ("lin", LAMP), ("hu", BROKEN), ("wu", LAMP))
    assert "已登记" in str(before.reply)
    assert "已登记" in str(after.reply)
    assert "工作人员会看" in str(failing.reply)


def test_two_rows_with_one_name_in_one_batch_fail_one_turn(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused only when the batch is written at its end."""

    def breaks(turn: Turn) -> None:
        if turn.text == BROKEN:
            for _ in range(2):
                now = turn.work.now
                turn.work.add(
                    Outbox,
                    openid="o",
                    role="staff",
                    purpose="task",
                    text="t",
                    client_msg_id="the same twice",
                    created_at=now,
                    due_at=now,
                )

    wrap_staff(office.machine, monkeypatch, breaks)
    before, failing = run(office, ("lin", LAMP), ("hu", BROKEN))
    assert "已登记" in str(before.reply)
    assert "工作人员会看" in str(failing.reply)
    assert not office.pushes(openid="o")


def test_a_whole_batch_of_failures_finds_enough_ids(
    office: Office, breaking: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run twice, the batch needs twice what it needs otherwise."""
    monkeypatch.setattr(counters, "ID_BLOCK", 350)
    monkeypatch.setattr(counters, "ID_RESERVE", 300)
    monkeypatch.setattr(office.machine.means.ids, "_end", 0)
    monkeypatch.setattr(office.machine.means.ids, "_next", 0)
    entries = run(office, *((f"r{n}", f"{BROKEN}{n}") for n in range(30)))
    assert all("工作人员会看" in str(entry.reply) for entry in entries)
    assert len({entry.reply for entry in entries}) == 30
    assert len(messages(office, state="failed")) == 30
