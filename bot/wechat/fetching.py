"""Media → disk: what residents photographed or said, fetched while the platform still has it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from bot.errors import PlatformError
from bot.services import media
from bot.services.media import Fetched
from bot.wechat.client import WeChatClient
from bot.work import Writing

log = structlog.get_logger()
# The platform's word for a media id it no longer, or never, had.
GONE = frozenset({40004, 40007, 45001})


class Fetching:
    """One a process; ``once`` fetches a batch of what is due."""

    def __init__(self, client: WeChatClient, write: Writing, folder: Path) -> None:
        self._client = client
        self._write = write
        self._folder = folder

    async def once(self) -> list[Fetched]:
        due: list[tuple[int, str]] = await self._write(media.claim)
        if not due:
            return []
        results = await asyncio.gather(*(self._fetch(*one) for one in due))
        await self._write(lambda work: media.settle(work, results))
        return list(results)

    async def _fetch(self, row_id: int, media_id: str) -> Fetched:
        try:
            content, kind = await self._client.fetch_media(media_id)
        except PlatformError as error:
            log.warning("media_not_fetched", media=row_id, errcode=error.errcode)
            return Fetched(row_id, error=f"errcode {error.errcode}", gone=error.errcode in GONE)
        digest = await asyncio.to_thread(media.keep, self._folder, content)
        return Fetched(row_id, digest, kind, len(content))
