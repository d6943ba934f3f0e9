"""What ``/metrics`` tells: read from the inbox when asked, and counted batch by batch."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from typing import Final

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from bot.batch import Entry
from bot.inbox import Inbox
from bot.machine import Machine
from bot.models import Outbox
from bot.models.post import WAITING
from bot.work import table_of

log = structlog.get_logger()
BATCH_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# Beyond this the answer is «too many» anyway, and counting on would cost.
MOST_COUNTED: Final = 10_000
_OUTBOX = table_of(Outbox)


class Metrics:
    """The figures of one process, in a registry of their own."""

    def __init__(self, machine: Machine, inbox: Inbox) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(Backlog(machine, inbox))
        self._messages = Counter(
            "tongxin_messages", "Messages written to disk", ["kind"], registry=self.registry
        )
        self._batches = Histogram(
            "tongxin_batch_size",
            "Messages written in one transaction",
            buckets=BATCH_SIZES,
            registry=self.registry,
        )

    def saved(self, entries: Sequence[Entry]) -> None:
        """A batch is on disk: the inbox's hook."""
        self._batches.observe(len(entries))
        for kind, count in Tally(entry.incoming.kind for entry in entries).items():
            self._messages.labels(kind).inc(count)


class Backlog(Collector):
    """What waits: messages in the queue, pushes that are due."""

    def __init__(self, machine: Machine, inbox: Inbox) -> None:
        self._machine = machine
        self._inbox = inbox

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "tongxin_inbox_waiting", "Messages not yet on disk", self._inbox.waiting
        )
        try:
            due = self._due()
        except DBAPIError as error:
            # The other figures are worth most when the database is away.
            log.warning("backlog_unknown", error=type(error).__name__)
            return
        yield GaugeMetricFamily(
            "tongxin_outbox_due", f"Pushes that should have left, at most {MOST_COUNTED}", due
        )

    def _due(self) -> int:
        late = _OUTBOX.c.due_at <= self._machine.clock.now()
        rows = select(_OUTBOX.c.id).where(text(WAITING), late).limit(MOST_COUNTED).subquery()
        with self._machine.database.read() as connection:
            return connection.execute(select(func.count()).select_from(rows)).scalar_one()
