"""The right channel for the moment: customer message, else template, else shown to staff."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col

from bot.models import Conversation, Resident
from bot.services.post import UNREACHABLE
from tests.conftest import Office
from tests.delivery.world import CUSTOM, TEMPLATE, World, play, until


def test_custom_while_window_and_count_last_then_template(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        ids = [world.push("lin", f"进展{n}") for n in range(7)]
        assert len(await world.delivery.once()) == 7
        rows = [world.row(n) for n in ids]
        assert [row.channel for row in rows] == ["custom"] * 5 + ["template"] * 2
        assert {(row.state, row.errcode, row.attempts) for row in rows} == {("sent", 0, 1)}
        assert all(row.sent_at == world.clock.now() for row in rows)
        assert sorted(world.phone("lin", "custom")) == [f"进展{n}" for n in range(5)]
        assert len(world.phone("lin", "template")) == 2
        assert [row.platform_id is not None for row in rows] == [False] * 5 + [True] * 2
        # Nothing is left, and nothing leaves twice.
        assert await world.delivery.once() == []

    play(office, story)


def test_a_new_message_opens_the_window_again(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        for _ in range(5):
            world.push("lin")
        await world.delivery.once()
        world.platform.windows.after_message("lin")
        office.say("lin", "你好")
        again = world.push("lin", "又有进展")
        await world.delivery.once()
        assert world.row(again).channel == "custom"

    play(office, story)


def test_after_two_days_only_the_template(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        office.later(hours=48, seconds=1)
        late = world.push("lin")
        await world.delivery.once()
        assert (world.row(late).channel, world.row(late).state) == ("template", "sent")
        assert not world.calls(CUSTOM)

    play(office, story)


def test_a_click_opens_it_for_a_minute(office: Office) -> None:
    async def story(world: World) -> None:
        await world.outside.subscribe("lin")
        first = [world.push("lin", f"一{n}") for n in range(4)]
        await world.delivery.once()
        await until(lambda: {world.row(n).state for n in first} == {"sent"})
        channels = [world.row(n).channel for n in first]
        assert channels == ["custom"] * 3 + ["template"]
        await world.outside.click("lin", "report")
        office.later(seconds=61)
        late = world.push("lin")
        await world.delivery.once()
        await until(lambda: {world.row(n).state for n in [*first, late]} == {"sent"})
        assert world.row(late).channel == "template"

    play(office, story, server=True, finish_events=False)


def test_without_window_and_template_it_is_shown_as_undeliverable(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("stranger")
        reply = world.push("stranger", purpose="reply")
        bare = world.push("stranger", fields={})
        assert await world.delivery.once() == []
        for row in (world.row(reply), world.row(bare)):
            assert (row.state, row.error, row.channel) == ("undeliverable", UNREACHABLE, None)
        assert not world.calls(CUSTOM)
        assert not world.calls(TEMPLATE)

    play(office, story)


def test_what_nothing_can_bring_does_not_hide_what_is_due(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.pushes([("stranger", "回答")] * 130, purpose="reply", urgent=True)
        due = world.push("lin")
        await world.delivery.once()
        assert world.row(due).state == "sent"

    play(office, story)


def test_the_template_carries_fitted_values_and_its_own_id(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        long = "春" * 50
        fields = {"number": "T20261123-0001", "summary": long, "state": "处理中", "unit": long}
        push = world.push("lin", fields=fields | {"time": "2026-11-23 10:00"})
        await world.delivery.once()
        row = world.row(push)
        assert row.state == "sent", row.error
        [call] = world.calls(TEMPLATE)
        assert row.client_msg_id in call.request

    play(office, story)


def test_options_become_a_menu_where_the_account_may(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        push = world.push("lin", "解决了吗?", options=["好了", "没好"])
        await world.delivery.once()
        assert world.row(push).state == "sent"
        [bubble] = [b for b in world.platform.inbox("lin") if b.via == "custom"]
        shown = [option["content"] for option in bubble.data.get("list", [])]
        if world.platform.account.verified:
            assert (bubble.kind, shown) == ("msgmenu", ["好了", "没好"])

    play(office, story)


def test_an_unverified_account_sends_the_question_as_text(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.platform.fail_next(CUSTOM, 40200)
        push = world.push("lin", "解决了吗?回复 1 好了,2 没好。", options=["好了", "没好"])
        await world.delivery.once()
        assert world.row(push).state == "sent"
        assert world.phone("lin", "custom") == ["解决了吗?回复 1 好了,2 没好。"]

    play(office, story)


def test_the_urgent_leave_first(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        world.pushes([("lin", f"平常{n}") for n in range(150)])
        office.later(seconds=1)
        urgent = [world.push("lin", "着火", urgent=True) for _ in range(3)]
        first = await world.delivery.once()
        assert [outcome.id for outcome in first[:3]] == urgent
        assert len(first) < 153

    play(office, story)


def test_what_is_not_due_waits(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        later = world.push("lin", due_at=world.clock.now() + timedelta(hours=1))
        assert await world.delivery.once() == []
        office.later(hours=1)
        assert [outcome.id for outcome in await world.delivery.once()] == [later]

    play(office, story)


def test_a_whole_loop_reaches_both_phones(office: Office) -> None:
    """Through the running server: it wakes by itself, within a moment of the commit."""

    async def story(world: World) -> None:
        for staff in (f"demo-staff-{n:02}" for n in range(1, 17)):
            world.platform.follow(staff)
        world.platform.follow("lin")
        got = await world.outside.send_text("lin", "阳光小区3号楼2单元楼道灯坏了")
        assert "已登记" in got.reply_text
        [task] = office.pushes(purpose="task")
        await until(lambda: world.platform.inbox(task.openid))
        await world.outside.send_text(task.openid, "接单 0001")
        await until(lambda: world.phone("lin", "custom"))
        assert "已签收" in world.phone("lin", "custom")[0]

    play(office, story, server=True)


def test_a_template_the_platform_could_not_bring_is_shown(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.job_status["lin"] = "failed:user block"
        push = world.push("lin")
        await until(lambda: world.row(push).state == "sent")
        msgid = world.row(push).platform_id
        assert msgid is not None
        await world.outside.template_finished("lin", int(msgid))
        row = world.row(push)
        assert (row.state, row.error) == ("undeliverable", "failed:user block")

    play(office, story, server=True, finish_events=False)


def test_even_when_the_platform_says_so_before_we_wrote_it_down(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        world.platform.job_status["lin"] = "failed:user block"
        assert world.running is not None
        client = world.running.client
        send = client.send_template

        async def told_at_once(openid: str, *rest: Any) -> Any:
            answer = await send(openid, *rest)
            await world.outside.template_finished(openid, answer["msgid"])
            return answer

        monkeypatch.setattr(client, "send_template", told_at_once)
        push = world.push("lin")
        await until(lambda: world.row(push).state not in ("pending", "sending"))
        assert world.row(push).state == "undeliverable"

    play(office, story, server=True, finish_events=False)


def test_the_count_is_right_on_both_sides(office: Office) -> None:
    async def story(world: World) -> None:
        world.meet("lin")
        for _ in range(3):
            world.push("lin")
        await world.delivery.once()

        def left(work: object) -> int:
            [talk] = [
                talk
                for talk in work.find(Conversation)  # type: ignore[attr-defined]
                for person in work.find(Resident, col(Resident.id) == talk.id)  # type: ignore[attr-defined]
                if person.openid == "lin"
            ]
            return talk.window_left

        assert office.read(left) == world.platform.windows.left("lin") == 2

    play(office, story)
