"""Calls to the platform's API. The AppSecret and the tokens stay in here and in token.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import orjson

from bot.wechat import sdk
from bot.wechat.errcodes import NO_ANSWER, ErrorClass, classify
from bot.wechat.messages import shorten
from bot.wechat.token import Fetched, TokenKeeper
from bot.wechat.transport import MAX_ANSWER, Answer, Refusal, Transport

Json = dict[str, Any]

MAX_MEDIA = 20 * 1024 * 1024


class QRCode(NamedTuple):
    """``url`` is what the code says, ``image`` where its picture is."""

    ticket: str
    url: str
    image: str


class WeChatClient:
    """One a process, used from one event loop. ``clock`` gives seconds and may be moved."""

    def __init__(
        self,
        appid: str,
        secret: str,
        api_base: str = "https://api.weixin.qq.com",
        *,
        clock: Callable[[], float] = time.time,
        timeout: float = 10.0,
        connections: int = 128,
    ) -> None:
        self._appid = appid
        self._secret = secret
        self._base = api_base.rstrip("/")
        self._transport = Transport(timeout, connections)
        self._tokens = TokenKeeper(self._stable_token, clock)

    def __repr__(self) -> str:
        return f"WeChatClient({self._appid!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    async def call(
        self, path: str, json: Mapping[str, Any] | None = None, *, method: str = "POST"
    ) -> Json:
        """The platform's answer. PlatformError for any errcode but 0, or when it did not answer."""
        answer = await self._authorised(method, path, json)
        if answer.data is None:
            raise Refusal(NO_ANSWER, "not a JSON object").error(path)
        return answer.data

    async def send_text(self, openid: str, text: str) -> Json:
        """A customer-service message, shortened to what the platform delivers."""
        return await self._request(sdk.text(openid, shorten(text)))

    async def send_template(
        self,
        openid: str,
        template_id: str,
        data: Mapping[str, str],
        client_msg_id: str,
        url: str = "",
    ) -> Json:
        """A template message; the same ``client_msg_id`` is delivered once in 10 minutes."""
        return await self._request(sdk.template(openid, template_id, data, client_msg_id, url))

    async def send_menu_message(
        self, openid: str, head: str, options: Sequence[tuple[str, str]], tail: str = ""
    ) -> Json:
        """A question with tappable (id, words); 40200 where the account is not verified."""
        return await self._request(sdk.menu_message(openid, head, options, tail))

    async def create_menu(self, buttons: Sequence[sdk.Button]) -> Json:
        """ConfigurationError when the platform would refuse the menu."""
        return await self._request(sdk.menu(buttons))

    async def create_qrcode(self, scene: str, expire_seconds: int | None = None) -> QRCode:
        """A code whose scan brings ``scene`` back; permanent without ``expire_seconds``."""
        data = await self._request(sdk.qrcode(scene, expire_seconds))
        ticket = str(data.get("ticket", ""))
        return QRCode(ticket, str(data.get("url", "")), sdk.qrcode_image(ticket))

    async def templates(self) -> list[Json]:
        """The account's templates: ``template_id``, ``title``, ``content``, ``example``, …"""
        data = await self._request(sdk.templates())
        return list(data.get("template_list") or [])

    async def fetch_media(self, media_id: str, limit: int = MAX_MEDIA) -> tuple[bytes, str]:
        """A resident's file and its content type; PlatformError 45001 over ``limit`` bytes."""
        path = f"/cgi-bin/media/get?media_id={quote(media_id, safe='')}"
        answer = await self._authorised("GET", path, limit=limit)
        if answer.data is not None and "video_url" in answer.data:
            url = str(answer.data["video_url"])
            answer = _accept(await self._transport.send("GET", url, limit=limit), path)
        if answer.data is not None:
            raise Refusal(NO_ANSWER, "JSON instead of a file").error(path)
        return answer.content, answer.headers.get("Content-Type", "")

    async def server_date(self) -> datetime:
        """The platform's clock, from its Date header; aware."""
        answer = await self._transport.fetch("GET", f"{self._base}/")
        if isinstance(answer, Refusal):
            raise answer.error()
        try:
            date = parsedate_to_datetime(answer.headers.get("Date", ""))
        except ValueError:
            date = None
        if date is None:
            raise Refusal(NO_ANSWER, "the answer has no Date").error()
        return date.replace(tzinfo=UTC)  # HTTP knows GMT only

    async def _request(self, request: sdk.Request) -> Json:
        return await self.call(request.path, request.body, method=request.method)

    async def _authorised(
        self,
        method: str,
        path: str,
        json: Mapping[str, Any] | None = None,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """Sends with the token; where the token is refused, once more with its successor."""
        # Menus would show Chinese written as \uXXXX literally: orjson writes UTF-8.
        body = None if json is None else orjson.dumps(json)
        token = await self._tokens.get()
        result = await self._transport.send(method, self._url(path, token.value), body, limit)
        if isinstance(result, Refusal) and classify(result.errcode) is ErrorClass.TOKEN:
            token = await self._tokens.replace(token, result)
            result = await self._transport.send(method, self._url(path, token.value), body, limit)
            if isinstance(result, Refusal) and classify(result.errcode) is ErrorClass.TOKEN:
                self._tokens.remember(result)
        return _accept(result, path)

    def _url(self, path: str, token: str) -> str:
        return (
            f"{self._base}{path}{'&' if '?' in path else '?'}access_token={quote(token, safe='')}"
        )

    async def _stable_token(self) -> Fetched:
        # Never force_refresh: 20 a day, and without it many processes share one token.
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": self._secret,
            "force_refresh": False,
        }
        url = f"{self._base}/cgi-bin/stable_token"
        result = await self._transport.send("POST", url, orjson.dumps(body))
        if isinstance(result, Refusal):
            return result._replace(message=f"stable_token: {result.message}")
        data = result.data or {}
        value, lasts = data.get("access_token"), data.get("expires_in")
        if not isinstance(value, str) or not value or not isinstance(lasts, int | float):
            return Refusal(NO_ANSWER, "stable_token: no token in the answer")
        return quote(value, safe=""), lasts


def _accept(result: Answer | Refusal, path: str) -> Answer:
    if isinstance(result, Refusal):
        raise result.error(path)
    return result
