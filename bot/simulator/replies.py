"""Reading what the server answered to a webhook call, as strictly as the platform does."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wechatpy.replies import deserialize_reply

from bot.settings import Mode
from bot.simulator.crypt import BadReplyError, Crypt

LONGEST_TEXT = 2048
NOTHING = frozenset({b"", b"success"})
KINDS = frozenset({"text", "image", "voice", "video", "music", "news", "transfer_customer_service"})


@dataclass(frozen=True, slots=True)
class Reply:
    """``kind`` is empty when there is nothing to show; ``plain`` is the XML after decryption."""

    kind: str = ""
    text: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    plain: str = ""


def read_reply(body: bytes, *, openid: str, account_id: str, mode: Mode, crypt: Crypt) -> Reply:
    """The passive reply in ``body``; BadReplyError when a resident would see «出现故障»."""
    if body in NOTHING:
        return Reply()
    outer = _children(_decoded(body))
    if "Encrypt" in outer:
        plain = crypt.open_reply({name: child.text or "" for name, child in outer.items()})
    elif mode == "safe":
        raise BadReplyError("not encrypted in safe mode")
    else:
        plain = _decoded(body)
    fields = _children(plain)
    _check_addresses(fields, openid, account_id)
    kind = (fields["MsgType"].text or "").strip() if "MsgType" in fields else ""
    if kind not in KINDS:
        raise BadReplyError(f"unknown reply type {kind!r}")
    text, data = _content(plain, kind)
    return Reply(kind, text, data, plain)


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadReplyError("not UTF-8") from None


def _children(text: str) -> dict[str, ET.Element]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadReplyError("a document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 (no document type, so no entities)
    except ET.ParseError as error:
        raise BadReplyError(f"not well formed: {error}") from None
    children = {child.tag: child for child in root}
    if root.tag != "xml" or len(children) != len(root):
        raise BadReplyError("not one <xml> of different elements")
    return children


def _check_addresses(fields: Mapping[str, ET.Element], openid: str, account_id: str) -> None:
    for name, wanted in (("ToUserName", openid), ("FromUserName", account_id)):
        found = fields[name].text if name in fields else None
        if (found or "").strip() != wanted:
            raise BadReplyError(f"wrong {name}")
    created = fields["CreateTime"].text if "CreateTime" in fields else None
    if not (created or "").strip().isdigit():
        raise BadReplyError("wrong CreateTime")


def _content(plain: str, kind: str) -> tuple[str, dict[str, Any]]:
    try:
        reply = deserialize_reply(plain)
        if kind == "text":
            return _checked_text(reply.content), {}
        if kind in {"image", "voice", "video"}:
            return "", {"media_id": str(reply.media_id)}
        if kind == "news":
            return _article(reply.articles)
        return "", dict(reply.music) if kind == "music" else {}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadReplyError(f"incomplete {kind} reply: {type(error).__name__}") from None


def _checked_text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise BadReplyError("a text reply without text")
    if len(value.encode()) > LONGEST_TEXT:
        raise BadReplyError(f"a text of {len(value.encode())} bytes")
    return value


def _article(articles: list[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
    if len(articles) != 1:
        raise BadReplyError(f"{len(articles)} articles instead of one")
    one = articles[0]
    data = {
        "title": str(one.get("title") or ""),
        "description": str(one.get("description") or ""),
        "url": str(one.get("url") or ""),
        "picurl": str(one.get("image") or ""),
    }
    return data["title"], data
