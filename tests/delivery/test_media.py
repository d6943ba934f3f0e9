"""Pictures and voices are on our disk, by content, before the platform forgets them."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest

from bot.models import Media
from bot.services import media
from bot.simulator.media import sample_picture, sample_voice
from tests.conftest import Office
from tests.delivery.world import World, play, until

GET = "/cgi-bin/media/get"


def rows(office: Office) -> list[Media]:
    return office.read(lambda work: work.find(Media, order=[Media.id]))  # type: ignore[list-item]


def sent(world: World, openid: str, content: bytes, kind: str = "image/png") -> str:
    """A picture that the platform keeps, told to the server."""
    kept = world.platform.media.put(content, kind)
    world.office.say(openid, kind="image", media_id=kept.media_id)
    return kept.media_id


def stored(office: Office) -> list[Path]:
    folder = office.machine.settings.data_dir / "media"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_is_kept_by_its_content_once(office: Office) -> None:
    async def story(world: World) -> None:
        picture, voice = sample_picture(), sample_voice()
        sent(world, "lin", picture)
        sent(world, "hu", picture)
        sent(world, "wu", voice, "voice/amr")
        fetched = await world.fetching.once()
        assert [one.error for one in fetched] == ["", "", ""]
        assert await world.fetching.once() == []
        found = rows(office)
        digests = [hashlib.sha256(content).hexdigest() for content in (picture, picture, voice)]
        assert [row.sha256 for row in found] == digests
        assert {(row.state, row.error) for row in found} == {("stored", "")}
        assert [row.size for row in found] == [len(picture), len(picture), len(voice)]
        assert [row.content_type for row in found] == ["image/png", "image/png", "voice/amr"]
        files = stored(office)
        assert {path.name for path in files} == set(digests)
        assert len(files) == 2
        for path in files:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name

    play(office, story)


def test_through_the_running_server(office: Office) -> None:
    async def story(world: World) -> None:
        world.platform.follow("lin")
        await world.outside.send_image("lin")
        await world.outside.send_voice("lin")
        assert world.running is not None
        await world.running.ticks.media()
        await until(lambda: {row.state for row in rows(office)} == {"stored"})
        assert {row.kind for row in rows(office)} == {"image", "voice"}

    play(office, story, server=True)


def test_trouble_is_tried_again_later(office: Office) -> None:
    async def story(world: World) -> None:
        sent(world, "lin", sample_picture())
        world.platform.fail_next(GET, -1)
        world.platform.break_next(GET, 502)
        for minutes in (2, 4):
            await world.fetching.once()
            [row] = rows(office)
            assert (row.state, row.error[:7]) == ("pending", "errcode")
            assert (row.due_at - world.clock.now()).total_seconds() == minutes * 60
            assert await world.fetching.once() == []
            office.later(minutes=minutes)
        await world.fetching.once()
        [row] = rows(office)
        assert (row.state, row.attempts, row.error) == ("stored", 3, "")

    play(office, story)


def test_on_the_third_day_it_can_still_be_had(office: Office) -> None:
    async def story(world: World) -> None:
        sent(world, "lin", sample_picture())
        world.platform.break_next(GET, 502, times=10_000)
        for _ in range(14):
            office.later(hours=5)
            await world.fetching.once()
        assert (rows(office)[0].state, rows(office)[0].attempts) == ("pending", 14)
        world.platform.faults.clear()
        office.later(hours=2, minutes=-1)
        await world.fetching.once()
        assert rows(office)[0].state == "stored"

    play(office, story)


def test_after_three_days_it_is_lost(office: Office) -> None:
    async def story(world: World) -> None:
        sent(world, "lin", sample_picture())
        office.later(days=3, seconds=1)
        await world.fetching.once()
        [row] = rows(office)
        assert (row.state, row.error) == ("lost", "errcode 40007")
        assert stored(office) == []
        assert await world.fetching.once() == []

    play(office, story)


def test_with_the_platform_down_for_three_days_it_is_lost_too(office: Office) -> None:
    async def story(world: World) -> None:
        sent(world, "lin", sample_picture())
        world.platform.break_next(GET, 502, times=10_000)
        office.later(days=3, seconds=1)
        await world.fetching.once()
        assert rows(office)[0].state == "lost"

    play(office, story)


def test_too_large_is_lost_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        fetch = world.client.fetch_media

        async def small(media_id: str) -> Any:
            return await fetch(media_id, limit=100)

        monkeypatch.setattr(world.client, "fetch_media", small)
        sent(world, "lin", sample_picture())
        await world.fetching.once()
        assert (rows(office)[0].state, rows(office)[0].error) == ("lost", "errcode 45001")

    play(office, story)


def test_a_lapsed_claim_is_fetched_again(office: Office) -> None:
    async def story(world: World) -> None:
        sent(world, "lin", sample_picture())
        assert len(office.write(media.claim)) == 1
        assert await world.fetching.once() == []
        office.later(seconds=media.LEASE.total_seconds() + 1)
        await world.fetching.once()
        assert rows(office)[0].state == "stored"

    play(office, story)


def test_one_that_hangs_does_not_hold_up_the_claim_of_the_others(office: Office) -> None:
    """All of a batch are fetched at once: together they must not outlast their lease."""

    async def story(world: World) -> None:
        for n in range(12):
            sent(world, f"r{n}", sample_voice(n % 5 + 1), "voice/amr")
        world.platform.faults.latency = 0.2
        started = time.perf_counter()
        first = await world.fetching.once()
        assert len(first) >= 5
        assert time.perf_counter() - started < 0.2 * len(first)
        while await world.fetching.once():
            pass
        assert {row.state for row in rows(office)} == {"stored"}

    play(office, story)


def test_the_same_file_written_by_two_is_whole(tmp_path: Path) -> None:
    digest = media.keep(tmp_path, b"one picture")
    assert media.keep(tmp_path, b"one picture") == digest
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.read_bytes() == b"one picture"
