"""The XML that the platform posts for each thing a follower does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Value = str | int | float | Mapping[str, "Value"] | Sequence[Mapping[str, "Value"]]
Fields = Mapping[str, Value]
# XML 1.0 has no place for these, and a phone's keyboard neither.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(fields: Fields) -> str:
    """One ``<xml>`` document; texts in CDATA, numbers bare, a list as repeated ``<item>``."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Fields) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: Value) -> str:
    if isinstance(value, str):
        clean = _IMPOSSIBLE.sub("", value).replace("]]>", "]]]]><![CDATA[>")
        return f"<![CDATA[{clean}]]>"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return _elements(value)
    return "".join(f"<item>{_elements(item)}</item>" for item in value)


def text(content: str, menu_id: str | None = None) -> dict[str, Value]:
    fields: dict[str, Value] = {"MsgType": "text", "Content": content}
    if menu_id is not None:
        fields["bizmsgmenuid"] = menu_id
    return fields


def image(media_id: str, url: str) -> dict[str, Value]:
    return {"MsgType": "image", "PicUrl": url, "MediaId": media_id}


def voice(media_id: str, media_id_16k: str, recognition: str) -> dict[str, Value]:
    return {
        "MsgType": "voice",
        "MediaId": media_id,
        "Format": "amr",
        "MediaId16K": media_id_16k,
        "Recognition": recognition,
    }


def video(media_id: str, thumb: str, *, short: bool) -> dict[str, Value]:
    kind = "shortvideo" if short else "video"
    return {"MsgType": kind, "MediaId": media_id, "ThumbMediaId": thumb}


def location(latitude: float, longitude: float, label: str, scale: int) -> dict[str, Value]:
    return {
        "MsgType": "location",
        "Location_X": latitude,
        "Location_Y": longitude,
        "Scale": scale,
        "Label": label,
    }


def link(title: str, description: str, url: str) -> dict[str, Value]:
    return {"MsgType": "link", "Title": title, "Description": description, "Url": url}


def file(title: str, size: int, md5: str) -> dict[str, Value]:
    return {
        "MsgType": "file",
        "Title": title,
        "Description": "",
        "FileKey": md5[:16],
        "FileMd5": md5,
        "FileTotalLen": size,
    }


def event(name: str, fields: Fields | None = None) -> dict[str, Value]:
    return {"MsgType": "event", "Event": name, **(fields or {})}
