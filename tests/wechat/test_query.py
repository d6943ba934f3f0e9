"""The query of a request, by the short way and by the long one."""

from __future__ import annotations

import pytest

from bot.errors import BadRequest
from bot.wechat.webhook import MOST_FIELDS, _query


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (
            b"signature=ab12&timestamp=1&nonce=2",
            {"signature": "ab12", "timestamp": "1", "nonce": "2"},
        ),
        (b"nonce=a%2Bb&bare", {"nonce": "a+b", "bare": ""}),
        (b"nonce=ab&bare", {"nonce": "ab", "bare": ""}),
        (b"echostr=a==", {"echostr": "a=="}),
        (b"nonce=1&nonce=2", {"nonce": "2"}),
    ],
)
def test_both_ways_read_the_same(raw: bytes, read: dict[str, str]) -> None:
    assert _query(raw) == read


@pytest.mark.parametrize("last", [b"x=1", b"x=%31"])
def test_too_many_fields_are_refused(last: bytes) -> None:
    _query(b"a=1&" * (MOST_FIELDS - 1) + last)
    with pytest.raises(BadRequest):
        _query(b"a=1&" * MOST_FIELDS + last)


def test_what_is_no_ascii_is_refused() -> None:
    with pytest.raises(BadRequest):
        _query("nonce=灯".encode())
