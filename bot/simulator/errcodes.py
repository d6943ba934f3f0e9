"""The platform's error codes, and the refusal that carries one."""

from __future__ import annotations

import secrets
import time

from bot.errors import TongxinError

MESSAGES = {
    -1: "system error",
    0: "ok",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40037: "invalid template_id",
    40052: "invalid action name",
    40053: "invalid action info",
    40125: "invalid appsecret",
    40164: "invalid ip, not in whitelist",
    40200: "invalid account type",
    41001: "access_token missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45029: "qrcode count out of limit",
    45047: "out of response count limit",
    45072: "invalid typing command",
    45080: "no interaction within 30 seconds",
    45081: "already in typing state",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48004: "api forbidden for irregularities",
    50002: "user limited",
    61450: "system error",
}


class RefusalError(TongxinError):
    """The platform says no to an API call; ``detail`` is put behind the usual words."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        words = MESSAGES.get(errcode, "unknown error")
        super().__init__(f"{words} {detail}".strip())
        self.errcode = errcode


def answer_of(errcode: int, words: str = "") -> dict[str, object]:
    """An error's JSON body; a good answer has no ``rid``, as on the real platform."""
    words = words or MESSAGES.get(errcode, "unknown error")
    if errcode == 0:
        return {"errcode": 0, "errmsg": words}
    return {"errcode": errcode, "errmsg": f"{words} rid: {new_rid()}"}


def new_rid() -> str:
    """A request id in the platform's shape: three groups of eight hex digits."""
    return f"{int(time.time()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
