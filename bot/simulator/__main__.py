"""The simulator by itself: ``python -m bot.simulator --port 8001 --webhook http://…/wechat``."""

from __future__ import annotations

import argparse
import asyncio
from datetime import datetime, timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette

from bot.clock import Clock
from bot.settings import Settings
from bot.simulator.account import Account
from bot.simulator.app import create_simulator
from bot.simulator.platform import Platform

TEMPLATES = [
    {
        "template_id": "demo-template-progress",
        "title": "工单进度提醒",
        "content": "工单编号:{{character_string1.DATA}}\n事项:{{thing2.DATA}}\n"
        "进度:{{phrase3.DATA}}\n时间:{{time4.DATA}}\n",
    }
]


def create_standalone(settings: Settings, webhook_url: str, *, wire_size: int = 500) -> Starlette:
    """An app of its own with a real clock, eight residents, eight staff and one template."""
    clock = Clock()
    account = Account.from_settings(settings)
    platform = Platform(account, clock, TEMPLATES, wire_size=wire_size)

    def people() -> list[dict[str, Any]]:
        residents = [(f"demo-resident-{n:02}", f"居民 {n}", "resident") for n in range(1, 9)]
        staff = [(f"demo-staff-{n:02}", f"工作人员 {n}", "staff") for n in range(1, 9)]
        names = ("openid", "name", "role")
        return [dict(zip(names, row, strict=True)) for row in residents + staff]

    for person in people():
        platform.follow(str(person["openid"]))
    return create_simulator(
        platform,
        webhook_url=webhook_url,
        clock=clock,
        people=people,
        next_working_day=_tomorrow,
        after_move=lambda: asyncio.sleep(0),
        date_header=True,
    )


def _tomorrow(now: datetime) -> datetime:
    return now + timedelta(days=1)


def main() -> None:
    """Serves until interrupted; the account comes from the same settings as the server's."""
    parser = argparse.ArgumentParser(prog="python -m bot.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--webhook", default="http://127.0.0.1:8000/wechat")
    parser.add_argument("--wire", type=int, default=500, help="exchanges kept, 0 for none")
    given = parser.parse_args()
    app = create_standalone(Settings.model_validate({}), given.webhook, wire_size=given.wire)
    uvicorn.run(app, host=given.host, port=given.port, date_header=False, log_level="warning")


if __name__ == "__main__":
    main()
