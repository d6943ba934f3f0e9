"""When the account may write by itself, over the API and over time."""

from __future__ import annotations

from datetime import timedelta


def test_five_messages_in_48_hours_after_a_message(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        assert await world.say("o1") == 45015
        await world.outside.send_text("o1", "灯坏了")
        assert [await world.say("o1") for _ in range(6)] == [0] * 5 + [45047]
        await world.outside.send_text("o1", "还有吗")
        assert await world.say("o1") == 0
        world.clock.move(timedelta(hours=47, minutes=59))
        assert await world.say("o1") == 0
        world.clock.move(timedelta(minutes=2))
        assert await world.say("o1") == 45015
        assert world.received("o1").count("推送") == 7

    play(story)


def test_three_messages_in_a_minute_after_click_scan_follow_and_option(play) -> None:
    async def story(world) -> None:
        outside = world.outside
        deeds = (
            lambda: outside.subscribe("o1"),
            lambda: outside.click("o1", "report"),
            lambda: outside.scan("o1", "area-1"),
            lambda: outside.send_text("o1", "修好了", menu_id="1"),
        )
        for deed in deeds:
            await deed()
            assert [await world.say("o1") for _ in range(4)] == [0, 0, 0, 45047]
            await deed()
            world.clock.move(timedelta(seconds=61))
            assert await world.say("o1") == 45015

    play(story)


def test_a_click_adds_to_the_long_window_and_is_used_up_first(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        await world.outside.send_text("o1", "灯坏了")
        await world.outside.click("o1", "report")
        assert [await world.say("o1") for _ in range(3)] == [0, 0, 0]
        world.clock.move(timedelta(minutes=2))
        assert world.platform.windows.left("o1") == 5

    play(story)


def test_who_left_gets_nothing_and_who_never_came_is_invalid(play) -> None:
    async def story(world) -> None:
        await world.outside.subscribe("o1")
        await world.outside.unsubscribe("o1")
        assert await world.say("o1") == 45015
        assert (await world.notify("o1"))["errcode"] == 43004
        assert await world.say("o-nobody") == 40003
        assert (await world.notify("o-nobody"))["errcode"] == 40003
        assert [message.event for message in world.hook.messages] == ["subscribe", "unsubscribe"]

    play(story)
