"""The settings: missing, misspelt, or not fitting each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.doctor.finding import Finding, error, ok, warn
from bot.settings import DEFAULT_SECRET_KEY, Settings

_KEYGEN = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
_WHERE = "在公众平台「设置与开发 → 基本配置」里查看，写进 .env"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check_settings(settings: Settings, *, demo: bool) -> Iterator[Finding]:
    """Findings on each setting that can be wrong."""
    yield _secret_key(settings, demo)
    yield _token(settings)
    yield _appid(settings)
    yield _secret(settings)
    yield _mode(settings)
    yield _api_base(settings)
    yield _public_url(settings)
    yield _timezone(settings)


def _secret_key(settings: Settings, demo: bool) -> Finding:
    key = settings.secret_key
    if key == DEFAULT_SECRET_KEY and not demo:
        return error(
            "SECRET_KEY 还是默认值，居民的姓名电话等于没有加密",
            f"运行 {_KEYGEN}，把结果写进 .env 的 SECRET_KEY，并另外保存一份",
        )
    if len(key) < 16 and not demo:
        return warn("SECRET_KEY 太短，容易被猜到", f"用 {_KEYGEN} 生成一个；已有数据时不要更换")
    return ok("SECRET_KEY 已设置" if key != DEFAULT_SECRET_KEY else "演示用的 SECRET_KEY")


def _token(settings: Settings) -> Finding:
    if not settings.wechat_token:
        return error("没有设置 WECHAT_TOKEN，无法确认消息来自微信", f"{_WHERE} 的 WECHAT_TOKEN")
    if not re.fullmatch(r"[A-Za-z0-9]{3,32}", settings.wechat_token):
        return error("WECHAT_TOKEN 应是 3–32 个字母或数字", "与公众平台上填的令牌（Token）保持一致")
    return ok("WECHAT_TOKEN 已设置")


def _appid(settings: Settings) -> Finding:
    if not settings.wechat_appid:
        return error("没有设置 WECHAT_APPID", f"{_WHERE} 的 WECHAT_APPID")
    if not re.fullmatch(r"wx[0-9a-f]{16}", settings.wechat_appid) and not settings.simulator:
        return warn("WECHAT_APPID 不像真的：应是 wx 加 16 位", "请与公众平台的 AppID 逐字核对")
    return ok("WECHAT_APPID 已设置")


def _secret(settings: Settings) -> Finding:
    if not settings.wechat_secret:
        return error("没有设置 WECHAT_SECRET，不能推送、不能建菜单", f"{_WHERE} 的 WECHAT_SECRET")
    if not re.fullmatch(r"[0-9a-f]{32}", settings.wechat_secret) and not settings.simulator:
        return warn("WECHAT_SECRET 不像真的：应是 32 位", "请与公众平台的 AppSecret 逐字核对")
    return ok("WECHAT_SECRET 已设置")


def _mode(settings: Settings) -> Finding:
    mode, key = settings.wechat_mode, settings.wechat_aes_key
    if mode == "plain":
        if key:
            advice = "若公众平台选的是安全模式，把 WECHAT_MODE 改为 safe；否则删去 WECHAT_AES_KEY"
            return warn("WECHAT_MODE 是 plain（明文），却设置了 WECHAT_AES_KEY", advice)
        if not settings.simulator:
            advice = "在公众平台改为安全模式，并设 WECHAT_MODE=safe 和 WECHAT_AES_KEY"
            return warn("消息以明文模式传送，内容不加密", advice)
        return ok("消息模式：plain")
    if not key:
        advice = f"{_WHERE} 的 WECHAT_AES_KEY（消息加解密密钥）"
        return error(f"WECHAT_MODE 是 {mode}，但没有设置 WECHAT_AES_KEY", advice)
    if len(key) != 43:
        advice = "重新复制公众平台的 EncodingAESKey，前后不要带空格或引号"
        return error(f"WECHAT_AES_KEY 应是 43 个字符，现在是 {len(key)} 个", advice)
    if not re.fullmatch(r"[A-Za-z0-9+/]{43}", key) or not settings.aes_key:
        return error("WECHAT_AES_KEY 里有不该有的字符", "它只有字母和数字，请重新复制")
    if mode == "compatible":
        advice = "调试完后在公众平台改为安全模式，并设 WECHAT_MODE=safe"
        return warn("消息以兼容模式传送，同时带着明文", advice)
    return ok("消息模式：safe，密钥正确")


def _api_base(settings: Settings) -> Finding:
    url = urlsplit(settings.wechat_api_base)
    if url.scheme not in ("http", "https") or not url.hostname:
        advice = "一般不用设置；真实的地址是 https://api.weixin.qq.com"
        return error(f"WECHAT_API_BASE 不是网址：{settings.wechat_api_base}", advice)
    if url.scheme == "http" and url.hostname not in _LOCAL:
        return error("WECHAT_API_BASE 不是 https，密钥会在网上明文传送", "改为 https:// 开头")
    if settings.simulator and url.hostname not in _LOCAL:
        return warn("开着模拟器，却连着真实的微信接口", "正式使用请设 SIMULATOR=false")
    return ok(f"微信接口：{url.hostname}")


def _public_url(settings: Settings) -> Finding:
    if not settings.public_url:
        return warn("没有设置 PUBLIC_URL，消息里不会有链接", "写上外网能访问的地址，如 https://…")
    url = urlsplit(settings.public_url)
    if url.scheme not in ("http", "https") or not url.hostname:
        return error(f"PUBLIC_URL 不是网址：{settings.public_url}", "应以 https:// 开头")
    if url.scheme == "http" and url.hostname not in _LOCAL:
        return warn("PUBLIC_URL 不是 https，链接里的内容会被看到", "为网站配上证书，改为 https://")
    return ok(f"PUBLIC_URL:{settings.public_url}")


def _timezone(settings: Settings) -> Finding:
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return error(f"没有「{settings.timezone}」这个时区", "中国大陆写 TIMEZONE=Asia/Shanghai")
    return ok(f"时区：{settings.timezone}")
