"""One HTTP session to the platform, whose failures are values and never carry an address.

aiohttp's exceptions hold the URL and with it the token or an openid; ``raise … from None`` would
still leave them in ``__context__``. So they end here as ``Refusal``, and what is raised later is
a new PlatformError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from bot.errors import PlatformError
from bot.wechat.errcodes import NO_ANSWER, TOO_LARGE

MAX_ANSWER = 4 * 1024 * 1024
_HEADERS = {"Content-Type": "application/json"}
_RID = re.compile(r"[,;]?\s*\brid:\s*([\w-]+)")
_SECRET = re.compile(r"[\w-]{24,}")  # a token, an AppSecret or an openid, should errmsg echo one
# The platform puts raw control characters into strings.
_decode = json.JSONDecoder(strict=False).decode


class Refusal(NamedTuple):
    """A PlatformError not raised yet; each who is told gets one of his own."""

    errcode: int
    message: str
    rid: str = ""

    def error(self, path: str = "") -> PlatformError:
        where = path.partition("?")[0]
        message = f"{where}: {self.message}" if where else self.message
        return PlatformError(self.errcode, message, self.rid)


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    content: bytes
    data: dict[str, Any] | None = None  # None when the content is no JSON object


class Transport:
    def __init__(self, timeout: float, connections: int) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, method: str, url: str, body: bytes | None = None, limit: int = MAX_ANSWER
    ) -> Answer | Refusal:
        """A good answer, or why there is none: errcode not 0, over ``limit`` bytes, no network."""
        answer = await self.fetch(method, url, body, limit)
        if isinstance(answer, Refusal):
            return answer
        data = _object(answer.content)
        if data is None and answer.status != 200:
            return Refusal(NO_ANSWER, f"HTTP {answer.status}")
        refusal = _refusal(data or {})
        return refusal or answer._replace(data=data)

    async def fetch(
        self, method: str, url: str, body: bytes | None = None, limit: int = MAX_ANSWER
    ) -> Answer | Refusal:
        """Whatever came back, unjudged."""
        try:
            # A redirect would carry the token in the query to another host.
            async with self._opened().request(
                method, URL(url, encoded=True), data=body, allow_redirects=False
            ) as response:
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > limit:
                        response.close()
                        return Refusal(TOO_LARGE, f"larger than {limit} bytes")
                return Answer(response.status, response.headers, bytes(content))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Refusal(NO_ANSWER, type(error).__name__)

    def _opened(self) -> aiohttp.ClientSession:
        """Opened at the first use, because a session belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=_HEADERS,
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _object(content: bytes) -> dict[str, Any] | None:
    if content[:64].lstrip()[:1] != b"{":  # a file, most likely
        return None
    try:
        data = _decode(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _refusal(data: Mapping[str, Any]) -> Refusal | None:
    errcode = str(data.get("errcode") or 0)
    if errcode == "0":
        return None
    message = str(data.get("errmsg", ""))
    rid = _RID.search(message)
    said = _SECRET.sub("…", _RID.sub("", message))
    code = int(errcode) if re.fullmatch(r"-?\d{1,9}", errcode) else NO_ANSWER
    return Refusal(code, said, rid[1] if rid else "")
