"""What goes wrong on purpose: errcodes, HTTP errors and slow answers, a number of times each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """``errcode`` or ``status`` is what the caller sees; with ``done`` the work is done first."""

    path: str
    times: int = 1
    errcode: int = 0
    status: int = 200
    delay: float = 0.0
    done: bool = False

    @property
    def breaks(self) -> bool:
        """Whether the caller sees a failure, and not only slowness."""
        return bool(self.errcode) or self.status != 200


class Faults:
    """``latency`` is waited before every API answer, in seconds."""

    def __init__(self) -> None:
        self.latency = 0.0
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def next(self, path: str) -> Fault | None:
        """The fault this call runs into, counted; faults for a path come in the order given."""
        for fault in self._waiting:
            if fault.path == path:
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    async def wait(self, fault: Fault | None) -> None:
        delay = self.latency + (fault.delay if fault else 0.0)
        if delay > 0:
            await asyncio.sleep(delay)
