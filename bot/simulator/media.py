"""Pictures and voices of the last three days, and samples of both made here."""

from __future__ import annotations

import secrets
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock

LIFETIME = timedelta(days=3)
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "voice/amr": "amr"}
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True, slots=True)
class Media:
    media_id: str
    content: bytes
    content_type: str
    expires: datetime

    @property
    def filename(self) -> str:
        return f"{self.media_id}.{SUFFIXES.get(self.content_type, 'bin')}"


class MediaStore:
    def __init__(self, clock: Clock, size: int = 1000) -> None:
        self._clock = clock
        self._size = size
        self._kept: dict[str, Media] = {}

    def put(self, content: bytes, content_type: str) -> Media:
        """Keeps it for three days, and at most ``size`` of them."""
        if len(self._kept) >= self._size:
            del self._kept[next(iter(self._kept))]
        media = Media(
            secrets.token_urlsafe(48), content, content_type, self._clock.now() + LIFETIME
        )
        self._kept[media.media_id] = media
        return media

    def get(self, media_id: str) -> Media | None:
        """None when unknown or expired, which the platform does not tell apart either."""
        media = self._kept.get(media_id)
        return media if media and media.expires > self._clock.now() else None


def image_type(content: bytes) -> str:
    """The MIME type by the first bytes, empty when it is no picture."""
    return next((kind for magic, kind in MAGIC.items() if content.startswith(magic)), "")


def sample_voice(seconds: int = 3) -> bytes:
    """A valid AMR file (8 kHz, 12.2 kbit/s) with nothing to hear in it."""
    frame = b"\x3c" + bytes(31)
    return b"#!AMR\n" + frame * (50 * max(1, min(seconds, 60)))


def sample_picture() -> bytes:
    """A dark stairwell with a dead lamp, as PNG: what residents photograph most."""
    canvas = _Canvas(240, 320, (46, 50, 58))
    canvas.rect(0, 0, 240, 46, (34, 37, 44))
    canvas.rect(100, 46, 40, 8, (20, 22, 26))
    canvas.rect(106, 54, 28, 20, (96, 98, 92))
    canvas.rect(112, 74, 16, 4, (70, 72, 68))
    canvas.rect(150, 110, 64, 150, (88, 62, 44))
    canvas.rect(156, 118, 52, 60, (102, 74, 54))
    canvas.rect(200, 188, 6, 6, (190, 170, 110))
    for step in range(6):
        shade = 62 + step * 9
        canvas.rect(0, 210 + step * 18, 130 - step * 16, 18, (shade, shade, shade + 6))
    canvas.rect(0, 318, 240, 2, (20, 22, 26))
    return canvas.png()


class _Canvas:
    def __init__(self, width: int, height: int, colour: tuple[int, int, int]) -> None:
        self.width, self.height = width, height
        self.rows = [bytearray(bytes(colour) * width) for _ in range(height)]

    def rect(self, x: int, y: int, wide: int, high: int, colour: tuple[int, int, int]) -> None:
        for row in self.rows[y : y + high]:
            row[x * 3 : (x + wide) * 3] = bytes(colour) * (min(x + wide, self.width) - x)

    def png(self) -> bytes:
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        pixels = zlib.compress(b"".join(b"\x00" + bytes(row) for row in self.rows))
        chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
