"""The API on a seeded office: an application of its own, its writer running, and a full token."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.console import api, health
from bot.inbox import Inbox
from bot.machine import Machine
from bot.models import Ticket
from bot.models.actor import RESIDENT, SYSTEM
from bot.services import tickets, tokens
from bot.work import Work

LAMP = "阳光小区3号楼2单元楼道灯坏了"
HANDLER, HEAD, CLERK, OTHER = "马志强", "何大勇", "王秀英", "许文静"


class Api:
    """Speaks HTTP to the application, one request at a time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.inbox = Inbox(machine.batches, machine.clock, size=100, batch=64)
        self.app = FastAPI()
        self.app.include_router(api.router(machine, self.inbox))
        self.app.include_router(health.router(machine, self.inbox))
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app=self.app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://office")
        self._loop.run_until_complete(self._start())
        self.token = self.issue("tests")

    async def _start(self) -> None:
        self.inbox.start()

    def close(self) -> None:
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self.inbox.stop())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def issue(self, note: str, staff: str | None = None) -> str:
        return self.machine.write(lambda work: tokens.issue(work, note, staff))

    def request(
        self, method: str, path: str, *, token: str | None = None, **more: Any
    ) -> httpx.Response:
        """Below /api/v1; ``token`` «» sends none."""
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        asked = self._client.request(method, f"/api/v1{path}", headers=headers, **more)
        return self._loop.run_until_complete(asked)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a good answer."""
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, path: str, **params: Any) -> tuple[int, str]:
        """The status and code of a bad answer, its message seen to be Chinese."""
        return problem(self.request("GET", path, params=params))

    def move(self, number: str, to: str, actor: str, **fields: Any) -> httpx.Response:
        body = {"to": to, "actor": actor, **fields}
        return self.request("POST", f"/tickets/{number}/transitions", json=body)

    def moved(self, number: str, to: str, actor: str, **fields: Any) -> Any:
        answer = self.move(number, to, actor, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == to
        return answer.json()

    def metrics(self) -> str:
        return self._loop.run_until_complete(self._client.get("/metrics")).text

    def place(self, state: str, **columns: Any) -> str:
        """The number of a new ticket of 安居物业 in ``state``, however it came there."""

        def job(work: Work) -> str:
            ticket = new_ticket(work)
            lead, assignee = work.site.unit_by_name["安居物业"], work.site.staff_by_name[HANDLER]
            changes = {"lead_id": lead.id, "assignee_id": assignee.id, "dispatched_at": work.now}
            changes |= columns
            tickets.record(work, ticket, "placed", SYSTEM, to=state, **changes)
            return ticket.number

        return self.machine.write(job)


def new_ticket(work: Work, **columns: Any) -> Ticket:
    area = work.site.area_by_name["阳光小区"]
    values: dict[str, Any] = {
        "intent": "facility_repair",
        "act": "report",
        "level": "E",
        "summary": "阳光小区 楼道灯",
        "area_id": area.id,
        "text": "灯坏了",
    }
    return tickets.open_ticket(work, actor=RESIDENT, **(values | columns))


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and code of an error, which has this shape and no other."""
    body = answer.json()
    assert set(body) == {"code", "message"}, body
    assert any("一" <= letter <= "鿿" for letter in body["message"])
    assert "Traceback" not in answer.text
    return answer.status_code, body["code"]


@pytest.fixture
def api_client(machine: Machine) -> Iterator[Api]:
    client = Api(machine)
    yield client
    client.close()


@pytest.fixture
def lamp(api_client: Api, office: Any) -> str:
    """The number of a ticket that a resident just opened and 安居物业 got."""
    office.say("resident-1", LAMP)
    return office.tickets()[-1].number
