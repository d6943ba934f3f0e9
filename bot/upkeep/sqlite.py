"""Copying a SQLite database while others write, and putting a copy in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from bot.errors import ConfigurationError

NAME: Final = "sqlite"
# Rows that a fresh installation has as well.
_ALWAYS = frozenset({"alembic_version", "counter"})


def dump(url: str, copy: Path) -> tuple[str, Mapping[str, int]]:
    """Copy the database as of one moment; returns its revision and the rows of each table."""
    path = _path(url)
    if not path.exists():
        raise _refused(f"没有数据库 {path}，先运行 tongxin migrate")
    with closing(sqlite3.connect(path, timeout=30)) as source, closing(sqlite3.connect(copy)) as to:
        # In one step: in several, each commit of the running server would start it over.
        source.backup(to, pages=-1)
        to.execute("PRAGMA journal_mode=DELETE")
        return _revision(to), _counts(to)


def is_empty(url: str) -> bool:
    """Whether nothing would be lost: no file, or tables without rows."""
    path = _path(url)
    if not path.exists():
        return True
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            counts = _counts(connection)
    except sqlite3.DatabaseError:
        return False
    return not any(count for table, count in counts.items() if table not in _ALWAYS)


def put(url: str, copy: Path, suffix: str) -> None:
    """Put ``copy`` in place of the database, which is kept beside it under ``suffix``."""
    path = _path(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(copy)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise _refused("备份里的数据库已损坏")
    if path.exists():
        _settle(path)
        _copy(path, path.with_name(f"{path.name}.{suffix}"))
    near = path.with_name(f"{path.name}.new")
    _copy(copy, near)
    near.replace(path)


def _copy(source: Path, target: Path) -> None:
    """On disk when it returns, readable by its owner only."""
    shutil.copyfile(source, target)
    target.chmod(0o600)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _settle(path: Path) -> None:
    """Bring the write-ahead log into the file, which succeeds only when nobody else has it open."""
    with closing(sqlite3.connect(path, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise _refused("数据库正在使用，请先停止服务再恢复") from error
        except sqlite3.DatabaseError:
            # Not a database any more: put aside as it is.
            return


def _path(url: str) -> Path:
    return Path(make_url(url).database or "")


def _revision(connection: sqlite3.Connection) -> str:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        row = None
    if row is None:
        raise _refused("数据库还没有建表，先运行 tongxin migrate")
    return str(row[0])


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
        for (name,) in connection.execute(names).fetchall()
    }


def _refused(told: str) -> ConfigurationError:
    return ConfigurationError(told, told=told)
