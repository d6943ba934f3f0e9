"""What residents and staff are told when a ticket moves. Words only; who hears them is ``outbox``'s."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.models import Event, Staff, Ticket
from bot.models.sla import say_promise
from bot.models.workflow import RESULTS, STATES
from bot.services.guards import DECLINE_REASONS, REOPEN_DAYS, RETURN_REASONS, answer_of
from bot.services.outbox import audience, push, to_resident, to_staff
from bot.services.talks import Question, ask_later
from bot.work import Work

SOLVED: Final = ("好了", "没好")
SATISFIED: Final = ("满意", "基本满意", "不满意")


def on_transition(
    work: Work, ticket: Ticket, came_from: str | None, event: Event, *, tell: bool = True
) -> None:
    """The pushes that belong to this step, as rows of the same transaction."""
    _to_staff(work, ticket, came_from, event)
    if ticket.is_child or not (tell or ticket.supporters):
        return
    say = _RESIDENT.get((came_from, ticket.state)) or _RESIDENT.get((None, ticket.state))
    if say is None:
        return
    text = say(work, ticket, event)
    if not text:
        return
    if not tell:
        # The reporter reads it in the reply of this very turn; those who joined him do not.
        for resident in audience(work, ticket):
            if resident.id != ticket.resident_id:
                push(work, resident.openid, "resident", "update", text, ticket=ticket)
    elif ticket.state == "awaiting_feedback":
        to_resident(work, ticket, "follow_up", text, SOLVED)
        ask(work, ticket, "feedback", "solved", text, SOLVED)
    elif ticket.state == "declined":
        to_resident(work, ticket, "update", text)
        ask(work, ticket, "appeal", "appeal", text)
    elif ticket.state == "need_info":
        to_resident(work, ticket, "update", text)
        ask(work, ticket, "info", "info", text)
    else:
        to_resident(work, ticket, "update", text)


def ask(
    work: Work,
    ticket: Ticket,
    handler: str,
    about: str,
    text: str,
    options: tuple[str, ...] = (),
) -> None:
    """Remember that the reporter was asked, so that his next words are an answer."""
    question = Question(handler, about, text, options, data={"ticket": ticket.number})
    ask_later(work, ticket.resident_id, question)


def name(ticket: Ticket) -> str:
    """How a ticket is called to a resident: «楼道灯(编号T20261122-0007)»."""
    return f"{ticket.summary}（编号{ticket.number}）"


def due(work: Work, ticket: Ticket) -> str:
    return "" if ticket.due_at is None else say_promise(ticket.due_at, work.now, work.site.zone)


def unit_of(work: Work, ticket: Ticket) -> str:
    return work.site.name_of("unit", ticket.lead_id) or work.site.desk.name


def in_charge(work: Work, ticket: Ticket) -> Sequence[Staff]:
    """Who must act now: the assignee, else the lead unit, else the desk."""
    site = work.site
    if ticket.state in ("received", "returned", "referred") or ticket.lead_id is None:
        return site.desk_staff
    if ticket.state == "in_review":
        return site.heads(ticket.lead_id) or site.desk_staff
    assignee = site.staff.get(ticket.assignee_id or 0)
    if assignee is not None and assignee.active:
        return (assignee,)
    return site.staff_of_unit.get(ticket.lead_id, ()) or site.desk_staff


def follow_up(ticket: Ticket, answer: str) -> str:
    said = f"办理情况：{answer.rstrip('。')}。" if answer else ""
    return f"{name(ticket)}有结果了。{said}这件事解决了吗？回复 1 好了，2 没好。"


# --- residents ---------------------------------------------------------------------------------

Say = Callable[[Work, Ticket, Event], str]


def _dispatched(work: Work, ticket: Ticket, event: Event) -> str:
    if event.from_state == "returned":
        return f"{name(ticket)}改由{unit_of(work, ticket)}办理，{due(work, ticket)}办结。"
    return f"{name(ticket)}已派给{unit_of(work, ticket)}，{due(work, ticket)}办结。"


def _signed(work: Work, ticket: Ticket, event: Event) -> str:
    if event.role == "system":
        return ""
    return f"{name(ticket)}：{unit_of(work, ticket)}已签收，会联系您。"


def _redo(work: Work, ticket: Ticket, event: Event) -> str:
    return f"{name(ticket)}已退回{unit_of(work, ticket)}重办，{due(work, ticket)}办结。"


def _informed(work: Work, ticket: Ticket, event: Event) -> str:
    return "" if event.role == "system" else f"{name(ticket)}已补充，继续办理。"


def _need_info(work: Work, ticket: Ticket, event: Event) -> str:
    return f"{name(ticket)}还需要您补充：{event.data['text']}。直接回复就可以。"


def _declined(work: Work, ticket: Ticket, event: Event) -> str:
    reason = str(event.data["reason"])
    where = str(event.data.get("channel") or event.data.get("text") or "")
    said = f"{name(ticket)}这里受理不了。原因：{DECLINE_REASONS.get(reason, reason)}。"
    return said + (f"请找：{where}。" if where else "") + "不同意可以回复“申诉”。"


def _answered(work: Work, ticket: Ticket, event: Event) -> str:
    if event.from_state == "received":
        answer = str(event.data["text"]).rstrip("。")
        return f"您问的{name(ticket)}，答复：{answer}。有用吗？没解决就告诉我，转人工处理。"
    if event.from_state == "in_progress":
        channel = event.data.get("channel")
        more = f"还可以找：{channel}。" if channel else ""
        return f"{name(ticket)}已办结。说明：{event.data['reason']}。{more}"
    return f"{name(ticket)}已办结，感谢您。{REOPEN_DAYS}天内有问题可以重开。"


def _referred(work: Work, ticket: Ticket, event: Event) -> str:
    body = event.data.get("body") or event.data.get("unit")
    number = event.data.get("outside_number") or event.data.get("number")
    return f"{name(ticket)}已转给{body}，查询号{number}。"


def _chased(work: Work, ticket: Ticket, event: Event) -> str:
    return f"{name(ticket)}对方还没有回音，我们正在催办。"


def _merged(work: Work, ticket: Ticket, event: Event) -> str:
    into = work.need(Ticket, ticket.merged_id)
    return f"{name(ticket)}和邻居报的是同一件事，已并入{into.number}，有进展一起通知您。"


def _suspended(work: Work, ticket: Ticket, event: Event) -> str:
    plan = event.data.get("plan") or event.data.get("text")
    reason = f"原因：{event.data['reason']}。" if event.data.get("reason") else ""
    day = ticket.review_at.astimezone(work.site.zone) if ticket.review_at else None
    when = f"{day.month}月{day.day}日再告诉您进展。" if day else ""
    return f"{name(ticket)}暂时办不了。{reason}计划：{plan}。{when}"


def _follow_up(work: Work, ticket: Ticket, event: Event) -> str:
    answer = str(event.data.get("text") or "")
    if event.from_state == "in_review":
        answer = answer_of(work, ticket) or answer
    return follow_up(ticket, answer)


def _plain(text: str) -> Say:
    return lambda work, ticket, event: name(ticket) + text


_RESIDENT: Final[Mapping[tuple[str | None, str], Say]] = {
    (None, "dispatched"): _dispatched,
    ("dispatched", "in_progress"): _signed,
    ("awaiting_feedback", "in_progress"): _redo,
    ("closed", "in_progress"): _redo,
    ("suspended", "in_progress"): _plain("重新启动办理了。"),
    (None, "need_info"): _need_info,
    ("need_info", "received"): _informed,
    ("need_info", "in_progress"): _informed,
    (None, "declined"): _declined,
    (None, "closed"): _answered,
    (None, "referred"): _referred,
    ("referred", "received"): _chased,
    ("awaiting_feedback", "received"): _plain("已转人工重新处理。"),
    ("closed", "received"): _plain("已转人工重新处理。"),
    ("declined", "received"): _plain("已重新受理。"),
    ("invalid", "received"): _plain("已重新受理。"),
    ("merged", "received"): _plain("已重新单独受理。"),
    (None, "merged"): _merged,
    (None, "joint"): _plain("由几个单位一起办，还是同一个时限。"),
    (None, "suspended"): _suspended,
    (None, "awaiting_feedback"): _follow_up,
    (None, "withdrawn"): _plain("已撤回。"),
}

# --- staff -------------------------------------------------------------------------------------


def _to_staff(work: Work, ticket: Ticket, came_from: str | None, event: Event) -> None:
    state = ticket.state
    people = in_charge(work, ticket)
    alarmed = ticket.urgent and event.role == "system" and not ticket.is_child
    if state == "dispatched" and not alarmed:
        if not to_staff(work, people, "task", task(work, ticket), ticket=ticket):
            text = f"【请电话通知】{unit_of(work, ticket)}没有人绑定微信。{brief(work, ticket)}"
            to_staff(work, work.site.desk_staff, "task", text, ticket=ticket, role="desk")
    elif state == "received" and came_from is not None:
        why = "居民不满意，退回重办" if event.role == "resident" else f"由{STATES[came_from]}退回"
        to_staff(work, people, "task", f"【待受理】{brief(work, ticket)}\n{why}", ticket=ticket)
    elif state == "returned":
        reason = str(event.data["reason"])
        text = f"【退单】{brief(work, ticket)}\n{event.actor}：{RETURN_REASONS.get(reason, reason)}"
        to_staff(work, people, "task", f"{text}\n回复：派 {short(ticket)} 单位", ticket=ticket)
    elif state == "in_review":
        text = f"【待审核】{brief(work, ticket)}\n{event.actor}：{event.data['text']}"
        reply = f"回复：同意 {short(ticket)}；退回 {short(ticket)} 原因"
        to_staff(work, people, "task", f"{text}\n{reply}", ticket=ticket)
    elif state == "in_progress" and came_from not in ("dispatched", None):
        _goes_on(work, ticket, came_from, event)
    elif state == "withdrawn" and came_from != "received":
        to_staff(work, people, "update", f"【已撤回】{brief(work, ticket)}", ticket=ticket)


def _goes_on(work: Work, ticket: Ticket, came_from: str, event: Event) -> None:
    redo = came_from in ("awaiting_feedback", "closed")
    people = list(in_charge(work, ticket))
    if redo:
        people += work.site.heads(ticket.lead_id)
    title = "退回重办" if redo else f"{STATES[came_from]}后继续办理"
    reason = event.data.get("reason") or event.data.get("text") or ""
    text = f"【{title}】{brief(work, ticket)}\n{event.actor}：{reason}".rstrip("：")
    to_staff(work, people, "task", text, ticket=ticket)


def opened(work: Work, ticket: Ticket) -> int:
    """A ticket that waits at the desk: the clerks are told."""
    text = f"【待受理】{brief(work, ticket)}\n原话：{ticket.text}"
    if ticket.act == "consult":
        text += f"\n回复：答复 {short(ticket)} 内容"
    else:
        text += f"\n回复：派 {short(ticket)} 单位；不受理 {short(ticket)} 原因"
    return to_staff(work, work.site.desk_staff, "task", text, ticket=ticket, role="desk")


def urged(work: Work, ticket: Ticket) -> int:
    people = [*in_charge(work, ticket), *work.site.heads(ticket.lead_id)]
    text = f"【居民催办】{brief(work, ticket)}"
    return to_staff(work, people, "reminder", text, ticket=ticket)


def task(work: Work, ticket: Ticket) -> str:
    number = short(ticket)
    return (
        f"【新任务】{brief(work, ticket)}\n原话：{ticket.text}\n"
        f"回复：接单 {number}；联系了 {number}；办结 {number} 结果；退单 {number} 原因；"
        f"看电话：详情 {number}"
    )


def brief(work: Work, ticket: Ticket) -> str:
    urgent = "紧急 " if ticket.urgent else ""
    limit = ticket.unit_due_at or ticket.due_at
    until = "" if limit is None else f"，{say_promise(limit, work.now, work.site.zone)}"
    return f"{urgent}{ticket.number} {ticket.summary}{until}"


def short(ticket: Ticket) -> str:
    """The serial staff type: 0007 of T20261122-0007."""
    return ticket.number.rpartition("-")[2]


def result_of(ticket: Ticket) -> str:
    return RESULTS.get(ticket.result or "", "")
