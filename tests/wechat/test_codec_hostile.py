"""Whatever arrives, the codec answers with an Incoming or a BadRequest."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.incoming import Incoming
from bot.errors import BadRequest
from bot.wechat.codec import MAX_BODY
from bot.wechat.crypto import Box, sign

frugal = settings(
    deadline=None,
    max_examples=150,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
MODES = ["plain", "compatible", "safe"]
PARAMETERS = ["signature", "timestamp", "nonce", "encrypt_type", "msg_signature", "echostr"]
any_text = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
queries = st.dictionaries(st.sampled_from(PARAMETERS), any_text | st.from_regex(r"\d+"))


def _survives(codec, query, body, now):
    """The status of the refusal, or 200."""
    try:
        incoming = codec.parse(query, body, now)
    except BadRequest as refused:
        assert refused.status in {400, 403, 413}
        return refused.status
    assert isinstance(incoming, Incoming)
    assert incoming.key and incoming.openid
    hash(incoming.key)
    codec.render(incoming, "收到", now)
    return 200


@pytest.mark.parametrize("mode", MODES)
@frugal
@given(query=queries, body=st.binary(max_size=300))
def test_any_request(platform, mode, query, body):
    codec = platform.codec(mode)
    assert _survives(codec, query, body, platform.now) != 200
    with pytest.raises(BadRequest):
        codec.echo(query, platform.now)


@pytest.mark.parametrize("mode", MODES)
@frugal
@given(body=st.binary(max_size=300))
def test_any_body_rightly_signed(platform, mode, body):
    query = platform.query(encrypt_type="aes", msg_signature="0" * 40)
    assert _survives(platform.codec(mode), query, body, platform.now) in {400, 403}


@pytest.mark.parametrize("mode", MODES)
@frugal
@given(data=st.data())
def test_mutated_requests(platform, message, mode, data):
    query, body = platform.request(message("你好 & <再见>"), mode)
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(start + 20, len(body))))
    body = body[:start] + data.draw(st.binary(max_size=20)) + body[end:]
    if data.draw(st.booleans()):
        query[data.draw(st.sampled_from(PARAMETERS))] = data.draw(any_text)
    _survives(platform.codec(mode), query, body, platform.now)


NAMES = """FromUserName ToUserName CreateTime MsgType MsgId Event EventKey Content MediaId MsgID
Location_X Location_Y SendLocationInfo bizmsgmenuid Recognition"""
fields = st.dictionaries(
    st.sampled_from(re.findall(r"\w+", NAMES)),
    st.text(max_size=30)
    | st.sampled_from(["event", "text", "location", "²", "٣", "1e999", "9" * 30, "JOBFINISH"])
    | st.just("<a>1</a><a>2</a>"),
)


@pytest.mark.parametrize("mode", MODES)
@frugal
@given(fields=fields)
def test_any_fields_from_the_platform_itself(platform, mode, fields):
    xml = "<xml>" + "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    query, body = platform.request(xml + "</xml>", mode)
    _survives(platform.codec(mode), query, body, platform.now)


@frugal
@given(encrypted=st.text("ABCDabcd0123+/=", max_size=200) | st.text(max_size=40))
def test_any_ciphertext_rightly_signed(platform, encrypted):
    query = platform.query(encrypt_type="aes")
    signature = sign(platform.token, query["timestamp"], query["nonce"], encrypted.strip())
    body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    query["msg_signature"] = signature
    assert _survives(platform.codec("safe"), query, body, platform.now) in {400, 403}


@frugal
@given(plain=st.binary(max_size=12).map(lambda some: some * 8))
def test_any_plaintext_inside_the_envelope(platform, plain):
    key = bytes(range(32))
    box = Box(key, "wx1")
    aligned = plain[: len(plain) // 16 * 16]
    encryptor = box._cipher.encryptor()
    sealed = base64.b64encode(encryptor.update(aligned) + encryptor.finalize()).decode()
    with pytest.raises(BadRequest):
        box.open(sealed)


@frugal
@given(message=st.binary(max_size=500))
def test_what_is_sealed_opens(message):
    box = Box(bytes(range(32)), "wx1")
    sealed = box.seal(message)
    assert box.open(sealed) == message
    assert len(base64.b64decode(sealed)) % 32 == 0
    with pytest.raises(BadRequest) as refused:
        Box(bytes(range(32)), "wx2").open(sealed)
    assert refused.value.status == 403


def test_padding_is_checked_to_the_last_byte():
    box = Box(bytes(range(32)), "wx1")

    def sealed(plain):
        encryptor = box._cipher.encryptor()
        return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    head = bytes(16) + (2).to_bytes(4, "big") + b"hi" + b"wx1"
    good = head + bytes([7]) * 7
    assert box.open(sealed(good)) == b"hi"
    for bad in (good[:-7] + b"\x06" + good[-6:], good[:-1] + b"\x00", good[:-1] + b"\x21"):
        with pytest.raises(BadRequest) as refused:
            box.open(sealed(bad))
        assert refused.value.status == 400
    lying = bytes(16) + (2**32 - 1).to_bytes(4, "big") + good[20:]
    with pytest.raises(BadRequest, match="length"):
        box.open(sealed(lying))


def test_the_largest_bodies_stay_quick(platform):
    # As many elements, and as many repeats, as fit: nothing may grow with the square of them.
    for part in ("<a/>", "<a>&lt;</a>", "]]", "&#20320;"):
        body = b"<xml>" + part.encode() * ((MAX_BODY - 20) // len(part)) + b"</xml>"
        assert _survives(platform.codec("plain"), platform.query(), body, platform.now) == 400
