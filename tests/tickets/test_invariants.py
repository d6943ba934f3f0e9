"""The invariants of DESIGN.md's section 4 that are about who hears what and who may end what."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.batch import Entry
from bot.errors import Refused
from bot.models import Event, Message, Outbox, Resident, Ticket
from bot.models.actor import RESIDENT, Actor
from bot.services import reminders, tickets
from bot.work import table_of

ANSWER = "换了灯泡和开关，现场试过灯亮了"
FINISHED = {"result": "solved", "text": ANSWER}
OTHER, LEAD = "综合执法队", "安居物业"
ALL_ROLES = {"staff", "desk", "handler", "head", "supervisor", "callback"}
STATES = """received need_info dispatched returned in_progress joint in_review awaiting_feedback
closed suspended referred declined invalid merged withdrawn""".split()


# --- 2. no unit can close its own ticket -------------------------------------------------------


def colleague(scene: Any, unit: str, *, lead: bool = False) -> Actor:
    """One of that unit in whom it has united all power there is."""
    return Actor(
        "万能", frozenset(ALL_ROLES | ({"lead"} if lead else set())), scene.as_a("desk", unit).staff
    )


@pytest.mark.parametrize("unit", [LEAD, "街道值班室", "春晓社区居委会"])
def test_no_unit_closes_its_own_ticket(
    sqlite_lab: Any, all_fields: dict[str, Any], unit: str
) -> None:
    for state, review in itertools.product(STATES, [True, False]):
        with sqlite_lab.scene() as scene:
            led = scene.work.site.unit_by_name[unit]
            led.review = review
            try:
                for columns in ({}, {"round": 2}, {"act": "consult"}, {"follow_ups": 2}):
                    ticket = scene.put(state, **columns | {"lead_id": led.id})
                    if state == "received":
                        ticket.lead_id = None  # with the desk, it is nobody's
                        continue
                    scene.later(days=10)
                    with pytest.raises(Refused):
                        scene.go(ticket, "closed", colleague(scene, unit), **all_fields)
                    assert ticket.state == state
            finally:
                led.review = True


def test_no_unit_closes_its_own_child(quick: Any, all_fields: dict[str, Any]) -> None:
    for state in ("dispatched", "returned", "in_progress", "in_review"):
        child = quick.put(state, child=True)
        with pytest.raises(Refused):
            quick.go(child, "closed", colleague(quick, OTHER), **all_fields)
        with pytest.raises(Refused):
            quick.go(child, "closed", quick.person("罗刚", child), **all_fields)
    quick.go(child, "closed", quick.person("马志强", child))  # of the lead unit


def test_another_unit_can(quick: Any) -> None:
    ticket, hopeless = quick.awaiting(), quick.awaiting()
    quick.go(ticket, "closed", quick.person("王秀英", ticket))
    quick.go(hopeless, "in_progress", "resident")
    quick.go(hopeless, "closed", quick.person("周明远", hopeless), reason="产权不明")
    assert (ticket.state, hopeless.state) == ("closed", "closed")


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_way_round_it_leads_to_a_close(
    sqlite_lab: Any, all_fields: dict[str, Any], seed: int
) -> None:
    """All power in one unit, and any series of moves: while it leads the ticket it cannot close it."""
    random = Random(seed)
    with sqlite_lab.scene() as scene:
        unit = "街道值班室"
        ticket = scene.working(unit=unit, act=random.choice(["report", "consult"]))
        actor, fields = colleague(scene, unit), all_fields | {"unit": unit, "units": [OTHER]}
        for _ in range(25):
            scene.later(hours=random.randrange(100))
            led = ticket.lead_id
            for to in random.sample(STATES, len(STATES)):
                try:
                    scene.go(ticket, to, actor, **fields)
                except Refused:
                    continue
                break
            assert ticket.state != "closed" or led is None, "closed while it led"


# --- 4. one lead, one due time; a child never speaks to the resident ---------------------------


def test_a_child_never_speaks_to_the_resident(scene: Any) -> None:
    """Through all it can live: returned, sent on, late, refused, accepted, withdrawn."""
    parent = scene.working("G")
    scene.supported(parent, 2)
    first, second = scene.whistle(parent, OTHER, "市政养护站")
    heard = len(scene.pushes(role="resident"))
    scene.go(first, "returned", "handler", reason="not_ours")
    scene.go(first, "dispatched", "desk", unit="民生服务中心")
    for _ in range(40):
        scene.later(hours=8)
        reminders.run(scene.work)
    assert first.state == second.state == "in_progress"
    assert first.card == "red"
    scene.go(first, "in_review", "handler", **FINISHED)
    scene.go(first, "in_progress", "lead", reason="没说清楚")
    scene.go(first, "in_review", "handler", **FINISHED)
    scene.go(first, "closed", "lead")
    scene.go(second, "withdrawn", "supervisor")
    assert not scene.pushes(first, role="resident")
    assert not scene.pushes(second, role="resident")
    assert scene.pushes(first, role="staff"), "its unit did hear"
    assert len(scene.pushes(role="resident")) == heard


@pytest.mark.parametrize("tell", [True, False])
def test_not_even_when_somebody_waits_for_the_child_itself(quick: Any, tell: bool) -> None:
    child = quick.put("dispatched", child=True)
    quick.supported(child, 2)
    for to, role, fields in [
        ("in_progress", "handler", {}),
        ("in_review", "handler", FINISHED),
        ("closed", "lead", {}),
    ]:
        quick.go(child, to, role, **fields, tell=tell)
    assert not quick.pushes(child, role="resident")


def test_the_unit_of_a_child_is_told_even_when_it_is_urgent(scene: Any) -> None:
    parent = scene.working("A", urgent=True)
    (child,) = scene.whistle(parent, OTHER)
    (task,) = scene.pushes(child, purpose="task")
    assert task.openid == "demo-staff-14"
    assert task.urgent


# --- 5. a redelivered message ------------------------------------------------------------------


def everything(office: Any) -> Counter[str]:
    def count(work: Any) -> Counter[str]:
        return Counter(
            {
                model.__name__: len(work.find(model, limit=5000))
                for model in (Ticket, Message, Outbox)
            }
        )

    return office.read(count)


def test_a_redelivered_message_makes_nothing_a_second_time(office: Any) -> None:
    batches, now = office.machine.batches, office.machine.clock.now()
    words = "阳光小区3号楼2单元楼道灯不亮了"
    first = Entry(office.incoming("elder", words, key="m1"))
    twin = Entry(office.incoming("elder", words, key="m1"))
    batches.run([first, twin], now)
    once = everything(office)
    assert once["Ticket"] == once["Message"] == 1
    assert once["Outbox"] >= 1
    later = [Entry(office.incoming("elder", words, key="m1")) for _ in range(3)]
    office.later(seconds=5)
    batches.run(later[:1], office.machine.clock.now())
    batches.run(later[1:], office.machine.clock.now())
    assert everything(office) == once
    assert first.reply is not None
    assert {entry.reply for entry in [first, twin, *later]} == {first.reply}


def test_the_same_words_again_are_another_message(office: Any) -> None:
    for _ in range(2):
        office.say("elder", "阳光小区3号楼2单元楼道灯不亮了")
    assert everything(office)["Message"] == 2


# --- 6. clocks count unmet targets only; thanks reopen nothing ---------------------------------


def test_thanks_after_closing_reopen_nothing(office: Any) -> None:
    office.say("elder", "阳光小区3号楼2单元楼道灯不亮了")
    (ticket,) = office.tickets()

    def close(work: Any) -> None:
        row = work.need(Ticket, ticket.id)
        member = work.site.staff_of_unit[row.lead_id][0]
        for to, role, fields in [
            ("in_progress", "handler", {}),
            ("in_review", "handler", FINISHED),
            ("awaiting_feedback", "head", {}),
        ]:
            tickets.transition(work, row, to, Actor("x", frozenset({role}), member), **fields)
        tickets.transition(work, row, "closed", RESIDENT)

    office.write(close)
    for words in ("谢谢", "谢谢你们", "好的谢谢", "感谢！", "谢谢啦，辛苦了"):
        office.later(hours=3)
        office.say("elder", words)
        (after,) = office.tickets()
        assert (after.state, after.round) == ("closed", 1)
        assert after.watch_at is None


MET = [
    # what was done in time, whose words then never come
    ("contacted", {"contact_soon", "contact_due"}),
    ("signed", {"sign_soon", "sign_due"}),
    ("dispatched", {"accept_soon", "accept_due"}),
    ("finished", {"yellow", "red", "supervise", "head_of_street"}),
]


@pytest.mark.parametrize(("met", "never"), MET)
@pytest.mark.parametrize("done", [True, False], ids=["met", "unmet"])
def test_clocks_count_unmet_targets_only(quick: Any, met: str, never: set[str], done: bool) -> None:
    ticket = quick.open("D")
    steps = ["dispatched", "signed", "contacted", "finished"]
    last = steps.index(met) + done
    for step in steps[:last]:
        if step == "dispatched":
            quick.go(ticket, "dispatched", "desk", unit=LEAD)
        elif step == "signed":
            quick.go(ticket, "in_progress", "handler")
        elif step == "contacted":
            tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
        else:
            quick.go(ticket, "in_review", "handler", **FINISHED)
    did: set[str] = set()
    for _ in range(30):
        quick.later(days=1)
        did |= {entry["did"] for entry in reminders.run(quick.work)}
    assert did & never == (set() if done else never)


# --- 7. no reminder outside the hours ----------------------------------------------------------


def local(scene: Any, push: Any) -> time:
    return push.due_at.astimezone(scene.work.site.zone).time()


@pytest.mark.parametrize("hour", range(24))
def test_a_reminder_waits_for_its_hours_and_an_urgent_one_does_not(quick: Any, hour: int) -> None:
    quick.at(f"2026-11-25 {hour:02d}:20")
    calm, urgent = quick.open("D"), quick.open("A", urgent=True)
    for ticket in (calm, urgent):
        assert tickets.urge(quick.work, ticket, quick.as_a("resident"))
    for push in quick.pushes(calm, purpose="reminder"):
        assert time(8) <= local(quick, push) < time(20)
        waited = push.due_at - quick.work.now
        assert waited.total_seconds() == 0 if 8 <= hour < 20 else 0 < waited.total_seconds() < 86400
    for push in quick.pushes(urgent, purpose="reminder"):
        assert push.due_at == quick.work.now


def test_the_second_question_comes_by_day(quick: Any) -> None:
    quick.at("2026-11-25 23:30")
    ticket = quick.awaiting()
    quick.later(days=2)
    reminders.run(quick.work)
    again = quick.pushes(ticket, purpose="follow_up")[-1]
    assert again.due_at.astimezone(quick.work.site.zone).isoformat() == "2026-11-28T08:00:00+08:00"


def test_night_long_nobody_is_reminded_but_of_danger(quick: Any) -> None:
    quick.at("2026-11-25 19:00")
    quick.dispatched("B")
    quick.dispatched("D")
    danger = quick.dispatched("A", urgent=True, confirmed_at=None)
    danger.confirmed_at = None
    for _ in range(14 * 4):
        quick.later(minutes=15)
        reminders.run(quick.work)
    pushed = [p for p in quick.pushes() if p.purpose in ("reminder", "alert")]
    at_night = [p for p in pushed if not time(8) <= local(quick, p) < time(20)]
    assert at_night, "danger is called out at night"
    assert {p.ticket_id for p in at_night} == {danger.id}
    assert {p.purpose for p in pushed if p.ticket_id != danger.id} == {"reminder"}


# --- 8. closed is never shown as solved --------------------------------------------------------


@pytest.mark.parametrize("result", ["partly", "unsolved", "explained"])
def test_closed_is_not_solved(scene: Any, result: str) -> None:
    ticket = scene.working()
    fields = {"result": result, "text": "现场看过，线路老化，需整体更换", "reason": "产权不明"}
    scene.go(ticket, "in_review", "handler", **fields)
    scene.go(ticket, "awaiting_feedback", "head")
    scene.go(ticket, "closed", "callback")
    assert (ticket.state, ticket.result) == ("closed", result)
    for push in scene.pushes(ticket):
        words = push.text.replace("这件事解决了吗", "")
        assert "解决了" not in words
        assert "已解决" not in words
        assert "已解决" not in " ".join(push.fields.values())


@pytest.mark.parametrize("how", ["resident", "callback", "system", "supervisor", "answered"])
def test_closing_does_not_make_a_result(scene: Any, how: str) -> None:
    """Whoever closes it: the unit's result stays what the unit said, and none is invented."""
    if how == "answered":
        ticket = scene.open("C", act="consult")
        scene.go(ticket, "closed", "desk", text="周一到周五九点到六点")
        assert ticket.result == "answered"
    elif how == "supervisor":
        ticket = scene.awaiting()
        scene.go(ticket, "in_progress", "resident")
        scene.go(ticket, "closed", "supervisor", reason="产权不明")
        assert ticket.result is None, "the last round has none"
    else:
        ticket = scene.working()
        scene.go(ticket, "in_review", "handler", result="partly", text=ANSWER)
        scene.go(ticket, "awaiting_feedback", "head")
        ticket.follow_ups = 2
        scene.later(days=7)
        scene.go(ticket, "closed", how, result="solved")
        assert ticket.result == "partly"
    assert ticket.state == "closed"


