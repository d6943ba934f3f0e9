"""A backup taken while others write is whole, holds no key, and comes back exactly."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from bot import migrations
from bot.db import Database
from bot.errors import ConfigurationError
from bot.models import Resident
from bot.settings import Settings
from bot.upkeep import backup, restore
from bot.work import table_of

NOW = datetime(2026, 11, 22, 7, 1, tzinfo=UTC)
SECRET = "a key that must not leave"
RESIDENT = table_of(Resident)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """An installation whose database is migrated and holds resident o0 and one picture."""
    url = f"sqlite:///{tmp_path}/data/tongxin.db" if "sqlite" in database_url else database_url
    made = Settings(_env_file=None, database_url=url, data_dir=tmp_path / "data", secret_key=SECRET)
    with opened(made) as database:
        migrations.upgrade(database)
    add_resident(made, 0)
    add_picture(made, b"a picture")
    return made


class opened:  # noqa: N801  (used as a context manager only)
    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings.database_url)

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.close()


def add_resident(settings: Settings, number: int) -> None:
    with opened(settings) as database, database.write() as connection:
        row = {"id": number + 1, "openid": f"o{number}", "created_at": NOW}
        connection.execute(insert(RESIDENT).values(row))


def residents(settings: Settings) -> list[str]:
    with opened(settings) as database, database.read() as connection:
        return list(connection.execute(select(RESIDENT.c.openid).order_by(RESIDENT.c.id)).scalars())


def add_picture(settings: Settings, content: bytes) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    file = settings.data_dir / "media" / digest[:2] / digest
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def repack(archive: Path, **changed: bytes) -> Path:
    """The archive with members replaced (a _ in a name for its dot) or added."""
    target = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(target, "w:gz") as new:
        contents = {m.name: old.extractfile(m).read() for m in old}  # type: ignore[union-attr]
        for name, content in changed.items():
            contents[name.replace("_", ".")] = content
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


def manifest_of(archive: Path) -> dict[str, object]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile("manifest.json")
        assert file is not None
        return json.load(file)


def test_what_is_restored_is_what_was_backed_up(settings: Settings, tmp_path: Path) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    add_resident(settings, 1)
    later = add_picture(settings, b"a later picture")
    manifest = restore(settings, archive, force=True, now=NOW)
    assert manifest.counts["resident"] == 1
    assert residents(settings) == ["o0"]
    files = [f.read_bytes() for f in (settings.data_dir / "media").glob("*/*")]
    assert files == [b"a picture"]
    aside = settings.data_dir / "media.before-20261122-070100" / later.parent.name / later.name
    assert aside.read_bytes() == b"a later picture"
    with opened(settings) as database:
        assert migrations.current(database) == migrations.head()
        migrations.upgrade(database)


def test_the_old_database_is_kept_aside(settings: Settings, tmp_path: Path) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    add_resident(settings, 1)
    restore(settings, archive, force=True, now=NOW)
    if settings.is_sqlite:
        aside = settings.data_dir / "tongxin.db.before-20261122-070100"
        old = settings.model_copy(update={"database_url": f"sqlite:///{aside}"})
        assert residents(old) == ["o0", "o1"]
        return
    with opened(settings) as database, database.read() as connection:
        rows = connection.execute(text("SELECT openid FROM before_20261122_070100.resident"))
        assert sorted(rows.scalars()) == ["o0", "o1"]


def test_after_a_restore_history_is_still_append_only(settings: Settings, tmp_path: Path) -> None:
    restore(settings, backup(settings, tmp_path), force=True)
    if settings.is_sqlite:
        find = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    else:
        find = (
            "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN "
            "pg_namespace n ON n.oid = c.relnamespace WHERE NOT tgisinternal AND nspname = 'public'"
        )
    with opened(settings) as database, database.read() as connection:
        assert connection.execute(text(find)).scalar_one() == 2


def test_the_archive_says_what_is_in_it_and_holds_no_key(
    settings: Settings, tmp_path: Path
) -> None:
    archive = backup(settings, tmp_path, NOW)
    assert archive.name == "tongxin-20261122-070100.tar.gz"
    assert archive.stat().st_mode & 0o077 == 0
    manifest = manifest_of(archive)
    assert manifest["schema"] == migrations.head()
    assert manifest["made_at"] == "2026-11-22T07:01:00+00:00"
    assert manifest["counts"]["resident"] == 1  # type: ignore[index]
    assert manifest["media"] == 1
    with tarfile.open(archive) as tar:
        everything = b"".join(tar.extractfile(m).read() for m in tar)  # type: ignore[union-attr]
    assert SECRET.encode() not in everything
    assert [file.name for file in tmp_path.glob(".backup-*")] == []


def test_a_backup_while_others_write_is_one_moment(settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        """Residents and pictures two by two: a backup with one of a pair is torn."""
        number = 1
        with opened(settings) as database:
            while not stop.is_set():
                with database.write() as connection:
                    for one in (number, number + 1):
                        row = {"id": one + 1, "openid": f"o{one}", "created_at": NOW}
                        connection.execute(insert(RESIDENT).values(row))
                number += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        while len(counts) < 3:
            manifest = manifest_of(backup(settings, tmp_path / f"{len(counts)}.tar.gz"))
            counts.append(manifest["counts"]["resident"])  # type: ignore[index]
    finally:
        stop.set()
        writer.join()
    assert all(count % 2 == 1 for count in counts), counts
    assert counts[0] < counts[-1]
    restore(settings, tmp_path / "2.tar.gz", force=True)
    assert len(residents(settings)) == counts[-1]


def test_a_database_with_something_in_it_is_not_overwritten(
    settings: Settings, tmp_path: Path
) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    add_resident(settings, 1)
    with pytest.raises(ConfigurationError, match="--force"):
        restore(settings, archive)
    assert residents(settings) == ["o0", "o1"]


def test_an_empty_installation_needs_no_force(settings: Settings, tmp_path: Path) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    if not settings.is_sqlite:
        with opened(settings) as database, database.write() as connection:
            connection.execute(text("DELETE FROM resident"))
        target = settings
    else:
        fresh = {"database_url": f"sqlite:///{tmp_path}/new/x.db", "data_dir": tmp_path / "new"}
        target = settings.model_copy(update=fresh)
    restore(target, archive)
    assert residents(target) == ["o0"]


def test_a_running_server_is_not_replaced_under_its_feet(
    settings: Settings, tmp_path: Path
) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    with opened(settings) as database, database.read() as connection:
        connection.execute(select(RESIDENT.c.id)).all()
        with pytest.raises(ConfigurationError, match="请先停止服务"):
            restore(settings, archive, force=True)
    assert residents(settings) == ["o0"]
    assert [f.read_bytes() for f in (settings.data_dir / "media").glob("*/*")] == [b"a picture"]
    assert not [*settings.data_dir.glob("media.before-*")]


@on_sqlite
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"schema": "9999"}, "更新的版本"),
        ({"database": "postgresql"}, "找不到"),
        ({"media": 2}, "图片应有 2 个，完好的有 1 个"),
        ({"checksum": "0"}, "校验和不对"),
        ({"format": 2}, "不认识的备份格式"),
        ({"extra": 2}, "不认识的备份格式"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    settings: Settings, tmp_path: Path, changed: dict[str, object], told: str
) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    text = json.dumps(manifest_of(archive) | changed).encode()
    with pytest.raises(ConfigurationError, match=told):
        restore(settings, repack(archive, manifest_json=text), force=True)
    assert residents(settings) == ["o0"]


@on_sqlite
def test_a_damaged_or_foreign_archive_is_refused(settings: Settings, tmp_path: Path) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    half = tmp_path / "half.tar.gz"
    half.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    text = tmp_path / "text.tar.gz"
    text.write_text("no archive")
    outside = repack(archive, **{"../evil": b"x"})
    for bad in (half, text, outside, tmp_path / "missing.tar.gz"):
        with pytest.raises(ConfigurationError, match="不是完好的备份"):
            restore(settings, bad, force=True)
    assert residents(settings) == ["o0"]
    assert not [*tmp_path.rglob("evil")]


@on_sqlite
def test_a_picture_being_written_is_left_out(settings: Settings, tmp_path: Path) -> None:
    (settings.data_dir / "media" / "ab").mkdir(exist_ok=True)
    (settings.data_dir / "media" / "ab" / "tmp1x2y3z").write_bytes(b"half")
    assert manifest_of(backup(settings, tmp_path / "backup.tar.gz"))["media"] == 1


@on_sqlite
def test_a_database_that_is_none_yet_is_told(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/none.db"})
    with pytest.raises(ConfigurationError, match="tongxin migrate"):
        backup(nowhere, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_without_the_tools_of_postgresql_a_backup_says_so(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="postgresql-client"):
        backup(settings, tmp_path / "backup.tar.gz")


@on_sqlite
@pytest.mark.parametrize("url", ["sqlite:///{folder}/x.db", "postgresql://u:p4ss@127.0.0.1:9/x"])
def test_a_database_that_cannot_be_opened_is_told(
    settings: Settings, tmp_path: Path, url: str
) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    (tmp_path / "x.db").write_text("no database " * 1000)
    other = settings.model_copy(update={"database_url": url.format(folder=tmp_path)})
    with pytest.raises(ConfigurationError, match="数据库打不开") as error:
        backup(other, tmp_path / "other.tar.gz")
    assert "p4ss" not in str(error.value)
    with pytest.raises(ConfigurationError):
        restore(other, archive)


@on_sqlite
def test_a_file_that_is_no_database_any_more_is_put_aside(
    settings: Settings, tmp_path: Path
) -> None:
    archive = backup(settings, tmp_path / "backup.tar.gz")
    broken = settings.data_dir / "tongxin.db"
    broken.write_text("overwritten " * 1000)
    restore(settings, archive, force=True, now=NOW)
    assert residents(settings) == ["o0"]
    aside = settings.data_dir / "tongxin.db.before-20261122-070100"
    assert aside.read_text().startswith("overwritten")
