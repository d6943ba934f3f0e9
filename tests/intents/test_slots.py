"""Details in every common spelling, as exact substrings with their values."""

from __future__ import annotations

import pytest

from intents.understanding import Home


def parts(building=None, unit=None, floor=None, room=None):
    return {"building": building, "unit": unit, "floor": floor, "room": room}


BUILDINGS = [
    ("3号楼2单元501", parts("3", "2", None, "501")),
    ("３号楼２单元５０１室", parts("3", "2", None, "501")),
    ("3-2-501", parts("3", "2", None, "501")),
    ("3-501", parts("3", None, None, "501")),
    ("3#2单元", parts("3", "2")),
    ("三号楼", parts("3")),
    ("5栋", parts("5")),
    ("12幢二单元六楼", parts("12", "2", "6")),
    ("十二号楼三单元五零一", parts("12", "3", None, "501")),
    ("3 号楼 2 单元 501", parts("3", "2", None, "501")),
    ("A座1203", parts("A", None, None, "1203")),
    ("B座二十一层2103", parts("B", None, "21", "2103")),
    ("5号302室", parts("5", None, None, "302")),
    ("3楼2单元", parts("3", "2")),
    ("二单元", parts(None, "2")),
    ("5号楼东单元顶楼", parts("5", "东", "顶")),
    ("十五楼", parts(None, None, "15")),
    ("地下二层", parts(None, None, "-2")),
    ("十几楼", None),
]


@pytest.mark.parametrize(("text", "value"), BUILDINGS)
@pytest.mark.parametrize("frame", ["{}", "我们那个{}的灯坏了", "请问，{}，怎么回事？"])
def test_buildings(hear, text, value, frame):
    message = frame.format(text)
    (slot,) = hear(message).items[0].slots["building"]
    assert (slot.text, slot.value) == (text, value)
    assert message[slot.start : slot.start + len(slot.text)] == slot.text


@pytest.mark.parametrize(
    "text",
    ["两栋楼之间", "一栋楼都停电", "桌上一层灰", "收了300-500元", "2026-11-22上午", "12345热线",
     "坐302路公交", "打110还是119", "一楼梯都是水", "等了100分钟", "几号楼来着"],
)  # fmt: skip
def test_what_is_no_building(hear, text):
    assert "building" not in hear(text).items[0].slots


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("我电话13800138000", "13800138000", "13800138000"),
        ("138 0013 8000打给我", "138 0013 8000", "13800138000"),
        ("138-0013-8000", "138-0013-8000", "13800138000"),
        ("打+8613800138000", "+8613800138000", "13800138000"),
        ("幺三八零零幺三八零零零", "幺三八零零幺三八零零零", "13800138000"),
        ("座机021-65531234", "021-65531234", "02165531234"),
        ("座机(010)6553 1234", "(010)6553 1234", "01065531234"),
        ("家里电话65531234", "65531234", "65531234"),
        ("热线400-820-8820", "400-820-8820", "4008208820"),
    ],
)
def test_phones(hear, text, slot, value):
    slots = hear(text).items[0].slots
    assert [(s.text, s.value) for s in slots["phone"]] == [(slot, value)]
    assert set(slots) == {"phone"}


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("沪A12345挡着门", "沪A12345", "沪A12345"),
        ("沪A·12345挡着门", "沪A·12345", "沪A12345"),
        ("沪a 12345挡着门", "沪a 12345", "沪A12345"),
        ("滬Ａ１２３４５", "滬Ａ１２３４５", "沪A12345"),
        ("绿牌京AD12345", "京AD12345", "京AD12345"),
        ("大货车鲁B1234挂", "鲁B1234挂", "鲁B1234挂"),
    ],
)
def test_plates(hear, text, slot, value):
    slots = hear(text).items[0].slots
    assert [(s.text, s.value) for s in slots["plate"]] == [(slot, value)]
    assert set(slots) == {"plate"}


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("T20261122-0007怎么样了", "T20261122-0007", "T20261122-0007"),
        ("t20261122 0007", "t20261122 0007", "T20261122-0007"),
        ("工单二零二六幺幺二二零零零七", "二零二六幺幺二二零零零七", "T20261122-0007"),
        ("0007那个怎么样了", "0007", "0007"),
        ("尾号0007的修好没", "0007", "0007"),
        ("工单号：1207", "1207", "1207"),
    ],
)
def test_tickets(hear, text, slot, value):
    slots = hear(text).items[0].slots
    assert [(s.text, s.value) for s in slots["ticket"]] == [(slot, value)]
    assert set(slots) == {"ticket"}


@pytest.mark.parametrize("text", ["车牌尾号0007的车", "手机尾号0007", "工号0219的接线员"])
def test_what_is_no_ticket(hear, text):
    assert "ticket" not in hear(text).items[0].slots


def test_details_do_not_swallow_each_other(hear):
    text = "阳光小区3号楼2单元501，沪A·12345堵门，电话13800138000，T20261122-0007也是我报的"
    slots = hear(text).items[0].slots
    assert {name: [s.text for s in found] for name, found in slots.items()} == {
        "place": ["阳光小区"],
        "building": ["3号楼2单元501"],
        "plate": ["沪A·12345"],
        "phone": ["13800138000"],
        "ticket": ["T20261122-0007"],
    }


def test_an_identity_number_is_neither_phone_nor_room(hear):
    assert not hear("身份证320102199001011234").items[0].slots


def test_places_have_their_official_name_and_the_longest_wins(hear):
    slots = hear("幸福苑和陽光花園，还有和平里北区").items[0].slots["place"]
    assert [(s.text, s.value) for s in slots] == [
        ("幸福苑", "幸福家园"), ("陽光花園", "阳光小区"), ("和平里北区", "和平里北区"),
    ]  # fmt: skip


def test_a_bare_number_answers_the_question_for_the_building(hear):
    assert "building" not in hear("3").items[0].slots
    (slot,) = hear("3", expecting="building").items[0].slots["building"]
    assert slot.value == parts("3")
    (slot,) = hear("501", expecting="building").items[0].slots["building"]
    assert slot.value == parts(None, None, None, "501")


def test_my_house_is_where_the_writer_lives(hear):
    (slot,) = hear("我家楼下的灯坏了", home=Home("和平里")).items[0].slots["place"]
    assert (slot.text, slot.value) == ("我家楼下", "和平里")
    slots = hear("阳光小区，我家楼下的灯坏了", home=Home("和平里")).items[0].slots["place"]
    assert [s.value for s in slots] == ["阳光小区"]
