"""The demo: the server and the pretend platform in one process, in an invented subdistrict."""

from __future__ import annotations

import secrets
import shutil
import string
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette

from bot.app import Running
from bot.clock import Clock
from bot.data import PACKAGED_SITE, demo_templates
from bot.machine import Machine, build, load_site
from bot.migrations import upgrade
from bot.settings import Settings
from bot.simulator import Account, Platform, create_simulator

RESIDENTS = (
    ("demo-resident-01", "王奶奶", "82岁，独居"),
    ("demo-resident-02", "小李", "租客，刚搬来"),
    ("demo-resident-03", "陈师傅", "早点铺老板"),
    ("demo-resident-04", "张女士", "两个孩子的妈妈"),
)
ROLES = {
    "desk": "值班员",
    "head": "负责人",
    "supervisor": "分管领导",
    "handler": "承办人",
    "callback": "回访员",
}


def settings_for(base: Settings) -> Settings:
    """The demo's own account, keys and folder: nothing of a real one is touched."""
    folder = base.data_dir / "demo"
    address = f"http://127.0.0.1:{base.port}"
    alphabet = string.ascii_letters + string.digits
    changes: dict[str, Any] = {
        "wechat_appid": "wxdemo0000000000",
        "wechat_secret": secrets.token_hex(16),
        "wechat_token": secrets.token_hex(8),
        "wechat_aes_key": "".join(secrets.choice(alphabet) for _ in range(42)) + "A",
        "wechat_api_base": f"{address}/simulator",
        "database_url": f"sqlite:///{folder}/tongxin.db",
        "data_dir": folder,
        "public_url": address,
        "simulator": True,
    }
    return base.model_copy(update=changes)


def prepare(settings: Settings, say: Callable[[str], None], clock: Clock | None = None) -> Machine:
    """A fresh database with the packaged site. The demo moves time, so nothing old is kept."""
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    settings.data_dir.mkdir(parents=True)
    say("正在读入理解模型…")
    machine = build(settings, clock)
    say("正在建立数据库…")
    upgrade(machine.database)
    say("正在载入示范街道…")
    load_site(machine, PACKAGED_SITE)
    return machine


def simulator_for(machine: Machine) -> Callable[[Running], Starlette]:
    """The pretend platform for ``create_app``; it shares the server's clock and nothing else."""
    settings = machine.settings
    base = f"http://127.0.0.1:{settings.port}"

    def make(running: Running) -> Starlette:
        account = Account.from_settings(settings)
        platform = Platform(account, machine.clock, demo_templates(), base_url=f"{base}/simulator")
        for person in _staff(machine):
            platform.follow(person["openid"])

        async def after_move() -> None:
            await running.ticks.all()

        return create_simulator(
            platform,
            webhook_url=f"{base}/wechat",
            clock=machine.clock,
            people=lambda: _residents() + _staff(machine),
            next_working_day=_site(machine).calendar.opening_after,
            after_move=after_move,
        )

    return make


def _site(machine: Machine) -> Any:
    with machine.database.read() as connection:
        return machine.site(connection)


def _residents() -> list[dict[str, Any]]:
    return [
        {"openid": openid, "name": name, "role": "resident", "title": title}
        for openid, name, title in RESIDENTS
    ]


def _staff(machine: Machine) -> list[dict[str, Any]]:
    site = _site(machine)
    return [
        {
            "openid": person.openid,
            "name": person.name,
            "role": "staff",
            "title": f"{site.units[person.unit_id].name} {_title(person.roles)}",
        }
        for person in site.staff.values()
        if person.openid and person.active
    ]


def _title(roles: list[str]) -> str:
    return next((title for role, title in ROLES.items() if role in roles), "")
