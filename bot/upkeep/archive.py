"""The archive: manifest.json, the database's copy, and media/ by content hash, in one tar.gz."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from bot.errors import ConfigurationError

FORMAT: Final = 1
# What the database's copy is called, by kind of database.
FILES: Final[Mapping[str, str]] = {"sqlite": "database.sqlite", "postgresql": "database.sql"}
_MANIFEST: Final = "manifest.json"
_MEDIUM: Final = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """``schema`` is the migration; ``counts`` rows a table; ``checksum`` of the database's copy."""

    database: str
    schema: str
    made_at: str
    counts: Mapping[str, int]
    checksum: str
    media: int = 0


def checksum(file: Path) -> str:
    """SHA-256 in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def pack(target: Path, manifest: Manifest, copy: Path, media: Path) -> None:
    """Write ``target`` whole or not at all, readable by its owner only."""
    pictures = sorted(file for file in media.glob("*/*") if _is_medium(file))
    told = asdict(manifest) | {"format": FORMAT, "media": len(pictures)}
    part = copy.with_name("part")
    part.touch(0o600, exist_ok=False)
    with part.open("wb") as opened:
        with tarfile.open(fileobj=opened, mode="w:gz", compresslevel=6) as tar:
            _add_text(tar, _MANIFEST, json.dumps(told, ensure_ascii=False, indent=2))
            tar.add(copy, copy.name)
            for file in pictures:
                tar.add(file, f"media/{file.parent.name}/{file.name}")
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(target)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Everything checked against the manifest; ConfigurationError for what is not as packed."""
    try:
        with tarfile.open(archive) as tar:
            # extract(filter=…) is not in the Python 3.11 of Debian 12.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            for member in tar:
                _expect(member)
                tar.extract(member, folder)
        manifest = _manifest(folder / _MANIFEST)
        _verify(folder, manifest)
    except FileNotFoundError as error:
        raise _damaged(archive, f"找不到 {error.filename}") from error
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, KeyError) as error:
        raise _damaged(archive, str(error)) from error
    return manifest


def _expect(member: tarfile.TarInfo) -> None:
    known = member.name == _MANIFEST or member.name in FILES.values()
    if not member.isfile() or not (known or _MEDIUM.fullmatch(member.name)):
        raise ValueError(f"多出了 {member.name}")


def _manifest(file: Path) -> Manifest:
    told = json.loads(file.read_text("utf-8"))
    if told.pop("format") != FORMAT or told.keys() != {one.name for one in fields(Manifest)}:
        raise ValueError("不认识的备份格式")
    return Manifest(**told)


def _verify(folder: Path, manifest: Manifest) -> None:
    if checksum(folder / FILES[manifest.database]) != manifest.checksum:
        raise ValueError("数据库的校验和不对")
    pictures = [file for file in folder.glob("media/*/*") if checksum(file) == file.name]
    if len(pictures) != manifest.media:
        raise ValueError(f"图片应有 {manifest.media} 个，完好的有 {len(pictures)} 个")


def _is_medium(file: Path) -> bool:
    """Not one that is just being written."""
    return _MEDIUM.fullmatch(f"media/{file.parent.name}/{file.name}") is not None


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _damaged(archive: Path, why: str) -> ConfigurationError:
    told = f"{archive} 不是完好的备份：{why}"
    return ConfigurationError(told, told=told)
