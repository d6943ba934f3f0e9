"""The demo page's routes; how it looks is checked in a browser."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import bot.simulator
from bot.simulator import BROKEN

HERE = Path(bot.simulator.__file__).parent


def test_the_page_and_everything_it_loads(play) -> None:
    async def story(world) -> None:
        page = await world.http.get("/")
        assert page.status_code == 200 and "同心街道" in page.text and "安全模式" in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
        loaded = re.findall(r'(?:src|href)="(static/[^"]+)"', page.text)
        assert len(loaded) == 3
        for path in loaded:
            assert (await world.http.get(path)).status_code == 200
        assert world.platform.base_url == "http://simulator"

    play(story)


def test_nothing_comes_from_elsewhere() -> None:
    for path in [*HERE.glob("static/*"), *HERE.glob("templates/*")]:
        addresses = re.findall(r"https?://[\w.]+", path.read_text())
        assert set(addresses) <= {"http://www.w3.org"}, path


def test_a_talk_through_the_page(play) -> None:
    async def story(world) -> None:
        async def do(deed: str, body: object = None, who: str = "demo-resident-01"):
            return await world.http.post(f"/phones/{who}/{deed}", json=body or {})

        people = (await world.http.get("/people")).json()
        assert [person["name"] for person in people] == ["王桂兰", "陈网格员"]
        refused = await do("text", {"text": "在吗"})
        assert (refused.status_code, refused.json()["error"]) == (409, "请先关注公众号")
        await do("subscribe")
        said = await do("text", {"text": "灯坏了"})
        assert said.json() == {"reply": "答:灯坏了", "tries": 1, "status": 200, "failure": ""}
        await do("location", {"latitude": 31.2, "longitude": "121.4", "label": "门口"})
        await do("voice", {"text": ""})
        await do("click", {"key": "report"})
        assert (await do("dance")).status_code == 404
        assert (await do("location", {"latitude": "北"})).status_code == 422
        assert (await do("text")).status_code == 422
        state = (await world.http.get("/state")).json()
        chats = state["phones"]
        assert chats["demo-staff-01"]["follows"] and chats["demo-resident-01"]["left"] == 8
        kinds = [(b["side"], b["kind"]) for b in chats["demo-resident-01"]["bubbles"]]
        assert kinds[:4] == [
            ("system", "note"),
            ("account", "text"),
            ("me", "text"),
            ("account", "text"),
        ]
        later = (await world.http.get(f"/state?since={state['last']}&wire=2")).json()
        assert later["phones"]["demo-resident-01"]["bubbles"] == []
        assert [line["seq"] for line in later["wire"]] == [3, 4, 5]
        record = (await world.http.get("/wire/3")).json()
        assert "门口" in record["request_plain"]
        assert (await world.http.get("/wire/999")).status_code == 404

    play(story)


def test_pictures(play) -> None:
    async def story(world) -> None:
        world.platform.follow("demo-resident-01")
        path = "/phones/demo-resident-01/image"
        assert (await world.http.post(path)).status_code == 200
        assert (await world.http.post(path, content=b"not a picture")).status_code == 422
        own = b"\xff\xd8\xff mine"
        assert (await world.http.post(path, content=own)).status_code == 200
        media_id = world.hook.messages[-1].media_id
        assert (await world.http.get(f"/media/{media_id}")).content == own
        assert (await world.http.get("/media/none")).status_code == 404

    play(story)


def test_codes_to_scan(play) -> None:
    async def story(world) -> None:
        world.platform.print_code("area-1", "阳光小区")
        (shown,) = (await world.http.get("/state")).json()["codes"]
        assert (shown["scene"], shown["label"]) == ("area-1", "阳光小区")
        picture = await world.http.get("/code", params={"ticket": shown["ticket"]})
        assert picture.content.startswith(b"\x89PNG")
        assert (await world.http.get("/code")).status_code == 404
        await world.http.post("/phones/demo-resident-01/scan", json={"scene": "area-1"})
        assert world.hook.messages[-1].event == "subscribe_scan"
        assert world.platform.wire.since()[0].direction == "webhook"

    play(story)


def test_time_moves_and_the_jobs_run(play) -> None:
    async def story(world) -> None:
        before = world.clock.now()
        assert (await world.http.post("/time/hour")).status_code == 200
        assert world.clock.now() - before >= timedelta(hours=1)
        await world.http.post("/time/working-day")
        assert timedelta(days=3) < world.clock.now() - before < timedelta(days=3, hours=2)
        assert (await world.http.post("/time/year")).status_code == 404
        assert world.moves == 2

    play(story)


def test_a_failing_server_is_shown_as_the_platform_shows_it(play) -> None:
    async def story(world) -> None:
        await world.http.get("/people")
        world.platform.follow("demo-resident-01")
        world.hook.raw = b"<html>500</html>"
        await world.http.post("/phones/demo-resident-01/text", json={"text": "灯"})
        bubbles = (await world.http.get("/state")).json()["phones"]["demo-resident-01"]["bubbles"]
        assert (bubbles[-1]["kind"], bubbles[-1]["text"]) == ("error", BROKEN)

    play(story)
