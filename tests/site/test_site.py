"""Loading a site file: everything by name, twice without harm, and nothing lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, update

from bot.data import PACKAGED_SITE
from bot.errors import SiteError
from bot.models import Resident, Staff, Ticket
from bot.services import site
from bot.site_file import SiteFile, read
from bot.site_file.entries import AreaEntry
from bot.work import table_of

if TYPE_CHECKING:
    from tests.site.conftest import Office

NOW = datetime(2026, 11, 22, 7, 1, tzinfo=UTC)

PACKAGED = read(PACKAGED_SITE)


def change(site_file: SiteFile, kind: str, name: str, **values: object) -> SiteFile:
    """The file with one entry different; without values, with that entry gone."""
    entries = [
        replace(entry, **values) if entry.name == name else entry
        for entry in getattr(site_file, kind)
        if values or entry.name != name
    ]
    return replace(site_file, **{kind: tuple(entries)})


def without(site_file: SiteFile, **names: str) -> SiteFile:
    """The file without one unit or person, and without their duties."""
    for kind, name in names.items():
        key = {"units": "unit", "staff": "staff", "areas": "area"}[kind]
        duties = tuple(duty for duty in site_file.duties if getattr(duty, key) != name)
        site_file = replace(change(site_file, kind, name), duties=duties)
    return site_file


def ticket(office: Office, **values: object) -> None:
    with office.database.write() as connection:
        row = {"id": 900001, "number": "T20261122-0001", "intent": "noise", "slots": {}}
        times = {"created_at": NOW, "state_at": NOW}
        connection.execute(insert(table_of(Ticket)).values(**row, **times, **values))


def test_before_the_first_load_there_is_no_site(office: Office) -> None:
    assert office.version() == 0
    with office.database.read() as connection, pytest.raises(SiteError) as error:
        site.load(connection, ZoneInfo("Asia/Shanghai"))
    assert "tongxin site load" in error.value.told


def test_what_is_loaded_is_what_the_file_says(loaded: Office) -> None:
    picture = loaded.picture()
    assert picture.version == 1
    assert picture.name == "同心街道"
    assert picture.desk.name == "街道值班室"
    sunny = picture.area_by_name["阳光小区"]
    assert [picture.areas[area].name for area in picture.lineage(sunny.id)] == [
        "阳光小区",
        "春晓社区",
        "同心街道",
    ]
    assert sunny.buildings[2] == {"name": "3号楼", "units": 3, "floors": 6}
    assert picture.staff_by_openid["demo-staff-11"].name == "马志强"
    assert set(picture.templates) == {"task", "update", "reminder", "follow_up", "alert"}


def test_the_most_local_duty_wins(loaded: Office) -> None:
    picture = loaded.picture()
    sunny = picture.area_by_name["阳光小区"].id
    duty = picture.duty("facility_repair", sunny)
    assert duty is not None
    assert picture.name_of("unit", duty.unit_id) == "安居物业"
    assert picture.name_of("staff", duty.staff_id) == "马志强"
    street = picture.duty("facility_repair", None)
    assert street is not None
    assert picture.name_of("unit", street.unit_id) == "市政养护站"


def test_loading_again_changes_nothing(loaded: Office) -> None:
    before = site.describe(loaded.picture())
    changes = loaded.load(PACKAGED)
    assert not changes
    assert changes.version == loaded.version() == 1
    assert site.describe(loaded.picture()) == before


def test_the_version_rises_by_one_a_change_and_ids_stay(loaded: Office) -> None:
    before = loaded.picture()
    changes = loaded.load(change(PACKAGED, "areas", "翠湖苑", aliases=("翠湖新村",)))
    after = loaded.picture()
    assert changes.changed == ["区域 翠湖苑"]
    assert after.version == changes.version == 2
    assert after.area_by_name["翠湖苑"].aliases == ["翠湖新村"]
    assert after.area_by_name["翠湖苑"].id == before.area_by_name["翠湖苑"].id


def test_who_left_the_file_gets_nothing_any_more(loaded: Office) -> None:
    person = loaded.picture().staff_by_name["马志强"]
    ticket(loaded, assignee_id=person.id)
    changes = loaded.load(without(PACKAGED, staff="马志强"))
    picture = loaded.picture()
    assert changes.deactivated == ["人员 马志强"]
    assert changes.warnings == ["马志强 手上还有 1 件未办结，请改派"]
    assert "职责 阳光小区 facility_repair" in changes.removed
    assert "demo-staff-11" not in picture.staff_by_openid
    assert picture.name_of("staff", person.id) == "马志强"
    assert loaded.load(PACKAGED)
    assert loaded.picture().staff_by_openid["demo-staff-11"].id == person.id


def test_a_unit_in_use_is_kept_and_reported_and_an_unused_area_goes(loaded: Office) -> None:
    unit = loaded.picture().unit_by_name["安居物业"]
    ticket(loaded, lead_id=unit.id)
    smaller = without(PACKAGED, units="安居物业", areas="幸福家园")
    people = tuple(person for person in smaller.staff if person.unit != "安居物业")
    changes = loaded.load(replace(smaller, staff=people))
    picture = loaded.picture()
    assert changes.kept == ["单位 安居物业"]
    assert "区域 幸福家园" in changes.removed
    assert "幸福家园" not in picture.area_by_name
    assert picture.unit_by_name["安居物业"].id == unit.id


def test_an_area_where_a_resident_lives_is_kept(loaded: Office) -> None:
    home = loaded.picture().area_by_name["幸福家园"]
    row = {"id": 900002, "openid": "o1", "area_id": home.id, "created_at": NOW}
    with loaded.database.write() as connection:
        connection.execute(insert(table_of(Resident)).values(**row))
    changes = loaded.load(without(PACKAGED, areas="幸福家园"))
    assert changes.kept == ["区域 幸福家园"]


def test_a_new_outer_area_and_its_inner_go_together(loaded: Office) -> None:
    outer = AreaEntry("东片", "community", "同心街道")
    inner = replace(PACKAGED.areas[-1], within="东片")
    loaded.load(replace(PACKAGED, areas=(*PACKAGED.areas[:-1], outer, inner)))
    assert loaded.picture().area_by_name[inner.name].parent_id
    changes = loaded.load(without(PACKAGED, areas=inner.name))
    assert {"区域 东片", f"区域 {inner.name}"} <= set(changes.removed)
    assert not changes.kept


def test_a_desk_that_moved_leaves_one_desk(loaded: Office) -> None:
    ticket(loaded, lead_id=loaded.picture().desk.id)
    moved = without(PACKAGED, units="街道值班室")
    moved = change(moved, "units", "民生服务中心", desk=True)
    people = tuple(
        replace(person, unit="民生服务中心") if person.unit == "街道值班室" else person
        for person in moved.staff
    )
    changes = loaded.load(replace(moved, staff=people))
    assert changes.kept == ["单位 街道值班室"]
    assert [unit.name for unit in loaded.picture().units.values() if unit.desk] == ["民生服务中心"]


def test_a_binding_stays_when_the_file_names_no_openid(loaded: Office) -> None:
    with loaded.database.write() as connection:
        staff = table_of(Staff)
        bound = update(staff).where(staff.c.name == "刘洋").values(openid="o-real")
        connection.execute(bound)
    loaded.load(change(PACKAGED, "staff", "刘洋", openid=None))
    assert loaded.picture().staff_by_name["刘洋"].openid == "o-real"
    loaded.load(change(PACKAGED, "staff", "刘洋", openid=""))
    assert loaded.picture().staff_by_name["刘洋"].openid is None


def test_two_people_may_swap_their_openids(loaded: Office) -> None:
    swapped = change(PACKAGED, "staff", "刘洋", openid="demo-staff-06")
    loaded.load(change(swapped, "staff", "赵敏", openid="demo-staff-05"))
    by_openid = loaded.picture().staff_by_openid
    assert (by_openid["demo-staff-05"].name, by_openid["demo-staff-06"].name) == ("赵敏", "刘洋")


def test_an_openid_given_to_another_is_taken_from_its_holder(loaded: Office) -> None:
    given = change(PACKAGED, "staff", "刘洋", openid="demo-staff-06")
    loaded.load(change(given, "staff", "赵敏", openid=None))
    by_name = loaded.picture().staff_by_name
    assert (by_name["刘洋"].openid, by_name["赵敏"].openid) == ("demo-staff-06", None)


def test_phones_are_sealed_and_the_same_number_is_no_change(loaded: Office) -> None:
    site_file = change(PACKAGED, "staff", "刘洋", phone="13800000001")
    loaded.load(site_file)
    sealed = loaded.picture().staff_by_name["刘洋"].phone
    assert "13800000001" not in sealed
    assert loaded.means.vault.open(sealed) == "13800000001"
    assert not loaded.load(site_file)
    assert not loaded.load(PACKAGED), "a file that says nothing keeps the number"
    assert loaded.load(change(PACKAGED, "staff", "刘洋", phone=""))
    assert loaded.picture().staff_by_name["刘洋"].phone == ""


def test_the_description_is_json_without_phones(loaded: Office) -> None:
    loaded.load(change(PACKAGED, "staff", "刘洋", phone="13800000001"))
    told = json.loads(json.dumps(site.describe(loaded.picture()), ensure_ascii=False))
    assert [unit["name"] for unit in told["units"] if unit["desk"]] == ["街道值班室"]
    assert told["staff"][0] == {
        "name": "王秀英",
        "unit": "街道值班室",
        "roles": ["handler", "desk", "callback"],
        "openid": "demo-staff-01",
    }
    assert all("phone" not in person for person in told["staff"])
