"""Sixty-four messages at once mean what they would mean one after the other, for far less."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col

from bot.batch import Entry
from bot.conversation.incoming import Incoming
from bot.machine import Machine, build
from bot.models import Conversation, Message, Resident
from intents.engine.engine import Engine
from tests.conftest import FrozenClock, Office, make_settings, seed
from tests.inbox.conftest import LAMP

SAID = (
    LAMP,
    "楼道灯坏了",
    "阳光小区",
    "3号楼2单元",
    "怎么样了",
    "快点行不行",
    "1",
    "2",
    "算了不报了",
    "和平里5号楼电梯坏了,我电话13912345678",
    "谢谢",
    "转人工",
    "有没有人",
    "不用人工了",
    "翠湖苑2号楼1单元着火了",
    "你好",
    "今天天气怎么样",
    "我住阳光小区3号楼501",
    "家里停水了",
    "办居住证要带什么",
)
COMMANDS = ("接单 0001", "联系了 0001", "办结 0001 灯换了新的", "同意 0001", "退单 0002 不是我们的")


def stream(office: Office, chance: random.Random, n: int = 64) -> list[Incoming]:
    """Twenty residents in a lively talk, and the staff between them."""
    said = []
    for _ in range(n):
        if chance.random() < 0.15:
            person = f"demo-staff-{chance.choice((1, 4, 7, 11, 12)):02}"
            said.append(office.incoming(person, chance.choice(COMMANDS)))
        elif chance.random() < 0.1:
            said.append(office.incoming(f"r{chance.randrange(20)}", kind="image", media_id="m"))
        else:
            said.append(office.incoming(f"r{chance.randrange(20)}", chance.choice(SAID)))
    return said


def run(machine: Machine, messages: Sequence[Incoming], size: int) -> list[str | None]:
    entries = [Entry(one) for one in messages]
    for start in range(0, len(entries), size):
        machine.batches.run(entries[start : start + size], machine.clock.now())
    return [entry.reply for entry in entries]


def picture(machine: Machine) -> dict[str, Any]:
    """What the database says, without ids and ciphertext."""
    office = Office(machine)

    def look(work: Any) -> dict[str, Any]:
        people = {row.id: row.openid for row in work.find(Resident)}
        talks = work.find(Conversation)
        return {
            "tickets": [
                (t.number, t.state, t.intent, t.act, t.summary, t.text, t.slots, t.area_id)
                + (people.get(t.resident_id), t.lead_id, t.assignee_id, t.due_at, t.watch_at)
                for t in office.tickets()
            ],
            "events": [
                (e.kind, e.role, e.from_state, e.to_state)
                for ticket in office.tickets()
                for e in office.events(ticket)
            ],
            "pushes": [(p.openid, p.role, p.purpose, p.text, p.options) for p in office.pushes()],
            "talks": sorted((people[t.id], work.vault.open(t.state) != "") for t in talks),
        }

    return machine.read(look)


@pytest.mark.parametrize("chance", range(2))
def test_a_batch_means_what_its_messages_mean(
    machine: Machine, engine: Engine, tmp_path: Path, chance: int
) -> None:
    folder = tmp_path / "single"
    single = build(make_settings(f"sqlite:///{folder}/t.db", folder), FrozenClock(), engine)
    seed(single)
    messages = stream(Office(machine), random.Random(chance))
    together = run(machine, messages, 64)
    alone = run(single, messages, 1)
    one, other = picture(machine), picture(single)
    single.close()
    assert together == alone
    assert one == other
    assert len(one["tickets"]) >= 5


def test_a_residents_messages_keep_their_order(office: Office) -> None:
    said = [
        ("lin", "楼道灯坏了"),
        ("hu", "楼道灯坏了"),
        ("lin", "阳光小区"),
        ("hu", "翠湖苑"),
        ("lin", "3号楼2单元"),
        ("hu", "5号楼1单元"),
    ]
    replies = run(office.machine, [office.incoming(*one) for one in said], 64)
    assert [t.summary for t in office.tickets()] == [
        "阳光小区3号楼2单元 楼道灯",
        "翠湖苑5号楼1单元 楼道灯",
    ]
    assert "0001" in str(replies[4])
    assert "0002" in str(replies[5])
    rows = office.read(lambda work: work.find(Message, order=[col(Message.id)]))
    assert [row.text for row in rows] == [words for _, words in said]


@contextmanager
def counted(machine: Machine) -> Iterator[Counter[str]]:
    """Statements sent to the database, by verb and table; an executemany counts once."""
    seen: Counter[str] = Counter()

    def count(_: Any, __: Any, sql: str, *___: Any) -> None:
        verb = re.match(r"(\w+)(?:.*?\b(?:INTO|UPDATE|FROM)\s+(\w+))?", sql, re.DOTALL)
        assert verb is not None
        table = sql.split()[1] if verb[1] == "UPDATE" else verb[2]
        seen[f"{verb[1]} {table or ''}".strip()] += 1

    event.listen(machine.database.engine, "before_cursor_execute", count)
    try:
        yield seen
    finally:
        event.remove(machine.database.engine, "before_cursor_execute", count)


def test_about_one_statement_a_table(office: Office) -> None:
    machine = office.machine
    run(machine, [office.incoming(f"r{n}", LAMP) for n in range(64)], 64)
    messages = [office.incoming(f"r{n % 20}", LAMP if n % 5 else "你好") for n in range(64)]
    with counted(machine) as seen:
        run(machine, messages, 64)
    writes = {what: n for what, n in seen.items() if what.startswith(("INSERT", "UPDATE"))}
    # PostgreSQL takes serials in blocks of twenty.
    assert {w for w, n in writes.items() if n > 2} <= {"INSERT counter"}, seen
    assert {"INSERT message", "INSERT ticket", "INSERT ticket_event", "INSERT outbox"} <= set(
        writes
    )
    assert seen.total() <= 24, seen
    assert len(office.tickets()) == 64 + 51


def test_the_cost_does_not_grow_with_the_batch(office: Office) -> None:
    totals = []
    for size in (8, 64):
        run(office.machine, [office.incoming(f"s{n}", "你好") for n in range(size)], size)
        with counted(office.machine) as seen:
            run(office.machine, [office.incoming(f"s{n}", LAMP) for n in range(size)], size)
        totals.append(sum(n for what, n in seen.items() if "counter" not in what))
    assert totals[1] <= totals[0] + 2
