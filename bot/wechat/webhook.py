"""The webhook as plain ASGI: nothing between the platform's bytes and the codec."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import structlog

from bot.clock import Clock
from bot.conversation.incoming import Incoming
from bot.errors import BadRequest
from bot.inbox import Inbox, Unsaved
from bot.wechat.codec import MAX_BODY, Codec

log = structlog.get_logger()
MOST_FIELDS = 20
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Webhook:
    """``GET|POST /wechat``."""

    def __init__(self, codec: Codec, inbox: Inbox, clock: Clock) -> None:
        self._codec = codec
        self._inbox = inbox
        self._clock = clock

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        try:
            query = _query(scope["query_string"])
            if scope["method"] == "GET":
                await _answer(send, 200, self._codec.echo(query, self._now()).encode(), text=True)
            elif scope["method"] == "POST":
                await self._message(query, receive, send)
            else:
                raise BadRequest("only GET and POST", 405)
        except BadRequest as refusal:
            log.warning("request_refused", status=refusal.status, reason=str(refusal))
            await _answer(send, refusal.status, b"", text=True)
        except Exception as error:
            # Not answered: the platform delivers again, and nothing says what went wrong inside.
            log.exception("webhook_failed", error=type(error).__name__)
            await _gone(receive)

    async def _message(self, query: dict[str, str], receive: Receive, send: Send) -> None:
        body = await _body(receive)
        incoming = self._codec.parse(query, body, self._now())
        if incoming.kind == "unknown":
            log.info("unknown_message", type=str(incoming.fields.get("MsgType", ""))[:40])
        try:
            reply = await self._inbox.submit(incoming, lambda: _gone(receive))
        except Unsaved:
            # Never an answer for what is not on disk, and never a 5xx: the platform tries again.
            await _gone(receive)
            return
        await _answer(send, 200, self._rendered(incoming, reply))

    def _rendered(self, incoming: Incoming, reply: str | None) -> bytes:
        return self._codec.render(incoming, reply, self._now())

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _query(raw: bytes) -> dict[str, str]:
    try:
        text = raw.decode("ascii")
        if "%" not in text and "+" not in text and text.count("&") < MOST_FIELDS:
            return dict(pair.partition("=")[::2] for pair in text.split("&"))
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise BadRequest("unreadable query") from None


async def _body(receive: Receive) -> bytes:
    """The whole body, read no further than is allowed."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("disconnected while sending")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            raise BadRequest("body too large", 413)
        parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)


async def _answer(send: Send, status: int, body: bytes, *, text: bool = False) -> None:
    kind = b"text/plain; charset=utf-8" if text else b"text/xml; charset=utf-8"
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
