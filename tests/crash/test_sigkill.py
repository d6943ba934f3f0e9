"""The server is killed in the middle of its work, and nothing is lost or done twice."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from bot.machine import Machine
from tests.crash import checks
from tests.crash.harness import LAPSE, Load, Server, pretend_platform, until

RESIDENTS = [f"oR{n:03}" for n in range(60)]
STAFF = [f"demo-staff-{n:02}" for n in range(1, 17)]
KILLS = 2


def speak(load: Load, messages: int) -> None:
    """Mostly new reports, in compounds of different units; some small talk."""
    places = ("阳光小区", "和平里", "翠湖苑", "幸福家园")
    for n in range(messages):
        openid = load.chance.choice(RESIDENTS)
        if load.chance.random() < 0.15:
            load.say(openid, "你好")
        else:
            load.say(openid, f"{places[n % 4]}{n % 6 + 1}号楼1单元{checks.LAMP}")


@pytest.mark.timeout(300)
def test_killed_and_restarted(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random()
    seed = chance.randrange(1_000_000)
    chance.seed(seed)
    print(f"seed {seed}")

    async def story() -> None:
        async with pretend_platform(machine, monkeypatch, RESIDENTS + STAFF) as (received, base):
            # The calls take a moment, so that some are cut off before their answer is recorded.
            received.platform.faults.latency = 0.02
            server = Server(machine.settings, base, tmp_path)
            load = Load(received.platform, chance)
            # Staff who have written get customer messages first and templates later.
            for openid in STAFF:
                load.say(openid, "你好")
            speak(load, 240)
            try:
                await server.start()
                for kill in range(KILLS):
                    left = load.unanswered()
                    goal = load.answered + chance.randint(10, len(left) // (KILLS - kill + 1))
                    running = asyncio.create_task(load.deliver(left, [server.url]))
                    await load.reaches(goal)
                    await asyncio.sleep(chance.random() * 0.05)
                    server.kill()
                    await running
                    server.ahead += LAPSE
                    await server.start()
                assert load.unanswered(), "it was killed too late to prove anything"
                while left := load.unanswered():
                    await load.deliver(left, [server.url])
                # What had been answered is delivered once more: nothing may come of it.
                answered = chance.sample(load.said, 60)
                await load.deliver(answered, [server.url])
                await until(lambda: checks.delivered(machine))
            finally:
                server.close()
            assert not load.refused
            checks.every_message_once(machine, load.said)
            checks.every_ticket_once(machine, load.said)
            twice = checks.every_push_arrived(machine, received)
            print(f"customer messages shown twice: {twice}")

    asyncio.run(story())
