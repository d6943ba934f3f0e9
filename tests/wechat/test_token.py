"""The token keeper alone, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from bot.errors import PlatformError
from bot.wechat.token import QUIET, TokenKeeper
from bot.wechat.transport import Refusal

REFUSED = Refusal(40001, "invalid credential", "r1")


class Source:
    """Hands out token-1, token-2, … and counts; ``says`` replaces the next answers."""

    def __init__(self, lasts=7200.0):
        self.now, self.lasts, self.fetched, self.says = 1000.0, lasts, 0, []
        self.keeper = TokenKeeper(self.fetch, lambda: self.now)

    async def fetch(self):
        self.fetched += 1
        await asyncio.sleep(0)
        return self.says.pop(0) if self.says else (f"token-{self.fetched}", self.lasts)


def test_one_fetch_for_all_who_wait():
    async def main():
        source = Source()
        tokens = await asyncio.gather(*(source.keeper.get() for _ in range(128)))
        assert {token.value for token in tokens} == {"token-1"}
        assert source.fetched == 1

    asyncio.run(main())


@pytest.mark.parametrize(("lasts", "renewed_after"), [(7200, 6960), (300, 150), (10, 5)])
def test_renewed_before_it_ends(lasts, renewed_after):
    async def main():
        source = Source(lasts)
        await source.keeper.get()
        source.now += renewed_after - 1
        assert (await source.keeper.get()).value == "token-1"
        source.now += 2
        assert (await source.keeper.get()).value == "token-2"

    asyncio.run(main())


def test_a_failed_early_renewal_leaves_the_old_token_in_use():
    async def main():
        source = Source()
        await source.keeper.get()
        source.now += 7000
        source.says = [Refusal(-2, "TimeoutError")]
        for _ in range(5):
            assert (await source.keeper.get()).value == "token-1"
        assert source.fetched == 2
        source.now += 11
        assert (await source.keeper.get()).value == "token-3"

    asyncio.run(main())


def test_a_cancelled_waiter_does_not_take_the_token_from_the_others():
    async def main():
        source = Source()
        first = asyncio.create_task(source.keeper.get())
        second = asyncio.create_task(source.keeper.get())
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).value == "token-1"
        assert source.fetched == 1

    asyncio.run(main())


def test_a_refused_token_is_replaced_once_for_all():
    async def main():
        source = Source()
        old = await source.keeper.get()
        new = await asyncio.gather(*(source.keeper.replace(old, REFUSED) for _ in range(50)))
        assert {token.value for token in new} == {"token-2"}
        assert (await source.keeper.replace(old, REFUSED)).value == "token-2"  # a latecomer
        assert source.fetched == 2

    asyncio.run(main())


def test_the_same_value_again_is_still_a_successor():
    async def main():
        source = Source()
        source.says = [("same", 7200.0), ("same", 7200.0)]
        old = await source.keeper.get()
        await source.keeper.replace(old, REFUSED)
        await source.keeper.replace(old, REFUSED)
        assert source.fetched == 2

    asyncio.run(main())


def test_a_lasting_refusal_is_remembered_for_a_minute():
    async def main():
        source = Source()
        new = await source.keeper.replace(await source.keeper.get(), REFUSED)
        with pytest.raises(PlatformError) as refused:
            await source.keeper.replace(new, REFUSED)
        assert (refused.value.errcode, refused.value.rid) == (40001, "r1")
        for _ in range(20):
            with pytest.raises(PlatformError):
                await source.keeper.get()
        assert source.fetched == 2
        source.now += QUIET + 1
        again = await source.keeper.get()
        assert (await source.keeper.replace(again, REFUSED)).value == "token-3"

    asyncio.run(main())


def test_what_the_platform_refuses_is_remembered_and_a_broken_line_is_not():
    async def main():
        source = Source()
        source.says = [Refusal(-2, "ClientOSError"), Refusal(40164, "invalid ip")]
        for errcode in (-2, 40164, 40164, 40164):
            with pytest.raises(PlatformError) as refused:
                await source.keeper.get()
            assert refused.value.errcode == errcode
        assert source.fetched == 2
        source.now += QUIET + 1
        assert (await source.keeper.get()).value == "token-3"

    asyncio.run(main())


def test_nothing_prints_the_value():
    async def main():
        source = Source()
        token = await source.keeper.get()
        assert "token-1" not in f"{token!r} {token} {source.keeper!r}"

    asyncio.run(main())
