"""The official account that the pretend platform hosts."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.settings import Mode, Settings


@dataclass(frozen=True, slots=True)
class Account:
    """What a real account has in the platform's console; secrets never show in ``repr``.

    ``mode`` is how the platform writes to the webhook, ``verified`` whether msgmenu is allowed,
    ``original_id`` the ToUserName of every message.
    """

    appid: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    mode: Mode = "safe"
    original_id: str = "gh_tongxin00001"
    name: str = "同心街道"
    verified: bool = True

    @classmethod
    def from_settings(cls, settings: Settings) -> Account:
        """The account the server believes it has."""
        return cls(
            appid=settings.wechat_appid,
            secret=settings.wechat_secret,
            token=settings.wechat_token,
            aes_key=settings.wechat_aes_key,
            mode=settings.wechat_mode,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show."""
        return tuple(value for value in (self.secret, self.token, self.aes_key) if value)
