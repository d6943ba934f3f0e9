"""The invented official account all stacks answer for, handed to them through the environment."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """What the platform and a server must agree on."""

    appid: str
    secret: str
    token: str
    aes_key: str

    @classmethod
    def invented(cls) -> Account:
        key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        return cls("wx" + secrets.token_hex(8), secrets.token_hex(16), secrets.token_hex(8), key)

    @classmethod
    def from_environment(cls) -> Account:
        names = ("WECHAT_APPID", "WECHAT_SECRET", "WECHAT_TOKEN", "WECHAT_AES_KEY")
        return cls(*(os.environ[name] for name in names))

    def environment(self) -> dict[str, str]:
        return {
            "WECHAT_APPID": self.appid,
            "WECHAT_SECRET": self.secret,
            "WECHAT_TOKEN": self.token,
            "WECHAT_AES_KEY": self.aes_key,
        }
