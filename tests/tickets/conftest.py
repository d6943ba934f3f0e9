"""A workbench for tickets: put one into any state, act on it as anybody, let time pass, look.

Databases are seeded once a run and every test works in a transaction that is rolled back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Row, Select, create_engine, event, make_url, text

from bot.machine import Machine, build
from bot.models import Conversation, Event, Outbox, Resident, Ticket
from bot.models.actor import RESIDENT, SYSTEM, Actor, staff_actor
from bot.services import tickets
from bot.work import Means, Work, table_of
from intents.engine.engine import Engine
from tests.conftest import MONDAY_TEN, FrozenClock, make_settings, seed

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEAD, OTHER, THIRD = "安居物业", "综合执法队", "市政养护站"
# What a ticket has in these states, wherever it came from.
LED = {"dispatched", "returned", "in_progress", "joint", "in_review", "suspended"}
SIGNED = LED - {"dispatched", "returned"} | {"awaiting_feedback", "closed"}
# Every field any guard asks for, so that a refusal is never for want of one.
ALL_FIELDS: dict[str, Any] = {
    "text": "换了灯泡和开关，现场试过灯亮了",
    "reason": "not_ours",
    "unit": OTHER,
    "units": [OTHER],
    "result": "solved",
    "plan": "等配件到货后更换",
    "review_date": "2026-12-20",
    "body": "区住建局",
    "outside_number": "JS-88",
    "source": "办事指南第3条",
    "channel": "人民法院",
}


@dataclass
class Scene:
    """One unit of work on a seeded office, with the shortest words for what tests do to tickets."""

    work: Work
    means: Means

    # --- time

    def later(self, **by: float) -> None:
        self.work.now += timedelta(**by)

    def at(self, local: str) -> None:
        """It is now this local time, e.g. «2026-09-24 16:00»."""
        self.work.now = instant(local)

    # --- people

    def resident(self) -> Resident:
        row = self.work.add(
            Resident,
            openid=f"resident-{uuid.uuid4().hex[:8]}",
            created_at=self.work.now,
        )
        self.work.add(Conversation, id=row.id)
        return row

    def person(self, name: str, ticket: Ticket) -> Actor:
        """A staff member with all capacities he has towards this ticket."""
        parent = self.work.get(Ticket, ticket.parent_id)
        return staff_actor(self.work.site, self.work.site.staff_by_name[name], ticket, parent)

    def as_a(self, role: str, unit: str = "民生服务中心") -> Actor:
        """Somebody who is this and nothing else."""
        if role in ("resident", "system"):
            return {"resident": RESIDENT, "system": SYSTEM}[role]
        unit_id = self.unit(unit)
        staff = next(p for p in self.work.site.staff.values() if p.unit_id == unit_id)
        return Actor(staff.name, frozenset({role}), staff)

    def unit(self, name: str) -> int:
        return self.work.site.unit_by_name[name].id

    # --- tickets

    def open(self, level: str = "E", actor: Actor = RESIDENT, **columns: Any) -> Ticket:
        site = self.work.site
        values = {
            "intent": "facility_repair",
            "act": "report",
            "summary": "阳光小区3号楼 楼道灯",
            "text": "楼道灯坏了",
            "area_id": site.area_by_name["阳光小区"].id,
        } | columns
        if "resident_id" not in values:
            values["resident_id"] = self.resident().id
        return tickets.open_ticket(self.work, actor=actor, level=level, **values)

    def dispatched(self, level: str = "E", unit: str = LEAD, **columns: Any) -> Ticket:
        ticket = self.open(level, **columns)
        self.go(ticket, "dispatched", "desk", unit=unit)
        return ticket

    def working(self, level: str = "E", unit: str = LEAD, **columns: Any) -> Ticket:
        ticket = self.dispatched(level, unit, **columns)
        self.go(ticket, "in_progress", "handler")
        return ticket

    def awaiting(self, level: str = "E", **columns: Any) -> Ticket:
        ticket = self.working(level, **columns)
        self.go(ticket, "in_review", "handler", result="solved", text=ALL_FIELDS["text"])
        self.go(ticket, "awaiting_feedback", "head")
        return ticket

    def put(self, state: str, *, child: bool = False, **columns: Any) -> Ticket:
        """A ticket set straight into ``state``, whatever led there."""
        ticket = self.open()
        led = child or state in LED or state in ("awaiting_feedback", "closed", "need_info")
        now = self.work.now
        values: dict[str, Any] = {"state": state, "state_at": now}
        if led:
            due = now + timedelta(days=7)
            values |= {"lead_id": self.unit(LEAD), "dispatched_at": now, "unit_due_at": due}
        if state in SIGNED:
            values["signed_at"] = now
        if state in ("need_info", "suspended"):
            values |= {"paused_at": now, "paused_left": [2250, 2250]}
        if child:
            parent = self.put("joint")
            values |= {"parent_id": parent.id, "lead_id": self.unit(OTHER)}
        for name, value in (values | columns).items():
            setattr(ticket, name, value)
        self.work.flush()
        return ticket

    def go(self, ticket: Ticket, to: str, actor: str | Actor, **fields: Any) -> Event:
        """A move by somebody who is ``actor`` and nothing else, or by this very person."""
        someone = actor if isinstance(actor, Actor) else self.as_a(actor)
        return tickets.transition(self.work, ticket, to, someone, **fields)

    def whistle(self, ticket: Ticket, *units: str) -> list[Ticket]:
        self.go(ticket, "joint", "handler", units=list(units))
        return list(tickets.children(self.work, ticket))

    def supported(self, ticket: Ticket, count: int = 1) -> list[Resident]:
        people = [self.resident() for _ in range(count)]
        for person in people:
            tickets.support(self.work, ticket, person.id, RESIDENT)
        return people

    def anew(self, ticket: Ticket) -> Ticket:
        """As the next request finds it: a new unit of work that knows only what was written."""
        self.work.flush()
        self.work = Work(self.work.connection, self.means, self.work.site, self.work.now)
        return self.work.need(Ticket, ticket.id)

    # --- looking

    def events(self, ticket: Ticket) -> list[Row[Any]]:
        table = table_of(Event)
        return self._select(table.select().where(table.c.ticket_id == ticket.id))

    def pushes(self, ticket: Ticket | None = None, **where: Any) -> list[Row[Any]]:
        query = table_of(Outbox).select().filter_by(**where)
        if ticket is not None:
            query = query.filter_by(ticket_id=ticket.id)
        return self._select(query)

    def _select(self, query: Select[Any]) -> list[Row[Any]]:
        self.work.flush()
        return list(self.work.connection.execute(query.order_by("id")))

    def row(self, ticket: Ticket) -> dict[str, Any]:
        """The ticket as the database has it."""
        self.work.flush()
        table = table_of(Ticket)
        query = table.select().where(table.c.id == ticket.id)
        return dict(self.work.connection.execute(query).mappings().one())

    def counts(self) -> tuple[int, ...]:
        """How many tickets, events and pushes there are."""
        self.work.flush()
        query = (
            "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), (SELECT count(*) FROM {})"
        )
        names = [table_of(model).name for model in (Ticket, Event, Outbox)]
        return tuple(self.work.connection.execute(text(query.format(*names))).one())

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """The SQL statements executed meanwhile."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(self.work.connection, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.work.connection, "before_cursor_execute", note)


