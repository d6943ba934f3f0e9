"""What ``/metrics`` tells about the queue, the batches and the pushes that wait."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.batch import Entry
from bot.console.metrics import Backlog, Metrics

from .conftest import Api


def test_the_backlog_is_counted(api_client: Api, lamp: str) -> None:
    shown = api_client.metrics()
    waiting = api_client.get("/outbox", state="pending")["total"]
    assert waiting > 0
    assert f"tongxin_outbox_due {float(waiting)}" in shown
    assert "tongxin_inbox_waiting 0.0" in shown


def test_batches_are_counted(api_client: Api, office: Any) -> None:
    figures = Metrics(api_client.machine, api_client.inbox)
    entries = [Entry(office.incoming("r", "灯坏了")) for _ in range(3)]
    entries.append(Entry(office.incoming("r", kind="image")))
    figures.saved(entries)
    sample = figures.registry.get_sample_value
    assert sample("tongxin_messages_total", {"kind": "text"}) == 3
    assert sample("tongxin_messages_total", {"kind": "image"}) == 1
    assert sample("tongxin_batch_size_sum") == 4
    assert sample("tongxin_batch_size_bucket", {"le": "2.0"}) == 0


def test_the_rest_is_told_without_a_database(
    api_client: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Backlog) -> int:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    monkeypatch.setattr(Backlog, "_due", away)
    shown = api_client.metrics()
    assert "tongxin_outbox_due" not in shown
    assert "tongxin_inbox_waiting 0.0" in shown
