"""What is answered: the shapes that DESIGN.md fixes, and personal data kept out of them.

Phone, identity and bank numbers are masked once more on the way out. What residents write is stored
masked; what staff write, and an answer that left through the outbox, may hold them for good reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, overload
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from bot.masking import mask
from bot.models.office import Site

T = TypeVar("T")
Row = RowMapping


class Page(BaseModel, Generic[T]):
    """``total`` counts everything that the filters let through, not this page."""

    items: list[T]
    total: int


class TicketView(BaseModel):
    number: str = Field(examples=["T20261122-0007"])
    state: str = Field(examples=["in_progress"])
    result: str | None = Field(description="solved、partly、unsolved、explained、answered")
    intent: str = Field(examples=["facility_repair"])
    act: str = Field(examples=["report"])
    summary: str = Field(examples=["阳光小区3号楼 楼道灯"])
    slots: dict[str, Any] = Field(description="可公开的要素；电话、门牌、车牌、姓名不在其中")
    area: str | None = Field(examples=["阳光小区"])
    lead: str | None = Field(description="主办单位", examples=["安居物业"])
    assignee: str | None = Field(description="承办人", examples=["马志强"])
    urgent: bool
    supporters: int = Field(description="附议人数")
    parent: str | None = Field(description="协办单的主单编号")
    due: datetime | None = Field(description="答应居民的办结时间")
    created_at: datetime


class EventView(BaseModel):
    at: datetime
    kind: str = Field(examples=["transition"])
    actor: str = Field(examples=["马志强"])
    from_: str | None = Field(alias="from", examples=["dispatched"])
    to: str | None = Field(examples=["in_progress"])
    data: dict[str, Any]


class TicketDetail(TicketView):
    events: list[EventView] = Field(description="从最早到最新")


class OutboxView(BaseModel):
    id: int
    ticket: str | None = Field(description="事项编号")
    to: str = Field(description="收信人 openid")
    role: str = Field(examples=["resident"])
    purpose: str = Field(examples=["update"])
    channel: str | None
    client_msg_id: str
    text: str
    state: str = Field(examples=["sent"])
    errcode: int | None
    attempts: int
    due_at: datetime
    sent_at: datetime | None


class AreaView(BaseModel):
    name: str
    kind: str
    parent: str | None = Field(description="在哪个区域里")
    aliases: list[str]


class UnitView(BaseModel):
    name: str
    kind: str
    area: str | None
    review: bool = Field(description="办结是否要负责人审核")
    desk: bool


class StaffView(BaseModel):
    name: str
    unit: str | None
    roles: list[str]


def ticket_view(site: Site, row: Row) -> TicketView:
    return TicketView(
        number=row["number"],
        state=row["state"],
        result=row["result"],
        intent=row["intent"],
        act=row["act"],
        summary=mask(row["summary"]),
        slots=masked(row["slots"]),
        area=site.name_of("area", row["area_id"]),
        lead=site.name_of("unit", row["lead_id"]),
        assignee=site.name_of("staff", row["assignee_id"]),
        urgent=row["urgent"],
        supporters=row["supporters"],
        parent=row["parent"],
        due=local(row["due_at"], site.zone),
        created_at=local(row["created_at"], site.zone),
    )


def ticket_detail(view: TicketView, events: Sequence[EventView]) -> TicketDetail:
    return TicketDetail(**dict(view), events=list(events))


def event_view(site: Site, row: Row) -> EventView:
    # ``from`` is a word of the language and cannot be an argument by name.
    states = {"from": row["from_state"], "to": row["to_state"]}
    return EventView(
        at=local(row["at"], site.zone),
        kind=row["kind"],
        actor=row["actor"],
        data=masked(row["data"]),
        **states,
    )


def outbox_view(site: Site, row: Row) -> OutboxView:
    return OutboxView(
        id=row["id"],
        ticket=row["number"],
        to=row["openid"],
        role=row["role"],
        purpose=row["purpose"],
        channel=row["channel"],
        client_msg_id=row["client_msg_id"],
        text=mask(row["text"]),
        state=row["state"],
        errcode=row["errcode"],
        attempts=row["attempts"],
        due_at=local(row["due_at"], site.zone),
        sent_at=local(row["sent_at"], site.zone),
    )


@overload
def local(moment: datetime, zone: ZoneInfo) -> datetime: ...
@overload
def local(moment: datetime | None, zone: ZoneInfo) -> datetime | None: ...
def local(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """ISO 8601 with the offset that people of the site have on their clocks."""
    return None if moment is None else moment.astimezone(zone)


def masked(value: Any) -> Any:
    """The same JSON with the numbers of persons made unreadable."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {name: masked(part) for name, part in value.items()}
    if isinstance(value, list):
        return [masked(part) for part in value]
    return value
