"""The server and the pretend platform on two free ports of one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import uvicorn
from sqlmodel import col

from bot.app import Running, create_app
from bot.clock import Clock
from bot.counters import Ids
from bot.data import demo_templates
from bot.machine import Machine
from bot.models import Message, Outbox
from bot.simulator import Account, Outside, Platform, create_simulator
from bot.wechat.client import WeChatClient
from bot.wechat.delivery import Delivery
from bot.wechat.fetching import Fetching
from bot.work import Means, Work
from tests.conftest import Office

CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
TOKEN = "/cgi-bin/stable_token"
FIELDS = {
    "number": "T20261123-0001",
    "summary": "楼道灯",
    "state": "处理中",
    "unit": "安居物业",
    "time": "2026-11-23 10:00",
    "due": "2026-11-24 10:00",
    "place": "阳光小区",
    "text": "您报的事有进展",
}


class _Server(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def served(app: Any, listening: socket.socket, *, lifespan: str = "on") -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, lifespan=lifespan, log_level="critical", access_log=False, http="httptools"
    )
    config.timeout_graceful_shutdown = 3
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        await running


def listen() -> socket.socket:
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


def address(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


@dataclass
class World:
    """The platform's side of things, and a look into the server's database."""

    office: Office
    platform: Platform
    outside: Outside
    client: WeChatClient
    delivery: Delivery
    fetching: Fetching
    running: Running | None = None

    @property
    def clock(self) -> Clock:
        return self.office.machine.clock

    def calls(self, path: str) -> list[Any]:
        return [r for r in self.platform.wire.since() if r.direction == "api" and r.path == path]

    def phone(self, openid: str, via: str) -> list[str]:
        return [b.text for b in self.platform.inbox(openid) if b.via == via]

    def push(self, openid: str, text: str = "您报的事有进展", **more: Any) -> int:
        """A row of the outbox, due now; its id."""
        return self.pushes([(openid, text)], **more)[0]

    def pushes(self, to: Sequence[tuple[str, str]], **more: Any) -> list[int]:
        """Several, written at once."""

        def write(work: Work) -> list[int]:
            common = {
                "role": "resident",
                "purpose": "update",
                "fields": FIELDS,
                "created_at": work.now,
                "due_at": work.now,
            } | more
            return [
                work.add(
                    Outbox,
                    openid=openid,
                    text=text,
                    client_msg_id=f"tx-test-{work.next_id()}",
                    **common,
                ).id
                for openid, text in to
            ]

        return self.office.write(write)

    def row(self, outbox_id: int) -> Outbox:
        [row] = self.office.pushes(id=outbox_id)
        return row

    def meet(self, openid: str) -> None:
        """Follows and has just written: on both sides the window is open."""
        self.platform.follow(openid)
        self.platform.windows.after_message(openid)
        self.office.say(openid, "你好")

    def message(self, key: str) -> Message:
        [row] = self.office.read(lambda work: work.find(Message, col(Message.key) == key))
        return row


@asynccontextmanager
async def world(
    office: Office, *, server: bool = False, timeout: float = 5.0, tries: int = 3, **options: Any
) -> AsyncIterator[World]:
    """Without ``server`` the test itself decides when something is delivered or fetched."""
    machine, settings = office.machine, office.machine.settings
    if server:
        # The test writes beside the server, like another process: with ids of its own.
        own = Means(Ids(machine.database), machine.means.numbers, machine.means.vault)
        office = Office(replace(machine, means=own))
    hook, api = listen(), listen()
    settings.wechat_api_base = address(api)
    account = Account.from_settings(settings)
    platform = Platform(account, machine.clock, demo_templates(), wire_size=5000, **options)
    outside = Outside(platform, f"{address(hook)}/wechat", timeout=timeout, tries=tries)
    simulator = create_simulator(
        platform,
        webhook_url=f"{address(hook)}/wechat",
        clock=machine.clock,
        people=list,
        next_working_day=lambda now: now + timedelta(days=1),
        after_move=lambda: asyncio.sleep(0),
        outside=outside,
    )
    async with AsyncExitStack() as stack:
        stack.callback(hook.close)
        await stack.enter_async_context(served(simulator, api))
        client = await stack.enter_async_context(opened_client(machine))

        async def write(job: Callable[[Work], Any]) -> Any:
            return await asyncio.to_thread(machine.write, job)

        one_at_a_time = asyncio.Lock()

        async def in_turn(job: Callable[[Work], Any]) -> Any:
            async with one_at_a_time:
                return await write(job)

        folder = settings.data_dir / "media"
        made = World(
            office,
            platform,
            outside,
            client,
            Delivery(client, in_turn),
            Fetching(client, in_turn, folder),
        )
        if server:
            front = create_app(machine)
            made.running = front.running
            await stack.enter_async_context(served(front, hook))
        yield made


@asynccontextmanager
async def opened_client(machine: Machine) -> AsyncIterator[WeChatClient]:
    settings = machine.settings
    client = WeChatClient(
        settings.wechat_appid,
        settings.wechat_secret,
        settings.wechat_api_base,
        clock=lambda: machine.clock.now().timestamp(),
    )
    async with client:
        yield client


def play(
    office: Office, story: Callable[[World], Awaitable[None]], *, within: float = 60, **options: Any
) -> None:
    async def whole() -> None:
        async with world(office, **options) as made:
            await asyncio.wait_for(story(made), within)

    asyncio.run(whole())


async def until(true: Callable[[], Any], within: float = 10) -> Any:
    """What ``true`` gives as soon as it gives something."""
    for _ in range(int(within / 0.02)):
        if found := true():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to pass")
