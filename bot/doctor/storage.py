"""Where the data lies: folder, space, and a database that is there, current and writable."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot import migrations
from bot.db import Database
from bot.doctor.finding import Finding, error, ok, warn
from bot.settings import Settings

GIGABYTE = 1024**3
ENOUGH = 2 * GIGABYTE
LEAST = GIGABYTE // 5


def check_data_dir(folder: Path) -> Iterator[Finding]:
    """Writable, and space for pictures and the database's growth."""
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError:
        yield error(
            f"数据目录 {folder} 不能写入", f"让运行本程序的用户拥有它：chown -R 用户 {there}"
        )
        return
    free = shutil.disk_usage(there).free
    told = f"数据目录 {folder} 剩余 {free / GIGABYTE:.1f} GB"
    if free < LEAST:
        yield error(told, "空间快用完了，请清理磁盘或把 DATA_DIR 移到大的磁盘")
    elif free < ENOUGH:
        yield warn(told, "请尽快清理磁盘或扩容")
    else:
        yield ok(told)


def check_database(settings: Settings) -> list[Finding]:
    """Reachable, at this program's revision, writable: the first that fails ends it."""
    problem = _address(settings)
    if problem is not None:
        return [problem]
    database = Database(settings.database_url)
    try:
        schema = _schema(database)
        return [schema, _writable(database)] if schema.level == "ok" else [schema]
    except SQLAlchemyError as failure:
        return [_unreachable(settings, failure)]
    finally:
        database.close()


def _address(settings: Settings) -> Finding | None:
    try:
        url = make_url(settings.database_url)
    except ArgumentError:
        return error("DATABASE_URL 不是数据库地址", "如 sqlite:///data/tongxin.db")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        return error(f"不支持数据库 {url.get_backend_name()}", "请用 sqlite 或 postgresql")
    # Opening it would create it: the doctor changes nothing.
    if settings.is_sqlite and not Path(url.database or "").exists():
        return error(f"还没有数据库 {url.database}", "运行 tongxin migrate 建立")
    return None


def _schema(database: Database) -> Finding:
    current = migrations.current(database)
    if current == migrations.head():
        return ok(f"数据库结构是最新的（{current}）")
    if current is None:
        return error("数据库还没有建表", "运行 tongxin migrate")
    if migrations.knows(current):
        return error(f"数据库结构是旧的（{current}）", "先备份，再运行 tongxin migrate")
    return error(f"数据库来自更新的版本（{current}）", "升级本程序，或恢复旧的备份")


def _writable(database: Database) -> Finding:
    """Without leaving a trace."""
    with database.engine.connect() as connection:
        connection.execute(text("CREATE TABLE doctor_was_here (id INTEGER)"))
        connection.rollback()
    return ok("数据库可以写入")


def _unreachable(settings: Settings, failure: SQLAlchemyError) -> Finding:
    first = str(getattr(failure, "orig", None) or failure).strip().split("\n")[0]
    if settings.is_sqlite:
        return error(f"数据库打不开或不能写入（{first}）", "检查文件的权限，以及磁盘是否已满")
    shown = make_url(settings.database_url).render_as_string(hide_password=True)
    return error(f"连不上数据库 {shown}（{first}）", "检查数据库是否在运行，以及地址、用户和密码")
