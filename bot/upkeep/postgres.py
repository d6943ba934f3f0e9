"""The same for PostgreSQL, with its own pg_dump and psql."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, make_url, text

from bot.db import Database
from bot.errors import ConfigurationError

NAME: Final = "postgresql"
_SCHEMA = "public"
_ALWAYS = frozenset({"alembic_version", "counter"})


def dump(url: str, copy: Path) -> tuple[str, Mapping[str, int]]:
    """Dump the database as of one moment; returns its revision and the rows of each table."""
    database = Database(url)
    try:
        with database.read() as connection:
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
            counts = _counts(connection)
            if not counts.get("alembic_version"):
                raise _refused("数据库还没有建表，先运行 tongxin migrate")
            select = text("SELECT version_num FROM alembic_version")
            revision = str(connection.execute(select).scalar_one())
            _run(
                "pg_dump",
                url,
                f"--snapshot={snapshot}",
                f"--schema={_SCHEMA}",
                "--no-owner",
                "--no-privileges",
                f"--file={copy}",
            )
    finally:
        database.close()
    return revision, counts


def is_empty(url: str) -> bool:
    """Whether nothing would be lost: no tables, or none with rows."""
    database = Database(url)
    try:
        with database.read() as connection:
            counts = _counts(connection)
    finally:
        database.close()
    return not any(count for table, count in counts.items() if table not in _ALWAYS)


def put(url: str, copy: Path, suffix: str) -> None:
    """Restore ``copy`` in one transaction; the old tables are kept in a schema named ``suffix``."""
    _alone(url)
    aside = suffix.replace("-", "_")
    _run(
        "psql",
        url,
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        f"--command=ALTER SCHEMA {_SCHEMA} RENAME TO {aside}",
        f"--file={copy}",
    )


def _alone(url: str) -> None:
    """A server that is running would go on writing into tables that it holds to be the new ones."""
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    database = Database(url)
    try:
        with database.read() as connection:
            if connection.execute(others).scalar_one():
                raise _refused("数据库正在使用，请先停止服务再恢复")
    finally:
        database.close()


def _counts(connection: Connection) -> dict[str, int]:
    names = inspect(connection).get_table_names()
    return {
        name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608
        for name in names
    }


def _run(program: str, url: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, not by ``ps``."""
    path = shutil.which(program)
    if path is None:
        raise _refused(f"找不到 {program}，请安装 postgresql-client（版本不低于数据库服务器）")
    address = make_url(url).set(drivername="postgresql")
    environment = os.environ | {"PGPASSWORD": address.password or ""}
    where = address.set(password=None).render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603  (our own arguments, no shell)
        [path, f"--dbname={where}", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        raise _refused(f"{program} 没有成功：{last[0]}")


def _refused(told: str) -> ConfigurationError:
    return ConfigurationError(told, told=told)
