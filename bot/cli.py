"""The command line: what an operator types. Each command calls one service and says what it did.

What only one command needs (the demo with its simulator, backups, training) it imports itself, so
that ``serve`` is ready the sooner.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError
from starlette.applications import Starlette

from bot import doctor as checks
from bot import logs
from bot.app import FrontDoor, Running, create_app, open_client
from bot.clock import Clock
from bot.data import PACKAGED_SITE
from bot.errors import ConfigurationError, PlatformError, TongxinError
from bot.machine import Machine, build, load_site
from bot.migrations import upgrade
from bot.services import site as sites
from bot.services import staff as staffing
from bot.services import tokens
from bot.settings import Settings
from bot.site_file import read as read_site
from bot.ticks import Ticks
from bot.wechat import setup
from bot.wechat.delivery import Delivery
from bot.wechat.errcodes import classify as classify_code
from bot.wechat.fetching import Fetching
from intents.engine.catalogue import CatalogueError
from intents.engine.engine import Engine
from intents.engine.gazetteer import Gazetteer
from intents.engine.model import PACKAGED as PACKAGED_MODEL
from intents.training.classify import classify as classify_lines
from intents.training.evaluate import evaluate as evaluate_file
from intents.training.evaluate import table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="同心：街道公众号服务。先看 tongxin demo，再看 README。",
)
site_app = typer.Typer(no_args_is_help=True, help="站点文件：区域、单位、职责、人员。")
staff_app = typer.Typer(no_args_is_help=True, help="工作人员。")
menu_app = typer.Typer(no_args_is_help=True, help="公众号菜单。")
app.add_typer(site_app, name="site")
app.add_typer(staff_app, name="staff")
app.add_typer(menu_app, name="menu")
say = Console(stderr=True, highlight=False, soft_wrap=True).print

Now = Annotated[str, typer.Option(help="当作现在的时刻，ISO 8601，例如 2026-11-23T10:00+08:00")]


def main() -> None:
    """Errors we can explain are one plain line and exit code 1; all others are bugs and show."""
    try:
        app()
    except (TongxinError, CatalogueError, ValidationError, OSError, DBAPIError) as error:
        say(f"[red]错误：[/red]{escape(_explained(error))}")
        sys.exit(1)


def _explained(error: Exception) -> str:
    """What went wrong and what to do, for the person at the keyboard."""
    if isinstance(error, PlatformError):
        return f"{classify_code(error.errcode).advice}（{error}）"
    if isinstance(error, ValidationError):
        wrong = ("".join(map(str, e["loc"])).upper() + f"：{e['msg']}" for e in error.errors())
        return "设置不对。" + "；".join(wrong)
    if isinstance(error, DBAPIError):
        return f"数据库用不了：{error.orig}。还没建立的话先运行 tongxin migrate；再用 tongxin doctor 检查。"
    if isinstance(error, TongxinError) and error.told != TongxinError.told:
        return error.told
    return str(error)


@contextmanager
def _machine(now: str = "") -> Iterator[Machine]:
    settings = Settings()
    machine = build(settings, _clock(now, settings))
    try:
        yield machine
    finally:
        machine.close()


def _clock(now: str, settings: Settings) -> Clock:
    if not now:
        return Clock()
    return Clock(_instant(now, settings) - datetime.now(UTC))


def _instant(now: str, settings: Settings) -> datetime:
    if not now:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(now)
    except ValueError as error:
        raise ConfigurationError(f"--now {now!r} is not ISO 8601") from error
    return at if at.tzinfo else at.replace(tzinfo=settings.zone)


# --- running -----------------------------------------------------------------------------------


@app.command()
def serve() -> None:
    """启动服务。有错误的设置时先说清楚，不启动。"""
    settings = Settings()
    logs.configure()
    findings = checks.check_offline(settings)
    if _report([finding for finding in findings if finding.level != "ok"]):
        raise typer.Exit(1)
    machine = build(settings)
    front = create_app(machine, _simulator(machine) if settings.simulator else None)
    say(f"正在监听 http://{settings.host}:{settings.port}")
    _run(front, settings)


def _simulator(machine: Machine) -> Callable[[Running], Starlette]:
    from bot import demo as demonstration

    return demonstration.simulator_for(machine)


@app.command()
def demo() -> None:
    """一条命令看全部：示范街道、服务和模拟的微信，在一个网页里。"""
    from bot import demo as demonstration

    logs.configure("WARNING")
    settings = demonstration.settings_for(Settings())
    machine = demonstration.prepare(settings, say)
    front = create_app(machine, demonstration.simulator_for(machine))
    say(
        f"\n  请用浏览器打开：[bold]http://127.0.0.1:{settings.port}/simulator/[/bold]\n  按 Ctrl+C 结束。\n"
    )
    _run(front, settings)


def _run(front: FrontDoor, settings: Settings) -> None:
    uvicorn.run(
        front,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "auto",
        http="httptools",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
    )


@app.command()
def chat(now: Now = "") -> None:
    """在终端里说话，和在微信里一样。/谁 换人，/过 小时数 过时间。"""
    from bot import demo as demonstration
    from bot.chat import chat as talk

    logs.configure("WARNING")
    settings = demonstration.settings_for(Settings())
    settings = settings.model_copy(update={"data_dir": settings.data_dir.with_name("chat")})
    settings.database_url = f"sqlite:///{settings.data_dir}/tongxin.db"
    machine = demonstration.prepare(settings, say, _clock(now, settings))
    talk(machine)


@app.command()
def tick(now: Now = "") -> None:
    """把所有定时的事做一遍（提醒、到期、推送），打印做了什么（JSON）。"""
    logs.configure("WARNING")
    with _machine(now) as machine:
        print(json.dumps(asyncio.run(_tick(machine)), ensure_ascii=False, indent=2))


async def _tick(machine: Machine) -> dict[str, Any]:
    async def write(job: Any) -> Any:
        return machine.write(job)

    async with open_client(machine) as client:
        folder = machine.settings.data_dir / "media"
        ticks = Ticks(write, Delivery(client, write), Fetching(client, write, folder))
        return await ticks.all()


@app.command()
def doctor() -> None:
    """检查设置、数据库、站点和微信接口，用大白话说哪里不对、怎么改。"""
    logs.configure("ERROR")
    settings = Settings()
    findings = [*checks.check_offline(settings), *asyncio.run(checks.check_online(settings))]
    if _report(findings):
        raise typer.Exit(1)


def _report(findings: list[checks.Finding]) -> bool:
    """Print the findings; True when one of them is an error."""
    marks = {"ok": "[green]✓[/green]", "warn": "[yellow]![/yellow]", "error": "[red]✗[/red]"}
    for finding in findings:
        say(
            f"{marks[finding.level]} {escape(finding.title)}"
            + (f"\n    {escape(finding.advice)}" if finding.advice else "")
        )
    return any(finding.level == "error" for finding in findings)


# --- the site ----------------------------------------------------------------------------------


@app.command()
def migrate() -> None:
    """建立或升级数据库的表。"""
    with _machine() as machine:
        upgrade(machine.database)
        say("数据库已是最新。")


@app.command()
def seed() -> None:
    """载入示范街道，打印它的区域、单位和人员（JSON）。"""
    with _machine() as machine:
        upgrade(machine.database)
        load_site(machine, PACKAGED_SITE)
        with machine.database.read() as connection:
            print(
                json.dumps(sites.describe(machine.site(connection)), ensure_ascii=False, indent=2)
            )


@site_app.command("check")
def site_check(file: Path) -> None:
    """检查站点文件，说出错在哪一行。"""
    checked = read_site(file)
    say(
        f"{file} 没有错误：{len(checked.areas)} 个区域，"
        f"{len(checked.units)} 个单位，{len(checked.staff)} 名人员。"
    )


@site_app.command("load")
def site_load(file: Path) -> None:
    """检查并载入站点文件；重复载入不会有害。"""
    with _machine() as machine:
        changes = load_site(machine, file)
        say(f"已载入（第 {changes.version} 版）。" if changes else "没有变化。")
        for name, what in _CHANGES.items():
            if things := getattr(changes, name):
                shown = "、".join(things[:8]) + ("…" if len(things) > 8 else "")
                say(f"{what} {len(things)} 项：{escape(shown)}")


_CHANGES = {
    "added": "新增",
    "changed": "修改",
    "removed": "删除",
    "deactivated": "停用",
    "kept": "还在使用、没有删",
    "warnings": "请注意",
}


@staff_app.command("code")
def staff_code(name: str) -> None:
    """给一名工作人员发一次性绑定码，24小时有效。"""
    with _machine() as machine:
        code = machine.write(lambda work: staffing.issue_code(work, name))
        say(f"请{name}在公众号里发送（24小时内有效，只能用一次）：")
        print(f"绑定 {code}")


@app.command()
def token(
    staff: Annotated[str, typer.Option(help="只能代表这名工作人员；不写则可以代表所有人")] = "",
    note: Annotated[str, typer.Option(help="给谁用的")] = "",
) -> None:
    """发一个接口令牌，只显示这一次（打印在最后一行）。"""
    with _machine() as machine:
        made = machine.write(lambda work: tokens.issue(work, note, staff or None))
        print(made)


# --- understanding -----------------------------------------------------------------------------


def _gazetteer() -> Gazetteer:
    """The places of the packaged site: classify and evaluate need no database."""
    areas = read_site(PACKAGED_SITE).areas
    return Gazetteer([(area.name, tuple(area.aliases)) for area in areas])


@app.command()
def classify(now: Now = "") -> None:
    """从标准输入逐行读消息，逐行输出理解（JSON）。"""
    settings = Settings()
    engine = Engine.load(cache_dir=settings.data_dir / "cache")
    at = _instant(now, settings)
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    for line in classify_lines(engine, sys.stdin, gazetteer=_gazetteer(), at=at):
        print(json.dumps(line, ensure_ascii=False), flush=True)


@app.command()
def evaluate(
    file: Path, json_path: Annotated[Path | None, typer.Option("--json")] = None, now: Now = ""
) -> None:
    """在标注过的文件上量一量理解得怎么样。"""
    settings = Settings()
    engine = Engine.load(cache_dir=settings.data_dir / "cache")
    report = evaluate_file(engine, file, gazetteer=_gazetteer(), at=_instant(now, settings))
    print(table(report))
    if json_path is not None:
        json_path.write_text(json.dumps(report, ensure_ascii=False, indent=2), "utf-8")


@app.command()
def train(out: Annotated[Path, typer.Option(help="写到哪里")] = PACKAGED_MODEL) -> None:
    """从语料重新训练理解模型。"""
    try:
        # scikit-learn is an extra: the server must start without it.
        from intents.training.train import train as run_training
    except ImportError as error:
        raise ConfigurationError(
            "training needs the extra: pip install 'tongxin[train]'"
        ) from error
    print(json.dumps(run_training(out, progress=say), ensure_ascii=False, indent=2))


# --- the account -------------------------------------------------------------------------------


@menu_app.command("push")
def menu_push() -> None:
    """把菜单放到公众号上。"""

    async def push(machine: Machine) -> None:
        async with open_client(machine) as client:
            await client.create_menu(setup.MENU)

    with _machine() as machine:
        asyncio.run(push(machine))
        say("菜单已更新，手机上几分钟后生效（取消关注再关注可立即看到）。")


@app.command()
def qrcode(
    area: str, out: Annotated[Path | None, typer.Option(help="图片写到哪里")] = None
) -> None:
    """打印并保存一个区域的二维码：扫了就知道居民在哪里。"""

    async def make(machine: Machine, path: Path) -> str:
        with machine.database.read() as connection:
            scene = setup.scene(machine.site(connection), area)
        async with open_client(machine) as client:
            return await setup.qrcode(client, scene, path)

    with _machine() as machine:
        path = out or machine.settings.data_dir / "qrcodes" / f"{area}.png"
        print(asyncio.run(make(machine, path)))
        say(f"已保存：{path}")


# --- upkeep ------------------------------------------------------------------------------------


@app.command()
def backup(target: Annotated[Path, typer.Argument()] = Path("backups")) -> None:
    """备份数据库和照片（不用停服务）。SECRET_KEY 不在里面，请另外保管。"""
    from bot import upkeep

    say(f"已备份：{upkeep.backup(Settings(), target)}")


@app.command()
def restore(
    archive: Path, force: Annotated[bool, typer.Option(help="覆盖现有数据")] = False
) -> None:
    """从备份恢复。"""
    from bot import upkeep

    upkeep.restore(Settings(), archive, force=force)
    say("已恢复。")
