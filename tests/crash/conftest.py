"""A migrated and seeded database on the real clock, as servers in other processes need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.clock import Clock
from bot.machine import Machine, build
from bot.settings import Settings
from intents.engine.engine import Engine
from tests.conftest import seed
from tests.inbox.conftest import quiet

__all__ = ["quiet"]


@pytest.fixture
def machine(settings: Settings, engine: Engine) -> Iterator[Machine]:
    built = build(settings, Clock(), engine)
    seed(built)
    yield built
    built.close()
