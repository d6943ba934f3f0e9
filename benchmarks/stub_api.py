"""A WeChat API that says yes to everything, so that pushes have somewhere to go.

``python -m benchmarks.stub_api PORT [DELAY_MS]``. Bare on purpose: it shares the load's core.
``GET /counts`` tells what was asked for so far.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections import Counter
from typing import cast

import uvloop

_LENGTH = b"\r\ncontent-length:"
_counts: Counter[str] = Counter()
_ids = itertools.count(3_000_000_000)


class Api(asyncio.Protocol):
    """Kept connections, requests with Content-Length, answers in order."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            found = head.find(_LENGTH)
            length = int(head[found + len(_LENGTH) :].split(b"\r\n", 1)[0]) if found >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            path = self._buffer.split(b" ", 2)[1].split(b"?", 1)[0].decode()
            self._buffer = self._buffer[end + 4 + length :]
            self._respond(_answer(path))

    def _respond(self, body: bytes) -> None:
        answer = (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json; encoding=utf-8\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


def _answer(path: str) -> bytes:
    if path == "/counts":
        return json.dumps(_counts).encode()
    _counts[path] += 1
    if path.endswith(("/stable_token", "/token")):
        return b'{"access_token":"BENCHMARK_TOKEN","expires_in":7200}'
    return b'{"errcode":0,"errmsg":"ok","msgid":%d}' % next(_ids)


async def _serve(port: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Api(delay), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
