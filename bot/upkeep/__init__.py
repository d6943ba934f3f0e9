"""Backup and restore: the database and the residents' pictures in one file, taken while running.

SECRET_KEY is not in it and must be kept elsewhere: without it names, phones and homes in a backup
stay sealed, and with it in the same file they would not be.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot import migrations
from bot.clock import Clock
from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.upkeep import postgres, sqlite
from bot.upkeep.archive import FILES, Manifest, checksum, pack, unpack

__all__ = ["Manifest", "backup", "restore"]

Undo = Callable[[], None]


def backup(settings: Settings, target: Path, now: datetime | None = None) -> Path:
    """Write an archive to ``target`` (….tar.gz), or into it as a folder; returns the file.

    Safe while the server runs: the database is copied as of one moment, and the pictures that it
    names were on disk before their rows were.
    """
    at = (now or Clock().now()).astimezone(UTC)
    if target.is_dir() or not target.name.endswith((".tar.gz", ".tgz")):
        target.mkdir(parents=True, exist_ok=True)
        target /= f"tongxin-{at:%Y%m%d-%H%M%S}.tar.gz"
    file = target
    engine = sqlite if settings.is_sqlite else postgres
    with _plainly(), _beside(file, ".backup-") as folder:
        copy = folder / FILES[engine.NAME]
        schema, counts = engine.dump(settings.database_url, copy)
        manifest = Manifest(engine.NAME, schema, at.isoformat(), counts, checksum(copy))
        pack(file, manifest, copy, settings.data_dir / "media")
    return file


def restore(
    settings: Settings, archive: Path, *, force: bool = False, now: datetime | None = None
) -> Manifest:
    """Put an archive in place of the database and pictures; what was there is kept aside.

    All or nothing. Raises ConfigurationError, without having touched anything, for a damaged
    archive, one of a newer program or another kind of database, a running server, and, without
    ``force``, a database with something in it.
    """
    engine = sqlite if settings.is_sqlite else postgres
    media = settings.data_dir / "media"
    with _plainly(), _beside(media, ".restore-") as folder:
        if not force and not engine.is_empty(settings.database_url):
            raise _refused(
                "数据库里已有数据，没有恢复。确定要替换请加 --force（原有数据会留在一旁）"
            )
        manifest = unpack(archive, folder)
        _check(manifest, engine.NAME)
        suffix = f"before-{(now or Clock().now()).astimezone(UTC):%Y%m%d-%H%M%S}"
        undo = _swap_folder(folder / "media", media, suffix)
        try:
            engine.put(settings.database_url, folder / FILES[engine.NAME], suffix)
        except BaseException:
            undo()
            raise
    return manifest


@contextmanager
def _beside(file: Path, prefix: str) -> Iterator[Path]:
    """A folder on the same disk as ``file``, so that moving there is atomic; gone afterwards."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=prefix) as folder:
        yield Path(folder)


@contextmanager
def _plainly() -> Iterator[None]:
    """What the disk and the database may answer, in words; never the password of the address."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        first = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise _refused(f"数据库打不开：{first}") from error
    except OSError as error:
        raise _refused(f"读写 {error.filename} 失败：{error.strerror}") from error


def _check(manifest: Manifest, engine: str) -> None:
    if manifest.database != engine:
        raise _refused(f"这个备份是 {manifest.database} 的，而 DATABASE_URL 是 {engine} 的")
    if not migrations.knows(manifest.schema):
        raise _refused(f"这个备份来自更新的版本（数据库结构 {manifest.schema}），请先升级程序")


def _swap_folder(new: Path, place: Path, suffix: str) -> Undo:
    """Move ``new`` to ``place`` and what was there aside; returns how to take it back."""
    aside = place.with_name(f"{place.name}.{suffix}")
    had = place.exists()
    if had:
        place.rename(aside)
    new.mkdir(exist_ok=True)
    new.rename(place)

    def undo() -> None:
        place.rename(new)
        if had:
            aside.rename(place)

    return undo


def _refused(told: str) -> ConfigurationError:
    return ConfigurationError(told, told=told)
