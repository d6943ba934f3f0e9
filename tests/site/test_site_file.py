"""A wrong site file is told with its line, all of its mistakes at once."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.data import PACKAGED_SITE
from bot.errors import SiteError
from bot.site_file import parse, read
from bot.site_file.lines import Lines
from intents.engine.catalogue import PACKAGED as CATALOGUE

GOOD = """
[site]
name = "同心街道"

[[area]]
name = "阳光小区"
kind = "compound"
aliases = ["阳光苑"]

[[unit]]
name = "值班室"
desk = true

[[staff]]
name = "刘洋"
unit = "值班室"

[[duty]]
intents = ["*"]
unit = "值班室"
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(SiteError) as error:
        parse(text, "site.toml", {"noise"})
    assert error.value.told == str(error.value)
    return str(error.value).split("\n")


def test_the_packaged_file_is_a_site() -> None:
    site = read(PACKAGED_SITE)
    kinds = [area.kind for area in site.areas]
    assert (kinds.count("community"), kinds.count("compound")) == (2, 4)
    assert {"阳光小区", "和平里", "翠湖苑", "幸福家园"} <= {area.name for area in site.areas}
    assert all(a.latitude and a.buildings for a in site.areas if a.kind == "compound")
    assert len(site.units) == 8
    assert [unit.name for unit in site.units if unit.desk] == ["街道值班室"]
    openids = [person.openid for person in site.staff]
    assert openids == [f"demo-staff-{number:02d}" for number in range(1, len(openids) + 1)]
    roles = {role for person in site.staff for role in person.roles}
    assert roles == {"handler", "head", "desk", "callback", "supervisor"}


def test_every_unit_of_the_packaged_file_can_act_and_review() -> None:
    site = read(PACKAGED_SITE)
    for unit in site.units:
        members = [person for person in site.staff if person.unit == unit.name]
        assert any("handler" in person.roles for person in members), unit.name
        assert any("head" in person.roles for person in members), unit.name


def test_the_desk_is_nobodys_lead_but_for_questions_and_complaints() -> None:
    site = read(PACKAGED_SITE)
    street = {duty.intent: duty.unit for duty in site.duties if duty.area is None}
    spoken = {"progress", "update_ticket", "cancel", "feedback", "praise", "human", "profile"}
    of_the_desk = {"complaint", "other_request", "emergency", "help", "chitchat", *spoken}
    for intent in {path.stem for path in CATALOGUE.glob("*.toml")} - of_the_desk:
        assert street.get(intent, "街道值班室") != "街道值班室", intent


def test_what_is_not_said_has_a_default() -> None:
    site = parse(GOOD, "site.toml", ())
    assert site.data["hours"] == [["09:00", "12:00"], ["13:30", "18:00"]]
    assert site.data["reminders"] == ["08:00", "20:00"]
    assert site.staff[0].roles == ("handler",)
    assert (site.staff[0].openid, site.staff[0].phone) == (None, None)
    assert site.units[0].review


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('name = "同心街道"\nnaem = "x"', "site.toml:4: 没有「naem」这个字段，是不是「name」"),
        ('name = "同心街道"\nhours = [["9", "12"]]', "site.toml:4: hours 应写成"),
        (
            'name = "同心街道"\nhours = [["13:30", "18:00"], ["09:00", "12:00"]]',
            "site.toml:4: hours 各段要从早到晚",
        ),
        (
            'name = "同心街道"\nreminders = ["20:00", "08:00"]',
            "site.toml:4: reminders 应从早到晚",
        ),
        ('name = ""', "site.toml:3: name 是空的"),
        ("name = 5", "site.toml:3: name 应为文字"),
        ('nom = "同心街道"', "site.toml:2: 缺少 name"),
    ],
)
def test_the_site_itself(wrong: str, told: str) -> None:
    found = mistakes(GOOD.replace('name = "同心街道"', wrong))
    assert any(line.startswith(told) for line in found), found


