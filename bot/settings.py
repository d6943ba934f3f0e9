"""Every setting, from the environment (which wins) or ``.env``."""

from __future__ import annotations

import base64
import binascii
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Mode = Literal["plain", "compatible", "safe"]
DEFAULT_SECRET_KEY = "change-me"  # noqa: S105 - refused by serve


class Settings(BaseSettings):
    """See ``.env.example`` for one line on each."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore")

    wechat_appid: str = ""
    wechat_secret: str = ""
    wechat_token: str = ""
    wechat_aes_key: str = ""
    wechat_mode: Mode = "safe"
    wechat_api_base: str = "https://api.weixin.qq.com"
    wechat_clock_skew: int = Field(
        default=600, ge=1, description="seconds a request's timestamp may be off"
    )
    database_url: str = "sqlite:///data/tongxin.db"
    secret_key: str = DEFAULT_SECRET_KEY
    timezone: str = "Asia/Shanghai"
    data_dir: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    simulator: bool = False
    queue_size: int = Field(default=2000, ge=1)
    batch_size: int = Field(default=64, ge=1, le=500)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @cached_property
    def aes_key(self) -> bytes:
        """The 32 bytes of EncodingAESKey. Its 43rd character may carry unused bits: decoded leniently."""
        try:
            key = base64.b64decode(self.wechat_aes_key + "=")
        except (binascii.Error, ValueError):
            key = b""
        return key if len(self.wechat_aes_key) == 43 and len(key) == 32 else b""
