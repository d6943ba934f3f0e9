"""A small world for each test: the simulator and an echo webhook written with wechatpy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from bot.clock import Clock
from bot.simulator import Account, Outside, Platform, create_simulator

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
TEMPLATE = {
    "template_id": "T-progress",
    "title": "工单进度提醒",
    "content": "工单编号:{{character_string1.DATA}}\n事项:{{thing2.DATA}}\n"
    "进度:{{phrase3.DATA}}\n时间:{{time4.DATA}}\n类别:{{const5.DATA}}\n",
    "consts": {"const5": ["报修", "投诉"]},
}
FILLED = {
    "character_string1": {"value": "T20261122-0007"},
    "thing2": {"value": "楼道灯不亮"},
    "phrase3": {"value": "处理中"},
    "time4": {"value": "2026年11月22日 15:01"},
    "const5": {"value": "报修"},
}


class EchoWebhook:
    """Checks what a server must check, and answers ``答:`` and the text."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
        self.queries: list[dict[str, str]] = []
        self.messages: list[Any] = []
        self.statuses: list[int] = []
        self.delays: list[float] = []
        self.raw: bytes | None = None
        self.alter: Callable[[str], str] = lambda answer: answer

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.queries.append(query)
        check_signature(self.account.token, query["signature"], query["timestamp"], query["nonce"])
        message = parse_message(self.open(query, await request.text()))
        self.messages.append(message)
        assert query["openid"] == message.source
        if self.delays:
            await asyncio.sleep(self.delays.pop(0))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        if self.raw is not None:
            return web.Response(body=self.raw)
        if message.type == "event" and message.event == "templatesendjobfinish":
            return web.Response(text="success")
        words = message.content if message.type == "text" else message.type
        return web.Response(text=self.alter(self.seal(query, create_reply(f"答:{words}", message))))

    async def verify(self, request: web.Request) -> web.Response:
        query = request.query
        check_signature(self.account.token, query["signature"], query["timestamp"], query["nonce"])
        return web.Response(body=self.raw or query["echostr"].encode())

    def open(self, query: dict[str, str], body: str) -> str:
        if self.account.mode == "plain":
            assert "encrypt_type" not in query
            return body
        assert query["encrypt_type"] == "aes"
        opened: str = self.crypto.decrypt_message(
            body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        return opened

    def seal(self, query: dict[str, str], reply: Any) -> str:
        xml: str = reply.render()
        if self.account.mode == "plain":
            return xml
        return str(self.crypto.encrypt_message(xml, query["nonce"], query["timestamp"]))


class World:
    """``post`` and ``get`` call the API with a good token and give its JSON."""

    def __init__(self, account: Account, url: str, hook: EchoWebhook, **options: Any) -> None:
        self.hook = hook
        self.clock = Clock()
        self.moves = 0
        self.platform = Platform(account, self.clock, [TEMPLATE], **options)
        self.outside = Outside(self.platform, url, timeout=0.15)
        self.app = create_simulator(
            self.platform,
            webhook_url=url,
            clock=self.clock,
            people=self.people,
            next_working_day=lambda now: now + timedelta(days=3),
            after_move=self.after_move,
            outside=self.outside,
            date_header=True,
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://simulator"
        )

    @staticmethod
    def people() -> list[dict[str, Any]]:
        return [
            {"openid": "demo-resident-01", "name": "王桂兰", "role": "resident"},
            {"openid": "demo-staff-01", "name": "陈网格员", "role": "staff"},
        ]

    async def after_move(self) -> None:
        self.moves += 1

    async def post(self, path: str, payload: object) -> dict[str, Any]:
        response = await self.http.post(path, params={"access_token": self.token}, json=payload)
        answer: dict[str, Any] = response.json()
        return answer

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        answer: dict[str, Any] = (
            await self.http.get(path, params={"access_token": self.token, **query})
        ).json()
        return answer

    async def say(self, openid: str, text: str = "推送") -> int:
        """The errcode of a customer-service text."""
        payload = {"touser": openid, "msgtype": "text", "text": {"content": text}}
        return int((await self.post("/cgi-bin/message/custom/send", payload))["errcode"])

    async def notify(self, openid: str, data: Any = None, **more: Any) -> dict[str, Any]:
        payload = {"touser": openid, "template_id": "T-progress", "data": data or FILLED, **more}
        return await self.post("/cgi-bin/message/template/send", payload)

    @property
    def token(self) -> str:
        account = self.platform.account
        return self.platform.tokens.issue(account.appid, account.secret)[0]

    def received(self, openid: str) -> list[str]:
        return [bubble.text for bubble in self.platform.inbox(openid)]


@pytest.fixture
def play() -> Callable[..., None]:
    """Runs a story in a new world: ``play(story, mode="plain", finish_events=False)``."""

    @asynccontextmanager
    async def world(mode: Any = "safe", verified: bool = True, **options: Any) -> Any:
        account = Account(
            "wx0123456789abcdef", "SECRETSECRETSECRET", "webhooktoken", AES_KEY, mode,
            verified=verified,
        )  # fmt: skip
        hook = EchoWebhook(account)
        app = web.Application()
        app.router.add_post("/wechat", hook.handle)
        app.router.add_get("/wechat", hook.verify)
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(TestServer(app))
            made = World(account, str(server.make_url("/wechat")), hook, **options)
            stack.push_async_callback(made.outside.close)
            yield await stack.enter_async_context(made.http) and made

    def run(story: Callable[[World], Awaitable[None]], **options: Any) -> None:
        async def whole() -> None:
            async with world(**options) as made:
                await story(made)

        asyncio.run(whole())

    return run
