"""Each guard of the transition table: the field it asks for, and its rule on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Missing, NotAllowed, NotFound
from bot.models.actor import RESIDENT
from bot.services import tickets

ANSWER = "换了灯泡和开关，现场试过灯亮了"
FINISHED = {"result": "solved", "text": ANSWER}
OTHER, LEAD = "综合执法队", "安居物业"


def not_allowed(scene: Any, ticket: Any, to: str, actor: Any, code: str, **fields: Any) -> None:
    before = scene.row(ticket), scene.counts()
    with pytest.raises(NotAllowed) as refusal:
        scene.go(ticket, to, actor, **fields)
    assert refusal.value.code == code
    assert refusal.value.told, "a person can read why"
    assert (scene.row(ticket), scene.counts()) == before


# --- fields ------------------------------------------------------------------------------------

PLAN = {"plan": "等配件", "review_date": "2026-12-20"}
FIELDS = [
    # from, to, actor, what is enough, what is needed of it, columns
    ("received", "need_info", "desk", {"text": "哪一层？"}, ["text"], {}),
    ("in_progress", "need_info", "handler", {"text": "哪一层？"}, ["text"], {}),
    ("received", "dispatched", "desk", {"unit": OTHER}, ["unit"], {}),
    ("received", "dispatched", "system", {"unit": OTHER}, ["unit"], {}),
    ("returned", "dispatched", "desk", {"unit": OTHER}, ["unit"], {}),
    ("received", "closed", "desk", {"text": "周一到周五"}, ["text"], {"act": "consult"}),
    (
        "received",
        "closed",
        "system",
        {"text": "周一到周五", "source": "办事指南"},
        ["text", "source"],
        {"act": "consult"},
    ),
    ("received", "declined", "desk", {"reason": "court"}, ["reason"], {}),
    ("returned", "declined", "desk", {"reason": "court"}, ["reason"], {}),
    (
        "received",
        "referred",
        "desk",
        {"body": "区住建局", "outside_number": "JS-8"},
        ["body", "outside_number"],
        {},
    ),
    ("referred", "awaiting_feedback", "desk", {"text": ANSWER}, ["text"], {}),
    ("dispatched", "returned", "handler", {"reason": "not_ours"}, ["reason"], {}),
    ("in_progress", "returned", "handler", {"reason": "not_ours"}, ["reason"], {}),
    ("in_progress", "joint", "handler", {"units": [OTHER]}, ["units"], {}),
    ("in_progress", "suspended", "supervisor", PLAN, ["plan", "review_date"], {}),
    ("in_progress", "in_review", "handler", FINISHED, ["result", "text"], {}),
    ("in_review", "in_progress", "head", {"reason": "没写清楚"}, ["reason"], {}),
    ("in_progress", "closed", "supervisor", {"reason": "无法再办"}, ["reason"], {"round": 2}),
]


@pytest.mark.parametrize(("source", "to", "actor", "enough", "needed", "columns"), FIELDS)
def test_a_missing_field_is_named(
    scene: Any,
    source: str,
    to: str,
    actor: str,
    enough: dict[str, Any],
    needed: list[str],
    columns: dict[str, Any],
) -> None:
    ticket = scene.put(source, **columns)
    before = scene.row(ticket), scene.counts()
    for name in needed:
        for empty in ({}, {name: ""}, {name: "  \n"}, {name: None}):
            if name == "units" and empty.get(name):
                continue
            given = {key: value for key, value in enough.items() if key != name} | empty
            with pytest.raises(Missing) as refusal:
                scene.go(ticket, to, actor, **given)
            assert refusal.value.code == name
            assert refusal.value.told
    assert (scene.row(ticket), scene.counts()) == before
    scene.go(ticket, to, actor, **enough)
    assert ticket.state == to


def test_a_merge_must_name_the_other_ticket(scene: Any) -> None:
    ticket = scene.open()
    with pytest.raises(Missing) as refusal:
        scene.go(ticket, "merged", "desk")
    assert refusal.value.code == "into"


def test_unsolved_must_give_its_grounds(quick: Any) -> None:
    ticket = quick.working()
    with pytest.raises(Missing) as refusal:
        quick.go(ticket, "in_review", "handler", result="unsolved", text=ANSWER)
    assert refusal.value.code == "reason"
    quick.go(ticket, "in_review", "handler", result="unsolved", text=ANSWER, reason="产权不明")
    assert ticket.result == "unsolved"


@pytest.mark.parametrize("result", ["solved", "partly", "explained"])
def test_the_result_is_one_of_the_codes(quick: Any, result: str) -> None:
    ticket = quick.working()
    for wrong in ("done", "已解决", "answered", "closed"):
        with pytest.raises(Missing) as refusal:
            quick.go(ticket, "in_review", "handler", result=wrong, text=ANSWER)
        assert refusal.value.code == "result"
    quick.go(ticket, "in_review", "handler", result=result, text=ANSWER)
    assert ticket.result == result


def test_nobody_is_sent_to_a_unit_that_is_not_there(quick: Any) -> None:
    ticket = quick.open()
    with pytest.raises(NotFound):
        quick.go(ticket, "dispatched", "desk", unit="火星办事处")
    with pytest.raises(NotFound):
        quick.go(ticket, "dispatched", "desk", unit=LEAD, staff="罗刚")
    assert ticket.state == "received"
    working = quick.working()
    with pytest.raises(NotFound):
        quick.go(working, "joint", "handler", units=[OTHER, "火星办事处"])
    assert not tickets.children(quick.work, working)


# --- asking back -------------------------------------------------------------------------------


def test_the_desk_asks_twice_and_no_more(quick: Any) -> None:
    ticket = quick.open()
    for _ in range(2):
        quick.go(ticket, "need_info", "desk", text="哪一层？")
        quick.go(ticket, "received", "resident")
    not_allowed(quick, ticket, "need_info", "desk", "asked_twice", text="哪一户？")
    not_allowed(quick, ticket, "need_info", "system", "asked_twice", text="哪一户？")


def test_an_answer_leads_back_to_where_the_question_was_asked(quick: Any) -> None:
    at_desk, at_unit = quick.open(), quick.working()
    quick.go(at_desk, "need_info", "desk", text="哪一层？")
    quick.go(at_unit, "need_info", "handler", text="哪一层？")
    not_allowed(quick, at_desk, "in_progress", "resident", "came_from")
    not_allowed(quick, at_unit, "received", "resident", "came_from")
    quick.go(at_desk, "received", "resident")
    quick.go(at_unit, "in_progress", "resident")
    assert at_unit.lead_id == quick.unit(LEAD)


def test_five_days_of_silence(quick: Any) -> None:
    ticket = quick.open()
    quick.go(ticket, "need_info", "desk", text="哪一层？")
    quick.later(days=5, minutes=-1)
    not_allowed(quick, ticket, "received", "system", "silent_5_days")
    quick.later(minutes=1)
    quick.go(ticket, "received", "system")


# --- dispatch and return -----------------------------------------------------------------------


def test_the_system_dispatches_only_what_is_sure_and_harmless(quick: Any) -> None:
    for columns in ({"confident": False}, {"sensitive": True}):
        ticket = quick.open(**columns)
        not_allowed(quick, ticket, "dispatched", "system", "desk_decides", unit=LEAD)
        quick.go(ticket, "dispatched", "desk", unit=LEAD)
    quick.go(quick.open(), "dispatched", "system", unit=LEAD)


def test_the_system_signs_at_the_limit_and_not_before(quick: Any) -> None:
    ticket = quick.dispatched("E")  # Monday 10:00 → 12:00
    quick.later(hours=2, minutes=-1)
    not_allowed(quick, ticket, "in_progress", "system", "sign_limit")
    quick.later(minutes=1)
    quick.go(ticket, "in_progress", "system")
    assert ticket.late_sign
    punctual = quick.working()
    assert not punctual.late_sign


def test_a_return_within_one_working_day_of_dispatch(quick: Any) -> None:
    # Thursday before the Mid-Autumn holiday: two hours are left of it, the rest is Monday's.
    quick.at("2026-09-24 16:00")
    ticket, late = quick.working(), quick.working()
    quick.at("2026-09-28 16:00")
    quick.go(ticket, "returned", "handler", reason="not_ours")
    assert ticket.returns == 1
    quick.at("2026-09-28 16:01")
    not_allowed(quick, late, "returned", "handler", "too_late", reason="not_ours")


def test_no_return_after_the_first_contact(quick: Any) -> None:
    ticket = quick.working()
    tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    not_allowed(quick, ticket, "returned", "handler", "contacted", reason="not_ours")


def test_no_return_in_a_redo(quick: Any) -> None:
    ticket = quick.awaiting()
    quick.go(ticket, "in_progress", "resident")
    not_allowed(quick, ticket, "returned", "handler", "redo", reason="not_ours")


def test_the_same_unit_again_is_locked_and_a_new_one_is_not(quick: Any) -> None:
    same, new = quick.dispatched(), quick.dispatched()
    for ticket in (same, new):
        quick.go(ticket, "returned", "handler", reason="not_ours")
    quick.go(same, "dispatched", "desk", unit=LEAD)
    quick.go(new, "dispatched", "desk", unit=OTHER)
    assert (same.locked, new.locked) == (True, False)
    not_allowed(quick, same, "returned", "handler", "locked", reason="not_ours")
    quick.go(new, "returned", "handler", reason="not_ours")
    # Taken back from the locked unit and given to another, the lock is gone.
    quick.go(same, "received", "desk")
    quick.go(same, "dispatched", "desk", unit=OTHER)
    assert not same.locked


def test_the_third_return_is_ruled_by_a_supervisor(quick: Any) -> None:
    ticket = quick.dispatched()
    units = [OTHER, "市政养护站", "民生服务中心"]
    for unit in units[:2]:
        quick.go(ticket, "returned", "handler", reason="not_ours")
        not_allowed(quick, ticket, "dispatched", "supervisor", "desk_decides", unit=unit)
        quick.go(ticket, "dispatched", "desk", unit=unit)
    quick.go(ticket, "returned", "handler", reason="not_ours")
    assert ticket.returns == 3
    not_allowed(quick, ticket, "dispatched", "desk", "supervisor_rules", unit=units[2])
    quick.go(ticket, "dispatched", "supervisor", unit=units[2])
    assert (ticket.lead_id, ticket.locked) == (quick.unit(units[2]), True)


# --- several units -----------------------------------------------------------------------------


def test_a_unit_does_not_whistle_for_itself(quick: Any) -> None:
    ticket = quick.working()
    not_allowed(quick, ticket, "joint", "handler", "own_unit", units=[OTHER, LEAD])


def test_a_unit_whistled_twice_gets_one_child(quick: Any) -> None:
    ticket = quick.working()
    assert len(quick.whistle(ticket, OTHER, OTHER)) == 1


def test_a_childs_lead_is_never_the_unit_that_accepts_it(quick: Any) -> None:
    ticket = quick.working()
    (child,) = quick.whistle(ticket, OTHER)
    quick.go(child, "returned", "handler", reason="not_ours")
    not_allowed(quick, child, "dispatched", "desk", "own_unit", unit=LEAD)
    quick.go(child, "dispatched", "desk", unit="市政养护站")


def test_joint_ends_when_the_last_child_is_closed_or_withdrawn(scene: Any) -> None:
    ticket = scene.working()
    first, second = scene.whistle(ticket, OTHER, "市政养护站")
    not_allowed(scene, ticket, "in_progress", "system", "open_child")
    scene.go(first, "in_progress", "handler")
    scene.go(first, "in_review", "handler", **FINISHED)
    scene.go(first, "closed", "lead")
    assert ticket.state == "joint"
    not_allowed(scene, ticket, "in_progress", "system", "open_child")
    scene.go(second, "withdrawn", "supervisor")
    assert ticket.state == "in_progress"
    assert scene.events(ticket)[-1].role == "system"


def test_a_supervisor_ends_joint_and_withdraws_the_open_children(scene: Any) -> None:
    ticket = scene.working()
    children = scene.whistle(ticket, OTHER, "市政养护站")
    scene.go(ticket, "in_progress", "supervisor")
    assert ticket.state == "in_progress"
    assert [child.state for child in children] == ["withdrawn", "withdrawn"]
    assert len([e for e in scene.events(ticket) if e.to_state == "in_progress"]) == 2


def test_what_is_taken_back_takes_its_children_along(scene: Any) -> None:
    ticket = scene.working()
    children = scene.whistle(ticket, OTHER, "市政养护站")
    scene.go(ticket, "withdrawn", "resident")
    assert [one.state for one in (ticket, *children)] == ["withdrawn"] * 3


@pytest.mark.parametrize("to", ["in_review", "awaiting_feedback"])
def test_nothing_is_finished_while_a_child_is_open(scene: Any, to: str) -> None:
    """However an open child came to be there: the guard looks and does not trust the state."""
    ticket = scene.working()
    child = scene.put("in_progress", child=True, parent_id=ticket.id)
    scene.work.site.units[ticket.lead_id].review = to == "in_review"
    try:
        not_allowed(scene, ticket, to, "handler", "open_child", **FINISHED)
        scene.go(child, "withdrawn", "system")
        scene.go(ticket, to, "handler", **FINISHED)
    finally:
        scene.work.site.units[ticket.lead_id].review = True


# --- suspended, review -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("review_date", "allowed"),
    [
        ("2026-11-23", False),  # this morning, begun already
        ("2026-11-24", True),
        ("2027-02-21", True),  # 90 days and less than ten hours
        ("2027-02-21T10:00:00+08:00", True),
        ("2027-02-21T10:01:00+08:00", False),
        ("2027-02-22", False),
        ("2026-11-01", False),
    ],
)
def test_suspended_for_ninety_days_at_most(quick: Any, review_date: str, allowed: bool) -> None:
    ticket = quick.working()
    fields = {"plan": "等配件", "review_date": review_date}
    if allowed:
        quick.go(ticket, "suspended", "supervisor", **fields)
        assert ticket.review_at is not None
    else:
        not_allowed(quick, ticket, "suspended", "supervisor", "review_date", **fields)


def test_a_review_date_that_is_no_date(quick: Any) -> None:
    ticket = quick.working()
    for nonsense in ("年底", "2026-13-01", "90"):
        with pytest.raises(Missing) as refusal:
            quick.go(ticket, "suspended", "supervisor", plan="等", review_date=nonsense)
        assert refusal.value.code == "review_date"


def test_the_system_resumes_on_the_date(quick: Any) -> None:
    ticket = quick.working()
    quick.go(ticket, "suspended", "supervisor", plan="等配件", review_date="2026-12-20")
    quick.at("2026-12-19 23:59")
    not_allowed(quick, ticket, "in_progress", "system", "review_date")
    quick.at("2026-12-20 00:00")
    quick.go(ticket, "in_progress", "system")


BOILERPLATE = """已处理 已处理。 已处理！！ 已经处理 已办结 处理完毕 已联系 已收到 已转办 情况属实 情况属实。
按规定办理 按规定处理。 已按要求落实 已按照规定处理 无 同上 好了 …… 。。。。。 问题已解决 问题已经解决。 该问题已处理
已核实已处理 已处理，已反馈 嗯""".split()


@pytest.mark.parametrize("text", BOILERPLATE)
def test_an_answer_that_says_nothing_is_refused(quick: Any, text: str) -> None:
    ticket = quick.working()
    quick.go(ticket, "in_review", "handler", result="solved", text=text)
    not_allowed(quick, ticket, "awaiting_feedback", "head", "boilerplate")
    quick.go(ticket, "awaiting_feedback", "head", text=ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "已处理：更换3楼灯泡2只",
        "已联系物业，明早来修电梯",
        "问题已解决，下水道疏通后排水正常",
        "情况属实，已责令店主拆除棚子",
        "无人认领的自行车已清走",
    ],
)
def test_an_answer_that_says_something_passes(quick: Any, text: str) -> None:
    ticket = quick.working()
    quick.go(ticket, "in_review", "handler", result="solved", text=text)
    quick.go(ticket, "awaiting_feedback", "head")


def test_a_new_round_is_not_approved_on_the_words_of_the_last(quick: Any) -> None:
    ticket = quick.awaiting()
    quick.go(ticket, "in_progress", "resident")
    quick.go(ticket, "in_review", "handler", result="solved", text="已处理")
    not_allowed(quick, ticket, "awaiting_feedback", "head", "boilerplate")


def test_straight_to_the_resident_only_where_review_is_off(quick: Any) -> None:
    ticket = quick.working()
    unit = quick.work.site.units[ticket.lead_id]
    not_allowed(quick, ticket, "awaiting_feedback", "handler", "needs_review", **FINISHED)
    unit.review = False
    try:
        for field in ("result", "text"):
            fewer = {key: value for key, value in FINISHED.items() if key != field}
            with pytest.raises(Missing) as refusal:
                quick.go(ticket, "awaiting_feedback", "handler", **fewer)
            assert refusal.value.code == field
        empty = {"result": "solved", "text": "已处理。"}
        not_allowed(quick, ticket, "awaiting_feedback", "handler", "boilerplate", **empty)
        quick.go(ticket, "awaiting_feedback", "handler", **FINISHED)
    finally:
        unit.review = True


# --- the end and after -------------------------------------------------------------------------


def test_only_a_question_is_answered_and_closed_at_once(quick: Any) -> None:
    report, question = quick.open(), quick.open("C", act="consult")
    not_allowed(quick, report, "closed", "desk", "not_a_question", text="周一到周五")
    quick.go(question, "closed", "desk", text="周一到周五")
    assert (question.state, question.result) == ("closed", "answered")


def test_seven_days_and_two_attempts(quick: Any) -> None:
    ticket, asked_once = quick.awaiting(), quick.awaiting()
    tickets.record(quick.work, ticket, "asked", quick.as_a("system"), follow_ups=2)
    quick.later(days=7, minutes=-1)
    not_allowed(quick, ticket, "closed", "system", "silent_7_days")
    quick.later(minutes=1)
    not_allowed(quick, asked_once, "closed", "system", "two_attempts")
    quick.go(ticket, "closed", "system")
    assert ticket.unrated
    rated = quick.awaiting()
    quick.go(rated, "closed", "resident")
    assert not rated.unrated


@pytest.mark.parametrize("actor", ["resident", "callback", "supervisor"])
def test_fifteen_days_to_reopen(quick: Any, actor: str) -> None:
    ticket, late = quick.awaiting(), quick.awaiting()
    for one in (ticket, late):
        quick.go(one, "closed", "resident")
    quick.later(days=15)
    quick.go(ticket, "in_progress", actor, reason="还是不亮")
    assert (ticket.round, ticket.closed_at) == (2, None)
    quick.later(minutes=1)
    not_allowed(quick, late, "in_progress", actor, "within_15_days", reason="还是不亮")


def test_reopened_to_its_unit_or_where_there_is_none_to_the_desk(quick: Any) -> None:
    led, answered = quick.awaiting(), quick.open("C", act="consult")
    quick.go(answered, "closed", "desk", text="周一到周五")
    not_allowed(quick, led, "received", "resident", "has_lead")
    not_allowed(quick, answered, "in_progress", "resident", "no_lead")
    quick.go(led, "in_progress", "resident")
    quick.go(answered, "received", "resident")
    assert (led.round, answered.round) == (2, 2)


def test_an_outside_bodys_answer_goes_back_to_the_desk(quick: Any) -> None:
    ticket = quick.working()
    quick.go(ticket, "referred", "desk", body="区住建局", outside_number="JS-8")
    quick.go(ticket, "awaiting_feedback", "desk", text=ANSWER)
    not_allowed(quick, ticket, "in_progress", "resident", "no_lead")
    quick.go(ticket, "received", "resident")
    assert ticket.round == 2


def test_fourteen_days_referred(quick: Any) -> None:
    ticket = quick.open()
    quick.go(ticket, "referred", "desk", body="区住建局", outside_number="JS-8")
    quick.later(days=14, minutes=-1)
    not_allowed(quick, ticket, "received", "system", "silent_14_days")
    quick.later(minutes=1)
    quick.go(ticket, "received", "system")


def test_one_appeal(quick: Any) -> None:
    ticket = quick.open()
    quick.go(ticket, "declined", "desk", reason="court")
    quick.later(days=100)
    quick.go(ticket, "received", "resident")
    quick.go(ticket, "declined", "desk", reason="court")
    not_allowed(quick, ticket, "received", "resident", "appealed")


def test_thirty_days_for_what_was_called_invalid(quick: Any) -> None:
    ticket, late = quick.open(), quick.open()
    for one in (ticket, late):
        quick.go(one, "invalid", "desk")
    quick.later(days=30)
    quick.go(ticket, "received", "desk")
    quick.later(minutes=1)
    not_allowed(quick, late, "received", "desk", "within_30_days")


def test_a_merge_is_undone_at_any_time(quick: Any) -> None:
    ticket, into = quick.open(), quick.open()
    quick.go(ticket, "merged", "desk", into=into.number)
    quick.later(days=200)
    quick.go(ticket, "received", "desk")
    assert ticket.merged_id is None


def test_a_merge_needs_the_same_area_and_matter(scene: Any) -> None:
    ticket, into = scene.open(), scene.open()
    elsewhere = scene.open(area_id=scene.work.site.area_by_name["和平里"].id)
    other_matter = scene.open(intent="noise")
    ended = scene.open()
    scene.go(ended, "invalid", "desk")
    led = scene.working()
    (child,) = scene.whistle(led, OTHER)
    for wrong in (elsewhere, other_matter):
        not_allowed(scene, ticket, "merged", "desk", "another_matter", into=wrong.number)
    for wrong in (ticket, ended, child):
        not_allowed(scene, ticket, "merged", "desk", "not_mergeable", into=wrong.number)
    with pytest.raises(NotFound):
        scene.go(ticket, "merged", "desk", into="T20200101-0001")
    scene.go(ticket, "merged", "desk", into=into.number)
    assert (ticket.merged_id, into.supporters) == (into.id, 1)


def test_a_hopeless_redo_is_closed_by_a_supervisor_and_a_first_round_never(quick: Any) -> None:
    ticket = quick.working()
    not_allowed(quick, ticket, "closed", "supervisor", "first_round", reason="无法再办")
    again = quick.awaiting()
    quick.go(again, "in_progress", "resident")
    quick.go(again, "closed", "supervisor", reason="产权不明，只能走法律途径")
    assert (again.state, again.result) == ("closed", None)


@pytest.mark.parametrize("columns", [{"urgent": True}, {"level": "A"}])
def test_danger_is_not_taken_back(quick: Any, columns: dict[str, Any]) -> None:
    ticket = quick.open(**columns)
    not_allowed(quick, ticket, "withdrawn", "resident", "danger")


def test_what_others_joined_is_not_taken_back(scene: Any) -> None:
    ticket = scene.open()
    scene.supported(ticket)
    not_allowed(scene, ticket, "withdrawn", "resident", "supporters")
    scene.go(scene.open(), "withdrawn", "resident")


def test_a_resident_joins_once_and_never_his_own(scene: Any) -> None:
    ticket = scene.open()
    (neighbour,) = scene.supported(ticket)
    assert not tickets.support(scene.work, ticket, neighbour.id, RESIDENT)
    assert not tickets.support(scene.work, ticket, ticket.resident_id, RESIDENT)
    assert ticket.supporters == 1


def test_contact_is_logged_by_the_unit_once_it_has_signed(quick: Any) -> None:
    ticket = quick.dispatched()
    with pytest.raises(NotAllowed):
        tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    quick.go(ticket, "in_progress", "handler")
    for stranger in ("resident", "desk", "supervisor", "head"):
        with pytest.raises(NotAllowed):
            tickets.contact_logged(quick.work, ticket, quick.as_a(stranger))
    quick.later(hours=1)
    tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    first = ticket.contacted_at
    quick.later(hours=1)
    tickets.contact_logged(quick.work, ticket, quick.as_a("handler"))
    assert ticket.contacted_at == first
