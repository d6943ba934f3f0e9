"""The guards of the workflow's edges, by the names ``bot.models.workflow`` uses.

A guard looks at one move and either raises (``Missing``: a field is needed, ``NotAllowed``: the
rule says no) or returns the columns that its fields set.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import col

from bot.errors import Missing, NotAllowed, NotFound
from bot.models import Event, Staff, Ticket, Unit
from bot.models.actor import Actor
from bot.models.workflow import ENDED, RESULTS
from bot.work import Work, table_of

RETURN_REASONS: Final[Mapping[str, str]] = {
    "not_ours": "不属本单位职责",
    "wrong_area": "不在本辖区",
    "no_power": "无执法或处置权限",
    "unclear": "情况描述不清",
    "duplicate": "重复件",
}
DECLINE_REASONS: Final[Mapping[str, str]] = {
    "court": "已进入诉讼、仲裁或复议",
    "other_channel": "有专门的受理渠道",
    "out_of_scope": "不属街道受理范围",
    "done_before": "已有终结意见",
}
REOPEN_DAYS: Final = 15
SUSPEND_DAYS: Final = 90
# Tried on the words alone, without blanks and punctuation.
_BOILERPLATE = re.compile(
    r"((该|此|本)?(问题|事项|诉求|情况)?((均|都|现)?已经?)?(处理|办结|解决|完成|核实|知悉|收到|转办|联系|反馈|完毕|了|好)+)+"
    r"|情况属实|按规定(办理|处理)|已按照?(要求|规定)(办理|处理|落实)|无|同上"
)
_MARKS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Move:
    """One attempt to take a ticket to ``to``; ``fields`` are what the actor gave with it."""

    work: Work
    ticket: Ticket
    to: str
    actor: Actor
    fields: Mapping[str, Any]

    def given(self, *names: str) -> str:
        """The first of these fields that says something."""
        values = (str(self.fields.get(name) or "").strip() for name in names)
        return next((value for value in values if value), "")

    def need(self, asked: str, *names: str) -> str:
        """Like ``given``, but one of them must be there."""
        value = self.given(*names)
        if not value:
            raise Missing(names[0], asked)
        return value


Changes = dict[str, Any]
Guard = Callable[[Move], Changes]


def _unit(move: Move) -> Changes:
    """Exactly one lead unit; the person in charge is named, the duty's, or the unit's next."""
    name = move.need("请写明派给哪个单位", "unit")
    unit = move.work.site.unit_by_name.get(name)
    if unit is None:
        raise NotFound(f"no unit {name}", told=f"没有叫“{name}”的单位")
    parent = move.work.get(Ticket, move.ticket.parent_id)
    if parent is not None and unit.id == parent.lead_id:
        # It would accept, that is close, its own work.
        raise NotAllowed("own_unit", "协办单不能派给牵头单位自己")
    same = move.ticket.state == "returned" and unit.id == move.ticket.lead_id
    return {"lead_id": unit.id, "assignee_id": _assignee(move, unit), "locked": same}


def _assignee(move: Move, unit: Unit) -> int | None:
    site = move.work.site
    wanted = move.fields.get("staff")
    if wanted:
        person = site.staff_by_name.get(str(wanted))
        if person is None or person.unit_id != unit.id:
            raise NotFound(
                "no such staff in that unit", told=f"{unit.name}没有叫“{wanted}”的工作人员"
            )
        return person.id
    duty = site.duty(move.ticket.intent, move.ticket.area_id)
    if duty is not None and duty.unit_id == unit.id and duty.staff_id is not None:
        return duty.staff_id
    members: list[Staff] = [
        person for person in site.staff_of_unit.get(unit.id, ()) if "handler" in person.roles
    ] or list(site.staff_of_unit.get(unit.id, ()))
    return members[move.ticket.id % len(members)].id if members else None


def _confident(move: Move) -> Changes:
    if not move.ticket.confident or move.ticket.sensitive:
        raise NotAllowed("desk_decides", "拿不准或敏感的事由值班室派单")
    return {}


def _question(move: Move) -> Changes:
    move.need("请写明要居民补充什么", "text")
    return {"came_from": move.ticket.state, "info_rounds": move.ticket.info_rounds + 1}


def _two_rounds(move: Move) -> Changes:
    if move.ticket.info_rounds >= 2:
        raise NotAllowed("asked_twice", "已经请居民补充过两次，请先派单或电话联系")
    return {}


def _came_from(move: Move) -> Changes:
    if move.ticket.came_from != move.to:
        raise NotAllowed("came_from", "补充后只能回到原来的状态")
    return {"came_from": None}


def _after(days: int, code: str) -> Guard:
    def guard(move: Move) -> Changes:
        if move.work.now - move.ticket.state_at < timedelta(days=days):
            raise NotAllowed(code, f"还没满{days}天")
        return {}

    return guard


def _silent_7_days(move: Move) -> Changes:
    _after(7, "silent_7_days")(move)
    if move.ticket.follow_ups < 2:
        raise NotAllowed("two_attempts", "还没回访满两次")
    return {"unrated": True}


def _text(move: Move) -> Changes:
    move.need("请写明答复内容", "text")
    return {}


def _source(move: Move) -> Changes:
    move.need("自动答复要注明出处", "source")
    return {}


def _question_asked(move: Move) -> Changes:
    if move.ticket.act != "consult":
        raise NotAllowed("not_a_question", "这不是咨询，不能直接答复办结，请派单")
    return {"result": "answered"}


def _reason(move: Move) -> Changes:
    if move.to == "declined":
        move.need("请写明不受理的原因：" + "、".join(DECLINE_REASONS.values()), "reason")
    elif move.to == "returned":
        move.need("请写明退单原因：" + "、".join(RETURN_REASONS.values()), "reason")
    else:
        move.need("请写明原因", "reason")
    return {}


def _same_matter(move: Move) -> Changes:
    into = _other_ticket(move, move.need("请写明并入哪一件(编号)", "into", "number"))
    ticket = move.ticket
    if into.id == ticket.id or into.is_child or into.state in ENDED:
        raise NotAllowed("not_mergeable", "只能并入另一件还在办的事")
    if (into.area_id, into.intent) != (ticket.area_id, ticket.intent):
        raise NotAllowed("another_matter", "两件事的地点或内容不同，不能并案")
    return {"merged_id": into.id}


def _other_ticket(move: Move, number: str) -> Ticket:
    found = move.work.find(Ticket, col(Ticket.number) == number, limit=1)
    if not found:
        raise NotFound(f"no ticket {number}", told=f"没有编号{number}的事项")
    return found[0]


def _first_appeal(move: Move) -> Changes:
    if move.ticket.appealed:
        raise NotAllowed("appealed", "已经申诉过一次")
    return {"appealed": True}


def _within(days: int, code: str) -> Guard:
    def guard(move: Move) -> Changes:
        if move.work.now - move.ticket.state_at > timedelta(days=days):
            raise NotAllowed(code, f"已超过{days}天")
        return {}

    return guard


def _outside(move: Move) -> Changes:
    move.need("请写明转给哪个单位", "body", "unit")
    move.need("请写明对方的受理编号", "outside_number", "number")
    return {"lead_id": None, "assignee_id": None}


def _sign_limit(move: Move) -> Changes:
    due = move.ticket.sign_due_at
    if due is None or move.work.now < due:
        raise NotAllowed("sign_limit", "签收时限还没到")
    return {"late_sign": True}


def _returnable(move: Move) -> Changes:
    """Within one working day of dispatch, before a first contact, not in a redo, not when locked."""
    ticket, calendar = move.ticket, move.work.site.calendar
    if ticket.locked:
        raise NotAllowed("locked", "值班室已裁定由你单位办理，不能再退")
    if ticket.round > 1:
        raise NotAllowed("redo", "退回重办的事不能退单")
    if ticket.contacted_at is not None:
        raise NotAllowed("contacted", "已经联系过居民，不能退单")
    since: datetime = ticket.dispatched_at or ticket.created_at
    if move.work.now > calendar.add(since, calendar.day_minutes):
        raise NotAllowed("too_late", "派单已超过1个工作日，不能退单")
    return {"returns": ticket.returns + 1}


def _third_return(move: Move) -> Changes:
    """The third return is ruled by a supervisor, and what he rules holds."""
    if move.ticket.returns >= 3:
        if "supervisor" not in move.actor.roles:
            raise NotAllowed("supervisor_rules", "第三次退单由分管领导裁定")
        return {"locked": True}
    if "desk" not in move.actor.roles:
        raise NotAllowed("desk_decides", "前两次退单由值班室处理")
    return {}


def _units(move: Move) -> Changes:
    units = whistled(move.fields)
    if not units:
        raise Missing("units", "请写明要哪些单位一起办")
    for name in units:
        unit = move.work.site.unit_by_name.get(name)
        if unit is None:
            raise NotFound(f"no unit {name}", told=f"没有叫“{name}”的单位")
        if unit.id == move.ticket.lead_id:
            raise NotAllowed("own_unit", "不能吹哨自己单位")
    return {}


def whistled(fields: Mapping[str, Any]) -> list[str]:
    """The units called: ``units`` as a list, or one ``unit``."""
    given = fields.get("units") or fields.get("unit") or []
    names = given if isinstance(given, list | tuple) else [given]
    return list(dict.fromkeys(str(name) for name in names))


def _no_open_child(move: Move) -> Changes:
    table = table_of(Ticket)
    move.work.flush()
    query = select(func.count()).where(
        table.c.parent_id == move.ticket.id, table.c.state.not_in(ENDED)
    )
    if move.work.connection.execute(query).scalar_one():
        raise NotAllowed("open_child", "协办单位还没办完")
    return {}


def _plan(move: Move) -> Changes:
    move.need("请写明后续计划", "plan", "text")
    text = move.need(f"请写明复核日期({SUSPEND_DAYS}天内)", "review_date", "until")
    try:
        review = datetime.fromisoformat(text)
    except ValueError as error:
        raise Missing("review_date", "复核日期请写成 2026-12-01 这样") from error
    if review.tzinfo is None:
        review = review.replace(tzinfo=move.work.site.zone)
    if not move.work.now < review <= move.work.now + timedelta(days=SUSPEND_DAYS):
        raise NotAllowed("review_date", f"复核日期要在今后{SUSPEND_DAYS}天内")
    return {"review_at": review}


def _review_date(move: Move) -> Changes:
    if move.ticket.review_at is None or move.work.now < move.ticket.review_at:
        raise NotAllowed("review_date", "复核日期还没到")
    return {}


def _result(move: Move) -> Changes:
    result = move.need("请写明结果：" + "、".join(RESULTS.values()), "result")
    codes = set(RESULTS) - {"answered"}
    if result not in codes:
        raise Missing("result", f"没有“{result}”这种结果，可用：" + "、".join(sorted(codes)))
    if result == "unsolved":
        move.need("没能解决要写明依据", "reason")
    return {"result": result}


def _evidence(move: Move) -> Changes:
    move.need("请写一句办理情况", "text")
    return {}


def _real_answer(move: Move) -> Changes:
    """«已处理» tells the resident nothing: an answer says what was found and what was done."""
    words = _MARKS.sub("", move.given("text") or answer_of(move.work, move.ticket))
    if len(words) < 4 or _BOILERPLATE.fullmatch(words):
        raise NotAllowed("boilerplate", "答复太空，请写清查到什么、做了什么")
    return {}


def answer_of(work: Work, ticket: Ticket) -> str:
    """What the unit wrote when it finished."""
    events = work.find(
        Event,
        col(Event.ticket_id) == ticket.id,
        col(Event.to_state).in_(("in_review", "awaiting_feedback")),
        order=[col(Event.at).desc(), col(Event.id).desc()],
        limit=5,
    )
    return next((str(event.data["text"]) for event in events if event.data.get("text")), "")


def _review_off(move: Move) -> Changes:
    unit = move.work.site.units.get(move.ticket.lead_id or 0)
    if unit is None or unit.review:
        raise NotAllowed("needs_review", "本单位的办结要由负责人审核")
    return {}


def _not_own(move: Move) -> Changes:
    """No unit can close its own ticket."""
    person = move.actor.staff
    if person is not None and person.unit_id == move.ticket.lead_id:
        raise NotAllowed("own_ticket", "不能给自己单位办的事结案")
    return {}


def _has_lead(move: Move) -> Changes:
    if move.ticket.lead_id is None:
        raise NotAllowed("no_lead", "这件事没有承办单位，只能重新受理")
    return {}


def _no_lead(move: Move) -> Changes:
    if move.ticket.lead_id is not None:
        raise NotAllowed("has_lead", "这件事有承办单位，退回它重办")
    return {}


def _redone(move: Move) -> Changes:
    if move.ticket.round < 2:
        raise NotAllowed("first_round", "没有重办过的事不能直接结案")
    return {}


def _alone_and_safe(move: Move) -> Changes:
    ticket = move.ticket
    if ticket.is_child:
        raise NotAllowed("child", "协办单由系统或分管领导撤回")
    if ticket.level == "A" or ticket.urgent:
        raise NotAllowed("danger", "有危险的事不能撤回，工作人员会到场核实")
    if ticket.supporters:
        raise NotAllowed("supporters", "还有邻居在等这件事，您可以退出，事情会继续办")
    return {}


GUARDS: Final[Mapping[str, Guard]] = {
    "unit": _unit,
    "confident": _confident,
    "question": _question,
    "two_rounds": _two_rounds,
    "came_from": _came_from,
    "silent_5_days": _after(5, "silent_5_days"),
    "silent_14_days": _after(14, "silent_14_days"),
    "silent_7_days": _silent_7_days,
    "text": _text,
    "source": _source,
    "question_asked": _question_asked,
    "reason": _reason,
    "same_matter": _same_matter,
    "first_appeal": _first_appeal,
    "within_30_days": _within(30, "within_30_days"),
    "within_15_days": _within(REOPEN_DAYS, "within_15_days"),
    "outside": _outside,
    "sign_limit": _sign_limit,
    "returnable": _returnable,
    "third_return": _third_return,
    "units": _units,
    "no_open_child": _no_open_child,
    "plan": _plan,
    "review_date": _review_date,
    "result": _result,
    "evidence": _evidence,
    "real_answer": _real_answer,
    "review_off": _review_off,
    "not_own": _not_own,
    "has_lead": _has_lead,
    "no_lead": _no_lead,
    "redone": _redone,
    "alone_and_safe": _alone_and_safe,
}
