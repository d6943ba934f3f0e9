"""Every error of the API as ``{"code", "message"}``: a stable code, and plain words for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match
from starlette.types import Message, Receive

from bot.errors import Missing, NotFound, Refused

log = structlog.get_logger()
# A transition with every field at its longest stays below.
LARGEST_BODY: Final = 256 * 1024
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Problem(BaseModel):
    """``code`` is stable and for programs; for 422 it is the name of the field."""

    code: str = Field(examples=["not_for_this_actor"])
    message: str = Field(examples=["只有承办单位可以登记联系"])


DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "没有令牌，或令牌无效"},
    422: {"model": Problem, "description": "某个字段缺少或不对，code 是字段名"},
}
FORBIDDEN: Final[dict[int | str, dict[str, Any]]] = {
    403: {"model": Problem, "description": "令牌不能代表这个 actor"}
}
UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "没有这个编号的事项"}
}
REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Problem, "description": "规则不允许，code 说明是哪一条"}
}

# What the framework raises, in our words; anything we raise ourselves brings its own.
_STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "请求的内容读不懂"),
    401: ("unauthorized", "请带上有效的令牌"),
    403: ("forbidden", "这个令牌没有这个权限"),
    404: ("no_such_path", "没有这个接口"),
    405: ("method_not_allowed", "这个接口不支持这种请求方法"),
    413: ("too_large", "请求的内容太大"),
}
_OURS: Final = (401, 403)


class Route(APIRoute):
    """A route whose errors, whatever they are, leave as a ``Problem``."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(Request(request.scope, _bounded(request.receive)))
            except Exception as error:  # noqa: BLE001 - nobody is shown a traceback
                return answer_to(error)

        return told


def _bounded(receive: Receive) -> Receive:
    """``receive`` until the body is too large, however it is sent and whoever sends it."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return bounded


def add_unknown_paths(outside: APIRouter, known: APIRouter) -> None:
    """Below the prefix, what is no path of ours is told so in the same shape."""

    async def unknown(request: Request) -> Response:
        wrong_method = any(r.matches(request.scope)[0] == Match.PARTIAL for r in known.routes)
        return answer_to(HTTPException(405 if wrong_method else 404))

    path = known.prefix + "{rest:path}"
    outside.add_api_route(path, unknown, methods=list(METHODS), include_in_schema=False)


def answer_to(error: Exception) -> Response:
    """The status and the body for ``error``; only the unforeseen is logged, by its type."""
    if isinstance(error, Missing):
        return _problem(422, error.code, error.told)
    if isinstance(error, Refused):
        return _problem(409, error.code, error.told)
    if isinstance(error, NotFound):
        return _problem(404, "not_found", error.told)
    if isinstance(error, RequestValidationError):
        return _problem(422, *_invalid(error.errors()[0]))
    if isinstance(error, StarletteHTTPException):
        code, message = _STATUSES.get(error.status_code, ("http_error", "请求没有成功"))
        told = str(error.detail) if error.status_code in _OURS else message
        return _problem(error.status_code, code, told, error.headers)
    # Its text may quote a row: the type and the place are enough to go on.
    log.error("api_failed", error=type(error).__name__, where=_where(error))
    return _problem(500, "internal", "系统出错了，请稍后再试")


def _problem(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    body = Problem(code=code, message=message).model_dump()
    return JSONResponse(body, status, dict(headers) if headers else None)


def _invalid(error: Mapping[str, Any]) -> tuple[str, str]:
    """The field's name, and what is wrong with it; never what was sent."""
    place: Sequence[Any] = [part for part in error["loc"][1:] if isinstance(part, str)]
    field = place[0] if place else "body"
    kind = error["type"]
    if kind == "missing":
        return field, f"缺少 {field}"
    if kind == "extra_forbidden":
        return field, "没有这个参数"
    if kind == "value_error":
        return field, str(error["ctx"]["error"])
    if field == "body":
        return field, "请求的内容要是 JSON"
    return field, f"{field} 的值不对"


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
