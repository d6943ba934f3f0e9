"""QR codes with a parameter: made by the API, scanned by phones."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import segno

from bot.clock import Clock
from bot.simulator.errcodes import RefusalError

LONGEST = 2_592_000
LASTING = 100_000


@dataclass(frozen=True, slots=True)
class QrCode:
    """``expires`` is None for a lasting one."""

    ticket: str
    scene: str
    url: str
    expires: datetime | None = None
    label: str = ""


class QrCodes:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_ticket: dict[str, QrCode] = {}

    def create(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The API's answer to ``qrcode/create``; refuses what is over the platform's limits."""
        action = payload.get("action_name")
        if action not in {"QR_SCENE", "QR_STR_SCENE", "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE"}:
            raise RefusalError(40052)
        lasting = "LIMIT" in action
        scene = _scene(payload, as_text="STR" in action, top=LASTING if lasting else 2**32 - 1)
        seconds = 0 if lasting else _seconds(payload.get("expire_seconds", 60))
        code = self.add(scene, seconds)
        answer: dict[str, Any] = {"ticket": code.ticket, "url": code.url}
        return answer if lasting else answer | {"expire_seconds": seconds}

    def add(self, scene: str, seconds: int = 0, label: str = "") -> QrCode:
        """A code for the scene; a lasting scene has one ticket for ever."""
        if not seconds:
            known = next((c for c in self.alive() if c.scene == scene and not c.expires), None)
            if known:
                return known
            if sum(1 for code in self._by_ticket.values() if not code.expires) >= LASTING:
                raise RefusalError(45029)
        expires = self._clock.now() + timedelta(seconds=seconds) if seconds else None
        code = QrCode(
            # A real ticket is base64 with + and = in it: callers must quote it.
            f"gQ{secrets.token_urlsafe(60)}+A==",
            scene,
            f"http://weixin.qq.com/q/02{secrets.token_urlsafe(16)}",
            expires,
            label,
        )
        self._by_ticket[code.ticket] = code
        return code

    def alive(self) -> list[QrCode]:
        now = self._clock.now()
        return [c for c in self._by_ticket.values() if c.expires is None or c.expires > now]

    def by_scene(self, scene: str) -> QrCode | None:
        """The newest living code of the scene."""
        return next((code for code in reversed(self.alive()) if code.scene == scene), None)

    def picture(self, ticket: str) -> bytes | None:
        """PNG, None when there is no such living ticket."""
        code = next((code for code in self.alive() if code.ticket == ticket), None)
        if code is None:
            return None
        buffer = io.BytesIO()
        segno.make(code.url, error="m", micro=False).save(buffer, kind="png", scale=8, border=3)
        return buffer.getvalue()


def _scene(payload: Mapping[str, Any], *, as_text: bool, top: int) -> str:
    info = payload.get("action_info")
    scene = info.get("scene") if isinstance(info, Mapping) else None
    value = (
        scene.get("scene_str" if as_text else "scene_id") if isinstance(scene, Mapping) else None
    )
    if as_text:
        good = isinstance(value, str) and 1 <= len(value) <= 64
    else:
        good = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= top
    if not good:
        raise RefusalError(40053)
    return str(value)


def _seconds(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= LONGEST:
        raise RefusalError(40053, "expire_seconds")
    return value
