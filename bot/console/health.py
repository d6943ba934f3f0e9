"""Is it alive, is it ready, how much is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from bot.console.metrics import Metrics
from bot.inbox import Inbox
from bot.machine import Machine


def router(machine: Machine, inbox: Inbox) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    figures = Metrics(machine, inbox)
    inbox.on_saved = figures.saved

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz(response: Response) -> dict[str, object]:
        """Ready when the database answers and a site is loaded."""
        try:
            with machine.database.read() as connection:
                connection.execute(text("SELECT 1"))
                site = machine.site(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
            response.status_code = 503
            return {"status": "not ready", "why": type(error).__name__}
        return {"status": "ready", "site": site.name, "waiting": inbox.waiting}

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(figures.registry), media_type=CONTENT_TYPE_LATEST)

    return routes
