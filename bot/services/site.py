"""The site in the database: read as a picture, brought in line with a site file, described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update
from sqlmodel import SQLModel

from bot.errors import SiteError
from bot.models import Area, Duty, SiteState, Staff, Unit
from bot.models.office import Site
from bot.services.site_changes import Changes, Loader
from bot.site_file import SiteFile
from bot.vault import Vault
from bot.work import plain, table_of

M = TypeVar("M", bound=SQLModel)
_STATE = table_of(SiteState)


def load(connection: Connection, zone: ZoneInfo) -> Site:
    """The picture of the site as it stands; SiteError while no site file was ever loaded."""
    state = connection.execute(select(_STATE)).mappings().first()
    if state is None or not state["version"]:
        raise SiteError(
            "no site file was loaded yet", told="还没有载入站点文件，请先运行 tongxin site load"
        )
    return Site(
        version=state["version"],
        name=state["data"]["name"],
        zone=zone,
        areas={area.id: area for area in _all(connection, Area)},
        units={unit.id: unit for unit in _all(connection, Unit)},
        staff={person.id: person for person in _all(connection, Staff)},
        duties=tuple(_all(connection, Duty)),
        data=state["data"],
    )


def version(connection: Connection) -> int:
    """The site's version, 0 before the first load: a server compares it to what it holds."""
    return int(connection.execute(select(_STATE.c.version)).scalar_one_or_none() or 0)


def raise_version(connection: Connection) -> None:
    """Something of the site changed: running servers read it again."""
    connection.execute(update(_STATE).values(version=_STATE.c.version + 1))


def apply(connection: Connection, ids: Iterator[int], site_file: SiteFile, vault: Vault) -> Changes:
    """Make the site what ``site_file`` says, by name; loading the same file again changes nothing.

    People who vanished from it are deactivated, duties removed; areas and units that something
    still refers to are kept and reported. Bindings and tickets stay.
    """
    before = version(connection)
    changes = Loader(connection, ids, vault).bring(site_file)
    if changes:
        raise_version(connection)
    return changes.at(version(connection) if changes else before)


def describe(site: Site) -> dict[str, Any]:
    """Areas, units and active staff by name, for people and for JSON; no phone numbers."""
    return {
        "name": site.name,
        "version": site.version,
        "areas": [_area(site, area) for area in site.areas.values()],
        "units": [_unit(site, unit) for unit in site.units.values()],
        "staff": [_person(site, person) for person in site.staff.values() if person.active],
    }


def _all(connection: Connection, model: type[M]) -> list[M]:
    table = table_of(model)
    rows = connection.execute(select(table).order_by(table.c.id)).mappings()
    return [plain(model, dict(row)) for row in rows]


def _area(site: Site, area: Area) -> dict[str, Any]:
    return {
        "name": area.name,
        "kind": area.kind,
        "in": site.name_of("area", area.parent_id),
        "aliases": area.aliases,
        "latitude": area.latitude,
        "longitude": area.longitude,
        "buildings": area.buildings,
    }


def _unit(site: Site, unit: Unit) -> dict[str, Any]:
    return {
        "name": unit.name,
        "kind": unit.kind,
        "area": site.name_of("area", unit.area_id),
        "review": unit.review,
        "desk": unit.desk,
    }


def _person(site: Site, person: Staff) -> dict[str, Any]:
    return {
        "name": person.name,
        "unit": site.name_of("unit", person.unit_id),
        "roles": person.roles,
        "openid": person.openid,
    }
