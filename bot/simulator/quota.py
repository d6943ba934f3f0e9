"""How often something may be done in a minute or a day."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


class Quota:
    """Counts calls in the current Beijing day or minute and forgets them with it."""

    def __init__(self, limit: int, per: str = "day") -> None:
        self.limit = limit
        self._shape = "%Y%m%d" if per == "day" else "%Y%m%d%H%M"
        self._period = ""
        self.used = 0

    def take(self, now: datetime) -> bool:
        """False, and nothing counted, when the limit is reached."""
        period = now.astimezone(BEIJING).strftime(self._shape)
        if period != self._period:
            self._period, self.used = period, 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True
