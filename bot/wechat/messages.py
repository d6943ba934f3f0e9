"""The platform's XML: a body to fields, fields to ``Incoming``, and the passive text reply."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

from bot.conversation.incoming import Incoming, Kind
from bot.errors import BadRequest

Fields = dict[str, Any]

MAX_DEPTH = 16
MAX_KEY = 200
MAX_TEXT = 2048  # UTF-8 bytes of a text the platform still delivers
DAY = 86_400
FIRST_DAY = 1_293_840_000  # 2011, the year WeChat began: an older CreateTime is an invention

_KINDS: dict[str, Kind] = {
    "text": "text",
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "location": "location",
    "link": "link",
    "file": "file",
    "event": "event",
}
_TEXTS: dict[Kind, str] = {
    "text": "Content",
    "voice": "Recognition",
    "location": "Label",
    "link": "Title",
    "file": "Title",
}
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read(text: str) -> Fields:
    """The children of ``<xml>``: words stripped, nested ones as dicts, repeated ones as lists."""
    opened: list[Fields] = [{}]
    words: list[str] = []

    def start(_: str, __: Mapping[str, str]) -> None:
        if len(opened) > MAX_DEPTH:
            raise BadRequest("nested too deep")
        opened.append({})
        words.clear()

    def end(name: str) -> None:
        _add(opened.pop() or "".join(words).strip(), name, opened[-1])
        words.clear()

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = words.append
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError:
        raise BadRequest("not well-formed XML") from None
    fields = opened[0].get("xml")
    if not isinstance(fields, dict):
        raise BadRequest("not a message")
    return fields


def incoming(fields: Fields, plaintext: bytes, now: float) -> Incoming:
    """What the codec hands on; BadRequest 400 when it does not say who sent it."""
    openid = word(fields, "FromUserName")
    if not openid:
        raise BadRequest("no sender")
    kind = _KINDS.get(word(fields, "MsgType").lower(), "unknown")
    return Incoming(
        key=_key(fields, kind, plaintext),
        openid=openid,
        account=word(fields, "ToUserName"),
        kind=kind,
        at=_at(word(fields, "CreateTime"), now),
        text=word(fields, _TEXTS.get(kind, "")),
        event=word(fields, "Event").lower() if kind == "event" else "",
        event_key=word(fields, "EventKey"),
        msg_id=word(fields, "MsgId"),
        media_id=word(fields, "MediaId"),
        point=_point(fields),
        menu_id=word(fields, "bizmsgmenuid"),
        fields=fields,
    )


def text_reply(message: Incoming, text: str, now: float) -> str:
    """The passive reply to ``message``; empty when nothing of ``text`` can be shown."""
    shown = shorten(_NOT_XML.sub("", text))
    resident, account = _NOT_XML.sub("", message.openid), _NOT_XML.sub("", message.account)
    if not shown.strip():
        return ""
    return (
        f"<xml><ToUserName>{_cdata(resident)}</ToUserName>"
        f"<FromUserName>{_cdata(account)}</FromUserName>"
        f"<CreateTime>{int(now)}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(shown)}</Content></xml>"
    )


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """At most ``limit`` UTF-8 bytes, ended by «…» where cut, with every link whole or gone."""
    if len(text) * 4 <= limit or len(encoded := text.encode("utf-8", "replace")) <= limit:
        return text
    cut = len(encoded[: limit - len("…".encode())].decode("utf-8", "ignore"))
    while _inside_link(text, cut):
        cut = text.rindex("<a ", 0, cut + 2)
    return text[:cut].rstrip() + "…"


def word(fields: Fields, name: str) -> str:
    """A field as text; empty when it is missing, nested or repeated."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _inside_link(text: str, cut: int) -> bool:
    start = text.rfind("<a ", 0, cut + 2)
    end = text.find("</a>", start) if start >= 0 else -1
    return end >= 0 and cut < end + len("</a>")


def _cdata(clean: str) -> str:
    """Character data that nothing inside can end early."""
    return "<![CDATA[" + clean.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _refuse_doctype(*_: object) -> None:
    raise BadRequest("a document type is refused")


def _add(value: Any, name: str, parent: Fields) -> None:
    if name not in parent:
        parent[name] = value
    elif isinstance(parent[name], list):
        parent[name].append(value)
    else:
        parent[name] = [parent[name], value]


def _key(fields: Fields, kind: Kind, plaintext: bytes) -> str:
    """The redelivery key. MsgId alone is not enough: in the field it collided across users."""
    created, msg_id = word(fields, "CreateTime"), word(fields, "MsgId")
    if not created or (kind != "event" and not msg_id):
        return hashlib.sha256(plaintext).hexdigest()
    parts = [word(fields, "FromUserName"), created]
    if kind == "event":
        parts += [word(fields, "Event"), word(fields, "EventKey")]
        if parts[2].lower().endswith("jobfinish"):
            parts.append(word(fields, "MsgID") or msg_id)
    else:
        parts.append(msg_id)
    key = "|".join(parts)
    return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()


def _at(created: str, now: float) -> datetime:
    if created.isdecimal() and len(created) <= 10 and FIRST_DAY <= int(created) <= now + DAY:
        return datetime.fromtimestamp(int(created), UTC)
    return datetime.fromtimestamp(now, UTC)


def _point(fields: Fields) -> tuple[float, float] | None:
    chosen = fields.get("SendLocationInfo")
    where = chosen if isinstance(chosen, dict) else fields
    latitude = word(where, "Location_X") or word(where, "Latitude")
    longitude = word(where, "Location_Y") or word(where, "Longitude")
    if not latitude or not longitude:
        return None
    try:
        point = float(latitude), float(longitude)
    except ValueError:
        return None
    # Written so that NaN fails too.
    return point if abs(point[0]) <= 90 and abs(point[1]) <= 180 else None
