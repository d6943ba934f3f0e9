"""The one place that wires: settings → a web application with its writer, delivery and ticks."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette

from bot.console import api, health
from bot.inbox import Inbox
from bot.machine import Machine
from bot.scheduler import create_scheduler, stop
from bot.ticks import Ticks
from bot.wechat.client import WeChatClient
from bot.wechat.codec import Codec
from bot.wechat.delivery import Delivery
from bot.wechat.fetching import Fetching
from bot.wechat.webhook import Webhook

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]


class Running:
    """What lives as long as the server: threads, sockets and tasks of one process."""

    def __init__(self, machine: Machine) -> None:
        settings = machine.settings
        self.machine = machine
        self.inbox = Inbox(
            machine.batches,
            machine.clock,
            size=settings.queue_size,
            batch=settings.batch_size,
        )
        self.client = open_client(machine)
        self.delivery = Delivery(self.client, self._write)
        fetching = Fetching(self.client, self._write, settings.data_dir / "media")
        self.ticks = Ticks(self._write, self.delivery, fetching)
        self._scheduler = create_scheduler(self.ticks)
        self._delivering: asyncio.Task[None] | None = None
        machine.batches.room = self.delivery.room
        self.inbox.on_commit = self.delivery.committed

    async def _write(self, job: Callable[[Any], Any]) -> Any:
        return await self.inbox.run(lambda: self.machine.write(job))

    async def start(self) -> None:
        self.inbox.start()
        self._delivering = asyncio.create_task(self.delivery.run())
        self._scheduler.start()
        # What was built until now stays: looking at it again and again costs milliseconds of p99.
        gc.collect()
        gc.freeze()
        gc.set_threshold(200_000, 50, 50)
        # On one core each forced switch between the writer and the loop costs both their caches.
        sys.setswitchinterval(0.03)

    async def stop(self) -> None:
        await stop(self._scheduler, self.ticks)
        if self._delivering is not None:
            self._delivering.cancel()
            with suppress(asyncio.CancelledError):
                await self._delivering
        await self.inbox.stop()
        await self.client.close()
        self.machine.close()


def open_client(machine: Machine) -> WeChatClient:
    settings, clock = machine.settings, machine.clock
    return WeChatClient(
        settings.wechat_appid,
        settings.wechat_secret,
        settings.wechat_api_base,
        clock=lambda: clock.now().timestamp(),
    )


class FrontDoor:
    """The webhook straight from the server, all else through FastAPI."""

    def __init__(self, app: FastAPI, webhook: Asgi, running: Running) -> None:
        self.app = app
        self.running = running
        self._webhook = webhook

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/wechat":
            await self._webhook(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def create_app(
    machine: Machine, simulator: Callable[[Running], Starlette] | None = None
) -> FrontDoor:
    """The application of one process; nothing runs before its lifespan begins.

    ``simulator`` makes the pretend platform that is mounted at /simulator, where one is wanted.
    """
    settings = machine.settings
    codec = Codec(
        settings.wechat_token,
        settings.aes_key,
        settings.wechat_appid,
        settings.wechat_mode,
        settings.wechat_clock_skew,
    )
    running = Running(machine)
    pretend = None if simulator is None else simulator(running)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await running.start()
        try:
            yield
        finally:
            await running.stop()
            if pretend is not None:
                # Starlette does not run the lifespan of what is mounted.
                await pretend.state.outside.close()

    # No page of documentation: FastAPI's loads its scripts from the network.
    app = FastAPI(
        title="Tongxin 同心",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.include_router(health.router(machine, running.inbox))
    app.include_router(api.router(machine, running.inbox))
    if pretend is not None:
        app.mount("/simulator", pretend)
    return FrontDoor(app, Webhook(codec, running.inbox, machine.clock), running)