# --- 9. supporters; and the column «the resident is told» --------------------------------------

# from, to, by whom, what is heard (None: nothing).
TOLD = [
    ("received", "need_info", "desk", "哪一层"),
    ("in_progress", "need_info", "handler", "哪一层"),
    ("need_info", "received", "resident", "已补充"),
    ("need_info", "in_progress", "resident", "已补充"),
    ("need_info", "received", "system", None),
    ("need_info", "in_progress", "system", None),
    ("received", "dispatched", "desk", "综合执法队"),
    ("dispatched", "received", "desk", None),
    ("received", "closed", "desk", "有用吗"),
    ("received", "declined", "desk", "人民法院"),
    ("returned", "declined", "desk", "人民法院"),
    ("received", "invalid", "desk", None),
    ("received", "merged", "desk", "并入"),
    ("declined", "received", "resident", "已重新受理"),
    ("invalid", "received", "desk", "已重新受理"),
    ("merged", "received", "desk", "受理"),
    ("received", "referred", "desk", "JS-88"),
    ("in_progress", "referred", "desk", "区住建局"),
    ("referred", "awaiting_feedback", "desk", "解决了吗"),
    ("referred", "received", "system", "正在催办"),
    ("dispatched", "in_progress", "handler", "已签收"),
    ("dispatched", "in_progress", "system", None),
    ("dispatched", "returned", "handler", None),
    ("in_progress", "returned", "handler", None),
    ("returned", "dispatched", "desk", "综合执法队"),
    ("in_progress", "joint", "handler", "几个单位"),
    ("joint", "in_progress", "supervisor", None),
    ("in_progress", "suspended", "supervisor", "12月20日"),
    ("suspended", "in_progress", "head", "重新启动"),
    ("in_progress", "in_review", "handler", None),
    ("in_review", "in_progress", "head", None),
    ("in_review", "awaiting_feedback", "head", "解决了吗"),
    ("awaiting_feedback", "closed", "resident", "15天内"),
    ("awaiting_feedback", "closed", "callback", "15天内"),
    ("awaiting_feedback", "closed", "system", "15天内"),
    ("awaiting_feedback", "in_progress", "resident", "重办"),
    ("closed", "in_progress", "supervisor", "重办"),
    ("awaiting_feedback", "received", "resident", "转人工重新处理"),
    ("closed", "received", "callback", "转人工重新处理"),
    ("in_progress", "closed", "supervisor", "人民法院"),
]


