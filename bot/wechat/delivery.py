"""Outbox → platform: claims a batch, sends it, records what became of it.

At least once: a row is ``sending`` before the call and ``sent`` after it is known. A template
message carries the same ``client_msg_id`` each time, so that the platform drops the second; a
customer message cut between the call and its record may come twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import PlatformError
from bot.services import post
from bot.services.post import Letter, Outcome
from bot.wechat.client import WeChatClient
from bot.wechat.errcodes import NO_ANSWER, ErrorClass, classify
from bot.work import Writing

log = structlog.get_logger()

BATCH = 128
IDLE = 1.0
CONFIGURATION_WAIT = timedelta(minutes=10)
QUOTA_WAIT = timedelta(hours=1)
# About a day of trying again; what waits for the platform's quota or our settings waits longer.
MOST_ATTEMPTS = 150


class Delivery:
    """One a process. ``write`` runs a job in the writer's thread, in its own transaction."""

    def __init__(self, client: WeChatClient, write: Writing) -> None:
        self._client = client
        self._write = write
        self._wake = asyncio.Event()
        # Claimed by the transactions that wrote them, and when the database is to be asked again.
        self._taken: list[Letter] = []
        self._under_way = 0
        self._look_at = 0.0
        self._running = False

    def room(self) -> int:
        """How many letters may be taken along; called by the writer's thread."""
        return BATCH - len(self._taken) - self._under_way if self._running else 0

    def committed(self, letters: Sequence[Letter]) -> None:
        """``letters`` are claimed for this process; without any, something else may be due."""
        if letters:
            self._taken += letters
        else:
            self._look_at = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled: deliver what is due, then sleep until something is."""
        self._running = True
        try:
            while True:
                await self._next()
        finally:
            self._running = False
            # Claimed letters would otherwise wait until the claim lapses.
            try:
                while self._taken:
                    await self.once(look=False)
            except Exception as error:
                log.exception("delivery_failed", error=type(error).__name__)

    async def _next(self) -> None:
        try:
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            look = now >= self._look_at
            if look:
                self._look_at = now + IDLE
            if await self.once(look=look):
                return
        except Exception as error:
            log.exception("delivery_failed", error=type(error).__name__)
            await asyncio.sleep(IDLE)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), IDLE)

    async def once(self, *, look: bool = True) -> list[Outcome]:
        """Deliver what was taken along and, with ``look``, a batch of what waits in the database.

        A batch begun is finished even when this is cancelled: cut between a call and its record,
        customer messages would come twice after every restart.
        """
        batch = asyncio.ensure_future(self._batch(look))
        try:
            return await asyncio.shield(batch)
        except asyncio.CancelledError:
            await asyncio.wait({batch})
            raise

    async def _batch(self, look: bool) -> list[Outcome]:
        found = await self._write(lambda work: post.claim(work, BATCH)) if look else []
        if found:
            self._look_at = 0.0  # more may be waiting
        letters, self._taken = [*self._taken, *found], []
        self._under_way = len(letters)
        try:
            return await self._deliver(letters)
        finally:
            self._under_way = 0

    async def _deliver(self, letters: Sequence[Letter]) -> list[Outcome]:
        if not letters:
            return []
        outcomes = await asyncio.gather(*(self._send(letter) for letter in letters))
        await self._write(lambda work: post.settle(work, outcomes))
        return outcomes

    async def _send(self, letter: Letter) -> Outcome:
        try:
            answer = await self._post(letter)
        except PlatformError as error:
            return _failed(letter, error)
        except Exception as error:
            # One letter must not keep the others of its batch from being recorded.
            log.exception("push_broken", outbox=letter.id, error=type(error).__name__)
            return _failed(letter, PlatformError(NO_ANSWER, type(error).__name__))
        platform_id = str(answer.get("msgid") or "") or None
        return Outcome(
            letter.id, letter.openid, "sent", 0, channel=letter.channel, platform_id=platform_id
        )

    async def _post(self, letter: Letter) -> dict[str, Any]:
        if letter.channel == "template":
            return await self._client.send_template(
                letter.openid, letter.template_id, letter.data, letter.client_msg_id
            )
        if not letter.options:
            return await self._client.send_text(letter.openid, letter.text)
        options = [(str(n), option) for n, option in enumerate(letter.options, 1)]
        try:
            return await self._client.send_menu_message(letter.openid, letter.text, options)
        except PlatformError as error:
            # 40200: not a verified account. The numbers stand in the text; they can be typed.
            if error.errcode != 40200:
                raise
        return await self._client.send_text(letter.openid, letter.text)


def _failed(letter: Letter, error: PlatformError) -> Outcome:
    kind = classify(error.errcode)
    log.warning("push_failed", outbox=letter.id, errcode=error.errcode, rid=error.rid, kind=kind)
    told = f"{kind.advice}(errcode {error.errcode} rid {error.rid})"
    state, wait = "pending", timedelta()
    if kind is ErrorClass.PASSING and letter.attempts >= MOST_ATTEMPTS:
        state = "failed"
    elif kind in (ErrorClass.PASSING, ErrorClass.TOKEN):
        wait = timedelta(seconds=min(5 * 2 ** min(letter.attempts, 7), 600))
    elif kind is ErrorClass.QUOTA:
        wait = QUOTA_WAIT
    elif kind is ErrorClass.CONFIGURATION:
        wait = CONFIGURATION_WAIT
    elif kind is ErrorClass.USER:
        state = "undeliverable"
    elif kind is not ErrorClass.WINDOW or letter.channel != "custom":
        state = "failed"
    return Outcome(
        letter.id,
        letter.openid,
        state,
        error.errcode,
        told,
        channel=letter.channel,
        again_in=wait,
        window_over=kind is ErrorClass.WINDOW,
    )
