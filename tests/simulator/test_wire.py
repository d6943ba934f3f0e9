"""The wire log: complete in both directions, bounded, and without secrets."""

from __future__ import annotations

import json


def test_no_secret_is_ever_kept(play) -> None:
    async def story(world) -> None:
        account = world.platform.account
        asked = {
            "grant_type": "client_credential", "appid": account.appid, "secret": account.secret,
        }  # fmt: skip
        answer = await world.http.post("/cgi-bin/stable_token", json=asked)
        token = answer.json()["access_token"]
        await world.outside.subscribe("o1")
        await world.say("o1", f"{token} {account.aes_key}")
        await world.http.get("/cgi-bin/menu/get", params={"access_token": "88_unknown"})
        await world.http.post("/cgi-bin/stable_token", json={**asked, "secret": "mistyped-secret"})
        kept = json.dumps([record.as_json() for record in world.platform.wire.since()])
        hidden = (token, account.secret, account.token, account.aes_key)
        for secret in (*hidden, "88_unknown", "mistyped-secret"):
            assert secret not in kept
        assert "***" in kept
        assert account.secret not in repr(account)

    play(story)


def test_both_directions_with_what_was_inside(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.hook.statuses = [500]
        await world.outside.send_text("o1", "灯坏了")
        await world.say("o1")
        failed, sent, called = world.platform.wire.since()
        assert (failed.status, failed.note) == (500, "状态码 500")
        assert (sent.direction, sent.path, sent.note) == ("webhook", "/wechat", "第 2 次投递")
        assert "灯坏了" not in sent.request and "灯坏了" in sent.request_plain
        assert "答:灯坏了" not in sent.response and "答:灯坏了" in sent.response_plain
        assert (called.direction, called.method) == ("api", "POST")
        assert json.loads(called.response) == {"errcode": 0, "errmsg": "ok"}
        assert called.ms > 0 and world.platform.wire.get(called.seq) is called

    play(story)


def test_bounded_and_switched_off(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        for _ in range(5):
            await world.outside.send_text("o1", "灯坏了")
        assert len(world.platform.wire.since()) == world.platform.wire.size

    play(story, wire_size=3)
    play(story, wire_size=0)
