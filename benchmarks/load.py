"""The load: prebuilt requests over kept connections, each answer timed to the nanosecond.

A protocol this bare keeps one core good for several times what any of the servers answers, so
that the server is what is measured. ``generator_cpu`` in the result shows whether that held.
"""

from __future__ import annotations

import asyncio
import gc
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

_PATIENCE = 60.0
_LENGTH = b"\r\ncontent-length:"


@dataclass(frozen=True, slots=True)
class Result:
    """Rates in messages a second, latencies in ms. ``samples`` are (index of request, body)."""

    rate: float
    p50: float
    p99: float
    slowest: float
    answered: int
    seconds: float
    generator_cpu: float
    silent: int
    errors: Counter[str]
    samples: list[tuple[int, bytes]]


class Connection(asyncio.Protocol):
    """One kept connection with at most one request in flight."""

    __slots__ = ("_buffer", "_load", "_transport", "busy", "index", "live", "since")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self.busy = False
        self.live = True
        self.index = 0
        self.since = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, index: int, request: bytes, since: int) -> None:
        self.index, self.since, self.busy = index, since, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        self._buffer = data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = data[:end].lower()
        found = head.find(_LENGTH)
        if found < 0:
            self._load.failed(self, "answer without Content-Length")
            return
        length = int(head[found + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(data) >= end + 4 + length:
            self._buffer = b""
            self.busy = False
            self._load.answered(self, data, end + 4)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)

    def close(self) -> None:
        self._transport.abort()


class Load:
    """One run over ``requests``: closed loop, or paced at ``rate`` whatever the server does.

    Paced, latency counts from when a message was due, so waiting for a free connection counts.
    A run ends after ``seconds`` or when the requests are used up; what is in flight is awaited.
    """

    def __init__(
        self,
        requests: Sequence[bytes],
        seconds: float,
        rate: float | None = None,
        sample_every: int = 500,
    ) -> None:
        self._requests = requests
        self._seconds = seconds
        self._interval = 1e9 / rate if rate else 0.0
        self._sample_every = sample_every
        self._latencies = array("q")
        self._errors: Counter[str] = Counter()
        self._samples: list[tuple[int, bytes]] = []
        self._idle: deque[Connection] = deque()
        self._cursor = self._in_time = self._silent = self._active = self._last = 0
        self._start = self._stop = 0
        self._closing = False

    async def run(self, port: int, connections: int) -> Result:
        loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = loop.create_future()
        opened = [
            (await loop.create_connection(lambda: Connection(self), "127.0.0.1", port))[1]
            for _ in range(connections)
        ]
        gc.collect()
        gc.disable()
        cpu = time.process_time()
        self._start = time.perf_counter_ns()
        self._stop = self._start + int(self._seconds * 1e9)
        try:
            self._active = len(opened)
            for connection in opened:
                self._next(connection, time.perf_counter_ns())
            if self._interval:
                await self._pace()
            await asyncio.wait_for(asyncio.shield(self._done), self._seconds + _PATIENCE)
        except TimeoutError:
            self._errors["no answer in time"] += sum(c.busy for c in opened)
        finally:
            cpu = (time.process_time() - cpu) / ((time.perf_counter_ns() - self._start) / 1e9)
            gc.enable()
            self._closing = True
            for connection in opened:
                connection.close()
        return self._result(cpu)

    def answered(self, connection: Connection, data: bytes, body: int) -> None:
        now = time.perf_counter_ns()
        self._latencies.append(now - connection.since)
        if now <= self._stop:
            self._in_time += 1
            self._last = now
        if not data.startswith(b"HTTP/1.1 200 "):
            self._errors["answered " + data[9:12].decode("latin-1")] += 1
        elif data.find(b"<Encrypt>", body) < 0:
            self._silent += 1
        if connection.index % self._sample_every == 0:
            self._samples.append((connection.index, data[body:]))
        self._next(connection, now)

    def failed(self, connection: Connection, reason: str) -> None:
        self._errors[reason] += 1
        connection.busy = False
        connection.close()

    def lost(self, connection: Connection) -> None:
        """An error only with a request on its way: a server may close what is idle."""
        if self._closing:
            return
        if connection.busy:
            self._errors["connection lost"] += 1
            connection.busy = False
        if connection in self._idle:
            self._idle.remove(connection)
        self._retire(connection)

    def _next(self, connection: Connection, now: int) -> None:
        if self._ended(now):
            self._retire(connection)
        elif not self._interval:
            self._send(connection, now)
        elif (due := self._start + int(self._cursor * self._interval)) <= now:
            self._send(connection, due)
        else:
            self._idle.append(connection)

    def _send(self, connection: Connection, since: int) -> None:
        index = self._cursor
        self._cursor += 1
        connection.send(index, self._requests[index], since)

    def _ended(self, now: int) -> bool:
        return now >= self._stop or self._cursor >= len(self._requests)

    def _retire(self, connection: Connection) -> None:
        if not connection.live:
            return
        connection.live = False
        self._active -= 1
        if self._active == 0 and not self._done.done():
            self._done.set_result(None)

    async def _pace(self) -> None:
        while self._active and not self._ended(now := time.perf_counter_ns()):
            while self._idle and self._start + int(self._cursor * self._interval) <= now:
                self._next(self._idle.popleft(), now)
                if self._ended(now):
                    break
            await asyncio.sleep(0.001)
        if not self._active and not self._ended(time.perf_counter_ns()):
            self._errors["every connection closed"] += 1
        while self._idle:
            self._retire(self._idle.popleft())

    def _result(self, cpu: float) -> Result:
        took = np.frombuffer(self._latencies, dtype=np.int64) / 1e6
        took = took if took.size else np.zeros(1)
        p50, p99 = np.percentile(took, (50, 99))
        ended = self._stop if self._cursor < len(self._requests) else max(self._last, self._start)
        seconds = (ended - self._start) / 1e9
        return Result(
            rate=self._in_time / seconds if seconds else 0.0,
            p50=float(p50),
            p99=float(p99),
            slowest=float(took.max()),
            answered=len(self._latencies),
            seconds=seconds,
            generator_cpu=cpu,
            silent=self._silent,
            errors=self._errors,
            samples=self._samples,
        )
