"""Areas, units and active staff by name: the words that filters and transitions take."""

# No postponed annotations here, as in ``tickets``.

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query

from bot.console.api.gate import Gate
from bot.console.api.params import Paging
from bot.console.api.views import AreaView, Page, StaffView, UnitView
from bot.models.office import Site

V = TypeVar("V")


def add(routes: APIRouter, gate: Gate) -> None:
    """The endpoints ``/areas``, ``/units`` and ``/staff``, each in the order of the site file."""

    @routes.get("/areas", summary="区域", tags=["office"])
    def list_areas(wanted: Annotated[Paging, Query()]) -> Page[AreaView]:
        return _page(gate.read(lambda work: _areas(work.site)), wanted)

    @routes.get("/units", summary="单位", tags=["office"])
    def list_units(wanted: Annotated[Paging, Query()]) -> Page[UnitView]:
        return _page(gate.read(lambda work: _units(work.site)), wanted)

    @routes.get("/staff", summary="在岗的工作人员", tags=["office"])
    def list_staff(wanted: Annotated[Paging, Query()]) -> Page[StaffView]:
        return _page(gate.read(lambda work: _staff(work.site)), wanted)


def _areas(site: Site) -> list[AreaView]:
    return [
        AreaView(
            name=area.name,
            kind=area.kind,
            parent=site.name_of("area", area.parent_id),
            aliases=area.aliases,
        )
        for area in site.areas.values()
    ]


def _units(site: Site) -> list[UnitView]:
    return [
        UnitView(
            name=unit.name,
            kind=unit.kind,
            area=site.name_of("area", unit.area_id),
            review=unit.review,
            desk=unit.desk,
        )
        for unit in site.units.values()
    ]


def _staff(site: Site) -> list[StaffView]:
    return [
        StaffView(name=person.name, unit=site.name_of("unit", person.unit_id), roles=person.roles)
        for person in site.staff.values()
        if person.active
    ]


def _page(items: Sequence[V], paging: Paging) -> Page[V]:
    page = items[paging.offset : paging.offset + paging.limit]
    return Page(items=list(page), total=len(items))
