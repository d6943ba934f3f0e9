"""Logging: one line an event, and no secrets or personal data in any of them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# What must never be read in a log, whoever wrote it there: query strings hold openids, the API's
# addresses hold tokens.
_HIDDEN = re.compile(r"((?:access_token|secret|openid|signature|key)=)[^&\s\"']+", re.IGNORECASE)


def configure(level: str = "INFO") -> None:
    """structlog and the standard library to stderr in one format."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(message)s", force=True)
    for noisy in ("uvicorn.access", "apscheduler", "aiohttp.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _frames_only,
            _hide,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _frames_only(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Where it happened, not what was in the variables or in the database's message: a failing
    statement is quoted by SQLAlchemy with its parameters, which are people's words."""
    if entry.pop("exc_info", None):
        kind, error, trace = sys.exc_info()
        frames = []
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        entry["where"] = frames[-8:]
        entry.setdefault("error", kind.__name__ if kind else "")
        del error
    return entry


def _hide(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in entry.items():
        if isinstance(value, str):
            entry[name] = _HIDDEN.sub(r"\1…", value)
    return entry
