"""The one-time code: once, for a day, and not to be guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bot.errors import NotAllowed, NotFound
from bot.models import Staff
from bot.services import staff
from bot.services.staff import CODE_VALID, MAX_FAILURES
from bot.work import table_of

if TYPE_CHECKING:
    from tests.site.conftest import Office

NOW = datetime(2026, 11, 22, 7, 1, tzinfo=UTC)


def issue(office: Office, name: str, now: datetime = NOW) -> str:
    with office.working(now) as work:
        return staff.issue_code(work, name)


def bind(office: Office, openid: str, code: str, now: datetime = NOW) -> str | None:
    """The bound person's name."""
    with office.working(now) as work:
        person = staff.bind(work, openid, code)
        return person and person.name


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_binds_once(loaded: Office) -> None:
    version = loaded.version()
    code = issue(loaded, "刘洋")
    assert len(code) == 6
    assert code.isdigit()
    assert bind(loaded, "o-liu", code) == "刘洋"
    assert loaded.picture().staff_by_openid["o-liu"].name == "刘洋"
    assert loaded.version() == version + 1
    assert bind(loaded, "o-other", code) is None
    assert loaded.picture().staff_by_name["刘洋"].openid == "o-liu"


def test_the_code_is_not_in_the_database(loaded: Office) -> None:
    code = issue(loaded, "刘洋")
    with loaded.database.read() as connection:
        rows = connection.execute(select(table_of(Staff))).all()
    assert code not in repr(rows)


def test_a_code_is_void_after_a_day_and_after_a_newer_one(loaded: Office) -> None:
    old = issue(loaded, "刘洋")
    assert bind(loaded, "o-liu", old, NOW + CODE_VALID) is None
    new = issue(loaded, "刘洋")
    assert bind(loaded, "o-liu", old) is None or old == new
    assert bind(loaded, "o-liu", new, NOW + CODE_VALID - timedelta(seconds=1)) == "刘洋"


def test_a_wrong_code_binds_nobody(loaded: Office) -> None:
    version = loaded.version()
    code = issue(loaded, "刘洋")
    for words in (wrong(code), "", " ", "abc", "000000000000"):
        assert bind(loaded, "o-liu", words) is None
    assert loaded.version() == version


def test_guessing_is_stopped_for_an_hour_even_for_the_right_code(loaded: Office) -> None:
    code = issue(loaded, "刘洋")
    for _ in range(MAX_FAILURES):
        assert bind(loaded, "o-guess", wrong(code)) is None
    with pytest.raises(NotAllowed) as refusal:
        bind(loaded, "o-guess", code)
    assert refusal.value.code == "too_many_codes"
    assert bind(loaded, "o-guess", code, NOW + timedelta(hours=1)) == "刘洋"


def test_one_persons_guesses_do_not_lock_out_another(loaded: Office) -> None:
    code = issue(loaded, "刘洋")
    for _ in range(MAX_FAILURES):
        bind(loaded, "o-guess", wrong(code))
    assert bind(loaded, "o-liu", code) == "刘洋"


def test_an_account_moves_to_the_person_it_is_bound_to_last(loaded: Office) -> None:
    assert bind(loaded, "demo-staff-06", issue(loaded, "刘洋")) == "刘洋"
    by_name = loaded.picture().staff_by_name
    assert (by_name["刘洋"].openid, by_name["赵敏"].openid) == ("demo-staff-06", None)


def test_nobody_unknown_gets_a_code(loaded: Office) -> None:
    with pytest.raises(NotFound, match="查无此人"):
        issue(loaded, "查无此人")
