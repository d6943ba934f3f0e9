"""The pretend platform's whole state, in memory. One event loop, not safe across threads."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.clock import Clock
from bot.simulator.account import Account
from bot.simulator.errcodes import RefusalError
from bot.simulator.faults import Fault, Faults
from bot.simulator.media import MediaStore
from bot.simulator.phones import Bubble, Phones
from bot.simulator.qrcodes import QrCode, QrCodes
from bot.simulator.quota import Quota
from bot.simulator.template_book import TemplateBook
from bot.simulator.tokens import Tokens
from bot.simulator.windows import Windows
from bot.simulator.wire import WireLog

ONCE_FOR = timedelta(minutes=10)


class Platform:
    """``templates`` as ``[{template_id, title, content}]``; ``base_url`` is where pictures are.

    With ``finish_events`` each template message is followed by TEMPLATESENDJOBFINISH.
    ``job_status`` maps an openid to another Status than ``success``.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock,
        templates: Iterable[Mapping[str, Any]] = (),
        *,
        base_url: str = "",
        finish_events: bool = True,
        wire_size: int = 500,
        chat_size: int = 200,
    ) -> None:
        self.account = account
        self.clock = clock
        self.base_url = base_url
        self.finish_events = finish_events
        self.job_status: dict[str, str] = {}
        self.tokens = Tokens(account, clock)
        self.windows = Windows(clock)
        self.templates = TemplateBook(templates)
        self.media = MediaStore(clock)
        self.qrcodes = QrCodes(clock)
        self.phones = Phones(clock, chat_size)
        self.faults = Faults()
        self.menu: dict[str, Any] | None = None
        self.template_quota = Quota(100_000)
        self.wire = WireLog(clock, lambda: (*account.secrets, *self.tokens.values), wire_size)
        self._following: dict[str, bool] = {}
        self._sent_once: dict[tuple[str, str], tuple[int, datetime]] = {}
        # The field's MsgIds hold the second in their upper half; so restarts never repeat one.
        self._serials = itertools.count(secrets.randbits(31))

    # People

    def follow(self, openid: str) -> None:
        """Makes someone a follower silently, as one from before the webhook was switched on."""
        self._following[openid] = True

    def unfollow(self, openid: str) -> None:
        self._following[openid] = False
        self.windows.close(openid)

    def follows(self, openid: str) -> bool:
        return self._following.get(openid, False)

    def knows(self, openid: object) -> bool:
        """Whether this account ever met the openid: any other is invalid to the API."""
        return openid in self._following

    def inbox(self, openid: str, since: int = 0) -> list[Bubble]:
        """What the phone received, oldest first."""
        return self.phones.received(openid, since)

    def print_code(self, scene: str, label: str = "") -> QrCode:
        """A lasting QR code that the demo page offers for scanning."""
        return self.qrcodes.add(scene, label=label)

    # Faults

    def fail_next(self, path: str, errcode: int, times: int = 1, *, done: bool = False) -> None:
        """The next calls of ``path`` are refused; with ``done`` they work and only look refused."""
        self.faults.add(Fault(path, times, errcode=errcode, done=done))

    def break_next(self, path: str, status: int = 502, times: int = 1) -> None:
        """The next calls of ``path`` get a gateway's error page."""
        self.faults.add(Fault(path, times, status=status))

    def slow_next(self, path: str, seconds: float, times: int = 1) -> None:
        """The next calls of ``path`` are answered late, in real seconds."""
        self.faults.add(Fault(path, times, delay=seconds))

    # Sending

    def next_id(self) -> int:
        """A 64-bit id that grows with time and is never given twice."""
        return (int(self.clock.now().timestamp()) << 32) | (next(self._serials) & 0xFFFFFFFF)

    def sent_before(self, openid: str, client_msg_id: str) -> int | None:
        """The msgid of the same send within ten minutes."""
        msgid, at = self._sent_once.get((openid, client_msg_id), (0, self.clock.now()))
        return msgid if msgid and self.clock.now() - at < ONCE_FOR else None

    def remember_send(self, openid: str, client_msg_id: str, msgid: int) -> None:
        now = self.clock.now()
        if len(self._sent_once) > 10_000:
            alive = {k: v for k, v in self._sent_once.items() if now - v[1] < ONCE_FOR}
            self._sent_once = alive
        self._sent_once[openid, client_msg_id] = (msgid, now)

    def require_known(self, openid: object) -> str:
        """The openid as text, or 40003."""
        if not isinstance(openid, str) or not self.knows(openid):
            raise RefusalError(40003)
        return openid
