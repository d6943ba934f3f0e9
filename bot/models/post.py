"""The outbox: everything that must leave, written in the transaction that made it necessary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field, SQLModel

from bot.models.columns import BigId, id_column, instant

# Literally so in the index and in the query, or the index is not seen to serve it.
WAITING = "state IN ('pending', 'sending')"


class Outbox(SQLModel, table=True):
    """One push to one person.

    ``purpose`` task | update | reminder | follow_up | reply | alert; ``state`` pending | sending |
    sent | failed | undeliverable; ``due_at`` is when it may leave (for ``sending``: when the claim
    lapses). ``once`` makes a reminder unique,
    ``platform_id`` is the platform's MsgID of a template message. ``fields`` feed the template's expressions.
    """

    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "urgent",
            "due_at",
            "id",
            sqlite_where=text(WAITING),
            postgresql_where=text(WAITING),
        ),
        Index("ix_outbox_created", "created_at", "id"),
        Index("ix_outbox_openid", "openid", "id"),
    )

    id: int = id_column()
    ticket_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True, index=True))
    openid: str
    role: str
    purpose: str
    text: str
    options: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    fields: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    urgent: bool = False
    channel: str | None = None
    client_msg_id: str = Field(unique=True)
    platform_id: str | None = Field(default=None, index=True)
    once: str | None = Field(default=None, unique=True)
    state: str = "pending"
    errcode: int | None = None
    error: str = ""
    attempts: int = 0
    created_at: datetime = instant(nullable=False)
    due_at: datetime = instant(nullable=False)
    sent_at: datetime | None = instant()


class Receipt(SQLModel, table=True):
    """The platform's word that an accepted template message did not arrive, when it came before
    ours that the message was sent."""

    id: int = id_column()
    platform_id: str = Field(unique=True)
    status: str
    created_at: datetime = instant(nullable=False)
