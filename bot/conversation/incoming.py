"""One message or event from the platform, typed: what the codec makes and everything else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["text", "image", "voice", "video", "location", "link", "file", "event", "unknown"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """``key`` is the redelivery key (WECHAT.md), ``at`` the platform's CreateTime in UTC.

    ``text`` is Content, a voice's Recognition, a location's Label, a link's or file's Title.
    ``event`` is the lower-case event name (``subscribe``, ``unsubscribe``, ``scan``, ``location``,
    ``click``, ``view``, ``templatesendjobfinish``, …), empty for messages. ``point`` is (latitude,
    longitude) in degrees. ``menu_id`` is ``bizmsgmenuid``. ``fields`` is the whole message as the
    platform sent it, for what only one handler needs.
    """

    key: str
    openid: str
    account: str
    kind: Kind
    at: datetime
    text: str = ""
    event: str = ""
    event_key: str = ""
    msg_id: str = ""
    media_id: str = ""
    point: tuple[float, float] | None = None
    menu_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
