"""``python -m tests.crash.server SECONDS``: what ``serve`` runs, with its clock that much ahead."""

from __future__ import annotations

import sys
from datetime import timedelta

import uvicorn

from bot import logs
from bot.app import create_app
from bot.clock import Clock
from bot.machine import build
from bot.settings import Settings


def main() -> None:
    logs.configure()
    settings = Settings()
    machine = build(settings, Clock(timedelta(seconds=float(sys.argv[1]))))
    uvicorn.run(
        create_app(machine),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