def set_up(
    scene: Any, source: str, to: str, by: str, all_fields: dict[str, Any]
) -> tuple[Any, Any]:
    columns: dict[str, Any] = {"came_from": to} if source == "need_info" else {}
    if (source, to) == ("received", "closed"):
        columns["act"] = "consult"
    if to == "received" and source in ("awaiting_feedback", "closed"):
        columns["lead_id"] = None
    columns |= {"follow_ups": 2, "round": 2 if (source, to) == ("in_progress", "closed") else 1}
    ticket = scene.put(source, **columns)
    if source == "in_review":
        scene.work.add(
            Event,
            ticket_id=ticket.id,
            at=scene.work.now,
            kind="transition",
            role="handler",
            actor="x",
            from_state="in_progress",
            to_state="in_review",
            data={"text": ANSWER},
        )
    fields = all_fields | {"into": scene.open().number}
    if to == "need_info":
        fields["text"] = "哪一层？"
    if by == "system":
        ticket.sign_due_at = scene.work.now
        scene.later(days=15 if source == "referred" else 7)
    return ticket, fields


@pytest.mark.parametrize(
    ("source", "to", "by", "told"), TOLD, ids=lambda value: value if str(value).isascii() else ""
)
@pytest.mark.parametrize("in_this_turn", [False, True], ids=["pushed", "in the reply"])
def test_each_change_is_told_once_to_each_who_waits(
    quick: Any,
    all_fields: dict[str, Any],
    source: str,
    to: str,
    by: str,
    told: str | None,
    in_this_turn: bool,
) -> None:
    """The reporter by a push or by the reply of this very turn, every supporter by a push."""
    scene = quick
    ticket, fields = set_up(scene, source, to, by, all_fields)
    neighbours = scene.supported(ticket, 2)
    before = len(scene.pushes(role="resident"))
    scene.go(ticket, to, by, **fields, tell=not in_this_turn)
    heard = scene.pushes(role="resident")[before:]
    reporter = scene.work.need(Resident, ticket.resident_id)
    listeners = [person.openid for person in neighbours]
    if not in_this_turn:
        listeners.append(reporter.openid)
    assert Counter(push.openid for push in heard) == Counter(listeners if told else [])
    for push in heard:
        assert told in push.text
        assert ticket.number in push.text
        assert push.purpose in ("update", "follow_up")


