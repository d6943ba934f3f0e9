"""The ticks: a few interval jobs that each call one service; the facts live in indexed tables.

Rows are claimed with SKIP LOCKED, so several processes may tick at once and no leader is needed
(docs/decisions/0003-ticks-without-a-leader.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.ticks import Ticks


def create_scheduler(ticks: Ticks) -> AsyncIOScheduler:
    """Started and shut down by whoever runs the event loop."""
    scheduler = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
    )

    async def tick(job: Callable[[], Awaitable[object]]) -> None:
        async with ticks.busy:
            await job()

    for job, seconds in ((ticks.deadlines, 5), (ticks.talks, 10), (ticks.media, 5)):
        scheduler.add_job(tick, "interval", [job], seconds=seconds, id=job.__name__)
    return scheduler


async def stop(scheduler: AsyncIOScheduler, ticks: Ticks) -> None:
    """No new tick, and the running one ends by itself: APScheduler would cancel it."""
    scheduler.pause()
    async with ticks.busy:
        scheduler.shutdown(wait=False)
