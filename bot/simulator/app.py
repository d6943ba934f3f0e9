"""The simulator put together: the API, the people outside and the demo page in one ASGI app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from starlette.applications import Starlette

from bot.clock import Clock
from bot.simulator.api import Api
from bot.simulator.outside import Outside
from bot.simulator.pages import Pages
from bot.simulator.platform import Platform


def create_simulator(
    platform: Platform,
    *,
    webhook_url: str,
    clock: Clock,
    people: Callable[[], list[dict[str, Any]]],
    next_working_day: Callable[[datetime], datetime],
    after_move: Callable[[], Awaitable[None]],
    outside: Outside | None = None,
    date_header: bool = False,
) -> Starlette:
    """To be mounted at /simulator; its ``state`` has ``platform`` and ``outside``.

    ``people`` gives ``{openid, name, role}`` (role ``resident`` or anything else) and may add
    ``follows``, ``latitude``, ``longitude``, ``place``. A mounted app's lifespan is not run by
    Starlette: whoever mounts it awaits ``state.outside.close()`` at the end. ``date_header`` is for
    a server that is told not to send one of its own.
    """
    outside = outside or Outside(platform, webhook_url)
    pages = Pages(
        platform,
        outside,
        clock=clock,
        people=people,
        next_working_day=next_working_day,
        after_move=after_move,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await outside.close()

    api = Api(platform, outside, date_header=date_header)
    app = Starlette(routes=[*api.routes(), *pages.routes()], lifespan=lifespan)
    app.state.platform = platform
    app.state.outside = outside
    return app
