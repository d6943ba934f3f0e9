"""Every HTTP exchange with the server, in both directions, with the secrets painted over."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.clock import Clock

Direction = Literal["webhook", "api"]
HIDDEN = "***"
LONGEST = 16_384
_FIELDS = re.compile(
    r"""((?:access_token|secret)(?:=|["']?\s*:\s*["']))([^&"'\s]+)""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Record:
    """``webhook`` is the platform calling the server, ``api`` the server calling the platform.

    The ``plain`` texts hold what was inside the encryption, empty where there was none; ``status``
    is 0 when no answer came; ``ms`` milliseconds.
    """

    seq: int
    at: datetime
    direction: Direction
    method: str
    path: str
    query: str
    request: str
    request_plain: str
    status: int
    response: str
    response_plain: str
    ms: float
    note: str

    def summary(self) -> dict[str, Any]:
        """One line of the drawer."""
        names = ("seq", "direction", "method", "path", "status", "note")
        short: dict[str, Any] = {name: getattr(self, name) for name in names}
        return short | {"at": self.at.timestamp(), "ms": round(self.ms, 1)}

    def as_json(self) -> dict[str, Any]:
        names = ("query", "request", "request_plain", "response", "response_plain")
        return self.summary() | {name: getattr(self, name) for name in names}


class WireLog:
    """The last ``size`` exchanges; ``size`` 0 keeps none and costs nothing."""

    def __init__(self, clock: Clock, secrets: Callable[[], Iterable[str]], size: int = 500) -> None:
        self._clock = clock
        self._secrets = secrets
        self._records: deque[Record] = deque(maxlen=size)
        self.size = size
        self.last = 0

    def add(
        self,
        direction: Direction,
        method: str,
        path: str,
        *,
        query: str = "",
        request: bytes | str = "",
        request_plain: str = "",
        status: int = 0,
        response: bytes | str = "",
        response_plain: str = "",
        ms: float = 0.0,
        note: str = "",
    ) -> None:
        """Scrubbed before it is kept: a token may be forgotten before the log is read."""
        if not self.size:
            return
        self.last += 1
        hide = self._scrubber()
        self._records.append(
            Record(
                self.last,
                self._clock.now(),
                direction,
                method,
                path,
                hide(query),
                hide(request),
                hide(request_plain),
                status,
                hide(response),
                hide(response_plain),
                ms,
                hide(note),
            )
        )

    def since(self, seq: int = 0) -> list[Record]:
        return [record for record in self._records if record.seq > seq]

    def get(self, seq: int) -> Record | None:
        return next((record for record in self._records if record.seq == seq), None)

    def _scrubber(self) -> Callable[[bytes | str], str]:
        secrets = [value for value in self._secrets() if value]

        def hide(value: bytes | str) -> str:
            text = _readable(value) if isinstance(value, bytes) else value
            for secret in secrets:
                text = text.replace(secret, HIDDEN)
            # Shortened only now: a cut through the middle of a secret would leave half of it.
            return _shortened(_FIELDS.sub(rf"\1{HIDDEN}", text))

        return hide


def _readable(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"({len(body)} bytes)"


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)})"
