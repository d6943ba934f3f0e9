"""The other side: a platform that signs and encrypts with wechatpy, and the collected vectors."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import xmltodict
from aiohttp import web
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from bot.settings import Mode
from bot.wechat.codec import Codec

NOW = 1_763_800_000.0
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
Request = tuple[dict[str, str], bytes]


def wechatpy_sign(*parts: str) -> str:
    signer = WeChatSigner()
    signer.add_data(*parts)
    return signer.signature


@dataclass
class Platform:
    """Makes requests as the platform does; everything secret in here is invented."""

    token: str = "token-of-the-tests"
    appid: str = "wx49f0ab532d5d035a"
    now: float = NOW
    modes: tuple[Mode, ...] = ("plain", "compatible", "safe")
    crypto: WeChatCrypto = field(init=False)

    def __post_init__(self) -> None:
        self.crypto = WeChatCrypto(self.token, AES_KEY, self.appid)

    def codec(self, mode: Mode, **changed: Any) -> Codec:
        key = base64.b64decode(AES_KEY + "=")
        settings = {"token": self.token, "aes_key": key, "appid": self.appid, "mode": mode}
        return Codec(**(settings | changed))

    def query(self, **more: str) -> dict[str, str]:
        timestamp, nonce = str(int(self.now)), "437374425"
        signature = wechatpy_sign(self.token, timestamp, nonce)
        signed = {"signature": signature, "timestamp": timestamp, "nonce": nonce}
        return signed | {"openid": "oResident"} | more

    def request(self, xml: str, mode: Mode) -> Request:
        if mode == "plain":
            return self.query(), xml.encode()
        query = self.query()
        sealed = self.crypto.encrypt_message(xml, query["nonce"], query["timestamp"])
        parts = xmltodict.parse(sealed)["xml"]
        envelope = f"<Encrypt><![CDATA[{parts['Encrypt']}]]></Encrypt>"
        to = "<ToUserName><![CDATA[gh_a]]></ToUserName>"
        if mode == "compatible":  # what stands beside <Encrypt> must not be believed
            to += "<FromUserName>forged</FromUserName><MsgType>text</MsgType><Content>no</Content>"
        query |= {"encrypt_type": "aes", "msg_signature": parts["MsgSignature"]}
        return query, f"<xml>{to}{envelope}</xml>".encode()

    def open_reply(self, body: bytes) -> dict[str, Any]:
        """What the platform reads from our answer, checked and decrypted by wechatpy."""
        parts = xmltodict.parse(body)["xml"]
        if "Encrypt" not in parts:
            return dict(parts)
        xml = self.crypto.decrypt_message(
            parts, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"]
        )
        return dict(xmltodict.parse(xml)["xml"])


def text_xml(content: str = "路灯坏了", **more: str) -> str:
    fields = {
        "ToUserName": "gh_a96a4a619366",
        "FromUserName": "olPjZjsXuQPJoV0HlruZkNzKc91E",
        "CreateTime": str(int(NOW)),
        "MsgType": "text",
        "Content": content,
        "MsgId": "6074746557628292943",
    } | more
    return "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in fields.items()) + "</xml>"


@pytest.fixture(scope="session")
def platform() -> Platform:
    return Platform()


@pytest.fixture(scope="session")
def message() -> Callable[..., str]:
    return text_xml


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], list[dict[str, Any]]]:
    def load(name: str) -> list[dict[str, Any]]:
        repository = Path(__file__).resolve().parents[2]
        shared = Path(os.environ.get("TONGXIN_SHARED", repository.parent / "shared"))
        file = shared / "vectors" / name
        if not file.is_file():
            pytest.skip(f"no vectors at {file}")
        return json.loads(file.read_text("utf-8"))

    return load


@dataclass
class Api:
    """A small API of the platform. ``answers`` maps a path to JSON, or to a handler."""

    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=lambda: ["token-" + "A" * 130])
    expires_in: int = 7200
    refuse: Callable[[str], bool] = lambda token: False
    slow: float = 0.0
    url: str = ""

    def count(self, path: str) -> int:
        return sum(1 for seen in self.seen if seen[1] == path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        json_body = json.loads(body) if body else None
        self.seen.append((request.method, request.path, dict(request.query), json_body))
        if self.slow:
            await asyncio.sleep(self.slow)
        if request.path == "/cgi-bin/stable_token":
            if request.path in self.answers:
                return await self._answer(request)
            # Each fetch answers with the next token, and the last one for ever.
            token = self.tokens[min(self.count(request.path), len(self.tokens)) - 1]
            return web.json_response({"access_token": token, "expires_in": self.expires_in})
        if self.refuse(request.query.get("access_token", "")):
            message = f"invalid credential {request.query.get('access_token')} rid: 5f-aa-bb"
            return web.json_response({"errcode": 40001, "errmsg": message})
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = self.answers.get(request.path, {"errcode": 0, "errmsg": "ok"})
        if callable(answer):
            return await answer(request)
        # As the platform does it: JSON under text/plain.
        return web.Response(text=json.dumps(answer), content_type="text/plain")


@pytest.fixture
def serve() -> Callable[..., Any]:
    @asynccontextmanager
    async def serving(api: Api) -> AsyncIterator[Api]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", api.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield api
        finally:
            await runner.cleanup()

    def run(scenario: Callable[[Api], Awaitable[Any]], **settings: Any) -> Api:
        async def main() -> Api:
            async with serving(Api(**settings)) as api:
                await scenario(api)
            return api

        return asyncio.run(main())

    return run


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
