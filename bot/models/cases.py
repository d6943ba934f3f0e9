"""Tickets, their append-only history, and what was photographed or said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from bot.models.columns import BigId, id_column, instant, refers
from bot.models.workflow import ENDED


class Ticket(SQLModel, table=True):
    """One matter of one reporter, from the first message to the confirmed end.

    ``text`` is masked; phone, room, plate and person are sealed in ``private`` and ``phone_mark``,
    ``plate_mark`` find them. ``due_at`` is what the resident was promised, ``unit_due_at`` the
    unit's own limit. ``watch_at`` is the next instant at which the clock has something to do here,
    everything up to ``watched_at`` having been done: the only column a tick looks at.
    ``paused_left`` are the minutes that were left on (resident's, unit's) clocks when paused.
    """

    __table_args__ = (
        Index("ix_ticket_resident", "resident_id", "id"),
        Index("ix_ticket_created", "created_at", "id"),
        Index("ix_ticket_state", "state", "id"),
        Index("ix_ticket_lead", "lead_id", "state"),
        Index("ix_ticket_assignee", "assignee_id", "state"),
    )

    id: int = id_column()
    number: str = Field(unique=True)
    state: str = "received"
    result: str | None = None
    came_from: str | None = None
    round: int = 1
    intent: str
    act: str = "report"
    level: str = "E"
    summary: str = ""
    text: str = ""
    slots: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    private: str = ""
    phone_mark: str = Field(default="", index=True)
    plate_mark: str = Field(default="", index=True)
    area_id: int | None = refers("area", index=True)
    latitude: float | None = None
    longitude: float | None = None

    resident_id: int | None = refers("resident")
    lead_id: int | None = refers("unit")
    assignee_id: int | None = refers("staff")
    parent_id: int | None = refers("ticket", index=True)
    merged_id: int | None = refers("ticket")

    urgent: bool = False
    sensitive: bool = False
    confident: bool = True
    locked: bool = False
    late_sign: bool = False
    unrated: bool = False
    card: str | None = None
    supervision: int = 0
    extended: bool = False
    appealed: bool = False
    supporters: int = 0
    returns: int = 0
    info_rounds: int = 0
    follow_ups: int = 0
    satisfaction: str | None = None

    created_at: datetime = instant(nullable=False)
    state_at: datetime = instant(nullable=False)
    dispatched_at: datetime | None = instant()
    signed_at: datetime | None = instant()
    contacted_at: datetime | None = instant()
    confirmed_at: datetime | None = instant()
    finished_at: datetime | None = instant()
    closed_at: datetime | None = instant()
    accept_due_at: datetime | None = instant()
    sign_due_at: datetime | None = instant()
    contact_due_at: datetime | None = instant()
    unit_due_at: datetime | None = instant()
    due_at: datetime | None = instant()
    review_at: datetime | None = instant()
    paused_at: datetime | None = instant()
    paused_left: list[int | None] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True), nullable=True)
    )
    watch_at: datetime | None = instant(index=True)
    watched_at: datetime | None = instant()

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    @property
    def is_child(self) -> bool:
        return self.parent_id is not None


class Event(SQLModel, table=True):
    """A row of a ticket's history; never changed, never deleted (a trigger sees to it).

    ``changes`` holds every column the event set: replaying them in order gives the ticket.
    ``actor`` is a staff name, 居民 or 系统, ``role`` in which capacity.
    """

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ix_event_ticket", "ticket_id", "id"),)

    id: int = id_column()
    ticket_id: int = refers("ticket", nullable=False)
    at: datetime = instant(nullable=False)
    kind: str
    role: str
    actor: str
    staff_id: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    from_state: str | None = None
    to_state: str | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    changes: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Supporter(SQLModel, table=True):
    """A resident who joined somebody else's ticket (附议, or by a merge) and is told what he is told."""

    __table_args__ = (Index("ux_supporter", "ticket_id", "resident_id", unique=True),)

    id: int = id_column()
    ticket_id: int = refers("ticket", nullable=False)
    resident_id: int = refers("resident", nullable=False)
    created_at: datetime = instant(nullable=False)


class Media(SQLModel, table=True):
    """A picture, voice or video. WeChat keeps it three days; ``state`` pending | stored | lost."""

    __table_args__ = (Index("ix_media_due", "state", "due_at"),)

    id: int = id_column()
    message_id: int = refers("message", nullable=False)
    ticket_id: int | None = refers("ticket", index=True)
    media_id: str
    kind: str
    state: str = "pending"
    sha256: str = ""
    content_type: str = ""
    size: int = 0
    attempts: int = 0
    error: str = ""
    created_at: datetime = instant(nullable=False)
    due_at: datetime = instant(nullable=False)
