"""Passive replies: read back by an XML parser, and in encrypted modes by wechatpy."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat.messages import shorten

MODES = ["plain", "compatible", "safe"]
frugal = settings(deadline=None, max_examples=150, database=None)
LINK = '<a href="weixin://bizmsgmenu?msgmenucontent=是&msgmenuid=1">1. 是</a>'


@pytest.fixture(scope="module")
def incoming(platform, message):
    query, body = platform.request(message(), "plain")
    return platform.codec("plain").parse(query, body, platform.now)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text", ["收到，编号 20251122-0001。", f"解决了吗？\n{LINK}", "a]]>b", "🏮"]
)
def test_the_platform_reads_what_we_wrote(platform, incoming, mode, text):
    body = platform.codec(mode).render(incoming, text, platform.now)
    reply = platform.open_reply(body)
    assert reply == {
        "ToUserName": incoming.openid,
        "FromUserName": incoming.account,
        "CreateTime": str(int(platform.now)),
        "MsgType": "text",
        "Content": text,
    }
    assert (b"<Encrypt>" in body) == (mode != "plain")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", [None, "", "  \n", "\x00\x01", "\ud800"])
def test_no_reply(platform, incoming, mode, text):
    assert platform.codec(mode).render(incoming, text, platform.now) == b"success"


def test_no_two_encrypted_replies_are_alike(platform, incoming):
    codec = platform.codec("safe")
    bodies = {codec.render(incoming, "收到", platform.now) for _ in range(20)}
    assert len(bodies) == 20


INJECTIONS = st.lists(
    st.sampled_from(["]]>", "]]", ">", "<![CDATA[", "</Content>", "</xml>", "&", "\x00", "\r\n"])
    | st.text(st.characters(exclude_categories=[]), max_size=5)
).map("".join)


@frugal
@given(text=INJECTIONS, openid=INJECTIONS)
def test_no_text_leaves_its_element(platform, incoming, text, openid):
    hostile = replace(incoming, openid=openid)
    body = platform.codec("plain").render(hostile, text, platform.now)
    if body == b"success":
        return
    root = ET.fromstring(body.decode())
    names = ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]
    assert [child.tag for child in root] == names
    assert all(len(child) == 0 for child in root)
    legal = re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)
    assert root.find("Content").text == legal


@frugal
@given(st.text(st.sampled_from("字a🏮 \n<"), min_size=600, max_size=3000))
def test_long_texts_are_cut_between_characters(text):
    short = shorten(text)
    if len(text.encode()) <= 2048:
        assert short == text
        return
    assert len(short.encode()) <= 2048
    assert short.endswith("…")
    assert text.startswith(short[:-1])


@frugal
@given(before=st.integers(0, 2100), links=st.integers(1, 40), after=st.integers(0, 2100))
def test_links_are_whole_or_gone(before, links, after):
    text = "x" * before + LINK * links + "y" * after
    short = shorten(text)
    assert len(short.encode()) <= 2048
    whole = short.count(LINK)
    rest = short.replace(LINK, "").rstrip("…")
    assert set(rest) <= {"x", "y"}
    assert whole <= links


def test_a_lone_opening_is_no_link():
    assert len(shorten("1 <a 2 " + "字" * 2000).encode()) > 2000


def test_the_reply_is_shortened(platform, incoming):
    body = platform.codec("safe").render(incoming, "字" * 3000, platform.now)
    content = platform.open_reply(body)["Content"]
    assert content == "字" * 681 + "…"
