"""Every periodic job, by name: what the scheduler calls and ``tongxin tick`` runs once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import structlog

from bot.services import handover, reminders
from bot.wechat.delivery import Delivery
from bot.wechat.fetching import Fetching
from bot.work import Work, Writing

log = structlog.get_logger()
T = TypeVar("T")
# A tick that finds this much work leaves the rest to the next one.
MOST_ROUNDS = 200


class Ticks:
    """Each job asks the database what is due and does it; none keeps a list of its own."""

    def __init__(self, write: Writing, delivery: Delivery, fetching: Fetching) -> None:
        self._write = write
        self._delivery = delivery
        self._fetching = fetching
        self.busy = asyncio.Lock()

    async def deadlines(self) -> list[dict[str, str]]:
        """Reminders, cards and automatic steps. A ticket whose step fails is looked at in an hour."""
        try:
            return await self._until_nothing(reminders.run)
        except Exception as error:
            log.exception("deadlines_failed", error=type(error).__name__)
        return await self._one_by_one()

    async def talks(self) -> list[dict[str, str]]:
        return await self._until_nothing(handover.run)

    async def push(self) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = []
        for _ in range(MOST_ROUNDS):
            outcomes = await self._delivery.once()
            if not outcomes:
                break
            done += [{"outbox": o.id, "state": o.state, "errcode": o.errcode} for o in outcomes]
        return done

    async def media(self) -> list[dict[str, Any]]:
        done: list[dict[str, Any]] = []
        for _ in range(MOST_ROUNDS):
            fetched = await self._fetching.once()
            if not fetched:
                break
            done += [{"media": f.id, "error": f.error} for f in fetched]
        return done

    async def all(self) -> dict[str, Any]:
        """Everything once, delivery last so that it carries what the others wrote."""
        return {
            "deadlines": await self.deadlines(),
            "talks": await self.talks(),
            "media": await self.media(),
            "delivery": await self.push(),
        }

    async def _until_nothing(
        self, job: Callable[[Work], list[dict[str, str]]]
    ) -> list[dict[str, str]]:
        done: list[dict[str, str]] = []
        for _ in range(MOST_ROUNDS):
            some = await self._write(job)
            if not some:
                break
            done += some
        return done

    async def _one_by_one(self) -> list[dict[str, str]]:
        done: list[dict[str, str]] = []
        for ticket_id in await self._write(reminders.due):
            try:
                done += await self._write(partial(_one, ticket_id, reminders.run_one))
            except Exception as error:
                log.exception("ticket_clock_failed", ticket=ticket_id, error=type(error).__name__)
                await self._write(partial(_one, ticket_id, reminders.postpone))
        return done


def _one(ticket_id: int, job: Callable[[Work, int], T], work: Work) -> T:
    return job(work, ticket_id)
