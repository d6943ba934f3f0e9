"""The door between the event loop and the one thread that writes.

Requests wait here until their message is on disk, or for a place in the full queue, as long as the
platform keeps the connection. Other writes of the process pass through the same thread as jobs.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

import structlog

from bot.batch import Batches, Entry
from bot.clock import Clock
from bot.conversation.incoming import Incoming
from bot.services.post import Letter

log = structlog.get_logger()
T = TypeVar("T")
Future = asyncio.Future
# A request that has waited this long is worth a task that watches its connection.
PATIENCE = 1.0


class Unsaved(Exception):
    """The database failed; nothing may be answered, the platform will deliver again."""


class _Job(Generic[T]):
    def __init__(self, run: Callable[[], T], done: Future[T]) -> None:
        self.run = run
        self.done = done


class _Waiting(NamedTuple):
    """A request: since when (loop time) it waits for what, and how to know that it was given up."""

    since: float
    entry: Entry
    done: Future[str | None]
    gone: Callable[[], Awaitable[None]]


class _Stop:
    pass


class Inbox:
    """``submit`` from the event loop; one daemon thread drains the queue in batches."""

    def __init__(self, batches: Batches, clock: Clock, *, size: int, batch: int) -> None:
        self._batches = batches
        self._clock = clock
        self._batch = batch
        self._queue: queue.SimpleQueue[Entry | _Job[Any] | _Stop] = queue.SimpleQueue()
        self._pending: dict[str, tuple[Entry, list[Future[str | None]]]] = {}
        self._waiting: deque[_Waiting] = deque()
        self._places = asyncio.Semaphore(size)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # Told of letters that a transaction claimed; of none when something else may have to leave.
        self.on_commit: Callable[[Sequence[Letter]], None] = lambda letters: None
        self.on_saved: Callable[[Sequence[Entry]], None] = lambda entries: None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._drain, name="writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Everything queued before is written first."""
        self._queue.put(_Stop())
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    @property
    def waiting(self) -> int:
        return len(self._pending)

    async def submit(self, incoming: Incoming, gone: Callable[[], Awaitable[None]]) -> str | None:
        """The reply to ``incoming``, once it is on disk. ``gone`` ends when the platform hung up.

        A redelivery of a message still under way waits for the same result. Raises ``Unsaved``
        when the database failed or the platform hung up before a place was free.
        """
        if incoming.key not in self._pending:
            await self._place(gone)
            if incoming.key in self._pending:  # another delivery of it was let in meanwhile
                self._places.release()
        done: Future[str | None] = self._running().create_future()
        known = self._pending.get(incoming.key)
        if known is None:
            entry = Entry(incoming)
            self._pending[incoming.key] = (entry, [done])
            self._queue.put(entry)
        else:
            entry, waiting = known
            entry.waiting += 1
            waiting.append(done)
        self._waiting.append(_Waiting(self._running().time(), entry, done, gone))
        if len(self._waiting) == 1:
            self._running().call_later(PATIENCE, self._watch)
        return await done

    def _watch(self) -> None:
        """Look after the connections of those who have waited long; one timer for all."""
        loop = self._running()
        while self._waiting and self._waiting[0].since <= loop.time() - PATIENCE:
            one = self._waiting.popleft()
            if not one.done.done():
                leaving = asyncio.ensure_future(_leave(one.entry, one.gone))
                one.done.add_done_callback(partial(_end, leaving))
        if self._waiting:
            loop.call_at(self._waiting[0].since + PATIENCE, self._watch)

    async def _place(self, gone: Callable[[], Awaitable[None]]) -> None:
        """First come, first served; whoever hangs up gives way."""
        if not self._places.locked():
            await self._places.acquire()
            return
        place = asyncio.ensure_future(self._places.acquire())
        left = asyncio.ensure_future(gone())
        await asyncio.wait({place, left}, return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        if not place.done():
            place.cancel()
            raise Unsaved("the platform hung up before there was a place in the queue")

    async def run(self, job: Callable[[], T]) -> T:
        """Run ``job`` in the writer's thread, between two batches."""
        done: Future[T] = self._running().create_future()
        self._queue.put(_Job(job, done))
        return await done

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the inbox was not started")
        return self._loop

    # --- the writer's thread -------------------------------------------------------------------

    def _drain(self) -> None:
        following: Entry | _Job[Any] | _Stop | None = None
        while True:
            item = self._queue.get() if following is None else following
            following = None
            if isinstance(item, _Stop):
                return
            if isinstance(item, _Job):
                self._do(item)
                continue
            entries = [item]
            while len(entries) < self._batch:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if not isinstance(following, Entry):
                    break
                entries.append(following)
                following = None
            self._write(entries)

    def _do(self, job: _Job[Any]) -> None:
        try:
            result = job.run()
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for the job
            self._running().call_soon_threadsafe(_fail, [job.done], error)
        else:
            self._running().call_soon_threadsafe(_settle, job.done, result)

    def _write(self, entries: Sequence[Entry]) -> None:
        error: Exception | None = None
        letters: Sequence[Letter] = ()
        try:
            letters = self._batches.run(entries, self._clock.now())
        except Exception as failure:
            log.exception("batch_not_saved", error=type(failure).__name__)
            error = Unsaved(type(failure).__name__)
        self._running().call_soon_threadsafe(self._answer, entries, letters, error)

    def _answer(
        self, entries: Sequence[Entry], letters: Sequence[Letter], error: Exception | None
    ) -> None:
        for entry in entries:
            _, waiting = self._pending.pop(entry.incoming.key)
            self._places.release()
            for done in waiting:
                if error is not None:
                    _fail([done], error)
                else:
                    _settle(done, entry.reply)
        if error is None:
            self.on_saved(entries)
            if letters:
                self.on_commit(letters)


def _end(task: asyncio.Task[None], _: object) -> None:
    task.cancel()


async def _leave(entry: Entry, gone: Callable[[], Awaitable[None]]) -> None:
    await gone()
    entry.waiting -= 1


def _settle(done: Future[Any], result: Any) -> None:
    if not done.done():
        done.set_result(result)


def _fail(waiting: Sequence[Future[Any]], error: Exception) -> None:
    for done in waiting:
        if not done.done():
            done.set_exception(error)
            # The platform may have hung up: an exception nobody fetches must not be logged as lost.
            done.exception()
