"""What is wrong with an installation, said in plain words before a resident notices.

``check_offline`` looks at this machine only; ``check_online`` asks the platform. ``serve`` refuses
to start on any finding of level error.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.db import Database
from bot.doctor.configuration import check_settings
from bot.doctor.finding import Finding, Level
from bot.doctor.office import check_site
from bot.doctor.online import Client, check_platform
from bot.doctor.storage import check_data_dir, check_database
from bot.errors import SiteError
from bot.models.office import Template
from bot.services import site as sites
from bot.settings import Settings
from bot.wechat.client import WeChatClient

__all__ = ["Client", "Finding", "Level", "check_offline", "check_online"]


def check_offline(
    settings: Settings, *, demo: bool = False, now: datetime | None = None
) -> list[Finding]:
    """Everything that can be told without a network; changes nothing.

    ``demo`` accepts the default SECRET_KEY.
    """
    findings = [*check_settings(settings, demo=demo), *check_data_dir(settings.data_dir)]
    stored = check_database(settings)
    if not _failed(stored):
        database = Database(settings.database_url)
        with database.read() as connection:
            stored += check_site(connection, now or Clock().now(), live=not settings.simulator)
        database.close()
    return findings + stored


async def check_online(
    settings: Settings, client: Client | None = None, *, now: datetime | None = None
) -> list[Finding]:
    """What the platform says to our clock, secret and templates; at most three calls."""
    templates = _templates(settings)
    if client is not None:
        return await check_platform(client, templates, now or Clock().now())
    appid, secret = settings.wechat_appid, settings.wechat_secret
    async with WeChatClient(appid, secret, settings.wechat_api_base) as own:
        return await check_platform(own, templates, now or Clock().now())


def _templates(settings: Settings) -> Mapping[str, Template]:
    """The site's, as far as there is one."""
    if _failed(check_database(settings)):
        return {}
    database = Database(settings.database_url)
    try:
        with database.read() as connection:
            return sites.load(connection, ZoneInfo("UTC")).templates
    except SiteError:
        return {}
    finally:
        database.close()


def _failed(findings: list[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)
