"""Template messages: typed fields, followers only, once per client_msg_id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.simulator.errcodes import RefusalError
from bot.simulator.template_book import Template


def accepts(kind: str, value: str) -> bool:
    template = Template("t", "题", f"项:{{{{{kind}1.DATA}}}}")
    try:
        template.fill({f"{kind}1": {"value": value}})
    except RefusalError as error:
        assert error.errcode == 47003
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("thing", ["楼道灯不亮", "灯" * 20, "a\nb"], ["灯" * 21, "", "  "]),
        ("character_string", ["T20261122-0007", "x" * 32], ["x" * 33, "编号7"]),
        ("number", ["7", "-3.5", "9" * 32], ["七", "9" * 33]),
        ("letter", ["abc"], ["a1", "a" * 33]),
        ("symbol", ["!", "★★★★★"], ["a", "★★★★★★"]),
        ("phrase", ["处理中", "正在处理中"], ["正在处理之中", "doing"]),
        ("name", ["王桂兰", "Anna Smith"], ["王" * 11, "a" * 21]),
        ("phone_number", ["13800138000", "+86-21-1234567"], ["1" * 18, "电话"]),
        ("car_number", ["沪A12345", "沪AD12345"], ["沪AD1234567"]),
        (
            "time",
            ["2026-11-22 15:01", "2026年11月22日 15:01", "15:01", "2026年11月22日 09:00~17:00"],
            ["明天下午", "2026-11-22T15:01", "25:00"],
        ),
        ("date", ["2026-11-22", "2026年11月22日 15:01"], ["15:01", "周二"]),
    ],
)
def test_field_limits(kind: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


def test_first_and_remark_are_dropped() -> None:
    template = Template("t", "题", "{{first.DATA}}\n事项:{{thing1.DATA}}\n{{remark.DATA}}")
    data = {"first": {"value": "您好"}, "thing1": {"value": "灯"}}
    assert template.fill(data) == [("事项", "灯")]


def test_a_card_on_the_phone_and_the_event_after_it(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.platform.job_status["o1"] = "failed:user block"
        answer = await world.notify("o1", url="https://example.org/t/7")
        assert answer["errcode"] == 0
        (card,) = world.platform.inbox("o1")
        assert card.data["rows"][:2] == [("工单编号", "T20261122-0007"), ("事项", "楼道灯不亮")]
        assert card.data["url"] == "https://example.org/t/7"
        (event,) = world.hook.messages
        assert event.event == "templatesendjobfinish"
        assert int(event._data["MsgID"]) == answer["msgid"]
        assert event.status == "failed:user block"

    play(story)


FILLED = {
    "character_string1": {"value": "T1"},
    "thing2": {"value": "灯"},
    "phrase3": {"value": "处理中"},
    "time4": {"value": "15:01"},
    "const5": {"value": "报修"},
}


def test_refusals(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        too_long = await world.notify("o1", {**FILLED, "thing2": {"value": "楼" * 21}})
        assert too_long["errcode"] == 47003 and "data.thing2.value" in too_long["errmsg"]
        assert " rid: " in too_long["errmsg"]
        unlisted = {**FILLED, "const5": {"value": "表扬"}}
        assert (await world.notify("o1", unlisted))["errcode"] == 47003
        assert (await world.notify("o1", {"thing2": {"value": "灯"}}))["errcode"] == 47003
        assert (await world.notify("o1", template_id="T-none"))["errcode"] == 40037
        world.platform.template_quota.limit = 0
        assert (await world.notify("o1", FILLED))["errcode"] == 45009
        assert world.received("o1") == []

    play(story, finish_events=False)


def test_a_client_msg_id_is_sent_once_in_ten_minutes(play) -> None:
    async def story(world) -> None:
        for openid in ("o1", "o2"):
            world.platform.follow(openid)
        first = await world.notify("o1", client_msg_id="k1")
        again = await world.notify("o1", client_msg_id="k1")
        assert again == first
        await world.notify("o2", client_msg_id="k1")
        assert len(world.received("o1")) == len(world.received("o2")) == 1
        world.clock.move(timedelta(minutes=10, seconds=1))
        assert (await world.notify("o1", client_msg_id="k1"))["msgid"] != first["msgid"]
        assert len(world.received("o1")) == 2

    play(story, finish_events=False)


def test_an_answer_that_got_lost(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.platform.fail_next("/cgi-bin/message/template/send", -1, done=True)
        assert (await world.notify("o1", client_msg_id="k1"))["errcode"] == -1
        assert (await world.notify("o1", client_msg_id="k1"))["errcode"] == 0
        assert len(world.received("o1")) == 1

    play(story, finish_events=False)