# What is added after GOOD, the line of the addition that is wrong, and how it is told.
MISTAKES = [
    (
        2,
        "「阳光苑」在第 8 行已是「阳光小区」的名称",
        ["[[area]]", 'name = "阳光苑"', 'kind = "compound"'],
    ),
    (
        3,
        "没有「compund」这个区域类型，是不是「compound」",
        ["[[area]]", 'name = "A"', 'kind = "compund"'],
    ),
    (4, "没有「B」这个区域", ["[[area]]", 'name = "A"', 'kind = "compound"', 'in = "B"']),
    (4, "「A」绕了一圈", ["[[area]]", 'name = "A"', 'kind = "street"', 'in = "A"']),
    (
        4,
        "latitude 应在 -90 和 90 之间",
        ["[[area]]", 'name = "A"', 'kind = "street"', "latitude = 91.0", "longitude = 1"],
    ),
    (
        4,
        "「8-1号楼」从大到小了",
        ["[[area]]", 'name = "A"', 'kind = "street"', 'buildings = "8-1号楼"'],
    ),
    (
        4,
        "「3号楼」写了两次",
        ["[[area]]", 'name = "A"', 'kind = "street"', "buildings = [", '"1-3号楼",', '"3号楼"]'],
    ),
    (
        3,
        "没有「阳光小曲」这个区域，是不是「阳光小区」",
        ["[[unit]]", 'name = "物业"', 'area = "阳光小曲"'],
    ),
    (2, "单位「值班室」在第 11 行已有", ["[[unit]]", 'name = "值班室"']),
    (3, "只能有一个值班单位，第 12 行已有一个", ["[[unit]]", 'name = "物业"', "desk = true"]),
    (3, "review 应为true 或 false", ["[[unit]]", 'name = "物业"', 'review = "no"']),
    (1, "缺少 unit", ["[[staff]]", 'name = "赵敏"']),
    (3, "没有「物业」这个单位", ["[[staff]]", 'name = "赵敏"', 'unit = "物业"']),
    (2, "人员「刘洋」在第 15 行已有", ["[[staff]]", 'name = "刘洋"', 'unit = "值班室"']),
    (
        4,
        "没有「boss」这个角色",
        ["[[staff]]", 'name = "赵敏"', 'unit = "值班室"', 'roles = ["boss"]'],
    ),
    (
        2,
        "没有「nois」这个事项，是不是「noise」",
        ["[[duty]]", 'intents = ["nois"]', 'unit = "值班室"'],
    ),
    (2, "* 在「全街道」的职责第 18 行已写过", ["[[duty]]", 'intents = ["*"]', 'unit = "值班室"']),
    (1, "缺少 intents", ["[[duty]]", 'unit = "值班室"']),
    (
        4,
        "没有「赵敏」这个人员",
        ["[[duty]]", 'intents = ["noise"]', 'unit = "值班室"', 'staff = "赵敏"'],
    ),
    (
        6,
        "刘洋 属于「值班室」，不在「物业」",
        [
            "[[unit]]",
            'name = "物业"',
            "[[duty]]",
            'intents = ["noise"]',
            'unit = "物业"',
            'staff = "刘洋"',
        ],
    ),
    (2, "「2026-13-01」不是日期", ["[days]", "2026-13-01 = true"]),
    (2, "2026-10-01 应为true 或 false", ["[days]", '2026-10-01 = "off"']),
    (2, "「soon」不是时限", ["[deadlines.D]", 'finish = "soon"']),
    (2, "没有「finsh」这个时限，是不是「finish」", ["[deadlines.D]", 'finsh = "3d"']),
    (1, "没有「Z」这个时限等级", ["[deadlines.Z]", 'finish = "3d"']),
    (1, "没有「tasks」这个模板用途，是不是「task」", ["[templates.tasks]", 'id = "x"']),
    (1, "缺少 fields", ["[templates.task]", 'id = "x"']),
    (
        3,
        "没有「summery」这个名称",
        ["[templates.task]", 'id = "x"', 'fields = {thing1 = "summery"}'],
    ),
    (
        5,
        "「thung2」不是模板字段名",
        [
            "[templates.task]",
            'id = "x"',
            "[templates.task.fields]",
            'thing1 = "text"',
            'thung2 = "text"',
        ],
    ),
    (1, "没有「dutys」这个字段，是不是「duty」", ["[[dutys]]", 'unit = "x"']),
]