def test_the_second_question_is_for_the_reporter_alone(quick: Any) -> None:
    ticket = quick.awaiting()
    quick.supported(ticket, 3)
    before = len(quick.pushes(role="resident"))
    quick.later(days=2)
    reminders.run(quick.work)
    (again,) = quick.pushes(role="resident")[before:]
    assert again.purpose == "follow_up"
    assert again.options == ["好了", "没好"]


def test_who_was_merged_hears_what_becomes_of_it(scene: Any) -> None:
    first, second, into = scene.open(), scene.open(), scene.open()
    scene.supported(second, 2)
    scene.go(second, "merged", "desk", into=first.number)
    scene.go(first, "merged", "desk", into=into.number)
    assert into.supporters == 4
    before = len(scene.pushes(into, role="resident"))
    scene.go(into, "dispatched", "desk", unit=OTHER)
    heard = [push.openid for push in scene.pushes(into, role="resident")[before:]]
    assert len(heard) == len(set(heard)) == 5


def test_supporters_are_rows_and_a_number(scene: Any) -> None:
    ticket = scene.open()
    scene.supported(ticket, 3)
    table = table_of(Ticket)
    query = table.select().where(table.c.id == ticket.id)
    scene.work.flush()
    assert scene.work.connection.execute(query).mappings().one()["supporters"] == 3
