"""What may be asked: paging, filters and bodies, checked before anything is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from bot.models.workflow import STATES
from bot.services.outbox import Purpose

LONGEST_TEXT: Final = 2000
MOST_MORE: Final = 20
_NAME: Final = re.compile(r"[a-z][a-z_]{0,39}")
# Arguments of ``tickets.transition`` that are nobody's to give from outside.
_OURS: Final = frozenset({"work", "ticket", "tell"})


def _storable(text: str) -> str:
    # PostgreSQL cannot store it, and no person types it.
    if "\0" in text:
        raise ValueError("文字里有不能保存的字符")
    return text


def _known_state(text: str) -> str:
    if text not in STATES:
        raise ValueError(f"没有“{text}”这种状态")
    return text


def _moment(value: object) -> datetime:
    """ISO 8601; a «+» that a client forgot to escape arrives as a space."""
    text = str(value)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise ValueError("时间请写成 2026-11-23T10:00:00+08:00 这样") from None
    if not 1970 <= moment.year < 9999:
        raise ValueError("年份不对")
    return moment


Words = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_storable)]
Number = Annotated[Words, Path(description="事项编号", examples=["T20261122-0007"])]
State = Annotated[
    str,
    AfterValidator(_known_state),
    WithJsonSchema({"type": "string", "enum": list(STATES)}),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Paging(BaseModel):
    """A misspelt filter is refused: ignoring it would quietly give everything."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, ge=1, le=500, description="一页多少条")
    offset: int = Field(0, ge=0, le=10**9, description="跳过多少条")


class TicketFilter(Paging):
    """``since`` without an offset is taken in the site's zone."""

    state: State | None = Field(None, description="状态")
    intent: Words | None = Field(None, description="事项类别")
    number: Words | None = Field(None, description="编号")
    area: Words | None = Field(None, description="区域名称，不含下级区域")
    lead: Words | None = Field(None, description="主办单位名称")
    urgent: bool | None = Field(None, description="是否紧急")
    since: Moment | None = Field(None, description="这个时间及以后；不带时差的按本站点时区")


class OutboxFilter(Paging):
    """``intent``, ``area`` and ``lead`` are those of the ticket that the push is about."""

    state: Literal["pending", "sending", "sent", "failed", "undeliverable"] | None = None
    purpose: Purpose | None = Field(None, description="用途")
    role: Words | None = Field(None, description="收信人身份：resident、staff、desk")
    channel: Literal["custom", "template"] | None = Field(None, description="通道")
    to: Words | None = Field(None, description="收信人 openid")
    ticket: Words | None = Field(None, description="事项编号")
    number: Words | None = Field(None, description="同 ticket")
    intent: Words | None = Field(None, description="事项类别")
    area: Words | None = Field(None, description="事项的区域名称")
    lead: Words | None = Field(None, description="事项的主办单位名称")
    urgent: bool | None = Field(None, description="是否紧急")
    since: Moment | None = Field(None, description="这个时间及以后写下的")


class ContactBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actor: Words = Field(description="承办单位的工作人员姓名", examples=["马志强"])


More = Words | bool | int | float | list[Words] | None


class TransitionBody(BaseModel):
    """``to`` and ``actor`` always; what else is needed depends on the edge (422 names it)."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, More] = Field(init=False)

    to: State = Field(description="目标状态")
    actor: Words = Field(
        description="工作人员姓名；令牌可代表所有人时，还可以是“居民”/resident、“系统”/system",
        examples=["马志强"],
    )
    reason: Words | None = Field(None, description="原因，或原因代码")
    result: Words | None = Field(None, description="结果：solved、partly、unsolved、explained")
    unit: Words | None = Field(None, description="单位名称")
    text: Words | None = Field(None, description="要说的话")

    @model_validator(mode="after")
    def _more_is_modest(self) -> TransitionBody:
        if len(self.__pydantic_extra__) > MOST_MORE:
            raise ValueError("字段太多")
        for name in self.__pydantic_extra__:
            if not _NAME.fullmatch(name):
                raise ValueError("字段名要是小写英文字母")
        return self

    def fields(self) -> Mapping[str, Any]:
        """What the edge's guards may look at."""
        given = self.model_dump(exclude={"to", "actor"}, exclude_none=True)
        return {name: value for name, value in given.items() if name not in _OURS}
