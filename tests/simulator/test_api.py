"""The HTTP API's other rules: bodies, menus, codes, media, faults."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

CUSTOM = "/cgi-bin/message/custom/send"


def test_the_door(play) -> None:
    async def story(world) -> None:
        http, token = world.http, {"access_token": world.token}
        assert (await http.post(CUSTOM, json={})).json()["errcode"] == 41001
        bad = await http.post(CUSTOM, params={"access_token": "x"}, json={})
        assert bad.json()["errcode"] == 40014 and bad.status_code == 200
        assert re.search(r" rid: \w{8}-\w{8}-\w{8}$", bad.json()["errmsg"])
        assert (await http.get(CUSTOM, params=token)).json()["errcode"] == 43002
        assert (await http.post("/cgi-bin/menu/get", params=token)).json()["errcode"] == 43001
        assert (await http.post(CUSTOM, params=token)).json()["errcode"] == 44002
        for body in (b"{", b"[]", b"\xff"):
            wrong = await http.post(CUSTOM, params=token, content=body)
            assert wrong.json()["errcode"] == 47001
        assert (await http.get("/cgi-bin/nothing")).status_code == 404
        assert (await http.get("/other")).status_code == 404
        world.clock.move(timedelta(hours=5))
        date = parsedate_to_datetime((await http.get("/cgi-bin/x")).headers["date"])
        assert abs(date - world.clock.now()) < timedelta(seconds=5)

    play(story)


def test_customer_messages(play) -> None:
    async def story(world) -> None:
        await world.outside.subscribe("o1")

        async def errcode(kind: str, body: object) -> int:
            answer = await world.post(CUSTOM, {"touser": "o1", "msgtype": kind, kind: body})
            return int(answer["errcode"])

        assert await errcode("text", {"content": ""}) == 44004
        assert await errcode("text", {"content": "灯" * 683}) == 45002
        assert await errcode("text", "灯") == 47001
        assert await errcode("poem", {}) == 40008
        assert await errcode("image", {"media_id": "x"}) == 40007
        assert await errcode("news", {"articles": [{}, {}]}) == 45008
        assert world.platform.windows.left("o1") == 3
        options = {"head_content": "修好了吗", "list": [{"id": "1", "content": "好了"}]}
        assert await errcode("msgmenu", options) == 0
        assert world.platform.inbox("o1")[-1].data["list"] == options["list"]
        media = world.platform.media.put(b"\xff\xd8\xff", "image/jpeg")
        assert await errcode("image", {"media_id": media.media_id}) == 0

    play(story)


def test_an_unverified_account_has_no_msgmenu(play) -> None:
    async def story(world) -> None:
        await world.outside.subscribe("o1")
        menu = {"list": [{"id": "1", "content": "好了"}]}
        payload = {"touser": "o1", "msgtype": "msgmenu", "msgmenu": menu}
        assert (await world.post(CUSTOM, payload))["errcode"] == 40200

    play(story, verified=False)


def test_typing(play) -> None:
    async def story(world) -> None:
        async def typing(command: str = "Typing") -> int:
            payload = {"touser": "o1", "command": command}
            return int((await world.post("/cgi-bin/message/custom/typing", payload))["errcode"])

        world.platform.follow("o1")
        assert await typing() == 45080
        await world.outside.send_text("o1", "灯坏了")
        assert (await typing("Sing"), await typing(), await typing()) == (45072, 0, 45081)
        assert world.platform.phones.is_typing("o1")
        await world.say("o1")
        assert not world.platform.phones.is_typing("o1")
        assert (await typing(), await typing("CancelTyping"), await typing()) == (0, 0, 0)
        world.clock.move(timedelta(seconds=31))
        assert await typing() == 45080

    play(story)


BUTTON = {"type": "click", "name": "报修", "key": "report"}


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([BUTTON] * 4, 40016),
        ([{**BUTTON, "name": "六个汉字太长"}], 40018),
        ([{**BUTTON, "type": "press"}], 40017),
        ([{**BUTTON, "key": "k" * 129}], 40019),
        ([{"type": "view", "name": "看", "url": "u" * 1025}], 40020),
        ([{"name": "查", "sub_button": [BUTTON] * 6}], 40023),
        ([{"name": "查", "sub_button": [{**BUTTON, "type": "press"}]}], 40024),
        ([{"name": "查", "sub_button": [{**BUTTON, "name": "字" * 21}]}], 40025),
        ([{"name": "查", "sub_button": [{**BUTTON, "key": ""}]}], 40026),
        ([BUTTON, {"name": "查", "sub_button": [BUTTON] * 5}], 0),
    ],
)
def test_menus(play, buttons: list[object], errcode: int) -> None:
    async def story(world) -> None:
        assert (await world.get("/cgi-bin/menu/get"))["errcode"] == 46003
        made = await world.post("/cgi-bin/menu/create", {"button": buttons})
        assert made["errcode"] == errcode
        if not errcode:
            assert await world.get("/cgi-bin/menu/get") == {"menu": {"button": buttons}}

    play(story)


def code(action: str, seconds: object = 600, **scene: object) -> dict[str, object]:
    return {
        "action_name": action,
        "expire_seconds": seconds,
        "action_info": {"scene": scene},
    }


def test_qr_codes(play) -> None:
    async def story(world) -> None:
        async def create(payload: object) -> dict[str, object]:
            return await world.post("/cgi-bin/qrcode/create", payload)

        wrong = [
            (code("QR_PICTURE", scene_str="a"), 40052),
            (code("QR_STR_SCENE", scene_str=""), 40053),
            (code("QR_STR_SCENE", scene_str="a" * 65), 40053),
            (code("QR_STR_SCENE", 2_592_001, scene_str="a"), 40053),
            (code("QR_LIMIT_SCENE", scene_id=100_001), 40053),
            ({"action_name": "QR_SCENE"}, 40053),
        ]
        for payload, errcode in wrong:
            assert (await create(payload))["errcode"] == errcode
        short = await create(code("QR_STR_SCENE", scene_str="area-1"))
        lasting = await create(code("QR_LIMIT_STR_SCENE", scene_str="area-2"))
        assert short["expire_seconds"] == 600 and "expire_seconds" not in lasting
        assert await create(code("QR_LIMIT_STR_SCENE", scene_str="area-2")) == lasting
        world.clock.move(timedelta(seconds=601))
        shown = [
            await world.http.get("/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
            for made in (short, lasting)
        ]
        assert [picture.status_code for picture in shown] == [404, 200]
        assert shown[1].content.startswith(b"\x89PNG")

    play(story)


def test_media_lasts_three_days(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        await world.outside.send_image("o1", b"\xff\xd8\xff picture")
        query = {"access_token": world.token, "media_id": world.hook.messages[0].media_id}
        found = await world.http.get("/cgi-bin/media/get", params=query)
        assert found.content == b"\xff\xd8\xff picture"
        assert found.headers["content-type"] == "image/jpeg"
        assert found.headers["content-disposition"].endswith('.jpg"')
        world.clock.move(timedelta(days=3, seconds=1))
        query["access_token"] = world.token
        late = await world.http.get("/cgi-bin/media/get", params=query)
        assert late.json()["errcode"] == 40007

    play(story)


def test_templates_are_listed(play) -> None:
    async def story(world) -> None:
        (only,) = (await world.get("/cgi-bin/template/get_all_private_template"))["template_list"]
        assert (only["template_id"], only["title"]) == ("T-progress", "工单进度提醒")
        assert "{{thing2.DATA}}" in only["content"]

    play(story)


def test_faults_come_as_often_as_asked(play) -> None:
    async def story(world) -> None:
        await world.outside.subscribe("o1")
        world.platform.fail_next(CUSTOM, 45011, times=2)
        world.platform.break_next(CUSTOM)
        world.platform.slow_next(CUSTOM, 0.05)
        assert [await world.say("o1") for _ in range(2)] == [45011, 45011]
        token = {"access_token": world.token}
        assert (await world.http.post(CUSTOM, params=token, json={})).status_code == 502
        assert await world.say("o1") == 0
        assert world.platform.wire.since()[-1].ms >= 50
        assert world.platform.windows.left("o1") == 2

    play(story)
