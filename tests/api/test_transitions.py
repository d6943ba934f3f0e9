"""The workflow by HTTP: whole ways of tickets, and everything that is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.models.workflow import EDGES, STATES
from bot.services import tickets
from bot.work import Work

from .conftest import CLERK, HANDLER, HEAD, OTHER, Api, new_ticket, problem

SUPERVISOR = "周明远"
DONE = {"result": "solved", "text": "换了灯泡和灯座，已亮"}
# A ticket at the start of each way is 安居物业's, in the state named first.
Way = list[tuple[str, str, dict[str, Any]]]
WAYS: dict[str, Way] = {
    "done and confirmed": [
        ("dispatched", "", {}),
        ("in_progress", HANDLER, {}),
        ("in_review", HANDLER, DONE),
        ("in_progress", HEAD, {"reason": "没有写清楚"}),
        ("in_review", HANDLER, DONE),
        ("awaiting_feedback", HEAD, {}),
        ("closed", "居民", {}),
        ("in_progress", "resident", {"text": "又坏了"}),
        ("in_review", HANDLER, DONE),
        ("awaiting_feedback", HEAD, {}),
        ("in_progress", CLERK, {"reason": "居民说没好"}),
        ("closed", SUPERVISOR, {"reason": "楼栋整体改造中，年内完成"}),
    ],
    "returned until it is locked": [
        ("dispatched", "", {}),
        ("returned", HANDLER, {"reason": "not_ours"}),
        ("dispatched", CLERK, {"unit": "佳和物业", "staff": OTHER}),
        ("returned", OTHER, {"reason": "wrong_area"}),
        ("dispatched", CLERK, {"unit": "安居物业"}),
        ("received", CLERK, {}),
        ("dispatched", CLERK, {"unit": "市政养护站"}),
    ],
    "asked twice": [
        ("received", "", {"lead_id": None}),
        ("need_info", CLERK, {"text": "几楼？"}),
        ("received", "居民", {"text": "三楼"}),
        ("need_info", "系统", {"text": "哪个单元？"}),
        ("received", "居民", {"text": "二单元"}),
        ("declined", CLERK, {"reason": "court", "channel": "法院"}),
        ("received", "居民", {"reason": "没有打官司"}),
        ("invalid", CLERK, {}),
        ("received", CLERK, {}),
        ("withdrawn", "居民", {}),
    ],
    "referred and answered": [
        ("in_progress", "", {}),
        ("referred", CLERK, {"body": "供电局", "outside_number": "G-17"}),
        ("awaiting_feedback", CLERK, {"text": "供电局已更换变压器"}),
        ("received", "居民", {"text": "还是停电"}),
    ],
    "suspended": [
        ("in_progress", "", {}),
        ("suspended", SUPERVISOR, {"plan": "等大修资金", "review_date": "2026-12-20"}),
        ("in_progress", HEAD, {}),
        ("need_info", HANDLER, {"text": "钥匙在谁那里？"}),
        ("in_progress", "居民", {"text": "在门卫"}),
        ("joint", HANDLER, {"units": ["市政养护站", "综合执法队"], "text": "请一起来"}),
        ("in_progress", SUPERVISOR, {}),
    ],
}


def test_ways(api_client: Api) -> None:
    for way in WAYS.values():
        _walk(api_client, way)


def _walk(api_client: Api, way: Way) -> None:
    (state, _, columns), *steps = way
    number = api_client.place(state, **columns)
    for to, actor, fields in steps:
        ticket = api_client.moved(number, to, actor, **fields)
        event = next(e for e in reversed(ticket["events"]) if e["kind"] == "transition")
        assert (event["from"], event["to"]) == (state, to)
        assert event["actor"] == {"resident": "居民", "system": "系统"}.get(actor, actor)
        assert event["data"].items() >= fields.items()
        state = to
    assert api_client.get(f"/tickets/{number}") == ticket


def test_children_by_http(api_client: Api) -> None:
    number = api_client.place("in_progress")
    api_client.moved(number, "joint", HEAD, unit="市政养护站")
    child = api_client.get("/tickets", lead="市政养护站")["items"][0]
    assert (child["parent"], child["state"]) == (number, "dispatched")
    api_client.moved(child["number"], "in_progress", "谢卫东")
    api_client.moved(child["number"], "in_review", "谢卫东", **DONE)
    assert problem(api_client.move(child["number"], "closed", "谢卫东"))[0] == 409
    api_client.moved(child["number"], "closed", HANDLER)
    assert api_client.get(f"/tickets/{number}")["state"] == "in_progress"


def test_a_question_is_answered(api_client: Api, office: Any) -> None:
    office.say("resident-1", "请问居住证怎么办")
    number = office.tickets()[-1].number
    ticket = api_client.moved(number, "closed", CLERK, text="带身份证到民生服务中心二号窗")
    assert ticket["result"] == "answered"
    told = api_client.get("/outbox", ticket=number, to="resident-1")["items"][0]
    assert "二号窗" in told["text"]


def test_the_resident_is_told_and_nobody_can_prevent_it(api_client: Api, lamp: str) -> None:
    woken: list[bool] = []
    api_client.inbox.on_commit = lambda letters: woken.append(True)
    answer = api_client.move(lamp, "in_progress", HANDLER, tell=False, ticket="x", work="y")
    assert answer.json()["events"][-1]["data"] == {}
    told = api_client.get("/outbox", ticket=lamp, role="resident")
    assert "已签收" in told["items"][0]["text"]
    assert woken == [True]


Refusal = tuple[str, str, str, dict[str, Any], tuple[int, str]]
REFUSALS: list[Refusal] = [
    ("dispatched", "closed", HANDLER, {}, (409, "no_such_transition")),
    ("dispatched", "in_progress", OTHER, {}, (409, "not_for_this_actor")),
    ("dispatched", "returned", HANDLER, {}, (422, "reason")),
    ("in_progress", "in_review", HANDLER, {}, (422, "result")),
    ("in_progress", "in_review", HANDLER, {"result": "solved"}, (422, "text")),
    ("in_progress", "in_review", HANDLER, {"result": "fine"}, (422, "result")),
    ("in_progress", "awaiting_feedback", HANDLER, DONE, (409, "needs_review")),
    ("in_progress", "joint", HANDLER, {}, (422, "units")),
    ("in_progress", "joint", HANDLER, {"units": ["火星"]}, (422, "units")),
    ("in_progress", "suspended", SUPERVISOR, {"plan": "等"}, (422, "review_date")),
    ("in_progress", "merged", CLERK, {"into": "T20200101-0001"}, (422, "into")),
    ("received", "dispatched", CLERK, {}, (422, "unit")),
    ("received", "dispatched", CLERK, {"unit": "火星"}, (422, "unit")),
    ("received", "dispatched", CLERK, {"unit": "安居物业", "staff": OTHER}, (422, "staff")),
    ("received", "closed", CLERK, {"text": "好的"}, (409, "not_a_question")),
    ("received", "flying", CLERK, {}, (422, "to")),
    ("received", "invalid", "诸葛亮", {}, (422, "actor")),
    ("received", "invalid", CLERK, {"text": "x" * 2001}, (422, "text")),
    ("received", "invalid", CLERK, {"text": "a\0b"}, (422, "text")),
    ("received", "invalid", CLERK, {"unit": ["a"]}, (422, "unit")),
    ("received", "invalid", CLERK, {"note": {"a": 1}}, (422, "note")),
    ("received", "invalid", CLERK, {"note": "a\0b"}, (422, "note")),
    ("received", "invalid", CLERK, {"Note": "x"}, (422, "body")),
    ("received", "invalid", CLERK, {f"n{'a' * n}": "x" for n in range(21)}, (422, "body")),
]


def test_refusals(api_client: Api) -> None:
    for state, to, actor, fields, expected in REFUSALS:
        number = api_client.place(state)
        before = api_client.get(f"/tickets/{number}")
        answer = api_client.move(number, to, actor, **fields)
        assert problem(answer) == expected, (state, to, fields, answer.text)
        assert api_client.get(f"/tickets/{number}") == before


NO_TRANSITION: list[tuple[bytes, tuple[int, str]]] = [
    (b"", (422, "body")),
    (b"{", (422, "body")),
    (b"[]", (422, "body")),
    (b'{"to": "invalid"}', (422, "actor")),
    (b'{"actor": "x"}', (422, "to")),
    (b'{"to": "invalid", "actor": "x", "n": NaN}', (422, "n")),
    (b"\xff\xfe", (422, "body")),
    (b'{"to": "invalid", "actor": "x", "n": "\\ud800"}', (422, "n")),
    (b"[" * 100_000, (400, "bad_request")),
    (b'{"to": "' + b"x" * 300_000, (413, "too_large")),
]


def test_bodies_that_are_no_transition(api_client: Api) -> None:
    number, headers = api_client.place("received"), {"Content-Type": "application/json"}
    path = f"/tickets/{number}/transitions"
    for content, expected in NO_TRANSITION:
        answer = api_client.request("POST", path, content=content, headers=headers)
        assert problem(answer) == expected, content[:80]


def test_unknown_tickets_cannot_move(api_client: Api) -> None:
    assert problem(api_client.move("T20200101-0001", "closed", CLERK)) == (404, "not_found")
    body = {"actor": CLERK}
    answer = api_client.request("POST", "/tickets/x/contacts", json=body)
    assert problem(answer) == (404, "not_found")


def test_a_contact_is_noted_by_the_unit(api_client: Api) -> None:
    number = api_client.place("dispatched")
    path = f"/tickets/{number}/contacts"
    early = api_client.request("POST", path, json={"actor": HANDLER})
    assert problem(early) == (409, "not_signed")
    api_client.moved(number, "in_progress", HANDLER)
    other = api_client.request("POST", path, json={"actor": OTHER})
    assert problem(other) == (409, "not_for_this_actor")
    noted = api_client.request("POST", path, json={"actor": HANDLER}).json()
    assert (noted["events"][-1]["kind"], noted["state"]) == ("contacted", "in_progress")
    late = api_client.move(number, "returned", HANDLER, reason="not_ours")
    assert problem(late) == (409, "contacted")


def test_what_nobody_foresaw_is_told_plainly(
    api_client: Api, lamp: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("SELECT phone 13812345678")

    monkeypatch.setattr(tickets, "transition", broken)
    answer = api_client.move(lamp, "in_progress", HANDLER)
    assert problem(answer) == (500, "internal")
    assert "13812345678" not in answer.text
    assert api_client.get(f"/tickets/{lamp}")["state"] == "dispatched"


# Every field that any guard may ask for, so that what is refused is refused by the rules.
EVERYTHING: dict[str, Any] = {
    **DONE,
    "reason": "not_ours",
    "unit": "市政养护站",
    "source": "办事指南",
    "body": "供电局",
    "outside_number": "G-17",
    "plan": "等大修资金",
    "review_date": "2026-12-20",
}
STAFF = (HANDLER, HEAD, CLERK, SUPERVISOR, OTHER, "居民", "系统")


def test_every_pair_of_states(api_client: Api) -> None:
    """An edge of the table passes for somebody or a guard says why not; all else is no edge."""

    def another(work: Work) -> str:
        return new_ticket(work).number

    into = api_client.machine.write(another)
    for state in STATES:
        number = api_client.place(state, came_from="received", round=2)
        for to in STATES:
            answers = {}
            for actor in STAFF:
                answer = api_client.move(number, to, actor, into=into, **EVERYTHING)
                answers[actor] = answer.status_code
                if answer.status_code == 200:
                    number = api_client.place(state, came_from="received", round=2)
                    continue
                status, code = problem(answer)
                assert status == 409, (state, to, actor, code)
                has_edge = any(edge.only != "child" for edge in EDGES.get((state, to), ()))
                assert (code == "no_such_transition") == (not has_edge), (state, to, code)
            assert (state, to) in EDGES or 200 not in answers.values()


def test_time_is_the_machines(api_client: Api, lamp: str) -> None:
    api_client.machine.clock.move(timedelta(days=30))
    late = api_client.move(lamp, "returned", HANDLER, reason="not_ours")
    assert problem(late) == (409, "too_late")
