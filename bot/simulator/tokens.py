"""stable_token: one token until its last five minutes, then two, and at most 20 forced a day."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.simulator.account import Account
from bot.simulator.errcodes import RefusalError
from bot.simulator.quota import Quota

OVERLAP = timedelta(minutes=5)
KEPT = 50
SHAPE = re.compile(r"\A\d{2}_[A-Za-z0-9_-]{60,}\Z")


@dataclass(slots=True)
class Token:
    value: str
    expires: datetime
    replaced: bool = False


class Tokens:
    """Issues and checks access tokens of one account."""

    def __init__(self, account: Account, clock: Clock, lifetime: int = 7200) -> None:
        self._account = account
        self._clock = clock
        self.lifetime = timedelta(seconds=lifetime)
        self._issued: OrderedDict[str, Token] = OrderedDict()
        self._current: Token | None = None
        self._minute = Quota(10_000, "minute")
        self._day = Quota(500_000)
        self._forced = Quota(20)

    def issue(self, appid: str, secret: str, force: bool = False) -> tuple[str, int]:
        """The token and the seconds it has left; refuses strangers and the greedy."""
        now = self._clock.now()
        self._check_caller(appid, secret, now)
        if force:
            self._force(now)
        token = self._current
        if token is None or token.replaced or token.expires - now <= OVERLAP:
            token = self._new(now)
        return token.value, int((token.expires - now).total_seconds())

    def check(self, value: str) -> None:
        """Raises what the platform says to a missing, malformed, old or unknown token."""
        if not value:
            raise RefusalError(41001)
        token = self._issued.get(value)
        if token is None:
            raise RefusalError(40001 if SHAPE.match(value) else 40014)
        if token.replaced:
            raise RefusalError(40001)
        if token.expires <= self._clock.now():
            raise RefusalError(42001)

    def revoke(self) -> None:
        """Makes the current token invalid at once, as a changed AppSecret would."""
        if self._current is not None:
            self._current.replaced = True

    @property
    def values(self) -> tuple[str, ...]:
        """Every token that was ever handed out and is still remembered."""
        return tuple(self._issued)

    def _check_caller(self, appid: str, secret: str, now: datetime) -> None:
        if appid != self._account.appid:
            raise RefusalError(40013)
        if secret != self._account.secret:
            raise RefusalError(40125)
        if not self._minute.take(now):
            raise RefusalError(45011)
        if not self._day.take(now):
            raise RefusalError(45009)

    def _force(self, now: datetime) -> None:
        if not self._forced.take(now):
            raise RefusalError(45009)
        self.revoke()

    def _new(self, now: datetime) -> Token:
        token = Token(f"88_{secrets.token_urlsafe(96)}", now + self.lifetime)
        self._issued[token.value] = token
        if len(self._issued) > KEPT:
            self._issued.popitem(last=False)
        self._current = token
        return token