def instant(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(MONDAY_TEN.tzinfo)


@dataclass
class Lab:
    """A seeded office in which nothing stays."""

    machine: Machine

    @contextmanager
    def scene(self, now: datetime = MONDAY_TEN) -> Iterator[Scene]:
        machine = self.machine
        machine.means.ids.reserve()
        with machine.database.engine.connect() as connection:
            writing = connection.execution_options(tongxin_write=True)
            with writing.begin() as transaction:
                work = Work(connection, machine.means, machine.site(connection), now)
                yield Scene(work, machine.means)
                transaction.rollback()


def _lab(url: str, folder: Path, engine: Engine) -> Iterator[Lab]:
    machine = build(make_settings(url, folder), FrozenClock(), engine)
    seed(machine)
    yield Lab(machine)
    machine.close()


@pytest.fixture(scope="session")
def sqlite_lab(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("tickets")
    yield from _lab(f"sqlite:///{folder}/tongxin.db", folder, engine)


@pytest.fixture(scope="session")
def postgres_lab(
    postgres: str, tmp_path_factory: pytest.TempPathFactory, engine: Engine
) -> Iterator[Lab]:
    server, name = make_url(postgres), f"t_{uuid.uuid4().hex[:12]}"
    admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.set(database=name).render_as_string(hide_password=False)
    yield from _lab(url, tmp_path_factory.mktemp("tickets"), engine)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def lab(request: pytest.FixtureRequest) -> Lab:
    """Each kind of database in turn."""
    return request.getfixturevalue(f"{request.param}_lab")


@pytest.fixture
def scene(lab: Lab) -> Iterator[Scene]:
    with lab.scene() as scene:
        yield scene


@pytest.fixture
def quick(sqlite_lab: Lab) -> Iterator[Scene]:
    """A scene on SQLite alone, for rules that touch no SQL of their own."""
    with sqlite_lab.scene() as scene:
        yield scene


# --- an oracle for working time ----------------------------------------------------------------

# The State Council's notice for the second half of 2026, typed in by hand.
HOLIDAYS = {date(2026, 9, 25) + timedelta(days=n) for n in range(3)}
HOLIDAYS |= {date(2026, 10, 1) + timedelta(days=n) for n in range(7)}
MADE_UP = {date(2026, 9, 20), date(2026, 10, 10)}
FIRST = datetime(2026, 7, 1, tzinfo=SHANGHAI)
HOURS = [(time(9), time(12)), (time(13, 30), time(18))]
WORKING_DAY = 450


class SlowCalendar:
    """Working time the slow way: one flag for every minute of half a year."""

    def __init__(self) -> None:
        self.works: list[bool] = []
        for number in range(184):
            day = FIRST.date() + timedelta(days=number)
            open_day = day in MADE_UP or (day.weekday() < 5 and day not in HOLIDAYS)
            for minute in range(24 * 60):
                clock = time(minute // 60, minute % 60)
                self.works.append(open_day and any(a <= clock < b for a, b in HOURS))

    def after(self, start: datetime, minutes: int, *, paused: set[int] | None = None) -> datetime:
        """The moment by which so many working minutes, not counting paused ones, have passed."""
        at = self.index(start)
        while minutes:
            minutes -= self.works[at] and at not in (paused or ())
            at += 1
        return FIRST + timedelta(minutes=at)

    def before(self, end: datetime, minutes: int) -> datetime:
        at = self.index(end)
        while minutes:
            at -= 1
            minutes -= self.works[at]
        return FIRST + timedelta(minutes=at)

    def between(self, a: datetime, b: datetime) -> int:
        return sum(self.works[self.index(a) : self.index(b)])

    def index(self, at: datetime) -> int:
        return round((at - FIRST) / timedelta(minutes=1))


@pytest.fixture(scope="session")
def slow() -> SlowCalendar:
    return SlowCalendar()


@pytest.fixture(scope="session")
def all_fields() -> dict[str, Any]:
    return ALL_FIELDS
