"""The people outside: what a follower does with a phone, as real requests to the webhook."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

from bot.errors import TongxinError
from bot.simulator import messages
from bot.simulator.courier import Courier, Exchange, Letter, Parcel
from bot.simulator.media import image_type, sample_picture, sample_voice
from bot.simulator.messages import Fields, Value
from bot.simulator.platform import Platform

BROKEN = "该公众号提供的服务出现故障,请稍后再试"


class NotFollowingError(TongxinError):
    """Who does not follow the account cannot write to it."""

    told = "请先关注公众号"


class Outside:
    """Each method sends one message or event and puts the passive answer on the phone."""

    def __init__(
        self, platform: Platform, webhook_url: str, *, timeout: float = 5.0, tries: int = 3
    ) -> None:
        self.platform = platform
        self.courier = Courier(platform, webhook_url, timeout=timeout, tries=tries)
        self._last: dict[str, Parcel] = {}
        self._latest: Parcel | None = None

    # Messages

    async def send_text(self, openid: str, text: str, menu_id: str | None = None) -> Exchange:
        """With ``menu_id`` it is the tap on an option, which opens the short window only."""
        self._require_follower(openid)
        self._show(openid, "text", text)
        return await self._message(openid, messages.text(text, menu_id), tap=menu_id is not None)

    async def send_image(self, openid: str, content: bytes | None = None) -> Exchange:
        """The given picture (PNG, JPEG or GIF), else a sample of a dark stairwell."""
        self._require_follower(openid)
        picture = content or sample_picture()
        media = self.platform.media.put(picture, image_type(picture) or "image/jpeg")
        self._show(openid, "image", media_id=media.media_id)
        url = f"{self.platform.base_url}/media/{media.media_id}"
        return await self._message(openid, messages.image(media.media_id, url))

    async def send_voice(
        self,
        openid: str,
        recognition: str = "",
        *,
        seconds: int = 3,
        content: bytes | None = None,
    ) -> Exchange:
        """``recognition`` is what the platform understood, today nearly always nothing."""
        self._require_follower(openid)
        sound = content or sample_voice(seconds)
        narrow, wide = (self.platform.media.put(sound, "voice/amr") for _ in range(2))
        self._show(openid, "voice", recognition, media_id=narrow.media_id, seconds=seconds)
        fields = messages.voice(narrow.media_id, wide.media_id, recognition)
        return await self._message(openid, fields)

    async def send_video(
        self, openid: str, content: bytes = b"", *, short: bool = False
    ) -> Exchange:
        self._require_follower(openid)
        media = self.platform.media.put(content or b"\x00\x00\x00\x18ftypmp42", "video/mp4")
        thumb = self.platform.media.put(sample_picture(), "image/png")
        self._show(openid, "video", media_id=media.media_id)
        fields = messages.video(media.media_id, thumb.media_id, short=short)
        return await self._message(openid, fields)

    async def send_location(
        self, openid: str, latitude: float, longitude: float, label: str = "", scale: int = 16
    ) -> Exchange:
        """Degrees, in the platform's order: latitude is Location_X."""
        self._require_follower(openid)
        self._show(openid, "location", label, latitude=latitude, longitude=longitude)
        fields = messages.location(latitude, longitude, label, scale)
        return await self._message(openid, fields)

    async def send_link(self, openid: str, title: str, url: str, description: str = "") -> Exchange:
        self._require_follower(openid)
        self._show(openid, "link", title, url=url, description=description)
        return await self._message(openid, messages.link(title, description, url))

    async def send_file(self, openid: str, title: str, content: bytes = b"...") -> Exchange:
        """A file: the account learns its name and size and cannot fetch it."""
        self._require_follower(openid)
        self._show(openid, "file", title)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return await self._message(openid, messages.file(title, len(content), md5))

    async def send_message(self, openid: str, fields: Mapping[str, Value]) -> Exchange:
        """Any message type; ``fields`` are the elements beside the common ones."""
        self._require_follower(openid)
        self._show(openid, str(fields.get("MsgType", "unknown")))
        return await self._message(openid, fields)

    # Events

    async def subscribe(self, openid: str) -> Exchange:
        """Found by search: no scene."""
        return await self._subscribe(openid, {"EventKey": ""})

    async def unsubscribe(self, openid: str) -> Exchange:
        """The phone sees nothing of the answer, not even a failure."""
        self.platform.unfollow(openid)
        self._note(openid, "已取消关注")
        return await self._event(openid, "unsubscribe", {"EventKey": ""}, shown=False)

    async def scan(self, openid: str, scene: str) -> Exchange:
        """SCAN for a follower, subscribe with the scene for others. Unknown codes are made."""
        code = self.platform.qrcodes.by_scene(scene) or self.platform.print_code(scene)
        if not self.platform.follows(openid):
            key = {"EventKey": f"qrscene_{scene}", "Ticket": code.ticket}
            return await self._subscribe(openid, key)
        self.platform.windows.after_click(openid)
        self._note(openid, f"扫描了二维码 {code.label or scene}")
        return await self._event(openid, "SCAN", {"EventKey": scene, "Ticket": code.ticket})

    async def click(self, openid: str, key: str) -> Exchange:
        """A menu button that sends a key."""
        self._require_follower(openid)
        self.platform.windows.after_click(openid)
        return await self._event(openid, "CLICK", {"EventKey": key})

    async def view(self, openid: str, url: str) -> Exchange:
        """A menu button that opens a page: the account is told, the phone shows no answer."""
        self._require_follower(openid)
        fields: Fields = {"EventKey": url, "MenuId": "1"}
        return await self._event(openid, "VIEW", fields, shown=False)

    async def report_location(
        self, openid: str, latitude: float, longitude: float, precision: float = 30.0
    ) -> Exchange:
        """The position the phone reports on entering the chat, where that is allowed."""
        fields: Fields = {"Latitude": latitude, "Longitude": longitude, "Precision": precision}
        return await self.event(openid, "LOCATION", fields)

    async def event(self, openid: str, name: str, fields: Fields | None = None) -> Exchange:
        """Any event of a follower, ``fields`` as in the platform's documents."""
        self._require_follower(openid)
        return await self._event(openid, name, fields or {})

    async def template_finished(self, openid: str, msgid: int) -> Exchange:
        """The platform's word on what became of a template message."""
        status = self.platform.job_status.get(openid, "success")
        event = messages.event("TEMPLATESENDJOBFINISH", {"MsgID": msgid, "Status": status})
        return await self.courier.deliver(self._parcel(openid, event))

    # Trouble

    async def redeliver(
        self, times: int = 1, openid: str | None = None, *, together: bool = False
    ) -> list[Exchange]:
        """The last message (of ``openid``) again, same MsgId; the phone shows no answer."""
        parcel = self._latest if openid is None else self._last.get(openid)
        if parcel is None:
            return []
        if together:
            return list(await asyncio.gather(*(self.courier.deliver(parcel) for _ in range(times))))
        return [await self.courier.deliver(parcel) for _ in range(times)]

    async def send_raw(
        self, body: bytes, query: dict[str, str] | None = None, *, openid: str = "raw"
    ) -> Exchange:
        """Any bytes, once; signed as usual for plain mode unless a query is given."""
        signed = self.courier.query_of(openid) if query is None else query
        return await self.courier.post(Letter(signed, body, openid))

    async def verify(self) -> Exchange:
        """The check of the webhook's address; ``error`` is empty when the server passed it."""
        return await self.courier.verify()

    async def close(self) -> None:
        await self.courier.close()

    async def _subscribe(self, openid: str, fields: Fields) -> Exchange:
        self.platform.follow(openid)
        self.platform.windows.after_click(openid)
        self._note(openid, "已关注")
        return await self._event(openid, "subscribe", fields)

    async def _message(
        self, openid: str, fields: Mapping[str, Value], *, tap: bool = False
    ) -> Exchange:
        windows = self.platform.windows
        (windows.after_click if tap else windows.after_message)(openid)
        return await self._send(openid, {**fields, "MsgId": self.platform.next_id()}, shown=True)

    async def _event(
        self, openid: str, name: str, fields: Fields, *, shown: bool = True
    ) -> Exchange:
        return await self._send(openid, messages.event(name, fields), shown=shown)

    async def _send(self, openid: str, fields: Mapping[str, Value], *, shown: bool) -> Exchange:
        parcel = self._parcel(openid, fields)
        self._last[openid] = self._latest = parcel
        exchange = await self.courier.deliver(parcel)
        if shown:
            self._receive(openid, exchange)
        return exchange

    def _parcel(self, openid: str, fields: Mapping[str, Value]) -> Parcel:
        head: dict[str, Value] = {
            "ToUserName": self.platform.account.original_id,
            "FromUserName": openid,
            "CreateTime": int(self.platform.clock.now().timestamp()),
        }
        return Parcel(openid, messages.render(head | dict(fields)))

    def _receive(self, openid: str, exchange: Exchange) -> None:
        phones, reply = self.platform.phones, exchange.reply
        if exchange.error:
            phones.add(openid, "system", "error", BROKEN)
        elif reply.kind == "transfer_customer_service":
            phones.add(openid, "system", "note", "已转接人工客服")
        elif reply.kind:
            phones.add(openid, "account", reply.kind, reply.text, via="passive", data=reply.data)

    def _require_follower(self, openid: str) -> None:
        if not self.platform.follows(openid):
            raise NotFollowingError(f"{openid} does not follow the account")

    def _show(self, openid: str, kind: str, text: str = "", **data: Any) -> None:
        self.platform.phones.add(openid, "me", kind, text, data=data)

    def _note(self, openid: str, text: str) -> None:
        self.platform.phones.add(openid, "system", "note", text)
