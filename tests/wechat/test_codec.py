"""The rules of WECHAT.md for one request, each by its own test."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from bot.errors import BadRequest, ConfigurationError
from bot.wechat.codec import MAX_BODY

MODES = ["plain", "compatible", "safe"]
ENCRYPTED = ["compatible", "safe"]


def _status(codec, query, body, now):
    with pytest.raises(BadRequest) as refused:
        codec.parse(query, body, now)
    return refused.value.status


@pytest.mark.parametrize("mode", MODES)
def test_a_message_of_the_platform(platform, message, mode):
    query, body = platform.request(message("路灯坏了", bizmsgmenuid="101"), mode)
    incoming = platform.codec(mode).parse(query, body, platform.now)
    assert (incoming.kind, incoming.text, incoming.menu_id) == ("text", "路灯坏了", "101")
    assert incoming.openid == "olPjZjsXuQPJoV0HlruZkNzKc91E"
    assert incoming.account == "gh_a96a4a619366"
    assert incoming.at == datetime.fromtimestamp(platform.now, UTC)
    assert incoming.key == "olPjZjsXuQPJoV0HlruZkNzKc91E|1763800000|6074746557628292943"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("skew", [-601, 601, -(10**9)])
def test_a_clock_too_far_off(platform, message, mode, skew):
    query, body = platform.request(message(), mode)
    assert _status(platform.codec(mode), query, body, platform.now + skew) == 403


def test_the_allowed_skew_is_a_setting(platform, message):
    query, body = platform.request(message(), "safe")
    platform.codec("safe").parse(query, body, platform.now + 599)
    assert _status(platform.codec("safe", skew=60), query, body, platform.now + 61) == 403


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signature", ["0" * 40, "签名", "\ud800", "x"])
def test_a_wrong_signature(platform, message, mode, signature):
    query, body = platform.request(message(), mode)
    codec = platform.codec(mode)
    assert _status(codec, query | {"signature": signature}, body, platform.now) == 403
    if mode != "plain":
        forged = query | {"msg_signature": signature}
        assert _status(codec, forged, body, platform.now) == 403
        # The plain signature adds nothing to msg_signature; without it the request still stands.
        del query["signature"]
        codec.parse(query, body, platform.now)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("missing", ["timestamp", "nonce"])
def test_missing_parameters(platform, message, mode, missing):
    query, body = platform.request(message(), mode)
    del query[missing]
    assert _status(platform.codec(mode), query, body, platform.now) == 400


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_downgrades_are_refused(platform, message, mode):
    codec = platform.codec(mode)
    plain_query, plain_body = platform.request(message(), "plain")
    query, body = platform.request(message(), mode)
    assert _status(codec, plain_query, plain_body, platform.now) == 403
    assert _status(codec, plain_query | {"encrypt_type": "raw"}, body, platform.now) == 403
    assert _status(codec, query, plain_body, platform.now) == 403
    for missing in ("encrypt_type", "msg_signature"):
        less = {name: value for name, value in query.items() if name != missing}
        assert _status(codec, less, body, platform.now) == 403
        assert _status(codec, less, plain_body, platform.now) == 403


def test_compatible_mode_believes_only_what_was_encrypted(platform, message):
    query, body = platform.request(message("真的"), "compatible")
    assert b"forged" in body
    incoming = platform.codec("compatible").parse(query, body, platform.now)
    assert incoming.text == "真的"
    assert "forged" not in str(incoming)


def test_plain_mode_does_not_take_an_envelope_for_a_message(platform, message):
    query, body = platform.request(message(), "safe")
    assert _status(platform.codec("plain"), query, body, platform.now) == 400


@pytest.mark.parametrize("mode", MODES)
def test_bodies_too_large(platform, message, mode):
    query, body = platform.request(message(), mode)
    codec = platform.codec(mode)
    assert _status(codec, query, body + b" " * MAX_BODY, platform.now) == 413
    codec.parse(query, body + b" " * (MAX_BODY - len(body)), platform.now)


@pytest.mark.parametrize("mode", MODES)
def test_for_another_account(platform, message, mode):
    query, body = platform.request(message(), mode)
    codec = platform.codec(mode, appid="wx0000000000000000")
    if mode == "plain":
        codec.parse(query, body, platform.now)
    else:
        assert _status(codec, query, body, platform.now) == 403


HOSTILE = {
    "doctype": '<!DOCTYPE xml [<!ENTITY a "b">]>' + "<xml><FromUserName>o</FromUserName></xml>",
    "doctype alone": "<!DOCTYPE xml><xml><FromUserName>o</FromUserName></xml>",
    "entity": "<xml><FromUserName>&who;</FromUserName></xml>",
    "cut": "<xml><FromUserName>o</FromUser",
    "twice": "<xml><FromUserName>o</FromUserName></xml><xml/>",
    "another root": "<html><FromUserName>o</FromUserName></html>",
    "no sender": "<xml><MsgType>text</MsgType></xml>",
    "two senders": "<xml><FromUserName>a</FromUserName><FromUserName>b</FromUserName></xml>",
    "nested sender": "<xml><FromUserName><a>b</a></FromUserName></xml>",
    "deep": "<xml>" + "<a>" * 5000 + "</a>" * 5000 + "</xml>",
    "control": "<xml><FromUserName>o\x01</FromUserName></xml>",
    "nothing": "",
    "empty": "<xml/>",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml(platform, mode, name):
    query, body = platform.request(HOSTILE[name], mode)
    assert _status(platform.codec(mode), query, body, platform.now) == 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_only_utf8(platform, encoding):
    xml = '<!DOCTYPE xml [<!ENTITY a "b">]><xml><FromUserName>你好</FromUserName></xml>'
    body = xml.encode(encoding)
    assert _status(platform.codec("plain"), platform.query(), body, platform.now) == 400
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    body = f"{declared}<xml><FromUserName>你好</FromUserName></xml>".encode()
    incoming = platform.codec("plain").parse(platform.query(), body, platform.now)
    assert incoming.openid == "你好"  # a declaration changes nothing


@pytest.mark.parametrize("mode", ENCRYPTED)
def test_a_doctype_around_the_envelope(platform, message, mode):
    query, body = platform.request(message(), mode)
    assert _status(platform.codec(mode), query, b"<!DOCTYPE xml>" + body, platform.now) == 400


def test_words_that_look_like_a_doctype_are_words(platform, message):
    query, body = platform.request(message("<!DOCTYPE html> 是什么"), "safe")
    incoming = platform.codec("safe").parse(query, body, platform.now)
    assert incoming.text == "<!DOCTYPE html> 是什么"


def test_redelivery_keys(platform, message):
    codec, now = platform.codec("plain"), platform.now

    def key(**fields):
        body = message(**fields).encode()
        return codec.parse(platform.query(), body, now).key

    event = {"MsgType": "event", "MsgId": "", "FromUserName": "o", "CreateTime": "7"}
    assert key(FromUserName="o", CreateTime="7", MsgId="9") == "o|7|9"
    assert key(**event, Event="CLICK", EventKey="HELP") == "o|7|CLICK|HELP"
    assert key(**event, Event="subscribe") == "o|7|subscribe|"
    assert key(**event, Event="SCAN", MsgID="5") == "o|7|SCAN|"
    assert key(**event, Event="TEMPLATESENDJOBFINISH", MsgID="5") == "o|7|TEMPLATESENDJOBFINISH||5"
    # Without CreateTime or MsgId only the words themselves tell a redelivery.
    for missing in ({"MsgId": ""}, {"CreateTime": ""}, event | {"CreateTime": ""}):
        assert key(**missing) == hashlib.sha256(message(**missing).encode()).hexdigest()
    long = key(**event, Event="VIEW", EventKey="https://example.com/" + "a" * 900)
    assert len(long) == 64
    assert long != key(**event, Event="VIEW", EventKey="https://example.com/" + "b" * 900)


def test_a_redelivery_sealed_anew_has_the_same_key(platform, message):
    codec, xml = platform.codec("safe"), message(MsgId="")
    first, second = platform.request(xml, "safe"), platform.request(xml, "safe")
    assert first != second
    keys = {codec.parse(*request, platform.now).key for request in (first, second)}
    assert len(keys) == 1


@pytest.mark.parametrize("created", ["", "0", "-5", "12345678901234567890", "soon", "9999999999"])
def test_an_absurd_time_is_now(platform, message, created):
    query, body = platform.request(message(CreateTime=created), "plain")
    at = platform.codec("plain").parse(query, body, platform.now).at
    assert at == datetime.fromtimestamp(platform.now, UTC)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"MsgType": "location", "Location_X": "31.2", "Location_Y": "121.4"}, (31.2, 121.4)),
        ({"MsgType": "event", "Latitude": "31.2", "Longitude": "121.4"}, (31.2, 121.4)),
        ({"MsgType": "location", "Location_X": "nan", "Location_Y": "121.4"}, None),
        ({"MsgType": "location", "Location_X": "131.2", "Location_Y": "1"}, None),
        ({"MsgType": "location", "Location_X": "here"}, None),
        ({}, None),
    ],
)
def test_points(platform, message, fields, expected):
    query, body = platform.request(message(**fields), "plain")
    assert platform.codec("plain").parse(query, body, platform.now).point == expected


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"MsgType": "voice", "Recognition": "电体坏了", "Content": ""}, "voice", "电体坏了"),
        ({"MsgType": "shortvideo"}, "video", ""),
        ({"MsgType": "location", "Label": "和平里"}, "location", "和平里"),
        ({"MsgType": "link", "Title": "通知"}, "link", "通知"),
        ({"MsgType": "file", "Title": "表.docx"}, "file", "表.docx"),
        ({"MsgType": "hologram"}, "unknown", ""),
        ({"MsgType": ""}, "unknown", ""),
        ({"MsgType": "event", "Event": "something_new"}, "event", ""),
    ],
)
def test_kinds(platform, message, fields, kind, text):
    query, body = platform.request(message(**fields), "plain")
    incoming = platform.codec("plain").parse(query, body, platform.now)
    assert (incoming.kind, incoming.text) == (kind, text)
    assert incoming.event == fields.get("Event", "")
    assert incoming.fields["MsgType"] == fields["MsgType"]


def test_echo(platform):
    codec, query = platform.codec("safe"), platform.query(echostr="<b>58&37</b>")
    assert codec.echo(query, platform.now) == "<b>58&37</b>"
    for change, status in (({"signature": "0" * 40}, 403), ({"timestamp": "x"}, 400)):
        with pytest.raises(BadRequest) as refused:
            codec.echo(query | change, platform.now)
        assert refused.value.status == status
    for missing in ("signature", "timestamp", "nonce", "echostr"):
        with pytest.raises(BadRequest) as refused:
            codec.echo({k: v for k, v in query.items() if k != missing}, platform.now)
        assert refused.value.status == 400
    with pytest.raises(BadRequest) as refused:
        codec.echo(query, platform.now + 601)
    assert refused.value.status == 403


def test_a_codec_without_its_secrets_is_not_built(platform):
    with pytest.raises(ConfigurationError):
        platform.codec("plain", token="")
    with pytest.raises(ConfigurationError):
        platform.codec("safe", aes_key=b"short")
    with pytest.raises(ConfigurationError):
        platform.codec("compatible", appid="")
    platform.codec("plain", aes_key=b"", appid="")
