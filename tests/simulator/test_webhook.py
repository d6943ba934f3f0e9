"""What the platform posts, how often, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import base64

import pytest
from wechatpy.crypto import PrpCrypto
from wechatpy.crypto.cryptography import WeChatCipher
from wechatpy.utils import WeChatSigner

from bot.simulator import BROKEN, Account, NotFollowingError


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_there_and_back_in_every_mode(play, mode: str) -> None:
    async def story(world) -> None:
        await world.outside.subscribe("o1")
        broken = await world.outside.send_text("o1", "3号楼<灯>&坏了]]>\x00 😀")
        assert world.hook.messages[-1].content == "3号楼<灯>&坏了]]> 😀"
        # wechatpy lets the text end its own CDATA: the platform cannot read such an answer.
        assert broken.error.startswith("bad reply")
        plain = await world.outside.send_text("o1", "灯坏了", menu_id="7")
        assert (plain.reply_text, plain.tries, plain.status) == ("答:灯坏了", 1, 200)
        assert world.received("o1")[-1] == "答:灯坏了"
        body = world.platform.wire.since()[-1]
        assert ("<Content>" in body.request) == (mode != "safe")
        assert ("<Encrypt>" in body.request) == (mode != "plain")
        inside = body.request_plain or body.request
        assert "<bizmsgmenuid><![CDATA[7]]></bizmsgmenuid>" in inside

    play(story, mode=mode)


def test_the_address_is_verified(play) -> None:
    async def story(world) -> None:
        assert (await world.outside.verify()).error == ""
        world.hook.raw = b"hello"
        assert (await world.outside.verify()).error == "bad reply: not the echostr"
        assert world.platform.wire.since()[0].method == "GET"

    play(story)


def test_every_kind_of_message_and_event(play) -> None:
    async def story(world) -> None:
        outside, platform = world.outside, world.platform
        await outside.scan("o1", "area-1")
        await outside.scan("o1", "area-1")
        await outside.send_image("o1")
        await outside.send_voice("o1", "电梯停了")
        await outside.send_video("o1", short=True)
        await outside.send_location("o1", 31.2, 121.4, "阳光小区")
        await outside.send_link("o1", "题", "https://example.org")
        await outside.click("o1", "report")
        await outside.view("o1", "https://example.org")
        await outside.report_location("o1", 31.2, 121.4)
        await outside.event("o1", "pic_weixin", {"SendPicsInfo": {"Count": 1, "PicList": [{}]}})
        followed, scanned, image, voice, video, place, link, click, *_ = world.hook.messages
        assert (followed.event, followed.scene_id) == ("subscribe_scan", "area-1")
        assert (scanned.event, scanned.scene_id) == ("scan", "area-1")
        assert platform.media.get(image.media_id).content.startswith(b"\x89PNG")
        assert platform.media.get(voice.media_id).content.startswith(b"#!AMR")
        assert (voice.recognition, voice.format, video.type) == ("电梯停了", "amr", "shortvideo")
        assert (place.location, place.label) == (("31.2", "121.4"), "阳光小区")
        assert (link.url, click.key) == ("https://example.org", "report")

    play(story)


def test_only_followers_can_write(play) -> None:
    async def story(world) -> None:
        with pytest.raises(NotFollowingError):
            await world.outside.send_text("o1", "在吗")
        assert world.hook.messages == []

    play(story)


def test_a_late_answer_is_asked_for_again_with_the_same_msgid(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.hook.delays = [0.3]
        exchange = await world.outside.send_text("o1", "慢")
        assert (exchange.reply_text, exchange.tries, exchange.error) == ("答:慢", 2, "")
        assert len({message.id for message in world.hook.messages}) == 1
        assert len({query["nonce"] for query in world.hook.queries}) == 2

    play(story)


def test_three_tries_in_total_and_then_the_notice(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.outside.courier.timeout = 0.05
        world.hook.delays = [0.3, 0.3, 0.3]
        late = await world.outside.send_text("o1", "慢")
        assert (late.tries, late.status) == (3, 0) and late.error.startswith("timeout")
        world.hook.statuses = [500, 502]
        third = await world.outside.send_text("o1", "好")
        assert (third.tries, third.reply_text) == (3, "答:好")
        world.hook.statuses = [403, 403, 403, 403]
        refused = await world.outside.send_text("o1", "坏")
        assert (refused.tries, refused.error) == (3, "status 403")
        assert world.received("o1") == [BROKEN, "答:好", BROKEN]
        world.outside.courier.webhook_url = "http://127.0.0.1:1/wechat"
        gone = await world.outside.send_text("o1", "喂")
        assert gone.error.startswith("unreachable")

    play(story)


@pytest.mark.parametrize("body", [b"success", b""])
def test_no_answer_is_an_answer(play, body: bytes) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.hook.raw = body
        exchange = await world.outside.send_text("o1", "谢谢")
        assert (exchange.error, exchange.tries, world.received("o1")) == ("", 1, [])

    play(story)


REPLY = (
    "<xml><ToUserName>{to}</ToUserName><FromUserName>gh_tongxin00001</FromUserName>"
    "<CreateTime>1</CreateTime><MsgType>{kind}</MsgType>{rest}</xml>"
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("ok", "not well formed"),
        ("success\n", "not well formed"),
        ("<xml><MsgType>text</MsgType>", "not well formed"),
        (REPLY.format(to="o2", kind="text", rest="<Content>a</Content>"), "wrong ToUserName"),
        (REPLY.format(to="o1", kind="html", rest=""), "unknown reply type"),
        (REPLY.format(to="o1", kind="text", rest=""), "without text"),
        (REPLY.format(to="o1", kind="text", rest=f"<Content>{'灯' * 683}</Content>"), "2049 bytes"),
        (REPLY.format(to="o1", kind="image", rest=""), "media_id"),
        (
            REPLY.format(to="o1", kind="text", rest="<Content>a</Content><Content>b</Content>"),
            "different elements",
        ),
        ("<!DOCTYPE xml><xml/>", "document type"),
    ],
)
def test_what_the_platform_cannot_show(play, body: str, reason: str) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        world.hook.raw = body.encode()
        exchange = await world.outside.send_text("o1", "灯坏了")
        assert exchange.error.startswith("bad reply") and reason in exchange.error
        assert (exchange.tries, world.received("o1")) == (1, [BROKEN])

    play(story, mode="plain")


def envelope(account: Account, sealed: str) -> bytes:
    signer = WeChatSigner()
    signer.add_data(account.token, "1", "n", sealed)
    fields = {
        "Encrypt": sealed, "MsgSignature": signer.signature, "TimeStamp": "1", "Nonce": "n",
    }  # fmt: skip
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return f"<xml>{inside}</xml>".encode()


def test_envelopes_are_checked(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        account = world.platform.account
        key = base64.b64decode(account.aes_key + "=")
        reply = REPLY.format(to="o1", kind="text", rest="<Content>a</Content>")

        async def error() -> str:
            return (await world.outside.send_text("o1", "灯")).error

        async def error_of(sealed: bytes) -> str:
            world.hook.raw = envelope(account, sealed.decode())
            return await error()

        world.hook.alter = lambda answer: answer.replace("<TimeStamp>", "<TimeStamp>1")
        assert "wrong msg_signature" in await error()
        world.hook.alter = lambda answer: answer.replace("Nonce>", "Other>")
        assert "no Nonce" in await error()
        assert await error_of(PrpCrypto(key).encrypt(reply, account.appid)) == ""
        assert "wrong appid" in await error_of(PrpCrypto(key).encrypt(reply, "wx-other"))
        zeros = base64.b64encode(WeChatCipher(key).encrypt(bytes(64)))
        assert "padding" in await error_of(zeros)
        assert "cannot be decrypted" in await error_of(b"AAAA")
        assert "cannot be decrypted" in await error_of(b"!")
        world.hook.raw = reply.encode()
        assert "not encrypted" in await error()

    play(story)


def test_redelivery_by_hand_and_raw_bytes(play) -> None:
    async def story(world) -> None:
        world.platform.follow("o1")
        assert await world.outside.redeliver() == []
        await world.outside.send_text("o1", "灯坏了")
        again = await world.outside.redeliver(2)
        again += await world.outside.redeliver(2, "o1", together=True)
        assert [exchange.reply_text for exchange in again] == ["答:灯坏了"] * 4
        assert len({message.id for message in world.hook.messages}) == 1
        assert world.received("o1") == ["答:灯坏了"]
        raw = await world.outside.send_raw(b"<xml", openid="o1")
        assert (raw.status, raw.tries) == (500, 1)

    play(story)


def test_ids_never_repeat_and_fit_64_bits(play) -> None:
    async def story(world) -> None:
        ids = {world.platform.next_id() for _ in range(10_000)}
        assert len(ids) == 10_000 and max(ids) < 2**63
        world.platform.follow("o1")
        await asyncio.gather(*(world.outside.send_text("o1", str(n)) for n in range(20)))
        assert len({message.id for message in world.hook.messages}) == 20

    play(story)
