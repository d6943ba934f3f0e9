"""Pictures and voices: WeChat keeps them three days, so each is a row that must be fetched."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlmodel import col

from bot.conversation.incoming import Incoming
from bot.models import Media, Message
from bot.work import Work

KEPT: Final = timedelta(days=3)
LEASE: Final = timedelta(minutes=2)
KINDS: Final = frozenset({"image", "voice", "video"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one fetch; ``error`` empty when it is on disk."""

    id: int
    sha256: str = ""
    content_type: str = ""
    size: int = 0
    error: str = ""
    gone: bool = False


def received(work: Work, message: Message, incoming: Incoming) -> None:
    if incoming.kind in KINDS and incoming.media_id:
        work.add(
            Media,
            message_id=message.id,
            media_id=incoming.media_id,
            kind=incoming.kind,
            created_at=work.now,
            due_at=work.now,
        )


def claim(work: Work, limit: int = 8) -> list[tuple[int, str]]:
    """(id, media_id) of what is due, ours for ``LEASE``."""
    where = (col(Media.state) == "pending", col(Media.due_at) <= work.now)
    rows = work.find(
        Media, *where, order=[col(Media.due_at)], limit=limit, lock=True, skip_locked=True
    )
    for row in rows:
        row.due_at = work.now + LEASE
        row.attempts += 1
    return [(row.id, row.media_id) for row in rows]


def settle(work: Work, results: Sequence[Fetched]) -> None:
    """Fetched is stored; gone or older than three days is lost; the rest is tried again, later."""
    found = work.find(Media, col(Media.id).in_([r.id for r in results]), limit=len(results) or 1)
    by_id = {row.id: row for row in found}
    for result in results:
        row = by_id[result.id]
        if not result.error:
            row.state, row.error = "stored", ""
            row.sha256, row.size = result.sha256, result.size
            row.content_type = result.content_type
        elif result.gone or work.now - row.created_at > KEPT:
            row.state, row.error = "lost", result.error
        else:
            row.error = result.error
            row.due_at = work.now + timedelta(minutes=min(2 ** min(row.attempts, 5), 30))


def keep(folder: Path, content: bytes) -> str:
    """Write ``content`` under its SHA-256, durably, once; returns the hash."""
    digest = hashlib.sha256(content).hexdigest()
    target = folder / digest[:2] / digest
    if target.exists():
        return digest
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(target)
    return digest
