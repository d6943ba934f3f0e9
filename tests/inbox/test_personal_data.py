"""What residents tell about themselves: nowhere in clear, neither at rest nor in the logs."""

from __future__ import annotations

import asyncio
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import bot.models  # noqa: F401 - all tables
from bot.machine import Machine
from bot.models import Conversation, Resident, Ticket
from bot.services import reminders
from bot.settings import Settings
from bot.simulator.courier import Courier, Letter
from tests.conftest import Office, _postgres_bin, make_settings
from tests.crash.harness import Load, Server, pretend_platform
from tests.inbox.conftest import BROKEN

PHONES = ("13912345678", "18600001111", "15812349876")
IDENTITY = "330102199001011234"
BANK = "6222021234567890123"
PLATE = "浙A88K66"
ROOM = "1703"
SAID = (
    f"阳光小区3号楼2单元{ROOM}室漏水了,我叫王桂兰,电话{PHONES[0]}",
    f"我住和平里5号楼1单元{ROOM},电话{PHONES[1]}",
    f"车位被占了,占我车位的是{PLATE},打我电话 {PHONES[2][:3]} {PHONES[2][3:7]} {PHONES[2][7:]}",
    "楼道灯坏了",
    f"你打{PHONES[0]}问我",
    f"身份证{IDENTITY}",
    f"银行卡{BANK[:4]} {BANK[4:8]} {BANK[8:12]} {BANK[12:16]} {BANK[16:]}",
    "转人工",
    f"我的电话{PHONES[1]},身份证{IDENTITY[:6]}-{IDENTITY[6:14]}-{IDENTITY[14:]}",
    f"{BROKEN}{PHONES[2]}",
)
# What staff write for residents to read may hold an office's number; it is not looked for here.
COMMANDS = ("接单 0001", "联系了 0001", "办结 0001 换了阀门", "回复 0004 您好")
NUMBERS = (*PHONES, IDENTITY, BANK)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """As an operator would set them: ``serve`` starts with nothing less."""
    return make_settings(
        database_url,
        tmp_path,
        wechat_token="TheTokenOfTheTests",
        wechat_secret="0123456789abcdef0123456789abcdef",
        secret_key="a-long-key-that-nobody-guesses-0123456789",
    )


def talk(office: Office) -> None:
    for number, words in enumerate(SAID):
        office.say(f"r{number % 3}", words)
        office.say("same", words)
    for staff in range(1, 17):
        for words in COMMANDS:
            office.say(f"demo-staff-{staff:02}", words)
    office.later(hours=3)
    office.write(reminders.run)


def in_the_clear(dump: str, *numbers: str) -> list[str]:
    """Which of the numbers stand in it, with or without gaps between their digits."""
    return [number for number in numbers if re.search(r"[\s\-]?".join(number), dump)]


def dumped(machine: Machine) -> str:
    """All that somebody would read who has the disk but not SECRET_KEY."""
    machine.close()
    if machine.database.sqlite:
        path = Path(make_url(machine.settings.database_url).database or "")
        files = [path, path.with_name(f"{path.name}-wal")]
        raw = b"".join(file.read_bytes() for file in files if file.exists())
        # Read in both of the encodings a text may lie in.
        return raw.decode("utf-8", "ignore") + raw.decode("utf-16-le", "ignore")
    program = (_postgres_bin() or Path()) / "pg_dump"
    if not program.exists():
        pytest.skip("pg_dump is not here")
    url = machine.settings.database_url
    return subprocess.run([program, url], check=True, capture_output=True, text=True).stdout


def test_no_number_is_on_disk(office: Office, breaking: Any) -> None:
    talk(office)
    assert len(office.tickets()) >= 3
    assert in_the_clear(dumped(office.machine), *NUMBERS) == []


def test_what_is_sealed_does_not_show(office: Office) -> None:
    talk(office)

    def sealed(work: Any) -> list[str]:
        values = [t.state for t in work.find(Conversation)]
        for person in work.find(Resident):
            values += [person.name, person.phone, person.home]
        values += [ticket.private for ticket in work.find(Ticket)]
        return [value for value in values if value]

    values = office.read(sealed)
    assert len(values) >= 4
    everything = "\n".join(values)
    assert in_the_clear(everything, *NUMBERS, PLATE, PLATE[2:], ROOM, "王桂兰", "楼") == []
    vault = office.machine.means.vault
    opened = "\n".join(vault.open(value) for value in values)
    for known in (ROOM, PLATE[-5:], PHONES[0]):
        assert known in opened


