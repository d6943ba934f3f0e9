"""Residents, the state of the talk with each, and every message that came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from bot.models.columns import BigId, id_column, instant, refers


class Resident(SQLModel, table=True):
    """Someone who writes. Name, phone and home are sealed (``bot.vault``)."""

    id: int = id_column()
    openid: str = Field(unique=True)
    subscribed: bool = True
    area_id: int | None = refers("area")
    name: str = ""
    phone: str = ""
    phone_mark: str = Field(default="", index=True)
    home: str = ""
    created_at: datetime = instant(nullable=False)


class Conversation(SQLModel, table=True):
    """One row a resident. ``state`` is the open question and the draft, sealed JSON.

    ``due_at`` is when the state must be looked at (a person did not come). ``window_until`` and
    ``window_left`` say until when and how many customer messages the platform still lets us send.
    """

    id: int = id_column()
    state: str = ""
    asked_at: datetime | None = instant()
    due_at: datetime | None = instant(index=True)
    last_at: datetime | None = instant()
    window_until: datetime | None = instant()
    window_left: int = 0


class Message(SQLModel, table=True):
    """The inbox: each message once, by its redelivery ``key``.

    ``text`` has phone, identity and bank numbers masked. ``reply`` (sealed) is what a redelivery
    gets again, None for ``success``. ``state`` is done | failed | pushed: pushed means nobody
    waited any more and the reply left through the outbox.
    """

    __table_args__ = (Index("ix_message_resident", "resident_id", "id"),)

    id: int = id_column()
    key: str = Field(unique=True)
    resident_id: int = refers("resident", nullable=False)
    kind: str
    text: str = ""
    understood: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    ticket_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True, index=True))
    state: str = "done"
    reply: str | None = None
    sent_at: datetime = instant(nullable=False)
    received_at: datetime = instant(nullable=False)
