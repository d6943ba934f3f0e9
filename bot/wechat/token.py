"""The access token of one process: fetched once for all who wait, renewed before it ends.

A token that is refused is replaced once. When its successor is refused too, that is remembered:
asking again for every message in the outbox would only use up the day's quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.wechat.transport import Refusal

QUIET = 60.0  # seconds for which a lasting refusal is remembered
EARLY = 240.0  # the platform hands out a new token only in the last 300 seconds of the old
PAUSE = 10.0  # seconds before a failed early renewal is tried again


@dataclass(slots=True, eq=False)
class Token:
    """Compared by identity: the platform may answer a renewal with the same value."""

    value: str = field(repr=False)
    renew_at: float
    expires_at: float


Fetched = tuple[str, float] | Refusal  # the value and for how many seconds it holds


class TokenKeeper:
    def __init__(self, fetch: Callable[[], Awaitable[Fetched]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: Token | None = None
        self._flight: asyncio.Task[Token | Refusal] | None = None
        self._refusal: Refusal | None = None
        self._quiet_until = 0.0
        self._replaced_at = float("-inf")

    async def get(self) -> Token:
        """A token to use now. PlatformError when there is none to be had."""
        self._check_quiet()
        token, now = self._token, self._clock()
        if token and now < token.renew_at:
            return token
        renewed = await self._renew()
        if isinstance(renewed, Token):
            return renewed
        if token and now < token.expires_at:
            token.renew_at = now + PAUSE
            return token
        raise renewed.error()

    async def replace(self, refused: Token, refusal: Refusal) -> Token:
        """The successor of a refused token; raises the refusal where a fresh one was refused."""
        self._check_quiet()
        if self._flight is None and self._token is not None and self._token is not refused:
            return self._token
        if self._flight is None and self._clock() < self._replaced_at + QUIET:
            self.remember(refusal)
            raise refusal.error()
        renewed = await self._renew()
        if isinstance(renewed, Refusal):
            raise renewed.error()
        self._replaced_at = self._clock()
        return renewed

    def remember(self, refusal: Refusal) -> None:
        """For the next minute everybody is told at once."""
        self._refusal, self._quiet_until = refusal, self._clock() + QUIET

    def _check_quiet(self) -> None:
        if self._refusal and self._clock() < self._quiet_until:
            raise self._refusal.error()

    async def _renew(self) -> Token | Refusal:
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        # Shielded: the first who waits may be cancelled, the others still need the answer.
        return await asyncio.shield(self._flight)

    async def _fly(self) -> Token | Refusal:
        try:
            fetched = await self._fetch()
        finally:
            self._flight = None
        if isinstance(fetched, Refusal):
            if fetched.errcode > 0:  # said by the platform: a moment later it says the same
                self.remember(fetched)
            return fetched
        value, lasts = fetched
        now = self._clock()
        early = min(EARLY, lasts / 2)
        self._token = Token(value, now + lasts - early, now + lasts)
        return self._token
