"""This server: ``python -m bot serve`` in safe mode on SQLite, its pushes going to the stub."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from benchmarks.account import Account
from benchmarks.server import ROOT, run
from benchmarks.stack import Stack
from benchmarks.wire import Platform

_SECRET_KEY = secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Tongxin(Stack):
    """``root`` is the checkout to measure, by default the one this file is in."""

    # What may leave only later is no backlog.
    outbox: str = (
        "SELECT CASE WHEN state = 'pending' AND due_at > strftime('%Y-%m-%d %H:%M:%f', 'now')"
        " THEN 'scheduled' ELSE state END, count(*) FROM outbox GROUP BY 1"
    )
    root: Path = ROOT

    def argv(self, port: int) -> list[str]:
        return ["-m", "bot", "serve"]

    def environment(self, account: Account, api: str, folder: Path, port: int) -> dict[str, str]:
        return {
            **account.environment(),
            "PYTHONPATH": str(self.root),
            "WECHAT_MODE": "safe",
            "WECHAT_API_BASE": api,
            "DATABASE_URL": f"sqlite:///{folder / self.database}",
            "DATA_DIR": str(folder),
            "SECRET_KEY": _SECRET_KEY,
            "TIMEZONE": "Asia/Shanghai",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }

    def prepare(self, account: Account, api: str, folder: Path) -> None:
        environment = self.environment(account, api, folder, 8000)
        for command in ("migrate", "seed"):
            run(["-m", "bot", command], environment, folder)

    def ready(self, platform: Platform) -> str:
        return "/readyz"
