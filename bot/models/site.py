"""The subdistrict: areas, units, who is on duty for what, staff, and the rest of the site file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from bot.models.columns import id_column, instant, refers


class Area(SQLModel, table=True):
    """A street, community, compound or building; ``parent_id`` is what it lies in."""

    id: int = id_column()
    name: str = Field(unique=True)
    kind: str
    parent_id: int | None = refers("area")
    aliases: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    buildings: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSON, nullable=False)
    )
    latitude: float | None = None
    longitude: float | None = None


class Unit(SQLModel, table=True):
    """Who can be made responsible. ``review`` says whether its head looks at a finished ticket."""

    id: int = id_column()
    name: str = Field(unique=True)
    kind: str = ""
    area_id: int | None = refers("area")
    review: bool = True
    desk: bool = False


class Staff(SQLModel, table=True):
    """``roles`` ⊆ handler, head, desk, callback, supervisor. The binding code is kept as an HMAC."""

    id: int = id_column()
    name: str = Field(unique=True)
    unit_id: int = refers("unit", nullable=False)
    roles: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    openid: str | None = Field(default=None, unique=True)
    phone: str = ""
    code: str = Field(default="", index=True)
    code_expires_at: datetime | None = instant()
    active: bool = True


class BindAttempt(SQLModel, table=True):
    """Wrong binding codes of one openid: how many since when, so that six digits cannot be guessed."""

    __tablename__ = "bind_attempt"

    id: int = id_column()
    openid: str = Field(unique=True)
    failures: int = 0
    since: datetime = instant(nullable=False)


class Duty(SQLModel, table=True):
    """``intent`` × area → lead unit and, where named, the person. ``*`` is every intent."""

    id: int = id_column()
    intent: str
    area_id: int | None = refers("area")
    unit_id: int = refers("unit", nullable=False)
    staff_id: int | None = refers("staff")


class SiteState(SQLModel, table=True):
    """One row: ``version`` rises with each load, so that running servers read the site again."""

    __tablename__ = "site"

    id: int = id_column()
    version: int = 0
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Counter(SQLModel, table=True):
    """Where row ids and ticket serials are taken from, in blocks."""

    name: str = Field(primary_key=True)
    value: int = 0


class Token(SQLModel, table=True):
    """A bearer token of the API, as a hash; ``staff_id`` None may act for everyone."""

    id: int = id_column()
    hash: str = Field(unique=True)
    note: str = ""
    staff_id: int | None = refers("staff")
    created_at: datetime = instant(nullable=False)
