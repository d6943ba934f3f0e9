"""What the platform puts on the wire: encrypted, signed requests, made before the clock runs."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import struct
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from wechatpy.crypto import WeChatCrypto

from benchmarks.account import Account
from benchmarks.sentences import Message

_ORIGINAL = "gh_0f2c9a7b41de"
_MESSAGE = (
    "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
    "<CreateTime>{at}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId></xml>"
)
_BODY = (
    "<xml><ToUserName><![CDATA[{to}]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
)
_REQUEST = (
    "POST /wechat?signature={signature}&timestamp={at}&nonce={nonce}&openid={openid}"
    "&encrypt_type=aes&msg_signature={msg_signature} HTTP/1.1\r\n"
    "Host: {host}\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nPragma: no-cache\r\n"
    "Content-Type: text/xml\r\nContent-Length: {length}\r\n\r\n{body}"
)


class Platform:
    """Signs and encrypts like WeChat with code of its own; opens the answers with wechatpy."""

    def __init__(self, account: Account) -> None:
        key = base64.b64decode(account.aes_key + "=")
        self._account = account
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))
        self._crypto = WeChatCrypto(account.token, account.aes_key, account.appid)
        self._ids = itertools.count(time.time_ns())

    def requests(self, messages: Iterable[Message], port: int) -> list[bytes]:
        """One complete HTTP/1.1 request a message, with fresh timestamps and MsgIds never used."""
        return [self._request(message, f"127.0.0.1:{port}") for message in messages]

    def verification(self) -> str:
        """The path and query with which the platform checks an address; answered by ``ready``."""
        at, nonce = str(int(time.time())), "1172"
        signature = self._signed(at, nonce)
        return f"/wechat?signature={signature}&timestamp={at}&nonce={nonce}&echostr=ready"

    def opened(self, body: bytes) -> tuple[str, str]:
        """(openid, text) of an encrypted passive reply. Raises what wechatpy raises on others."""
        outer = ET.fromstring(body)
        found = {child.tag: child.text or "" for child in outer}
        xml = self._crypto.decrypt_message(
            body, found["MsgSignature"], found["TimeStamp"], found["Nonce"]
        )
        reply = ET.fromstring(xml)
        return reply.findtext("ToUserName", ""), reply.findtext("Content", "")

    def _request(self, message: Message, host: str) -> bytes:
        at, number = str(int(time.time())), next(self._ids)
        nonce = str(number % 10**9)
        inner = _MESSAGE.format(
            to=_ORIGINAL, openid=message.openid, at=at, text=message.text, id=number
        )
        encrypt = self._encrypted(inner.encode())
        body = _BODY.format(to=_ORIGINAL, encrypt=encrypt)
        return _REQUEST.format(
            signature=self._signed(at, nonce),
            at=at,
            nonce=nonce,
            openid=message.openid,
            msg_signature=self._signed(at, nonce, encrypt),
            host=host,
            length=len(body),
            body=body,
        ).encode()

    def _encrypted(self, xml: bytes) -> str:
        plain = os.urandom(16) + struct.pack(">I", len(xml)) + xml + self._account.appid.encode()
        pad = 32 - len(plain) % 32
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        return base64.b64encode(sealed).decode()

    def _signed(self, *parts: str) -> str:
        return hashlib.sha1("".join(sorted((self._account.token, *parts))).encode()).hexdigest()
