"""Tables and connection of the usual stack: SQLModel on SQLite, durable."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Connection, Engine, event
from sqlmodel import Field, SQLModel, create_engine

DEADLINE = timedelta(days=5)
# Service topics open a ticket for this unit and the member of staff on duty there.
UNITS = {
    intent: (unit, f"demo-staff-{number:02d}")
    for number, (unit, intents) in enumerate(
        {
            "房管所": "facility_repair housing illegal_building property_service",
            "环卫所": "sanitation greening pollution",
            "综合执法队": "noise street_order parking pets consumer",
            "网格中心": "utilities traffic public_safety neighbour_dispute other_request",
            "民政办": "elderly_care civil_affairs social_security health education certificates",
            "督查室": "complaint",
        }.items(),
        start=1,
    )
    for intent in intents.split()
}


class Resident(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    openid: str = Field(unique=True)
    created_at: datetime


class Ticket(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    number: str | None = Field(default=None, unique=True)
    resident_id: int = Field(foreign_key="resident.id", index=True)
    intent: str
    text: str
    state: str = Field(index=True)
    lead: str
    created_at: datetime
    due_at: datetime


class Message(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    resident_id: int = Field(foreign_key="resident.id", index=True)
    text: str
    intent: str
    ticket_id: int | None = Field(default=None, foreign_key="ticket.id")
    reply: str
    received_at: datetime


class Event(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    at: datetime
    kind: str
    data: dict[str, Any] = Field(sa_column=Column(JSON))


class Outbox(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    ticket_id: int = Field(foreign_key="ticket.id", index=True)
    openid: str
    text: str
    state: str = Field(index=True)
    created_at: datetime


def connect() -> Engine:
    """An engine on DATA_DIR/usual.db, tables made. Transactions begin as writers, as SQLAlchemy's
    documentation advises for SQLite under threads: one upgraded from a read fails at once."""
    path = Path(os.environ["DATA_DIR"]) / "usual.db"
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def immediately(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    SQLModel.metadata.create_all(engine)
    return engine
