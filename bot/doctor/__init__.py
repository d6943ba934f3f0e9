"""What is wrong with an installation, said in plain words before a resident notices.

``check`` looks at this machine only; ``check_online`` asks the platform as well. ``serve`` refuses
to start on any finding of level error.
"""

from __future__ import annotations

from datetime import datetime

from bot.clock import Clock
from bot.db import Database
from bot.doctor.configuration import check_settings
from bot.doctor.finding import Finding, Level
from bot.doctor.office import check_site
from bot.doctor.online import Client, check_online
from bot.doctor.storage import check_data_dir, check_database
from bot.settings import Settings

__all__ = ["Client", "Finding", "Level", "check", "check_online"]


def check(settings: Settings, *, demo: bool = False, now: datetime | None = None) -> list[Finding]:
    """Everything that can be told without a network. ``demo`` accepts the default SECRET_KEY."""
    findings = [*check_settings(settings, demo=demo), *check_data_dir(settings.data_dir)]
    stored = check_database(settings)
    findings += stored
    if all(finding.level != "error" for finding in findings):
        database = Database(settings.database_url)
        try:
            with database.read() as connection:
                findings += check_site(connection, settings, now or Clock().now())
        finally:
            database.close()
    return findings
