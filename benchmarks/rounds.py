"""One stack in one round: started afresh, warmed up, measured, looked at, stopped."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import uvloop

from benchmarks import machine
from benchmarks.account import Account
from benchmarks.load import Load, Result
from benchmarks.plan import OURS, Plan
from benchmarks.sentences import Message, Pool
from benchmarks.server import BenchmarkError, Server
from benchmarks.stack import Counts, Stack
from benchmarks.wire import Platform

_CHUNK = 1000
_MARGIN = 2.0
_STUCK = 5.0
_SHORTEST = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """What one stack did in one round. Shares are 0 to 1, memory in MB, times in seconds."""

    stack: str
    round: int
    top: Result
    ready_after: float
    cpu: float
    others_cpu: float
    memory: float
    memory_peak: float
    acknowledged: int
    at_end: Counts
    after_drain: Counts
    drained_in: float
    half: Result | None = None
    half_backlog: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    log: str = ""

    @property
    def per_cpu_second(self) -> float:
        """Messages a CPU second of the server: what is left of the rate when others take time."""
        return self.top.rate / self.cpu if self.cpu else 0.0


@dataclass(slots=True)
class Bench:
    """The parts every round needs. ``templates`` hold what a storing stack starts from."""

    plan: Plan
    account: Account
    platform: Platform
    api: str
    folder: Path
    pool: Pool

    def prepare(self, stack: Stack) -> None:
        template = self._template(stack)
        template.mkdir()
        stack.prepare(self.account, self.api, template)

    def start(self, stack: Stack, folder: Path) -> Server:
        """A server on a fresh copy of the stack's template, ready."""
        shutil.copytree(self._template(stack), folder)
        port = machine.free_port()
        environment = stack.environment(self.account, self.api, folder, port)
        server = Server(stack.argv(port), environment, folder, port, self.plan.server_core)
        server.start(stack.ready(self.platform))
        return server

    def send(self, server: Server, messages: list[Message], at_most: float) -> Result:
        """``messages`` once, or as many of them as are answered in ``at_most`` seconds."""
        requests = self.platform.requests(messages, server.port)
        return uvloop.run(Load(requests, at_most).run(server.port, self.plan.connections))

    def measure(self, stack: Stack, round_: int, *, last: bool) -> Measured:
        folder = self.folder / f"{stack.name}-{round_}"
        server = self.start(stack, folder)
        try:
            return self._measure(stack, round_, server, folder, last=last)
        except OSError as error:
            raise BenchmarkError(f"{error}\n{server.tail()}") from error
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def _measure(
        self, stack: Stack, round_: int, server: Server, folder: Path, *, last: bool
    ) -> Measured:
        stream = self.pool.stream(round_, self.plan.residents)
        errors: Counter[str] = Counter()
        warm, rate = self._warm_up(server, stream, errors)
        top, before, after = self._timed(server, stream, rate, errors)
        at_end = stack.counts(folder)
        drained_in, after_drain = self._drain(stack, folder)
        acknowledged = warm + top.answered
        half, half_backlog = None, 0
        if last and stack.name == OURS:
            half = self._timed(server, stream, top.rate / 2, errors, paced=True)[0]
            half_backlog = stack.counts(folder).backlog
        if stack.stores and at_end.messages < acknowledged:
            errors["acknowledged but not stored"] += acknowledged - at_end.messages
        resident, peak = machine.memory(server.pid)
        cpu, others = after.since(before)
        return Measured(
            stack.name,
            round_,
            top,
            server.ready_after,
            cpu,
            others,
            resident,
            peak,
            acknowledged,
            at_end,
            after_drain,
            drained_in,
            half,
            half_backlog,
            errors,
            server.tail() if errors else "",
        )

    def _warm_up(
        self, server: Server, stream: Iterator[Message], errors: Counter[str]
    ) -> tuple[int, float]:
        """(messages answered, rate of the last piece), after about ``warm_up`` seconds of load."""
        answered, rate, spent = 0, 0.0, 0.0
        while spent < self.plan.warm_up:
            at_most = max(_SHORTEST, self.plan.warm_up - spent)
            result = self.send(server, list(islice(stream, _CHUNK)), at_most)
            errors.update(result.errors)
            if not result.answered or result.errors:
                raise BenchmarkError(
                    f"warm-up: {result.answered} answered, {dict(result.errors)}\n{server.tail()}"
                )
            answered, rate = answered + result.answered, max(rate, result.rate)
            spent += max(result.seconds, 0.01)
        return answered, rate

    def _timed(
        self,
        server: Server,
        stream: Iterator[Message],
        rate: float,
        errors: Counter[str],
        *,
        paced: bool = False,
    ) -> tuple[Result, machine.Usage, machine.Usage]:
        wanted = rate * self.plan.seconds * (1.0 if paced else _MARGIN)
        messages = list(islice(stream, int(wanted) + self.plan.connections))
        requests = self.platform.requests(messages, server.port)
        load = Load(requests, self.plan.seconds, rate if paced else None)
        before = server.usage()
        result = uvloop.run(load.run(server.port, self.plan.connections))
        after = server.usage()
        errors.update(result.errors)
        errors.update(self._wrong_answers(messages, result))
        return result, before, after

    def _wrong_answers(self, messages: list[Message], result: Result) -> Iterator[str]:
        """Opens the sampled answers: encrypted for the one who wrote, and saying something."""
        for index, body in result.samples:
            if body in (b"", b"success"):
                continue
            try:
                openid, text = self.platform.opened(body)
            except Exception as error:
                yield f"reply does not open: {type(error).__name__}"
                continue
            if openid != messages[index].openid or not text:
                yield "reply for somebody else, or empty"

    def _drain(self, stack: Stack, folder: Path) -> tuple[float, Counts]:
        """(seconds, counts) until all that is due has left, or nothing has moved for a while."""
        began = moved = time.perf_counter()
        counts = stack.counts(folder)
        while stack.name == OURS and counts.backlog:
            time.sleep(0.1)
            now, earlier = time.perf_counter(), counts
            counts = stack.counts(folder)
            moved = now if counts.backlog < earlier.backlog else moved
            if now - began > self.plan.drain or now - moved > _STUCK:
                break
        return time.perf_counter() - began, counts

    def _template(self, stack: Stack) -> Path:
        return self.folder / f"{stack.name}-template"
