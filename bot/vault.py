"""Personal data at rest: AES-GCM with a key derived from SECRET_KEY, found again by HMAC."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import ConfigurationError

_NONCE = 12


class Vault:
    """Seals strings for columns and opens them again.

    A sealed value is ``<key id>.<base64url(nonce + ciphertext + tag)>``; the key id in front lets
    old values be read while SECRET_KEY is being rotated (pass the older secrets as ``older``).
    """

    def __init__(self, secret_key: str, older: tuple[str, ...] = ()) -> None:
        self._keys: dict[str, AESGCM] = {}
        for secret in (*older, secret_key):
            self._key_id = hashlib.sha256(b"tongxin key id\0" + secret.encode()).hexdigest()[:6]
            self._keys[self._key_id] = AESGCM(_derive(secret, b"tongxin columns"))
        self._hmac_key = _derive(secret_key, b"tongxin lookup")

    def seal(self, text: str) -> str:
        """Empty stays empty, so that a column can say «nothing known» without a key."""
        if not text:
            return ""
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._keys[self._key_id].encrypt(nonce, text.encode(), None)
        return f"{self._key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str) -> str:
        """Raises ConfigurationError when SECRET_KEY is not the one the value was sealed with."""
        if not sealed:
            return ""
        key_id, _, body = sealed.partition(".")
        key = self._keys.get(key_id)
        if key is None:
            raise ConfigurationError("SECRET_KEY is not the one this data was stored with")
        try:
            raw = base64.urlsafe_b64decode(body)
            return key.decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError("a sealed value was changed outside the program") from error

    def fingerprint(self, text: str) -> str:
        """Equal for equal texts, useless without the key: what sealed columns are searched by."""
        return (
            hmac.new(self._hmac_key, text.encode(), hashlib.sha256).hexdigest()[:32] if text else ""
        )


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=b"tongxin", info=purpose).derive(
        secret.encode()
    )
