"""What a site file says, as plain frozen values; names stand for what they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

AREA_KINDS: Final = ("street", "community", "compound", "building")
ROLES: Final = ("handler", "head", "desk", "callback", "supervisor")


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """``within`` names what it lies in; ``buildings`` are as the ``area`` table stores them."""

    name: str
    kind: str
    within: str | None
    aliases: tuple[str, ...] = ()
    buildings: tuple[Mapping[str, Any], ...] = ()
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class UnitEntry:
    name: str
    kind: str
    area: str | None
    review: bool
    desk: bool


@dataclass(frozen=True, slots=True)
class StaffEntry:
    """``openid`` and ``phone`` are None where the file says nothing: what is known then stays."""

    name: str
    unit: str
    roles: tuple[str, ...]
    openid: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class DutyEntry:
    """One intent (or ``*``) in one area (None: everywhere)."""

    intent: str
    area: str | None
    unit: str
    staff: str | None


@dataclass(frozen=True, slots=True)
class SiteFile:
    """``data`` is JSON as ``bot.models.office.Site`` reads it: name, phone, hours, reminders,
    days, deadlines, templates. Areas come after what they lie in."""

    areas: tuple[AreaEntry, ...]
    units: tuple[UnitEntry, ...]
    staff: tuple[StaffEntry, ...]
    duties: tuple[DutyEntry, ...]
    data: Mapping[str, Any]
