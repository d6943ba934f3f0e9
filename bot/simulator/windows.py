"""When and how often the account may write to someone who did not just ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.simulator.errcodes import RefusalError

MESSAGE = (timedelta(hours=48), 5)
CLICK = (timedelta(minutes=1), 3)


@dataclass(slots=True)
class Window:
    opened: datetime
    closes: datetime
    left: int


class Windows:
    """A long window after a message and a short one after a click, follow or scan."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, dict[str, Window]] = {}

    def after_message(self, openid: str) -> None:
        self._set(openid, "message", *MESSAGE)

    def after_click(self, openid: str) -> None:
        self._set(openid, "click", *CLICK)

    def close(self, openid: str) -> None:
        """Someone left: whatever was open is not any more."""
        self._open.pop(openid, None)

    def take(self, openid: str) -> None:
        """Uses up one message, of the window that closes first; refuses with 45015 or 45047."""
        now = self._clock.now()
        alive = [w for w in self._open.get(openid, {}).values() if w.closes > now]
        if not alive:
            raise RefusalError(45015)
        usable = [window for window in alive if window.left > 0]
        if not usable:
            raise RefusalError(45047)
        min(usable, key=lambda window: window.closes).left -= 1

    def left(self, openid: str) -> int:
        """How many messages could be sent now."""
        now = self._clock.now()
        return sum(w.left for w in self._open.get(openid, {}).values() if w.closes > now)

    def last_seen(self, openid: str) -> datetime | None:
        """When this person last did something that opens a window."""
        windows = self._open.get(openid, {}).values()
        return max((window.opened for window in windows), default=None)

    def _set(self, openid: str, kind: str, length: timedelta, count: int) -> None:
        now = self._clock.now()
        self._open.setdefault(openid, {})[kind] = Window(now, now + length, count)
