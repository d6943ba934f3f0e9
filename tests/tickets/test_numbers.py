"""Ticket numbers: T20261123-0001, unique and counted by day, whoever writes at the same time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from bot.machine import Machine, build
from bot.models.actor import SYSTEM
from bot.services import tickets
from tests.conftest import FrozenClock, make_settings

FORM = re.compile(r"T\d{8}-\d{4,}")


def open_some(machine: Machine, count: int) -> list[str]:
    def job(work: Any) -> list[str]:
        return [
            tickets.open_ticket(
                work, actor=SYSTEM, intent="noise", act="report", level="D", summary="噪声"
            ).number
            for _ in range(count)
        ]

    return machine.write(job)


@pytest.fixture
def another(machine: Machine, tmp_path: Path, engine: Any) -> Iterator[Machine]:
    """A second process, as good as: its own engine, ids and numbers on the same database."""
    url = machine.settings.database_url
    built = build(make_settings(url, tmp_path), FrozenClock(), engine)
    yield built
    built.close()


def test_numbers_are_counted_by_day(machine: Machine) -> None:
    numbers = open_some(machine, 3)
    assert numbers == ["T20261123-0001", "T20261123-0002", "T20261123-0003"]
    machine.clock.move(FrozenClock().now().replace(hour=16) - machine.clock.now())
    assert open_some(machine, 1) == ["T20261124-0001"], "midnight in Shanghai, not in Greenwich"


def test_the_ten_thousandth_of_a_day(machine: Machine) -> None:
    with machine.database.write() as connection:
        connection.execute(text("INSERT INTO counter (name, value) VALUES ('T20261123', 9998)"))
    assert open_some(machine, 3) == ["T20261123-9999", "T20261123-10000", "T20261123-10001"]


def test_what_was_rolled_back_takes_no_number_twice(machine: Machine) -> None:
    first = open_some(machine, 2)

    def fails(work: Any) -> None:
        tickets.open_ticket(
            work, actor=SYSTEM, intent="noise", act="report", level="D", summary="x"
        )
        work.flush()
        raise RuntimeError("after the number was taken")

    with pytest.raises(RuntimeError):
        machine.write(fails)
    assert len({*first, *open_some(machine, 2)}) == 4


def test_two_processes_never_give_the_same_number(machine: Machine, another: Machine) -> None:
    """Some 160 tickets in 16 transactions of two writers, more than a block of serials each."""
    together = Barrier(2)

    def writer(one: Machine) -> list[str]:
        together.wait(timeout=30)
        return [number for _ in range(8) for number in open_some(one, 10)]

    with ThreadPoolExecutor(2) as pool:
        mine, theirs = pool.map(writer, [machine, another])
    numbers = [*mine, *theirs]
    assert len(set(numbers)) == 160
    assert all(FORM.fullmatch(number) for number in numbers)
    assert {number[:9] for number in numbers} == {"T20261123"}
    assert mine == sorted(mine), "one writer's numbers rise"


def test_the_database_refuses_a_second_of_a_number(machine: Machine) -> None:
    (number,) = open_some(machine, 1)

    def twice(work: Any) -> None:
        ticket = tickets.open_ticket(
            work, actor=SYSTEM, intent="noise", act="report", level="D", summary="x"
        )
        ticket.number = number

    with pytest.raises(Exception, match=r"(?i)unique"):
        machine.write(twice)


# --- the history is append-only ----------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ticket_event SET actor = 'nobody'",
        "UPDATE ticket_event SET changes = '{}' WHERE kind = 'opened'",
        "DELETE FROM ticket_event",
        "DELETE FROM ticket_event WHERE kind = 'opened'",
    ],
)
def test_history_is_never_changed(machine: Machine, statement: str) -> None:
    open_some(machine, 2)

    def rows() -> list[Any]:
        with machine.database.read() as connection:
            return list(connection.execute(text("SELECT * FROM ticket_event ORDER BY id")))

    before = rows()
    with (
        pytest.raises(Exception, match="append-only"),
        machine.database.write() as connection,
    ):
        connection.execute(text(statement))
    assert rows() == before
    assert len(before) == 2
