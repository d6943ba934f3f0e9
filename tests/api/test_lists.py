"""What the lists show, in which order, and which part of it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.models import Ticket

from .conftest import HANDLER, LAMP, Api, new_ticket

TICKET = [
    *("number", "state", "result", "intent", "act", "summary", "slots", "area", "lead"),
    *("assignee", "urgent", "supporters", "parent", "due", "created_at"),
]
OUTBOX = [
    *("id", "ticket", "to", "role", "purpose", "channel", "client_msg_id", "text", "state"),
    *("errcode", "attempts", "due_at", "sent_at"),
]


def numbers(page: Any) -> list[str]:
    return [item["number"] for item in page["items"]]


def test_a_ticket_has_exactly_these_fields(api_client: Api, lamp: str) -> None:
    page = api_client.get("/tickets")
    assert (page["total"], list(page)) == (1, ["items", "total"])
    ticket = page["items"][0]
    assert list(ticket) == TICKET
    assert ticket["number"] == lamp
    assert ticket["created_at"] == "2026-11-23T10:00:00+08:00"
    assert ticket["due"].endswith("+08:00")
    assert ticket["slots"]["building"] == "3号楼2单元"
    expected = {"state": "dispatched", "area": "阳光小区", "lead": "安居物业", "act": "report"}
    expected |= {"assignee": HANDLER, "supporters": 0, "parent": None, "result": None}
    assert ticket.items() >= expected.items()


def test_one_ticket_comes_with_its_history_in_order(api_client: Api, lamp: str) -> None:
    api_client.machine.clock.move(timedelta(minutes=5))
    api_client.moved(lamp, "in_progress", HANDLER)
    ticket = api_client.get(f"/tickets/{lamp}")
    assert list(ticket) == [*TICKET, "events"]
    names = ["at", "kind", "actor", "from", "to", "data"]
    assert all(list(event) == names for event in ticket["events"])
    steps = [(event["kind"], event["from"], event["to"]) for event in ticket["events"]]
    assert steps == [
        ("opened", None, "received"),
        ("transition", "received", "dispatched"),
        ("transition", "dispatched", "in_progress"),
    ]
    assert [event["actor"] for event in ticket["events"]] == ["居民", "系统", HANDLER]
    assert ticket["events"][-1]["at"] == "2026-11-23T10:05:00+08:00"
    assert api_client.get(f"/tickets/{lamp.lower()}") == ticket


def test_events_are_paged_newest_first(api_client: Api, lamp: str) -> None:
    api_client.moved(lamp, "in_progress", HANDLER)
    page = api_client.get(f"/tickets/{lamp}/events", limit=2)
    assert page["total"] == 3
    assert [event["to"] for event in page["items"]] == ["in_progress", "dispatched"]


def test_an_unknown_ticket(api_client: Api) -> None:
    for path in ("/tickets/T20261123-9999", "/tickets/x", "/tickets/x/events"):
        assert api_client.refused(path) == (404, "not_found")


def test_paging_newest_first(api_client: Api) -> None:
    def job(work: Any) -> list[Ticket]:
        return [new_ticket(work) for _ in range(5)]

    made: list[str] = []
    for _ in range(3):
        made += [ticket.number for ticket in api_client.machine.write(job)]
        api_client.machine.clock.move(timedelta(minutes=1))
    made.reverse()
    assert numbers(api_client.get("/tickets")) == made
    page = api_client.get("/tickets", limit=4, offset=6)
    assert (numbers(page), page["total"]) == (made[6:10], 15)
    assert api_client.get("/tickets", offset=15) == {"items": [], "total": 15}


def test_paging_that_is_refused(api_client: Api) -> None:
    wrong: list[tuple[str, Any]] = [("limit", 0), ("limit", 501), ("limit", "x"), ("limit", "")]
    wrong += [("offset", -1), ("offset", 10**30), ("stat", "closed")]
    for path in ("/tickets", "/outbox", "/areas", "/units", "/staff"):
        for name, value in wrong:
            assert api_client.refused(path, **{name: value}) == (422, name), (path, value)


def test_the_largest_page(api_client: Api, lamp: str) -> None:
    assert numbers(api_client.get("/tickets", limit=500)) == [lamp]


@pytest.fixture
def three(api_client: Api, office: Any) -> list[str]:
    """A lamp of yesterday, noise an hour ago, and danger now."""
    office.say("resident-1", LAMP)
    office.later(days=1)
    office.say("resident-2", "和平里半夜施工噪音太大")
    office.later(hours=1)
    office.say("resident-3", "救命！翠湖苑5号楼着火了")
    return [ticket.number for ticket in office.tickets()]


def test_filters(api_client: Api, three: list[str]) -> None:
    lamp, noise, fire = three
    wanted: list[tuple[dict[str, Any], list[str]]] = [
        ({"intent": "facility_repair"}, [lamp]),
        ({"intent": "nothing_such"}, []),
        ({"number": noise}, [noise]),
        ({"number": noise.lower()}, [noise]),
        ({"area": "翠湖苑"}, [fire]),
        ({"area": "和平里"}, [noise]),
        ({"area": "秋实社区"}, []),
        ({"lead": "安居物业"}, [lamp]),
        ({"lead": "安居物业", "urgent": "true"}, []),
        ({"urgent": "true"}, [fire]),
        ({"urgent": "false"}, [noise, lamp]),
        ({"state": "closed"}, []),
        ({"since": "2026-11-24T10:00:00+08:00"}, [fire, noise]),
        ({"since": "2026-11-24T02:00:01Z"}, [fire]),
        ({"since": "2026-11-24T10:00:01"}, [fire]),
        ({"since": "2026-11-24"}, [fire, noise]),
    ]
    for params, expected in wanted:
        page = api_client.get("/tickets", **params)
        assert (numbers(page), page["total"]) == (expected, len(expected)), params
    plus = api_client.request("GET", "/tickets?since=2026-11-24T10:00:01+08:00")
    assert numbers(plus.json()) == [fire]


def test_filters_that_are_refused(api_client: Api) -> None:
    wrong = [("state", "open"), ("area", "火星"), ("lead", "火星"), ("urgent", "maybe")]
    wrong += [("since", "yesterday"), ("since", ""), ("number", "T\0"), ("intent", "x" * 3000)]
    wrong += [("since", "0001-01-01T00:00:00+08:00"), ("since", "9999-12-31T23:59:59-08:00")]
    for name, value in wrong:
        assert api_client.refused("/tickets", **{name: value}) == (422, name), value


def test_the_outbox(api_client: Api, three: list[str]) -> None:
    lamp, _, fire = three
    page = api_client.get("/outbox")
    assert page["total"] == len(page["items"]) > 2
    assert all(list(item) == OUTBOX for item in page["items"])
    ids = [item["id"] for item in page["items"]]
    assert ids == sorted(ids, reverse=True)
    task = api_client.get("/outbox", ticket=lamp, purpose="task")["items"][0]
    expected = {"ticket": lamp, "to": "demo-staff-11", "role": "staff", "state": "pending"}
    expected |= {"channel": None, "errcode": None, "attempts": 0, "sent_at": None}
    assert task.items() >= expected.items()
    assert task["due_at"] == "2026-11-23T10:00:00+08:00"
    assert task["client_msg_id"]
    about = {
        "number": fire,
        "area": "翠湖苑",
        "urgent": "true",
        "since": "2026-11-24T11:00:00+08:00",
    }
    for name, value in about.items():
        found = api_client.get("/outbox", **{name: value})
        assert {item["ticket"] for item in found["items"]} == {fire}, name
        assert found["total"] == len(found["items"])
    assert api_client.get("/outbox", to="demo-staff-11")["items"] == [task]
    assert api_client.get("/outbox", state="sent") == {"items": [], "total": 0}
    assert api_client.refused("/outbox", state="lost") == (422, "state")
    assert api_client.refused("/outbox", purpose="fun") == (422, "purpose")


def test_the_words_that_filters_take(api_client: Api) -> None:
    areas = api_client.get("/areas")
    assert {"name": "阳光小区", "kind": "compound", "parent": "春晓社区"}.items() <= next(
        area for area in areas["items"] if area["name"] == "阳光小区"
    ).items()
    assert api_client.get("/units", limit=1)["total"] == 8
    person = api_client.get("/staff")["items"][0]
    assert set(person) == {"name", "unit", "roles"}


def test_it_is_described(api_client: Api) -> None:
    described = api_client.app.openapi()
    paths = {path for path in described["paths"] if path.startswith("/api/v1")}
    assert {"/api/v1/tickets", "/api/v1/outbox", "/api/v1/tickets/{number}/transitions"} <= paths
    for path in paths:
        for operation in described["paths"][path].values():
            assert operation["summary"]
            assert operation["security"] == [{"HTTPBearer": []}]
            assert {"200", "401", "422"} <= set(operation["responses"])
            problem = operation["responses"]["422"]["content"]["application/json"]["schema"]
            assert problem["$ref"].endswith("/Problem")


def test_unknown_paths_and_methods(api_client: Api) -> None:
    assert api_client.refused("/nothing") == (404, "no_such_path")
    assert api_client.refused("") == (404, "no_such_path")
    answer = api_client.request("DELETE", "/tickets")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
