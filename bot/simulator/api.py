"""The platform's HTTP API: errcodes, rids, faults and the wire log around each call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.simulator.errcodes import RefusalError, answer_of
from bot.simulator.faults import Fault
from bot.simulator.menus import checked_menu
from bot.simulator.outside import Outside
from bot.simulator.platform import Platform
from bot.simulator.sends import send_custom, send_template, set_typing

JSON_TYPE = "application/json; encoding=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """What an endpoint sees: the checked JSON body, empty for GET, and the query string."""

    payload: Mapping[str, Any]
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``work`` returns JSON or a response of its own; ``open`` ones need no access_token."""

    method: str
    path: str
    work: Callable[[Call], dict[str, Any] | Response]
    open: bool = False


class Api:
    """With ``date_header`` the answers carry the platform's own time, as its clock has it."""

    def __init__(self, platform: Platform, outside: Outside, *, date_header: bool = False) -> None:
        self._platform = platform
        self._outside = outside
        self._date_header = date_header
        self._endpoints = (
            Endpoint("POST", "/cgi-bin/stable_token", self._stable_token, open=True),
            Endpoint("POST", "/cgi-bin/message/custom/send", self._custom),
            Endpoint("POST", "/cgi-bin/message/custom/typing", self._typing),
            Endpoint("POST", "/cgi-bin/message/template/send", self._template),
            Endpoint("GET", "/cgi-bin/template/get_all_private_template", self._templates),
            Endpoint("POST", "/cgi-bin/menu/create", self._create_menu),
            Endpoint("GET", "/cgi-bin/menu/get", self._get_menu),
            Endpoint("GET", "/cgi-bin/menu/delete", self._delete_menu),
            Endpoint("POST", "/cgi-bin/qrcode/create", self._create_code),
            Endpoint("GET", "/cgi-bin/showqrcode", self._show_code, open=True),
            Endpoint("GET", "/cgi-bin/media/get", self._media),
        )

    def routes(self) -> list[Route]:
        """Every known path, and one that answers 404 to the rest but writes it down."""
        known = [
            Route(point.path, self._serve(point), methods=["GET", "POST"])
            for point in self._endpoints
        ]
        unknown = Endpoint("*", "/cgi-bin/{rest:path}", _not_found, open=True)
        return [*known, Route(unknown.path, self._serve(unknown), methods=["GET", "POST"])]

    def _serve(self, point: Endpoint) -> Callable[[Request], Any]:
        async def serve(request: Request) -> Response:
            started = time.perf_counter()
            path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
            body = await request.body()
            fault = self._platform.faults.next(path)
            await self._platform.faults.wait(fault)
            response = self._answer(point, request, body, fault)
            if self._date_header:
                now = self._platform.clock.now()
                response.headers["Date"] = format_datetime(now, usegmt=True)
            self._platform.wire.add(
                "api",
                request.method,
                path,
                query=urlencode(dict(request.query_params)),
                request=body,
                status=response.status_code,
                response=bytes(response.body),
                ms=(time.perf_counter() - started) * 1000,
                note="注入的故障" if fault and fault.breaks else "",
            )
            return response

        return serve

    def _answer(
        self, point: Endpoint, request: Request, body: bytes, fault: Fault | None
    ) -> Response:
        if fault and fault.breaks and not fault.done:
            return _failure(fault)
        try:
            if point.method not in {request.method, "*"}:
                raise RefusalError(43001 if point.method == "GET" else 43002)
            if not point.open:
                self._platform.tokens.check(request.query_params.get("access_token", ""))
            payload = _payload(body) if point.method == "POST" else {}
            result = point.work(Call(payload, request.query_params))
        except RefusalError as error:
            return _json(answer_of(error.errcode, str(error)))
        if fault and fault.breaks:
            return _failure(fault)
        return result if isinstance(result, Response) else _json(result)

    def _stable_token(self, call: Call) -> dict[str, Any]:
        if call.payload.get("grant_type") != "client_credential":
            raise RefusalError(40002)
        value, seconds = self._platform.tokens.issue(
            str(call.payload.get("appid", "")),
            str(call.payload.get("secret", "")),
            call.payload.get("force_refresh") is True,
        )
        return {"access_token": value, "expires_in": seconds}

    def _custom(self, call: Call) -> dict[str, Any]:
        send_custom(self._platform, call.payload)
        return answer_of(0)

    def _typing(self, call: Call) -> dict[str, Any]:
        set_typing(self._platform, call.payload)
        return answer_of(0)

    def _template(self, call: Call) -> Response:
        msgid, fresh = send_template(self._platform, call.payload)
        response = _json(answer_of(0) | {"msgid": msgid})
        if fresh and self._platform.finish_events:
            openid = str(call.payload["touser"])
            response.background = BackgroundTask(self._outside.template_finished, openid, msgid)
        return response

    def _templates(self, _: Call) -> dict[str, Any]:
        return {"template_list": self._platform.templates.as_json()}

    def _create_menu(self, call: Call) -> dict[str, Any]:
        self._platform.menu = checked_menu(call.payload)
        return answer_of(0)

    def _get_menu(self, _: Call) -> dict[str, Any]:
        if self._platform.menu is None:
            raise RefusalError(46003)
        return {"menu": self._platform.menu}

    def _delete_menu(self, _: Call) -> dict[str, Any]:
        self._platform.menu = None
        return answer_of(0)

    def _create_code(self, call: Call) -> dict[str, Any]:
        return self._platform.qrcodes.create(call.payload)

    def _show_code(self, call: Call) -> Response:
        picture = self._platform.qrcodes.picture(call.query.get("ticket", ""))
        if picture is None:
            return Response("invalid ticket", 404, media_type="text/plain")
        return Response(picture, media_type="image/png")

    def _media(self, call: Call) -> Response:
        media = self._platform.media.get(call.query.get("media_id", ""))
        if media is None:
            raise RefusalError(40007)
        name = {"Content-disposition": f'attachment; filename="{media.filename}"'}
        return Response(media.content, headers=name, media_type=media.content_type)


def _not_found(_: Call) -> Response:
    return Response("404 Not Found", 404, media_type="text/plain")


def _payload(body: bytes) -> Mapping[str, Any]:
    if not body:
        raise RefusalError(44002)
    try:
        payload = json.loads(body)
    except ValueError:
        raise RefusalError(47001) from None
    if not isinstance(payload, Mapping):
        raise RefusalError(47001)
    return payload


def _json(body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), media_type=JSON_TYPE)


def _failure(fault: Fault) -> Response:
    if fault.status != 200:
        return Response("<html>Bad Gateway</html>", fault.status, media_type="text/html")
    return _json(answer_of(fault.errcode))
