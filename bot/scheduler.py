"""The ticks: a few interval jobs that each call one service; the facts live in indexed tables.

Rows are claimed with SKIP LOCKED, so several processes may tick at once and no leader is needed
(docs/decisions/0003-ticks-without-a-leader.md).
"""

from __future__ import annotations

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.ticks import Ticks


def create_scheduler(ticks: Ticks) -> AsyncIOScheduler:
    """Started and shut down by whoever runs the event loop."""
    scheduler = AsyncIOScheduler(
        timezone="UTC",
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 60},
    )
    scheduler.add_job(ticks.deadlines, "interval", seconds=5, id="deadlines")
    scheduler.add_job(ticks.talks, "interval", seconds=10, id="talks")
    scheduler.add_job(ticks.media, "interval", seconds=5, id="media")
    return scheduler
