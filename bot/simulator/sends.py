"""The ways of writing to a follower through the API, with the platform's checks in its order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bot.simulator.errcodes import RefusalError
from bot.simulator.platform import Platform

LONGEST_TEXT = 2048
Payload = Mapping[str, Any]
Content = tuple[str, dict[str, Any]]


def send_custom(platform: Platform, payload: Payload) -> None:
    """A customer-service message; takes one off the window only when all else is right."""
    openid = platform.require_known(payload.get("touser"))
    kind = payload.get("msgtype")
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None or not isinstance(kind, str):
        raise RefusalError(40008)
    body = payload.get(kind)
    if not isinstance(body, Mapping):
        raise RefusalError(47001 if body is not None else 44004)
    text, data = reader(platform, body)
    platform.windows.take(openid)
    platform.phones.add(openid, "account", kind, text, via="custom", data=data)


def send_template(platform: Platform, payload: Payload) -> tuple[int, bool]:
    """Its msgid and whether it is new: a ``client_msg_id`` is shown once within ten minutes."""
    openid = platform.require_known(payload.get("touser"))
    template = platform.templates.get(payload.get("template_id"))
    if not platform.follows(openid):
        raise RefusalError(43004)
    data = payload.get("data")
    rows = template.fill(data if isinstance(data, Mapping) else {})
    key = str(payload.get("client_msg_id") or "")
    before = platform.sent_before(openid, key) if key else None
    if before:
        return before, False
    if not platform.template_quota.take(platform.clock.now()):
        raise RefusalError(45009)
    msgid = platform.next_id()
    if key:
        platform.remember_send(openid, key, msgid)
    card = {"title": template.title, "rows": rows, "url": str(payload.get("url") or "")}
    platform.phones.add(openid, "account", "template", template.title, via="template", data=card)
    return msgid, True


def set_typing(platform: Platform, payload: Payload) -> None:
    """«对方正在输入» for up to 15 s, only within 30 s of the person's last word."""
    openid = platform.require_known(payload.get("touser"))
    command = payload.get("command")
    if command not in {"Typing", "CancelTyping"}:
        raise RefusalError(45072)
    seen = platform.windows.last_seen(openid)
    if seen is None or platform.clock.now() - seen > timedelta(seconds=30):
        raise RefusalError(45080)
    if not platform.phones.set_typing(openid, command == "Typing"):
        raise RefusalError(45081)


def checked_text(value: object) -> str:
    """Text as the platform takes it: 44004 when empty, 45002 above 2,048 bytes."""
    if not isinstance(value, str) or not value:
        raise RefusalError(44004)
    if len(value.encode()) > LONGEST_TEXT:
        raise RefusalError(45002)
    return value


def _text(_: Platform, body: Payload) -> Content:
    return checked_text(body.get("content")), {}


def _media(platform: Platform, body: Payload) -> Content:
    media_id = body.get("media_id")
    if not isinstance(media_id, str) or platform.media.get(media_id) is None:
        raise RefusalError(40007)
    return "", {"media_id": media_id}


def _msgmenu(platform: Platform, body: Payload) -> Content:
    if not platform.account.verified:
        raise RefusalError(40200)
    options = body.get("list")
    if not isinstance(options, list) or not options:
        raise RefusalError(44004)
    listed = [
        {"id": str(option.get("id", "")), "content": checked_text(option.get("content"))}
        for option in options
        if isinstance(option, Mapping)
    ]
    head, tail = str(body.get("head_content") or ""), str(body.get("tail_content") or "")
    checked_text("\n".join([head, *(option["content"] for option in listed), tail]))
    return head, {"list": listed, "tail": tail}


def _news(_: Platform, body: Payload) -> Content:
    articles = body.get("articles")
    if not isinstance(articles, list) or not articles or not isinstance(articles[0], Mapping):
        raise RefusalError(44004)
    if len(articles) > 1:
        raise RefusalError(45008)
    names = ("title", "description", "url", "picurl")
    article = {name: str(articles[0].get(name) or "") for name in names}
    return article["title"], article


READERS: dict[str, Callable[[Platform, Payload], Content]] = {
    "text": _text,
    "image": _media,
    "voice": _media,
    "video": _media,
    "msgmenu": _msgmenu,
    "news": _news,
}
