"""stable_token: one token, five minutes of overlap, twenty forced a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.clock import Clock
from bot.simulator import Account
from bot.simulator.errcodes import RefusalError
from bot.simulator.tokens import Tokens

ACCOUNT = Account("wx1", "secret", "token", "")


def made() -> tuple[Tokens, Clock]:
    clock = Clock()
    return Tokens(ACCOUNT, clock), clock


def code_of(tokens: Tokens, value: str) -> int:
    try:
        tokens.check(value)
    except RefusalError as error:
        return error.errcode
    return 0


def test_the_same_token_until_its_last_five_minutes_and_then_both() -> None:
    tokens, clock = made()
    first, seconds = tokens.issue("wx1", "secret")
    assert 7195 <= seconds <= 7200
    clock.move(timedelta(minutes=114))
    again, left = tokens.issue("wx1", "secret")
    assert again == first and 350 <= left <= 360
    clock.move(timedelta(minutes=2))
    second, _ = tokens.issue("wx1", "secret")
    assert second != first
    assert (code_of(tokens, first), code_of(tokens, second)) == (0, 0)
    clock.move(timedelta(minutes=5))
    assert (code_of(tokens, first), code_of(tokens, second)) == (42001, 0)


def test_a_forced_token_ends_the_old_one_twenty_times_a_day() -> None:
    tokens, clock = made()
    old, _ = tokens.issue("wx1", "secret")
    for _ in range(20):
        tokens.issue("wx1", "secret", force=True)
    assert code_of(tokens, old) == 40001
    with pytest.raises(RefusalError) as refused:
        tokens.issue("wx1", "secret", force=True)
    assert refused.value.errcode == 45009
    clock.move(timedelta(days=1))
    tokens.issue("wx1", "secret", force=True)


def test_strangers_and_bad_tokens() -> None:
    tokens, _ = made()
    for appid, secret, errcode in (("wx2", "secret", 40013), ("wx1", "wrong", 40125)):
        with pytest.raises(RefusalError) as refused:
            tokens.issue(appid, secret)
        assert refused.value.errcode == errcode
    assert code_of(tokens, "") == 41001
    assert code_of(tokens, "short") == 40014
    assert code_of(tokens, "88_" + "a" * 120) == 40001
    value, _ = tokens.issue("wx1", "secret")
    tokens.revoke()
    assert code_of(tokens, value) == 40001
    assert tokens.issue("wx1", "secret")[0] != value


def test_ten_thousand_a_minute() -> None:
    tokens, clock = made()
    tokens._minute.limit = 3
    for _ in range(3):
        tokens.issue("wx1", "secret")
    with pytest.raises(RefusalError) as refused:
        tokens.issue("wx1", "secret")
    assert refused.value.errcode == 45011
    clock.move(timedelta(minutes=1))
    tokens.issue("wx1", "secret")
