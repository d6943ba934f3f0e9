"""Short commands of bound staff: 接单, 联系了, 办结, 退单, 派, 不受理, 同意, 退回, 答复, 回复, 详情 …

A bound person's message that is no command is a resident's message like any other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import SQLColumnExpression
from sqlmodel import col

from bot.conversation.options import choice
from bot.conversation.turn import Answer, Reply, Turn
from bot.errors import NotAllowed
from bot.models import Media, Staff, Ticket, Unit
from bot.models.actor import Actor, staff_actor
from bot.models.workflow import ENDED, RESULTS, STATES
from bot.services import handover, notices, staff, tickets
from bot.services.guards import DECLINE_REASONS
from bot.services.talks import Question

SEPARATORS = " :：,，、\n"
Condition = SQLColumnExpression[bool]
_BIND = re.compile(r"^绑定\s*(\d{6})$")
_COMMAND = re.compile(
    r"^[【\[]?(接单|签收|联系了?|办结|完成|退单|派单?|不受理|同意|通过|退回|答复|回复|详情|确认|任务|我的任务|待办)[】\]]?"
    r"[\s:：,，、]*(?:(T?\d{8}-\d{4,}|\d{4,})(?![\d号楼栋]))?[\s:：,，、]*(.*)$",
    re.DOTALL | re.IGNORECASE,
)
BOUND = "绑定成功：{name}（{unit}）。有任务会推送到这里，回复“任务”看全部。"
NOT_BOUND = "绑定码不对或已过期，请向管理员重新要一个。"
NO_TASKS = "您现在没有要办的事。"


@dataclass(frozen=True, slots=True)
class Command:
    """``states`` are those a ticket without a number may be in for this command."""

    run: Callable[[Turn, Ticket, Actor, str], str]
    states: frozenset[str]
    text_needed: str = ""


def answer(turn: Turn, said: Answer) -> Reply | None:
    """The reply to a command, None when this is not one (or not from staff)."""
    bind = _BIND.match(turn.text.strip())
    if bind is not None:
        return _bind(turn, bind.group(1))
    person = turn.staff
    if person is None:
        return None
    question = turn.question
    if question is not None and question.handler == "staff":
        index = choice(question.options, turn.text)
        if index is not None:
            number = question.data["tickets"][index]
            return _run(turn, person, question.data["verb"], number, question.data["text"])
    if turn.incoming.kind in ("image", "video") and question is None:
        return _photo(turn, person)
    match = _COMMAND.match(turn.text.strip())
    if match is None:
        return None
    verb, number, text = match.groups()
    if verb in ("任务", "我的任务", "待办"):
        return _tasks(turn, person) if not text else None
    return _run(turn, person, verb, number or "", text.strip())


def _bind(turn: Turn, code: str) -> Reply:
    person = staff.bind(turn.work, turn.incoming.openid, code)
    if person is None:
        return Reply(NOT_BOUND, keep=True)
    unit = turn.site.units[person.unit_id].name
    return Reply(BOUND.format(name=person.name, unit=unit), keep=True)


def _run(turn: Turn, person: Staff, verb: str, number: str, text: str) -> Reply | None:
    command = COMMANDS[_SAME.get(verb, verb)]
    found = _candidates(turn, person, command, number)
    if not found:
        if not number and (not text or command.text_needed):
            return Reply(NO_TASKS, keep=True)
        return (
            Reply(f"没有找到您能办的事项{number}。回复“任务”看全部。", keep=True)
            if number
            else None
        )
    if len(found) > 1:
        return _which(found, verb, text)
    if command.text_needed and not text:
        return Reply(
            f"请加上{command.text_needed}，例如：{verb} {notices.short(found[0])} …", keep=True
        )
    ticket = found[0]
    parent = tickets.parent_of(turn.work, ticket)
    actor = staff_actor(turn.site, person, ticket, parent)
    asked_back = turn.question is not None and turn.question.handler == "staff"
    try:
        done = command.run(turn, ticket, actor, text)
    except NotAllowed as refusal:
        if refusal.code != "no_such_transition":
            raise
        done = f"{ticket.number} 现在是“{STATES[ticket.state]}”，不能{verb}。"
    return Reply(done, keep=not asked_back)


def _candidates(turn: Turn, person: Staff, command: Command, number: str) -> Sequence[Ticket]:
    """The tickets this person may mean: his unit's, for the desk and supervisors all."""
    where: list[Condition] = [col(Ticket.state).not_in(ENDED)]
    if not {"desk", "supervisor"} & set(person.roles):
        where.append(col(Ticket.lead_id) == person.unit_id)
    if number:
        where.append(col(Ticket.number).endswith(number.upper()))
    else:
        where.append(col(Ticket.state).in_(command.states))
    order: list[SQLColumnExpression[Any]] = [col(Ticket.urgent).desc(), col(Ticket.id).desc()]
    found = turn.work.find(Ticket, *where, order=order, limit=6, lock=True)
    mine = [ticket for ticket in found if ticket.assignee_id == person.id]
    fitting = [ticket for ticket in found if ticket.state in command.states]
    if number and len(found) > 1:
        return fitting if len(fitting) == 1 else found
    return mine if not number and len(mine) == 1 else found


