"""What each follower's phone shows, oldest first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.clock import Clock

Side = Literal["me", "account", "system"]
TYPING = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Bubble:
    """One line of the chat. ``via``: passive, custom or template; ``data`` depends on ``kind``."""

    seq: int
    openid: str
    at: datetime
    side: Side
    kind: str
    text: str = ""
    via: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "at": self.at.timestamp(),
            "side": self.side,
            "kind": self.kind,
            "text": self.text,
            "via": self.via,
            "data": self.data,
        }


class Phones:
    """Bounded: each phone remembers its last ``size`` bubbles."""

    def __init__(self, clock: Clock, size: int = 200) -> None:
        self._clock = clock
        self._size = size
        self._chats: dict[str, deque[Bubble]] = {}
        self._typing: dict[str, datetime] = {}
        self.last = 0

    def add(
        self,
        openid: str,
        side: Side,
        kind: str,
        text: str = "",
        *,
        via: str = "",
        data: dict[str, Any] | None = None,
    ) -> Bubble:
        """Shows it; an answer ends the account's «typing»."""
        self.last += 1
        bubble = Bubble(self.last, openid, self._clock.now(), side, kind, text, via, data or {})
        self._chats.setdefault(openid, deque(maxlen=self._size)).append(bubble)
        if side == "account":
            self._typing.pop(openid, None)
        return bubble

    def chat(self, openid: str, since: int = 0) -> list[Bubble]:
        """Everything on the screen, what the person sent included."""
        return [bubble for bubble in self._chats.get(openid, ()) if bubble.seq > since]

    def received(self, openid: str, since: int = 0) -> list[Bubble]:
        """Only what came in, the platform's notice of a failure included."""
        return [bubble for bubble in self.chat(openid, since) if bubble.side != "me"]

    def set_typing(self, openid: str, on: bool) -> bool:
        """False when the account is typing already."""
        if on and self.is_typing(openid):
            return False
        if on:
            self._typing[openid] = self._clock.now() + TYPING
        else:
            self._typing.pop(openid, None)
        return True

    def is_typing(self, openid: str) -> bool:
        until = self._typing.get(openid)
        return until is not None and until > self._clock.now()
