"""The platform's signature and its AES envelope (WECHAT.md), and nothing about messages."""

from __future__ import annotations

import binascii
import hashlib
import os

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.errors import BadRequest

BLOCK = 32  # the platform pads to 32, not to AES's 16
HEAD = 20  # 16 random bytes and the length of the message
_PADDING = [bytes([n]) * n for n in range(BLOCK + 1)]


def sign(*parts: str) -> str:
    """SHA-1 in hex of the sorted parts, joined."""
    # Whatever came in the query must only fail to match, never fail to encode.
    joined = "".join(sorted(parts)).encode("utf-8", "surrogatepass")
    return hashlib.sha1(joined).hexdigest()


class Box:
    """Opens and seals what travels in ``<Encrypt>``. ``key`` is the 32 bytes of EncodingAESKey."""

    def __init__(self, key: bytes, appid: str) -> None:
        self._cipher = Cipher(AES(key), CBC(key[:16]))
        self._appid = appid.encode()

    def open(self, encrypted: str) -> bytes:
        """The message inside. BadRequest 400 when damaged, 403 when for another account."""
        plain = self._decrypt(encrypted)
        size = plain[-1] if plain else 0
        if not 1 <= size <= BLOCK or not plain.endswith(_PADDING[size]):
            raise BadRequest("wrong padding")
        end = HEAD + int.from_bytes(plain[16:HEAD], "big")
        if end > len(plain) - size:
            raise BadRequest("wrong length")
        if plain[end:-size] != self._appid:
            raise BadRequest("encrypted for another account", 403)
        return plain[HEAD:end]

    def seal(self, message: bytes, random: bytes = b"") -> str:
        """The same in the other direction; ``random`` is 16 bytes, fresh ones when left out."""
        head = (random or os.urandom(16)) + len(message).to_bytes(4, "big")
        plain = head + message + self._appid
        plain += _PADDING[BLOCK - len(plain) % BLOCK]
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(plain) + encryptor.finalize()
        return binascii.b2a_base64(sealed, newline=False).decode("ascii")

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            sealed = binascii.a2b_base64(encrypted)
            decryptor = self._cipher.decryptor()
            return decryptor.update(sealed) + decryptor.finalize()
        except ValueError:  # not base64, or not whole blocks
            raise BadRequest("not an encrypted message") from None
