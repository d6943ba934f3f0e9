"""One engine for all tests of understanding, and a way to ask it about a text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intents.engine.engine import Engine
from intents.engine.gazetteer import Gazetteer
from intents.understanding import Query, Understanding

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
DATA = Path(__file__).parent.parent / "data"
PLACES = Gazetteer(
    [("阳光小区", ["阳光花园"]), ("和平里", []), ("和平里北区", ["北区"]), ("幸福家园", ["幸福苑"])]
)


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine.load()


@pytest.fixture(scope="session")
def hear(engine: Engine) -> Callable[..., Understanding]:
    def hear(text: str, **context: object) -> Understanding:
        return engine.understand([Query(text, AT, PLACES, **context)])[0]  # type: ignore[arg-type]

    return hear


@pytest.fixture(scope="session")
def at() -> datetime:
    return AT


@pytest.fixture(scope="session")
def places() -> Gazetteer:
    return PLACES


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA
