"""What the platform's error codes mean for us, as one table (WECHAT.md)."""

from __future__ import annotations

from enum import StrEnum


class ErrorClass(StrEnum):
    """What to do about a code; ``advice`` says it to staff in one sentence."""

    TOKEN = "token"  # noqa: S105 - a name, not a secret
    PASSING = "passing"
    QUOTA = "quota"
    WINDOW = "window"
    USER = "user"
    CONFIGURATION = "configuration"
    DATA = "data"
    OAUTH = "oauth"
    UNKNOWN = "unknown"

    @property
    def advice(self) -> str:
        return _TABLE[self][1]


NO_ANSWER = -2  # ours: the network failed before an answer
TOO_LARGE = 45001

_TABLE: dict[ErrorClass, tuple[tuple[int, ...], str]] = {
    ErrorClass.TOKEN: (
        (40001, 40014, 42001),
        "微信凭证失效，系统会自动更新；如果一直出现，请检查 AppSecret 是否被重置。",
    ),
    ErrorClass.PASSING: (
        (NO_ANSWER, -1, 61450, 45011, 43117),
        "微信暂时繁忙或网络不通，系统会稍后再试，不用处理。",
    ),
    ErrorClass.QUOTA: (
        (45009, 48006),
        "今天的发送次数已用完，请等到明天，或在公众平台后台清零额度。",
    ),
    ErrorClass.WINDOW: (
        (45015, 45047),
        "居民最近没有发消息，普通消息发不出去，系统会改用模板消息通知。",
    ),
    ErrorClass.USER: (
        (43004, 46004, 40003, 50005, 43019, 48002, 43101, 50002),
        "这位居民没有关注或拒收消息，请改用电话或上门联系。",
    ),
    ErrorClass.CONFIGURATION: (
        (48001, 48003, 48004, 40013, 40125, 40164, 61004, 40243, 50007, 40200),
        "公众号设置有问题，请管理员检查 AppID、AppSecret、IP 白名单和接口权限；消息已保留。",
    ),
    ErrorClass.DATA: (
        (40037, 47001, 47003, 40249, 40007, 40004, 44004, *range(45001, 45009), 61451),
        "消息内容或模板不符合微信要求，没有发出，请检查模板编号、字段长度和素材。",
    ),
    ErrorClass.OAUTH: (
        (40029, 40163, 42003),
        "微信登录已过期，请重新打开链接登录。",
    ),
    ErrorClass.UNKNOWN: (
        (),
        "微信返回了没见过的错误，请把错误码和 rid 交给技术人员。",
    ),
}
_CLASSES = {code: kind for kind, (codes, _) in _TABLE.items() for code in codes}


def classify(errcode: int) -> ErrorClass:
    """The class of a code; ``UNKNOWN`` for one that is not in the table."""
    return _CLASSES.get(errcode, ErrorClass.UNKNOWN)
