"""The demo page: two phones, the wire and the buttons that move time on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from bot.clock import Clock
from bot.simulator.courier import Exchange
from bot.simulator.media import image_type
from bot.simulator.outside import NotFollowingError, Outside
from bot.simulator.platform import Platform

HERE = Path(__file__).parent
LARGEST_PICTURE = 10 * 1024 * 1024
CONTENT_POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'self'"
Person = dict[str, Any]
Deed = Callable[[Outside, str, Mapping[str, Any]], Awaitable[Exchange]]

DEEDS: dict[str, Deed] = {
    "text": lambda out, who, what: out.send_text(who, str(what["text"]), what.get("menu_id")),
    "voice": lambda out, who, what: out.send_voice(who, str(what.get("text", ""))),
    "location": lambda out, who, what: out.send_location(
        who, float(what["latitude"]), float(what["longitude"]), str(what.get("label", ""))
    ),
    "subscribe": lambda out, who, _: out.subscribe(who),
    "unsubscribe": lambda out, who, _: out.unsubscribe(who),
    "scan": lambda out, who, what: out.scan(who, str(what["scene"])),
    "click": lambda out, who, what: out.click(who, str(what["key"])),
    "view": lambda out, who, what: out.view(who, str(what["url"])),
}


class Pages:
    """The page and the small JSON routes its scripts call."""

    def __init__(
        self,
        platform: Platform,
        outside: Outside,
        *,
        clock: Clock,
        people: Callable[[], list[Person]],
        next_working_day: Callable[[datetime], datetime],
        after_move: Callable[[], Awaitable[None]],
    ) -> None:
        self._platform = platform
        self._outside = outside
        self._clock = clock
        self._people = people
        self._next_working_day = next_working_day
        self._after_move = after_move
        self._moving = asyncio.Lock()
        self._boot = secrets.token_hex(8)
        self._shown: list[str] = []
        self._met: set[str] = set()
        self._templates = Jinja2Templates(HERE / "templates")

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._page),
            Route("/people", self._list_people),
            Route("/state", self._state),
            Route("/wire/{seq:int}", self._record),
            Route("/media/{media_id}", self._media),
            Route("/code", self._code),
            Route("/time/{step}", self._move, methods=["POST"]),
            Route("/phones/{openid}/image", self._send_image, methods=["POST"]),
            Route("/phones/{openid}/{deed}", self._act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    async def _page(self, request: Request) -> Response:
        if not self._platform.base_url:
            self._platform.base_url = str(request.base_url).rstrip("/")
        return self._templates.TemplateResponse(
            request,
            "demo.html",
            {"account": self._platform.account.name, "mode": self._platform.account.mode},
            headers={"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"},
        )

    async def _list_people(self, _: Request) -> Response:
        people = self._people()
        self._shown = [str(person["openid"]) for person in people]
        for person in people:
            self._meet(person)
        return JSONResponse(people)

    def _meet(self, person: Person) -> None:
        openid = str(person["openid"])
        if openid in self._met:
            return
        self._met.add(openid)
        # Staff were bound before the demo began; residents show how following goes.
        follows = person.get("follows", person.get("role") != "resident")
        if follows and not self._platform.knows(openid):
            self._platform.follow(openid)

    async def _state(self, request: Request) -> Response:
        since = int(request.query_params.get("since", 0))
        wire = int(request.query_params.get("wire", 0))
        platform = self._platform
        return JSONResponse(
            {
                "boot": self._boot,
                "now": self._clock.now().timestamp(),
                "last": platform.phones.last,
                "phones": {
                    openid: {
                        "follows": platform.follows(openid),
                        "typing": platform.phones.is_typing(openid),
                        "left": platform.windows.left(openid),
                        "bubbles": [b.as_json() for b in platform.phones.chat(openid, since)],
                    }
                    for openid in self._shown
                },
                "menu": (platform.menu or {}).get("button", []),
                "codes": [
                    {"scene": code.scene, "label": code.label or code.scene, "ticket": code.ticket}
                    for code in platform.qrcodes.alive()
                ],
                "wire": [record.summary() for record in platform.wire.since(wire)],
            }
        )

    async def _record(self, request: Request) -> Response:
        record = self._platform.wire.get(request.path_params["seq"])
        return JSONResponse(record.as_json()) if record else Response(status_code=404)

    async def _media(self, request: Request) -> Response:
        media = self._platform.media.get(request.path_params["media_id"])
        if media is None:
            return Response(status_code=404)
        return Response(media.content, media_type=media.content_type)

    async def _code(self, request: Request) -> Response:
        picture = self._platform.qrcodes.picture(request.query_params.get("ticket", ""))
        return Response(picture, 200 if picture else 404, media_type="image/png")

    async def _act(self, request: Request) -> Response:
        deed = DEEDS.get(request.path_params["deed"])
        if deed is None:
            return Response(status_code=404)
        try:
            done = deed(self._outside, request.path_params["openid"], await request.json())
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "请求不完整"}, 422)
        return await _told(done)

    async def _send_image(self, request: Request) -> Response:
        content = await request.body()
        if content and (len(content) > LARGEST_PICTURE or not image_type(content)):
            return JSONResponse({"error": "请选 10 MB 以内的 JPG、PNG 或 GIF 图片"}, 422)
        openid = request.path_params["openid"]
        return await _told(self._outside.send_image(openid, content or None))

    async def _move(self, request: Request) -> Response:
        step = request.path_params["step"]
        if step not in {"hour", "working-day"}:
            return Response(status_code=404)
        # One move at a time: two taps are two moves, each with its periodic jobs in between.
        async with self._moving:
            now = self._clock.now()
            if step == "hour":
                self._clock.move(timedelta(hours=1))
            else:
                self._clock.move(max(self._next_working_day(now) - now, timedelta()))
            await self._after_move()
        return JSONResponse({"now": self._clock.now().timestamp()})


async def _told(done: Awaitable[Exchange]) -> Response:
    try:
        exchange = await done
    except NotFollowingError as error:
        return JSONResponse({"error": error.told}, 409)
    return JSONResponse(
        {
            "reply": exchange.reply_text,
            "tries": exchange.tries,
            "status": exchange.status,
            "failure": exchange.error,
        }
    )
