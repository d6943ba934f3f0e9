"""A request of the platform to ``Incoming``, and the answer back: nothing passes unverified.

The mode is ours, never the request's. In compatible mode the plain fields beside ``<Encrypt>`` are
not looked at: anybody can write those.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Mapping

from bot.conversation.incoming import Incoming
from bot.errors import BadRequest, ConfigurationError
from bot.settings import Mode
from bot.wechat import messages
from bot.wechat.crypto import Box, sign

MAX_BODY = 64 * 1024
NO_REPLY = b"success"
# What the platform sends, as it sends it; all else goes through the parser.
_ENVELOPE = re.compile(
    rb"<xml>\s*<ToUserName><!\[CDATA\[\w*\]\]></ToUserName>\s*"
    rb"<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]+)\]\]></Encrypt>\s*</xml>\s*"
).fullmatch

Query = Mapping[str, str]


class Codec:
    """Built once. ``aes_key`` is the 32 bytes of EncodingAESKey, unused in plain mode."""

    def __init__(
        self, token: str, aes_key: bytes, appid: str, mode: Mode, skew: float = 600
    ) -> None:
        if not token:  # an empty one would let anybody sign
            raise ConfigurationError("WECHAT_TOKEN is empty")
        if mode != "plain" and (len(aes_key) != 32 or not appid):
            raise ConfigurationError(f"mode {mode} needs WECHAT_APPID and a whole WECHAT_AES_KEY")
        self._token = token
        self._skew = skew
        self._box = None if mode == "plain" else Box(aes_key, appid)

    def echo(self, query: Query, now: float) -> str:
        """What to answer, as text/plain, when the platform verifies the address."""
        echostr = _required(query, "echostr")
        self._verify(query, now)
        return echostr

    def parse(self, query: Query, body: bytes, now: float) -> Incoming:
        """The message, or BadRequest: 413 too large, 403 not from the platform, 400 all else."""
        if len(body) > MAX_BODY:
            raise BadRequest("body too large", 413)
        plaintext = self._plain(query, body, now)
        return messages.incoming(messages.read(_utf8(plaintext)), plaintext, now)

    def render(self, message: Incoming, text: str | None, now: float) -> bytes:
        """The body that answers ``message``: a text, or ``success`` where there is none."""
        reply = messages.text_reply(message, text, now) if text else ""
        if not reply:
            return NO_REPLY
        return (self._sealed(self._box, reply, now) if self._box else reply).encode()

    def _plain(self, query: Query, body: bytes, now: float) -> bytes:
        """The verified XML of the message."""
        if self._box is None:
            self._verify(query, now)
            return body
        if query.get("encrypt_type") != "aes" or not query.get("msg_signature"):
            raise BadRequest("an unencrypted request is refused", 403)
        if "signature" in query:  # before any parsing: it does not depend on the body
            self._verify(query, now)
        usual = _ENVELOPE(body)
        encrypted = (
            usual[1].decode("ascii")
            if usual
            else messages.word(messages.read(_utf8(body)), "Encrypt")
        )
        if not encrypted:
            raise BadRequest("an unencrypted body is refused", 403)
        self._verify(query, now, encrypted, name="msg_signature")
        return self._box.open(encrypted)

    def _verify(self, query: Query, now: float, *signed: str, name: str = "signature") -> None:
        timestamp, nonce = _required(query, "timestamp"), _required(query, "nonce")
        given = _required(query, name).encode("utf-8", "surrogatepass")
        if not timestamp.isdecimal() or len(timestamp) > 12:
            raise BadRequest("timestamp is not a number")
        if abs(now - int(timestamp)) > self._skew:
            raise BadRequest("timestamp too far from our clock", 403)
        right = sign(self._token, timestamp, nonce, *signed).encode()
        if not hmac.compare_digest(right, given):
            raise BadRequest("wrong signature", 403)

    def _sealed(self, box: Box, reply: str, now: float) -> str:
        encrypted, timestamp, nonce = box.seal(reply.encode()), str(int(now)), os.urandom(8).hex()
        signature = sign(self._token, timestamp, nonce, encrypted)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )


def _required(query: Query, name: str) -> str:
    value = query.get(name)
    if not value:
        raise BadRequest(f"{name} is missing")
    return value


def _utf8(body: bytes) -> str:
    """Strictly: a UTF-16 body would slip past rules made for text."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("not UTF-8") from None
