"""Samples of other SDKs: what they sign, encrypt and parse, ours must too."""

from __future__ import annotations

import base64

import pytest

from bot.errors import BadRequest
from bot.wechat.codec import Codec
from bot.wechat.crypto import Box, sign
from bot.wechat.messages import read

KINDS = {"verify_url", "decrypt", "encrypt", "signature_get", "signature_msg", "sha1_sorted"}
NOT_OURS = {"jssdk"}  # signs web pages; Tongxin has none that call JS-SDK


def _key(vector):
    return base64.b64decode(vector["aes_key"] + "=")


def _box(vector):
    return Box(_key(vector), vector.get("receive_id", vector["appid"]))


def test_every_kind_is_known(vectors):
    assert {v["kind"] for v in vectors("crypto.json")} <= KINDS | NOT_OURS


def test_signatures(vectors):
    checked = 0
    for vector in vectors("crypto.json"):
        if "signature" not in vector or vector["kind"] in NOT_OURS:
            continue
        parts = vector.get("parts") or [vector["token"], vector["timestamp"], vector["nonce"]]
        parts += [vector["encrypted"]] if "encrypted" in vector else []
        wrong = vector.get("expected_error") == "invalid_signature"
        assert (sign(*parts) == vector["signature"]) is not wrong, vector["source"]
        checked += 1
    assert checked >= 15


def test_get_signatures_open_the_echo(vectors):
    for vector in vectors("crypto.json"):
        if vector["kind"] != "signature_get":
            continue
        codec = Codec(vector["token"], b"", "", "plain")
        query = {name: vector[name] for name in ("signature", "timestamp", "nonce")}
        at = float(vector["timestamp"])
        assert codec.echo(query | {"echostr": "5837835896451489886"}, at) == "5837835896451489886"
        with pytest.raises(BadRequest) as refused:
            codec.echo(query | {"echostr": "1", "nonce": "other"}, at)
        assert refused.value.status == 403


def test_ciphertexts_open(vectors):
    for vector in vectors("crypto.json"):
        if "plaintext" in vector:
            opened = _box(vector).open(vector["encrypted"])
            assert opened.decode() == vector["plaintext"], vector["source"]


def test_plaintexts_seal_to_the_same_bytes(vectors):
    sealed = [v for v in vectors("crypto.json") if v["kind"] == "encrypt"]
    assert sealed
    for vector in sealed:
        message, random = vector["plaintext"].encode(), vector["random"].encode()
        assert _box(vector).seal(message, random) == vector["encrypted"], vector["source"]


def test_recorded_requests_parse(vectors):
    for vector in vectors("crypto.json"):
        if vector["kind"] != "decrypt":
            continue
        codec = Codec(vector["token"], _key(vector), vector["receive_id"], "safe")
        query = {"timestamp": vector["timestamp"], "nonce": vector["nonce"]}
        query |= {"encrypt_type": "aes", "msg_signature": vector["signature"]}
        body = f"<xml><Encrypt><![CDATA[{vector['encrypted']}]]></Encrypt></xml>".encode()
        at = float(vector["timestamp"])
        if "FromUserName" not in vector["plaintext"]:  # a notice to third-party platforms
            with pytest.raises(BadRequest, match="no sender") as refused:
                codec.parse(query, body, at)
            assert refused.value.status == 400
            continue
        incoming = codec.parse(query, body, at)
        for name, value in vector.get("expect", {}).items():
            assert incoming.fields[name] == value
        assert incoming.fields == read(vector["plaintext"])


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_messages_parse(vectors, platform, mode):
    codec = platform.codec(mode)
    keys = {}
    for vector in vectors("messages.json"):
        query, body = platform.request(vector["xml"], mode)
        incoming = codec.parse(query, body, platform.now)
        for name, value in vector["expect"].items():
            assert incoming.fields[name] == value, (vector["source"], name)
        assert incoming.openid == vector["expect"]["FromUserName"]
        assert incoming.account == vector["expect"]["ToUserName"]
        assert incoming.key and len(incoming.key) <= 200
        assert incoming.at.utcoffset().total_seconds() == 0
        assert (incoming.kind == "event") == (vector["expect"]["MsgType"].lower() == "event")
        if incoming.kind == "event":
            assert incoming.event == vector["expect"].get("Event", "").lower()
        keys[incoming.key] = vector["type"]
    assert len(keys) > 60  # the samples share openids and times, not all of them everything