def _which(found: Sequence[Ticket], verb: str, text: str) -> Reply:
    options = tuple(f"{ticket.number} {ticket.summary}" for ticket in found[:5])
    data = {"verb": verb, "text": text, "tickets": [ticket.number for ticket in found[:5]]}
    asked = f"{verb}哪一件？"
    return Reply(asked, options, Question("staff", "which", asked, options, data=data))


def _tasks(turn: Turn, person: Staff) -> Reply:
    where: list[Condition] = [col(Ticket.state).not_in({*ENDED, "awaiting_feedback", "suspended"})]
    if "desk" in person.roles:
        waiting = col(Ticket.state).in_(("received", "returned"))
        where.append(waiting | col(Ticket.urgent).is_(True))
    else:
        where.append(col(Ticket.lead_id) == person.unit_id)
    order: list[SQLColumnExpression[Any]] = [col(Ticket.urgent).desc(), col(Ticket.due_at)]
    found = turn.work.find(Ticket, *where, order=order, limit=10)
    lines = [notices.brief(turn.work, ticket) for ticket in found]
    return Reply("\n".join(lines) if lines else NO_TASKS, keep=True)


def _photo(turn: Turn, person: Staff) -> Reply | None:
    """A picture from somebody at work is evidence on what he is working on."""
    where = (
        col(Ticket.assignee_id) == person.id,
        col(Ticket.state).in_(("in_progress", "in_review")),
    )
    found = turn.work.find(Ticket, *where, order=[col(Ticket.id).desc()], limit=6)
    if not found:
        return None
    if len(found) > 1:
        return _which(found, "照片", str(turn.message.id))
    return Reply(
        _keep_photo(turn, found[0], staff_actor(turn.site, person, found[0]), ""), keep=True
    )