def test_rooms_and_plates_are_in_no_column_but_texts(office: Office) -> None:
    """Where a resident wrote them they stand in his words; no other column repeats them."""
    talk(office)
    allowed = {"message.text", "ticket.text", "outbox.text", "outbox.fields", "ticket_event.data"}
    found: set[str] = set()

    def look(work: Any) -> None:
        for table in SQLModel.metadata.sorted_tables:
            for row in work.connection.execute(table.select()).mappings():
                for name, value in row.items():
                    if in_the_clear(str(value), ROOM, PLATE, PLATE[2:]):
                        found.add(f"{table.name}.{name}")

    office.read(look)
    assert found <= allowed, found - allowed


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_logs_hold_no_words_and_no_secrets(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the real ``serve``, with everything going wrong that can: what it writes may be shown."""
    secrets: list[str] = []

    async def story() -> None:
        people = [f"oPrivate{n}" for n in range(9)]
        staff = [f"demo-staff-{n:02}" for n in range(1, 17)]
        async with pretend_platform(machine, monkeypatch, people + staff) as (received, base):
            platform = received.platform
            server = Server(machine.settings, base, tmp_path)
            await server.start(("-m", "bot", "serve"))
            try:
                path = "/cgi-bin/message/template/send"
                for errcode in (40001, 43004, 48001, 47003, -1):
                    platform.fail_next(path, errcode)
                platform.break_next(path, 502)
                load = Load(platform, random.Random(1))
                for number, words in enumerate(SAID * 2):
                    load.say(people[number % 9], words)
                await load.deliver(load.said, [server.url])
                assert not load.unanswered()
                await _wrong_requests(load, server)
                await asyncio.sleep(1)
                await server.end()
            finally:
                server.close()
            secrets.extend([*platform.account.secrets, *platform.tokens.values])
            secrets.append(machine.settings.secret_key)
            shown = server.log.read_text()
            assert "push_failed" in shown
            assert "request_refused" in shown
            for secret in secrets:
                assert secret not in shown
            assert in_the_clear(shown, *NUMBERS, PLATE) == []
            for words in (
                "漏水",
                "王桂兰",
                "楼道灯",
                "转人工",
                "openid=",
                "access_token=",
                *people,
            ):
                assert words not in shown, words
            assert "Traceback" not in shown

    asyncio.run(story())


async def _wrong_requests(load: Any, server: Server) -> None:
    courier = Courier(load.platform, f"{server.url}/wechat", tries=1)
    query = courier.query_of("oPrivate0")
    bad = [
        Letter(query | {"signature": "0" * 40}, SAID[0].encode(), "oPrivate0"),
        Letter(query, f"<xml><Content>{SAID[0]}".encode(), "oPrivate0"),
        Letter(query | {"encrypt_type": "aes", "msg_signature": "x"}, b"<xml/>", "oPrivate0"),
        Letter(query | {"timestamp": "1"}, b"", "oPrivate0"),
        Letter(query, SAID[0].encode() * 2000, "oPrivate0"),
    ]
    statuses = [(await courier.post(letter)).status for letter in bad]
    await courier.close()
    assert all(400 <= status < 500 for status in statuses), statuses


def test_an_unfortunate_statement_is_not_quoted_with_its_words(office: Office) -> None:
    with pytest.raises(DBAPIError) as caught, office.machine.database.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": SAID[0]})
    assert PHONES[0] not in str(caught.value)
    assert "漏水" not in str(caught.value)


def test_the_search_itself_finds_what_lies_in_the_clear() -> None:
    assert in_the_clear(SAID[0], PHONES[0])
    assert in_the_clear(SAID[2], PHONES[2])
    assert in_the_clear(SAID[6], BANK)
    assert in_the_clear(SAID[8], IDENTITY)