@pytest.mark.parametrize(("line", "told", "addition"), MISTAKES)
def test_each_mistake_is_told_at_its_line(line: int, told: str, addition: list[str]) -> None:
    found = mistakes(GOOD + "\n".join(addition))
    begins = f"site.toml:{GOOD.count(chr(10)) + line}: {told}"
    assert any(mistake.startswith(begins) for mistake in found), found


def test_a_site_needs_a_desk_and_an_area() -> None:
    found = mistakes('[site]\nname = "x"\n')
    assert any("没有值班单位" in line for line in found)
    assert any("至少要有一个 [[area]]" in line for line in found)


def test_all_mistakes_come_at_once_and_in_order() -> None:
    text = GOOD.replace('unit = "值班室"', 'unit = "值班"').replace("compound", "house")
    lines = [int(line.split(":")[1]) for line in mistakes(text)]
    assert lines == [7, 16, 20]


def test_what_is_no_toml_is_told_with_its_line() -> None:
    assert mistakes('[site]\nname = "x\n')[0].startswith("site.toml:2: 不是正确的 TOML")
    assert mistakes("[site]\nhours = [\n")[0].startswith("site.toml:3: 不是正确的 TOML")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="打不开文件"):
        read(tmp_path / "none.toml")
    foreign = tmp_path / "gbk.toml"
    foreign.write_bytes('[site]\nname = "同心"\n'.encode("gbk"))
    with pytest.raises(SiteError, match=r"gbk.toml:2: 文件不是 UTF-8"):
        read(foreign)


def test_a_byte_order_mark_of_notepad_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read(path).areas[0].name == "阳光小区"


def test_compact_buildings() -> None:
    text = GOOD.replace(
        'aliases = ["阳光苑"]',
        'buildings = ["1-2号楼 3单元 6层", "A座 18层", {name = "综合楼", floors = 4}]',
    )
    assert parse(text, "f", ()).areas[0].buildings == (
        {"name": "1号楼", "units": 3, "floors": 6},
        {"name": "2号楼", "units": 3, "floors": 6},
        {"name": "A座", "floors": 18},
        {"name": "综合楼", "floors": 4},
    )


def test_areas_come_after_what_they_lie_in() -> None:
    text = GOOD.replace("[[area]]", '[[area]]\nin = "街"', 1)
    site = parse(text + '[[area]]\nname = "街"\nkind = "street"\n', "f", ())
    assert [area.name for area in site.areas] == ["街", "阳光小区"]


def test_lines_of_keys_in_tables_arrays_and_long_values() -> None:
    text = 'a = 1\n# [x]\n[t]\nb = """\n[no]\n"""\nc = [\n 1, # ]\n 2]\n'
    text += "[[r]]\nd.e = 1\n[r.s]\nf = 2\n[[r]]\nd = 3"
    lines = Lines(text)
    assert [lines.of("a"), lines.of("t"), lines.of("t", "b"), lines.of("t", "c")] == [1, 3, 4, 7]
    assert [lines.of("r", 0, "d", "e"), lines.of("r", 0, "s", "f"), lines.of("r", 1, "d")] == [
        11,
        13,
        15,
    ]
    assert lines.of("r", 1, "missing") == 14
    assert lines.of("nowhere") == 1


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=5)).map(json.dumps),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
)


@given(st.integers(min_value=1, max_value=GOOD.count("\n")), VALUES, st.booleans())
def test_no_value_anywhere_raises_anything_else(line: int, value: str, added: bool) -> None:
    lines = GOOD.split("\n")
    keys = ["buildings", "hours", "days", "deadlines", "templates", "in", "phone", "latitude"]
    key = keys[line % len(keys)] if added else lines[line].split("=")[0]
    lines[line] = f"{key} = {value}" if not lines[line].startswith("[") else lines[line]
    with suppress(SiteError):
        parse("\n".join(lines), "f", {"noise"})