def _keep_photo(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    message_id = int(text) if text else turn.message.id
    pending = [row for row in turn.work.pending(Media) if row.message_id == message_id]
    for row in pending or turn.work.find(Media, col(Media.message_id) == message_id, limit=9):
        row.ticket_id = ticket.id
    tickets.record(turn.work, ticket, "evidence", actor, data={"message": message_id})
    return f"照片已放到{ticket.number}。"


def _move(to: str, done: str) -> Callable[[Turn, Ticket, Actor, str], str]:
    def run(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
        tickets.transition(turn.work, ticket, to, actor, reason=text, text=text)
        return f"{ticket.number} {done}。"

    return run


def _sign(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    tickets.transition(turn.work, ticket, "in_progress", actor)
    until = notices.brief(turn.work, ticket).rpartition("，")[2]
    return f"{ticket.number} 已签收，{until}办结。联系居民后回复：联系了 {notices.short(ticket)}"


def _sign_first(turn: Turn, ticket: Ticket, actor: Actor) -> None:
    """Who is at work on it has taken it, whether he said so or not."""
    if ticket.state == "dispatched":
        tickets.transition(turn.work, ticket, "in_progress", actor)


def _contact(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    _sign_first(turn, ticket, actor)
    tickets.contact_logged(turn.work, ticket, actor)
    return f"{ticket.number} 已登记联系。"


def _finish(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    """«办结 0007 部分解决 …»: the result may be named first, else it is solved."""
    result, words = "solved", text
    for code, label in RESULTS.items():
        if code != "answered" and text.startswith(label):
            result, words = code, text.removeprefix(label).lstrip(SEPARATORS)
    unit: Unit | None = turn.site.units.get(ticket.lead_id or 0)
    review = unit is None or unit.review or ticket.is_child
    to = "in_review" if review else "awaiting_feedback"
    _sign_first(turn, ticket, actor)
    tickets.transition(turn.work, ticket, to, actor, result=result, text=words, reason=words)
    return f"{ticket.number} 已办结，{'等负责人审核' if review else '已请居民评价'}。"


def _decline(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    """«不受理 0007 有专门的受理渠道，请到社保窗口»: a reason of the list, then where to go."""
    reason, where = text, ""
    for code, label in DECLINE_REASONS.items():
        if text.startswith(label):
            reason, where = code, text.removeprefix(label).strip(SEPARATORS + "。")
    where = where.removeprefix("请").removeprefix("到").removeprefix("找")
    tickets.transition(turn.work, ticket, "declined", actor, reason=reason, channel=where)
    return f"{ticket.number} 已不予受理。"


def _dispatch(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    name, _, person = text.partition(" ")
    unit = turn.site.unit_like(name)
    if (
        ticket.state == "dispatched" and "desk" in actor.roles
    ):  # the desk takes it back first, and says it only once
        tickets.transition(turn.work, ticket, "received", actor, tell=False)
    tickets.transition(turn.work, ticket, "dispatched", actor, unit=unit, staff=person.strip())
    return f"{ticket.number} 已派给{unit}。"


def _approve(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    to = "closed" if ticket.is_child else "awaiting_feedback"
    tickets.transition(turn.work, ticket, to, actor, text=text)
    return f"{ticket.number} 已同意" + ("。" if ticket.is_child else "，已请居民评价。")


def _reply(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    handover.reply(turn.work, ticket, actor, text)
    return "已发给居民。"


def _confirm(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    """Whoever must go there has one word to send, and it signs too."""
    tickets.record(turn.work, ticket, "confirmed", actor)
    if ticket.state == "dispatched" and "handler" in actor.roles:
        _sign_first(turn, ticket, actor)
        return f"{ticket.number} 已确认并签收，不再重复提醒。"
    return f"{ticket.number} 已确认，不再重复提醒。"


def _details(turn: Turn, ticket: Ticket, actor: Actor, text: str) -> str:
    """What is sealed, for whoever is in charge; each opening is on the record."""
    tickets.record(turn.work, ticket, "opened_private", actor)
    private: Mapping[str, str] = json.loads(turn.work.vault.open(ticket.private) or "{}")
    names = {"phone": "电话", "room": "房号", "plate": "车牌", "person": "姓名"}
    known = "".join(f"\n{label}:{private[key]}" for key, label in names.items() if private.get(key))
    none = f"\n没有留下电话。要问居民，回复：回复 {notices.short(ticket)} 内容"
    return f"{notices.brief(turn.work, ticket)}\n原话：{ticket.text}{known or none}"


_OPEN: Final = frozenset({"dispatched", "in_progress", "joint"})
_SAME: Final = {"签收": "接单", "联系了": "联系", "完成": "办结", "派单": "派", "通过": "同意"}
COMMANDS: Final[Mapping[str, Command]] = {
    "接单": Command(_sign, frozenset({"dispatched"})),
    "联系": Command(_contact, _OPEN),
    "办结": Command(_finish, frozenset({"dispatched", "in_progress"}), "办理情况"),
    "退单": Command(
        _move("returned", "已退回值班室"), frozenset({"dispatched", "in_progress"}), "原因"
    ),
    "派": Command(_dispatch, frozenset({"received", "returned"}), "单位"),
    "不受理": Command(_decline, frozenset({"received", "returned"}), "原因"),
    "同意": Command(_approve, frozenset({"in_review"})),
    "退回": Command(_move("in_progress", "已退回承办人"), frozenset({"in_review"}), "原因"),
    "答复": Command(_move("closed", "已答复并办结"), frozenset({"received"}), "答复内容"),
    "回复": Command(_reply, frozenset({"received", "in_progress"}), "内容"),
    "详情": Command(_details, _OPEN | {"received", "returned", "in_review"}),
    "确认": Command(_confirm, _OPEN | {"received"}),
    "照片": Command(_keep_photo, frozenset({"in_progress", "in_review"})),
}
