"""Servers that can be killed, a platform that records, and a load that is delivered until answered."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bot.data import demo_templates
from bot.machine import Machine
from bot.settings import Settings
from bot.simulator import Account, Exchange, Outside, Platform, api, create_simulator
from bot.simulator.courier import Courier, Parcel
from bot.simulator.messages import render, text
from tests.delivery.world import address, listen, served

ROOT = Path(__file__).resolve().parents[2]
# Longer than a claim of the outbox lasts: a restarted server takes up at once what was cut off.
LAPSE = 70.0


class Server:
    """One server process on a port of its own. It is killed by its own process id only."""

    def __init__(self, settings: Settings, api_base: str, folder: Path) -> None:
        # Held, so that nobody else is given this port before the server or between its lives.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(("127.0.0.1", 0))
        self.port = self._held.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self.ahead = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = os.environ | {
            "WECHAT_APPID": settings.wechat_appid,
            "WECHAT_SECRET": settings.wechat_secret,
            "WECHAT_TOKEN": settings.wechat_token,
            "WECHAT_AES_KEY": settings.wechat_aes_key,
            "WECHAT_MODE": "safe",
            "WECHAT_API_BASE": api_base,
            "WECHAT_CLOCK_SKEW": "100000000",
            "DATABASE_URL": settings.database_url,
            "SECRET_KEY": settings.secret_key,
            "DATA_DIR": str(settings.data_dir),
            "PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }

    async def start(self, command: Sequence[str] = ()) -> None:
        """Returns when it says that it is ready."""
        argv = command or ("-m", "tests.crash.server", str(self.ahead))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=self.log.parent,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        ends = time.monotonic() + 90
        while time.monotonic() < ends:
            with suppress(OSError), urlopen(f"{self.url}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not start: {self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.kill()
        self._held.close()

    async def end(self) -> int:
        """SIGTERM, as the service manager stops it; its exit code."""
        process = self._process
        assert process is not None
        process.terminate()
        code = await asyncio.to_thread(process.wait, 60)
        self._process = None
        return code


@dataclass
class Received:
    """What reached the platform. ``templates``: (openid, client_msg_id) → the payload of each call."""

    platform: Platform
    templates: dict[tuple[str, str], list[Any]] = field(default_factory=lambda: defaultdict(list))

    def shown(self, openid: str, via: str) -> Counter[str]:
        """What the phone shows; a card by its rows."""
        return Counter(
            str(bubble.data["rows"]) if via == "template" else bubble.text
            for bubble in self.platform.inbox(openid)
            if bubble.via == via
        )


@asynccontextmanager
async def pretend_platform(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, openids: Iterable[str], **options: Any
) -> AsyncIterator[tuple[Received, str]]:
    """The simulator's API on a free port; what goes to the webhook is the test's own business."""
    account = Account.from_settings(machine.settings)
    platform = Platform(
        account, machine.clock, demo_templates(), wire_size=0, chat_size=20_000, **options
    )
    platform.finish_events = False
    for openid in openids:
        platform.follow(openid)
    received = Received(platform)
    send = api.send_template

    def recorded(at: Platform, payload: Any) -> Any:
        received.templates[payload["touser"], payload["client_msg_id"]].append(payload)
        return send(at, payload)

    monkeypatch.setattr(api, "send_template", recorded)
    app = create_simulator(
        platform,
        webhook_url="http://127.0.0.1:9/wechat",
        clock=machine.clock,
        people=list,
        next_working_day=lambda now: now,
        after_move=lambda: asyncio.sleep(0),
        outside=Outside(platform, "http://127.0.0.1:9/wechat"),
    )
    listening = listen()
    async with served(app, listening):
        yield received, address(listening)


@dataclass
class Said:
    """One message and every answer it ever got."""

    key: str
    openid: str
    words: str
    parcel: Parcel
    answers: list[str] = field(default_factory=list)
    tries: int = 0


class Load:
    """Messages of many, delivered again and again until answered, by several at a time."""

    def __init__(self, platform: Platform, chance: random.Random) -> None:
        self.platform = platform
        self.chance = chance
        self.said: list[Said] = []
        self.refused: list[Exchange] = []
        self._serial = 0

    def say(self, openid: str, words: str) -> Said:
        self._serial += 1
        created, msg_id = int(self.platform.clock.now().timestamp()), 7_000_000 + self._serial
        fields = {
            "ToUserName": self.platform.account.original_id,
            "FromUserName": openid,
            "CreateTime": created,
            **text(words),
            "MsgId": msg_id,
        }
        self.platform.windows.after_message(openid)
        one = Said(f"{openid}|{created}|{msg_id}", openid, words, Parcel(openid, render(fields)))
        self.said.append(one)
        return one

    @property
    def answered(self) -> int:
        return sum(bool(one.answers) for one in self.said)

    async def deliver(
        self, said: Sequence[Said], urls: Sequence[str], *, workers: int = 24, again: float = 0.3
    ) -> None:
        """Each message to the server its openid hashes to; some twice or thrice, also elsewhere."""
        queue: asyncio.Queue[tuple[Said, str]] = asyncio.Queue()
        for one in said:
            home = zlib.crc32(one.openid.encode()) % len(urls)
            queue.put_nowait((one, urls[home]))
            while self.chance.random() < again:
                queue.put_nowait((one, self.chance.choice(urls)))
        async with AsyncExitStack() as stack:
            couriers = {url: Courier(self.platform, f"{url}/wechat", tries=1) for url in set(urls)}
            for courier in couriers.values():
                courier.timeout = 30
                stack.push_async_callback(courier.close)
            await asyncio.gather(*(self._work(queue, couriers) for _ in range(workers)))

    async def _work(
        self, queue: asyncio.Queue[tuple[Said, str]], couriers: dict[str, Courier]
    ) -> None:
        while not queue.empty():
            one, url = queue.get_nowait()
            one.tries += 1
            got = await couriers[url].deliver(one.parcel)
            if got.status == 200 and not got.error:
                one.answers.append(got.reply_text)
            elif got.status:
                self.refused.append(got)

    def unanswered(self) -> list[Said]:
        return [one for one in self.said if not one.answers]

    async def reaches(self, answered: int) -> None:
        """Waits until that many messages were acknowledged."""
        while self.answered < answered:
            await asyncio.sleep(0.001)


async def until(true: Callable[[], bool], within: float = 60) -> None:
    ends = time.monotonic() + within
    while not await asyncio.to_thread(true):
        if time.monotonic() > ends:
            raise AssertionError("it did not come to pass")
        await asyncio.sleep(0.1)
