"""Sealed columns: unreadable without the key, findable by fingerprint, told from tampering."""

from __future__ import annotations

import pytest

from bot.errors import ConfigurationError
from bot.vault import Vault


def test_it_opens_what_it_sealed() -> None:
    vault = Vault("secret")
    for text in ("", "王桂兰", "浙A·12345", "a" * 5000, "😀"):
        assert vault.open(vault.seal(text)) == text


def test_equal_texts_are_not_seen_to_be_equal() -> None:
    vault = Vault("secret")
    sealed = {vault.seal("13912345678") for _ in range(50)}
    assert len(sealed) == 50


def test_fingerprints_find_and_tell_nothing_without_the_key() -> None:
    one, other = Vault("secret"), Vault("another")
    assert one.fingerprint("13912345678") == one.fingerprint("13912345678")
    assert one.fingerprint("13912345678") != one.fingerprint("13912345679")
    assert one.fingerprint("13912345678") != other.fingerprint("13912345678")
    assert one.fingerprint("") == ""


def test_another_key_opens_nothing() -> None:
    sealed = Vault("secret").seal("501")
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        Vault("another").open(sealed)


def test_the_older_key_still_opens_while_it_is_known() -> None:
    sealed = Vault("old").seal("501")
    rotated = Vault("new", older=("old",))
    assert rotated.open(sealed) == "501"
    assert rotated.seal("501").split(".")[0] != sealed.split(".")[0]
    assert Vault("new").open(rotated.seal("501")) == "501"


def test_whatever_was_done_to_it_is_one_error() -> None:
    vault = Vault("secret")
    key_id, _, body = vault.seal("阳光小区").partition(".")
    flipped = body[:5] + ("A" if body[5] != "A" else "B") + body[6:]
    for broken in (flipped, body[:8], "", "A", "****", "é"):
        with pytest.raises(ConfigurationError):
            vault.open(f"{key_id}.{broken}")
