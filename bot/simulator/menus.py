"""What the platform checks in a custom menu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.simulator.errcodes import RefusalError

KEYED = frozenset(
    {
        "click",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
TYPES = KEYED | {"view", "miniprogram", "media_id", "article_id", "article_view_limited"}


def checked_menu(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The menu as ``menu/get`` gives it back; raises the code of the first thing that is wrong."""
    buttons = payload.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise RefusalError(40016)
    for button in buttons:
        _check_top(button)
    return {"button": buttons}


def _check_top(button: object) -> None:
    if not isinstance(button, Mapping):
        raise RefusalError(40017)
    _check_length(button.get("name"), 16, 40018)
    children = button.get("sub_button")
    if not children:
        _check_action(button, kind=40017, key=40019, url=40020)
        return
    if not isinstance(children, list) or len(children) > 5:
        raise RefusalError(40023)
    for child in children:
        if not isinstance(child, Mapping) or child.get("sub_button"):
            raise RefusalError(40024)
        _check_length(child.get("name"), 60, 40025)
        _check_action(child, kind=40024, key=40026, url=40027)


def _check_action(button: Mapping[str, Any], *, kind: int, key: int, url: int) -> None:
    name = button.get("type")
    if name not in TYPES:
        raise RefusalError(kind)
    if name in KEYED:
        _check_length(button.get("key"), 128, key)
    if name in {"view", "miniprogram"}:
        _check_length(button.get("url"), 1024, url)


def _check_length(value: object, most: int, errcode: int) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= most:
        raise RefusalError(errcode)
