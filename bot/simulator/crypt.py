"""Signing and encrypting with wechatpy, not with our own codec: each checks the other."""

from __future__ import annotations

import base64
import binascii

from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.crypto.cryptography import WeChatCipher
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import WeChatSigner

from bot.errors import TongxinError
from bot.simulator.account import Account

BLOCK = 32


class BadReplyError(TongxinError):
    """The server's answer is not one the platform can show."""


class Crypt:
    """One account's signatures and envelopes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._crypto = (
            WeChatCrypto(account.token, account.aes_key, account.appid)
            if account.mode != "plain"
            else None
        )

    def sign(self, *values: str) -> str:
        """SHA-1 over the account's token and the values, sorted, as in every webhook query."""
        signer = WeChatSigner()
        signer.add_data(self._account.token, *values)
        signature: str = signer.signature
        return signature

    def encrypt(self, xml: str) -> str:
        """The content of ``<Encrypt>``."""
        sealed: bytes = PrpCrypto(self._key).encrypt(xml, self._account.appid)
        return sealed.decode()

    def open_reply(self, envelope: dict[str, str]) -> str:
        """The XML inside; checks msg_signature, padding and appid."""
        if self._crypto is None:
            raise BadReplyError("an encrypted reply in plain mode")
        try:
            _check_padding(self._key, envelope["Encrypt"])
            xml: str = self._crypto.decrypt_message(
                envelope, envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
            )
        except KeyError as error:
            raise BadReplyError(f"the envelope has no {error.args[0]}") from None
        except InvalidSignatureException:
            raise BadReplyError("wrong msg_signature") from None
        except InvalidAppIdException:
            raise BadReplyError("wrong appid in the ciphertext") from None
        except (ValueError, IndexError, binascii.Error) as error:
            raise BadReplyError(f"cannot be decrypted: {type(error).__name__}") from None
        return xml

    @property
    def _key(self) -> bytes:
        key: bytes = self._crypto.key if self._crypto else b""
        return key


def _check_padding(key: bytes, sealed: str) -> None:
    # wechatpy takes the last byte on trust; the platform does not.
    plain: bytes = WeChatCipher(key).decrypt(base64.b64decode(sealed, validate=True))
    count = plain[-1] if plain else 0
    if not 1 <= count <= BLOCK or plain[-count:] != bytes([count]) * count or len(plain) < 20:
        raise BadReplyError("wrong PKCS7 padding")
