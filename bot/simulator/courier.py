"""Carrying one message to the webhook: signed, encrypted, timed, tried again, written down."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.simulator.crypt import BadReplyError, Crypt
from bot.simulator.platform import Platform
from bot.simulator.replies import Reply, read_reply

HEADERS = {"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0", "Pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came of one message. ``status`` is 0 when nobody answered; ``error`` is empty when well.

    ``error`` starts with ``timeout``, ``unreachable``, ``status`` or ``bad reply``.
    """

    reply_text: str = ""
    tries: int = 0
    status: int = 0
    error: str = ""
    reply: Reply = field(default_factory=Reply)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message as the platform keeps it for delivery again: always the same XML."""

    openid: str
    xml: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One HTTP request: ``plain`` is the XML before encryption, ``number`` counts the tries."""

    query: dict[str, str]
    body: bytes
    openid: str = ""
    plain: str = ""
    number: int = 1


class Courier:
    """``timeout`` in seconds for one try, ``tries`` in total."""

    def __init__(
        self, platform: Platform, webhook_url: str, *, timeout: float = 5.0, tries: int = 3
    ) -> None:
        self._platform = platform
        self._crypt = Crypt(platform.account)
        self._session: aiohttp.ClientSession | None = None
        self.webhook_url = webhook_url
        self.timeout = timeout
        self.tries = tries

    async def deliver(self, parcel: Parcel) -> Exchange:
        """Tries until a 200 comes or all tries are used; an answer is never asked for twice."""
        started = time.perf_counter()
        got = Exchange()
        for number in range(1, self.tries + 1):
            got = await self.post(self._pack(parcel, number))
            if got.status == 200:
                break
        spent = time.perf_counter() - started
        return replace(got, tries=number, seconds=spent)

    async def post(self, letter: Letter) -> Exchange:
        """Sends it once, whatever its content."""
        started = time.perf_counter()
        status, raw, error = await self._fetch(letter)
        ms = (time.perf_counter() - started) * 1000
        reply = Reply()
        if status == 200:
            reply, error = self._read(raw, letter.openid)
        elif status:
            error = f"status {status}"
        self._write_down(letter, status=status, raw=raw, reply=reply, ms=ms, error=error)
        return Exchange(reply.text, letter.number, status, error, reply, ms / 1000)

    async def verify(self) -> Exchange:
        """The GET when the address is entered in the console: echostr must come back unchanged."""
        started = time.perf_counter()
        echo = str(secrets.randbelow(10**19))
        query = self.query_of("") | {"echostr": echo}
        del query["openid"]
        letter = Letter(query, b"")
        status, raw, error = await self._fetch(letter, "GET")
        if status and (status != 200 or raw != echo.encode()):
            error = f"status {status}" if status != 200 else "bad reply: not the echostr"
        ms = (time.perf_counter() - started) * 1000
        self._write_down(
            letter, method="GET", status=status, raw=raw, reply=Reply(), ms=ms, error=error
        )
        return Exchange("", 1, status, error, seconds=ms / 1000)

    def query_of(self, openid: str, sealed: str = "") -> dict[str, str]:
        """The query string's parameters, signed now; ``sealed`` is the content of Encrypt."""
        timestamp = str(int(self._platform.clock.now().timestamp()))
        nonce = str(secrets.randbelow(10**10))
        query = {
            "signature": self._crypt.sign(timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": openid,
        }
        if sealed:
            query["encrypt_type"] = "aes"
            query["msg_signature"] = self._crypt.sign(timestamp, nonce, sealed)
        return query

    async def close(self) -> None:
        """Lets the connections go; the next message opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _pack(self, parcel: Parcel, number: int) -> Letter:
        mode, openid, xml = self._platform.account.mode, parcel.openid, parcel.xml
        if mode == "plain":
            return Letter(self.query_of(openid), xml.encode(), openid, "", number)
        sealed = self._crypt.encrypt(xml)
        wrapped = f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        if mode == "compatible":
            body = xml.removesuffix("</xml>") + wrapped
        else:
            to = self._platform.account.original_id
            body = f"<xml><ToUserName><![CDATA[{to}]]></ToUserName>{wrapped}"
        return Letter(self.query_of(openid, sealed), body.encode(), openid, xml, number)

    async def _fetch(self, letter: Letter, method: str = "POST") -> tuple[int, bytes, str]:
        # Made here and not in __init__: a session belongs to the loop it is used in.
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(headers=HEADERS)
        try:
            async with self._session.request(
                method,
                self.webhook_url,
                params=letter.query,
                data=letter.body or None,
                timeout=aiohttp.ClientTimeout(total=self.timeout),
                allow_redirects=False,
            ) as response:
                return response.status, await response.read(), ""
        except TimeoutError:
            return 0, b"", f"timeout after {self.timeout:g} s"
        except (aiohttp.ClientError, OSError) as error:
            return 0, b"", f"unreachable: {type(error).__name__}"

    def _read(self, raw: bytes, openid: str) -> tuple[Reply, str]:
        account = self._platform.account
        try:
            reply = read_reply(
                raw,
                openid=openid,
                account_id=account.original_id,
                mode=account.mode,
                crypt=self._crypt,
            )
            media_id = reply.data.get("media_id")
            if media_id and self._platform.media.get(media_id) is None:
                raise BadReplyError("unknown media_id")
        except BadReplyError as error:
            return Reply(), f"bad reply: {error}"
        return reply, ""

    def _write_down(
        self,
        letter: Letter,
        *,
        status: int,
        raw: bytes,
        reply: Reply,
        ms: float,
        error: str,
        method: str = "POST",
    ) -> None:
        again = f"第 {letter.number} 次投递" if letter.number > 1 else ""
        self._platform.wire.add(
            "webhook",
            method,
            urlsplit(self.webhook_url).path,
            query=urlencode(letter.query),
            request=letter.body.decode(errors="replace"),
            request_plain=letter.plain,
            status=status,
            response=raw,
            response_plain="" if reply.plain.encode() == raw else reply.plain,
            ms=ms,
            note=" · ".join(filter(None, (again, _in_chinese(error)))),
        )


def _in_chinese(error: str) -> str:
    # The drawer is read by people at a demo; Exchange.error by programs and engineers.
    kind, _, detail = error.partition(": ")
    if error.startswith("timeout"):
        return "没有按时应答"
    names = {"unreachable": "连不上服务器", "bad reply": f"应答不合格({detail})"}
    return names.get(kind, f"状态码 {error.removeprefix('status ')}" if error else "")
