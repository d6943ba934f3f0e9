"""The one place that touches wechatpy: it knows each call's path and body, we send them.

Its own client is not used: no stable_token, no timeout, the AppSecret in exception texts, and 487
token fetches on a lasting 40001 (WECHAT.md). Its API classes send through whatever stands in for
that client, so ``_Capture`` stands there and hands the request back. Each function below is one
such call, with the limits that wechatpy leaves to the platform checked first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wechatpy.client.api import WeChatMenu, WeChatMessage, WeChatQRCode, WeChatTemplate

from bot.errors import ConfigurationError

Json = dict[str, Any]
Button = Mapping[str, Any]

MAX_EXPIRY = 2_592_000  # seconds of a temporary QR code


class Request(NamedTuple):
    method: str
    path: str
    body: Json | None


class _Capture:
    def post(self, url: str, data: Json) -> Request:
        return Request("POST", f"/cgi-bin/{url}", data)

    def get(self, url: str) -> Request:
        return Request("GET", f"/cgi-bin/{url}", None)


_menu, _message = WeChatMenu(_Capture()), WeChatMessage(_Capture())
_qrcode, _template = WeChatQRCode(_Capture()), WeChatTemplate(_Capture())


def text(openid: str, content: str) -> Request:
    return Request(*_message.send_text(openid, content))


def template(
    openid: str, template_id: str, data: Mapping[str, str], client_msg_id: str, url: str
) -> Request:
    """``client_msg_id`` makes it idempotent for 10 minutes; wechatpy does not know it."""
    values = {name: {"value": value} for name, value in data.items()}
    request = Request(*_message.send_template(openid, template_id, values, url or None))
    if request.body is not None and client_msg_id:
        request.body["client_msg_id"] = client_msg_id
    return request


def menu_message(openid: str, head: str, options: Sequence[tuple[str, str]], tail: str) -> Request:
    """``options`` are (id, words), the id coming back as ``bizmsgmenuid``."""
    lines = [{"id": key, "content": words} for key, words in options]
    content = {"head_content": head, "list": lines, "tail_content": tail}
    return Request(*_message.send_msg_menu(openid, content))


def templates() -> Request:
    return Request(*_template.get_all_private_template())


def menu(buttons: Sequence[Button]) -> Request:
    """ConfigurationError when the platform would refuse the menu."""
    _check_menu(buttons)
    return Request(*_menu.create({"button": list(buttons)}))


def qrcode(scene: str, expire_seconds: int | None) -> Request:
    """Permanent when ``expire_seconds`` is None. ConfigurationError outside the limits."""
    if not 1 <= len(scene) <= 64:
        raise ConfigurationError(f"QR code: the scene has {len(scene)} characters, not 1 to 64")
    body: Json = {"action_info": {"scene": {"scene_str": scene}}}
    if expire_seconds is None:
        return Request(*_qrcode.create(body | {"action_name": "QR_LIMIT_STR_SCENE"}))
    if not 1 <= expire_seconds <= MAX_EXPIRY:
        raise ConfigurationError(f"QR code: {expire_seconds} s is not within 1 to {MAX_EXPIRY}")
    body |= {"action_name": "QR_STR_SCENE", "expire_seconds": expire_seconds}
    return Request(*_qrcode.create(body))


def qrcode_image(ticket: str) -> str:
    """The address of the QR code's picture, for anybody's browser."""
    return str(WeChatQRCode.get_url(ticket))


def _check_menu(buttons: Sequence[Button], name_bytes: int = 16, most: int = 3) -> None:
    if not 1 <= len(buttons) <= most:
        raise ConfigurationError(f"menu: {len(buttons)} buttons, not 1 to {most}")
    for button in buttons:
        for field, limit in (("name", name_bytes), ("key", 128), ("url", 1024)):
            if len(str(button.get(field, "")).encode()) > limit:
                raise ConfigurationError(f"menu: {field} {button[field]} is over {limit} bytes")
        if not button.get("name"):
            raise ConfigurationError("menu: a button without a name")
        if "sub_button" in button:
            _check_menu(button["sub_button"], name_bytes=60, most=5)
