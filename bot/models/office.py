"""The site as the code sees it: an immutable picture of areas, units, duties, staff and rules.

Read once per site version (``bot.services.site.load``) and handed to every unit of work, so that
deciding who is responsible costs a dictionary look-up and no query.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from bot.calendar import WorkCalendar
from bot.models import sla
from bot.models.site import Area, Duty, Staff, Unit
from intents.engine.gazetteer import Gazetteer

ANY_INTENT = "*"


@dataclass(frozen=True, slots=True)
class Template:
    """A template of the platform and the expression that fills each of its keywords."""

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Site:
    version: int
    name: str
    zone: ZoneInfo
    areas: Mapping[int, Area]
    units: Mapping[int, Unit]
    staff: Mapping[int, Staff]
    duties: Sequence[Duty]
    data: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def calendar(self) -> WorkCalendar:
        hours = [(time.fromisoformat(a), time.fromisoformat(b)) for a, b in self.data["hours"]]
        days = {date.fromisoformat(day): bool(on) for day, on in self.data.get("days", {}).items()}
        return WorkCalendar(self.zone, hours, days)

    @cached_property
    def levels(self) -> Mapping[str, sla.ServiceLevel]:
        return sla.load(self.data.get("deadlines", {}))

    @cached_property
    def templates(self) -> Mapping[str, Template]:
        return {
            purpose: Template(template["id"], template["fields"])
            for purpose, template in self.data.get("templates", {}).items()
        }

    @cached_property
    def gazetteer(self) -> Gazetteer:
        return Gazetteer([(area.name, tuple(area.aliases)) for area in self.areas.values()])

    @cached_property
    def area_by_name(self) -> Mapping[str, Area]:
        return {area.name: area for area in self.areas.values()}

    @cached_property
    def unit_by_name(self) -> Mapping[str, Unit]:
        return {unit.name: unit for unit in self.units.values()}

    def unit_like(self, name: str) -> str:
        """The one unit meant by part of its name, else ``name`` as it is."""
        near = [unit for unit in self.unit_by_name if name and name in unit]
        return near[0] if len(near) == 1 and name not in self.unit_by_name else name

    @cached_property
    def staff_by_name(self) -> Mapping[str, Staff]:
        return {person.name: person for person in self.staff.values()}

    @cached_property
    def staff_by_openid(self) -> Mapping[str, Staff]:
        return {person.openid: person for person in self._active if person.openid}

    @cached_property
    def staff_of_unit(self) -> Mapping[int, Sequence[Staff]]:
        members: dict[int, list[Staff]] = defaultdict(list)
        for person in self._active:
            members[person.unit_id].append(person)
        return members

    @cached_property
    def desk(self) -> Unit:
        return next(unit for unit in self.units.values() if unit.desk)

    @cached_property
    def desk_staff(self) -> Sequence[Staff]:
        return tuple(person for person in self._active if "desk" in person.roles)

    @cached_property
    def supervisors(self) -> Sequence[Staff]:
        return tuple(person for person in self._active if "supervisor" in person.roles)

    @property
    def _active(self) -> Iterator[Staff]:
        return (person for person in self.staff.values() if person.active)

    def heads(self, unit_id: int | None) -> Sequence[Staff]:
        members = self.staff_of_unit.get(unit_id or 0, ())
        return tuple(person for person in members if "head" in person.roles)

    def lineage(self, area_id: int | None) -> Iterator[int]:
        """The area, what it lies in, and so on up to the street."""
        while area_id is not None:
            yield area_id
            area_id = self.areas[area_id].parent_id

    def duty(self, intent: str, area_id: int | None) -> Duty | None:
        """The most local duty for this intent; in one place a named intent before ``*``."""
        for place in (*self.lineage(area_id), None):
            for wanted in (intent, ANY_INTENT):
                duty = self._duties.get((wanted, place))
                if duty is not None:
                    return duty
        return None

    @cached_property
    def _duties(self) -> Mapping[tuple[str, int | None], Duty]:
        table: dict[tuple[str, int | None], Duty] = {}
        for duty in self.duties:
            table.setdefault((duty.intent, duty.area_id), duty)
        return table

    def name_of(self, kind: str, row_id: int | None) -> str | None:
        """The name of an ``area``, ``unit`` or ``staff`` member, for people and the API."""
        rows: Mapping[int, Any] = {"area": self.areas, "unit": self.units, "staff": self.staff}[
            kind
        ]
        return rows[row_id].name if row_id is not None and row_id in rows else None
