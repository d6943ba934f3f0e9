"""Whatever the values, the platform accepts what is rendered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.data import PACKAGED_SITE, demo_templates
from bot.models.template_fields import NAMES, PURPOSES, parse, render_fields
from bot.simulator.template_book import RULES, TemplateBook
from bot.site_file import read

VALUES = {
    "number": "T20261122-0007",
    "summary": "阳光小区3号楼2单元门口的路灯坏了三天了晚上走路看不见",
    "state": "处理中",
    "place": "阳光小区",
    "unit": "安居物业",
    "due": "2026-11-25 18:00",
    "time": "2026-11-22 15:01",
    "text": "第一行\n第二行",
    "name": "刘洋",
}
KEYWORDS = [f"{kind}1" for kind in RULES]


@pytest.mark.parametrize(
    ("keyword", "expression", "value"),
    [
        ("thing1", "summary", "阳光小区3号楼2单元门口的路灯坏了三天…"),
        ("thing1", "text", "第一行 第二行"),
        ("thing1", "'编号' + number", "编号T20261122-0007"),
        ("thing1", "place+unit", "阳光小区安居物业"),
        ("character_string1", "number + summary", "T20261122-000732"),
        ("phrase1", "'已经处理完毕了'", "已经处理完"),
        ("time1", "due", "2026-11-25 18:00"),
        ("date1", "'2026年1月2日'", "2026-01-02"),
        ("time1", "summary", "2026-11-22 15:01"),
        ("name1", "name", "刘洋"),
        ("number1", "number", "20261122"),
        ("const1", "state | 已受理 处理中", "处理中"),
        ("const1", "state | 办理=处理中", "处理中"),
        ("const1", "state | 已受理 处理中=办理", "办理"),
        ("const1", "unit | 已受理 处理中", "已受理"),
    ],
)
def test_expressions(keyword: str, expression: str, value: str) -> None:
    assert render_fields({keyword: expression}, VALUES) == {keyword: value}


def test_an_iso_moment_is_shown_as_its_wall_clock() -> None:
    values = {"time": "2026-11-22T15:01:09+08:00"}
    assert render_fields({"time1": "time"}, values) == {"time1": "2026-11-22 15:01"}


@pytest.mark.parametrize(
    ("keyword", "expression"),
    [
        ("thing1", "sumary"),
        ("thing1", ""),
        ("thing1", "summary +"),
        ("thing1", "summary unit"),
        ("thing1", "'open"),
        ("thing1", "summary | a"),
        ("const1", "state"),
        ("const1", "state | =a"),
        ("thing", "summary"),
        ("first", "summary"),
        ("thang1", "summary"),
    ],
)
def test_what_is_no_expression_is_refused(keyword: str, expression: str) -> None:
    with pytest.raises(ValueError):
        parse(keyword, expression)


@given(st.dictionaries(st.sampled_from(NAMES), st.text()), st.sampled_from(KEYWORDS), st.data())
def test_the_platform_accepts_every_value(
    values: dict[str, str], keyword: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(NAMES))
    expression = f"{name} | 处理中 已办结" if keyword == "const1" else name
    known = values | {"time": "2026-11-22 15:01"}
    value = render_fields({keyword: expression}, known)[keyword]
    assert RULES[keyword[:-1]].fullmatch(value), value
    assert value.strip() == value


def test_every_kind_the_platform_knows_is_fitted() -> None:
    assert all(parse(keyword, "'x' | x" if keyword == "const1" else "'x'") for keyword in KEYWORDS)


def test_the_packaged_templates_are_the_platforms() -> None:
    book = TemplateBook(demo_templates())
    templates = read(PACKAGED_SITE).data["templates"]
    assert set(templates) == set(PURPOSES)
    for template in templates.values():
        registered = book.get(template["id"])
        assert {field.keyword for field in registered.fields} == set(template["fields"])
        data = {k: {"value": v} for k, v in render_fields(template["fields"], VALUES).items()}
        assert registered.fill(data)
