"""What only the platform can tell: clock, token, allow-list, templates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.doctor.finding import Finding, error, ok, warn
from bot.errors import PlatformError
from bot.models.office import Template

_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|\b(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\b", re.IGNORECASE)
_KEYWORD = re.compile(r"\{\{\s*([A-Za-z_]+\d*)\.DATA\s*\}\}")
# Still in old templates, dropped by the platform since May 2023.
_DROPPED = frozenset({"first", "remark"})


class Client(Protocol):
    """The part of ``bot.wechat.client`` that is asked."""

    async def server_date(self) -> datetime: ...

    async def templates(self) -> list[dict[str, Any]]: ...


async def check_platform(
    client: Client, templates: Mapping[str, Template], now: datetime
) -> list[Finding]:
    """``templates`` are the site's, by purpose."""
    findings = [await _clock(client, now)]
    try:
        registered = await client.templates()
    except PlatformError as failure:
        return [*findings, _failed(failure)]
    findings.append(ok("AppID、密钥和 IP 白名单正确"))
    contents = {str(one.get("template_id")): str(one.get("content", "")) for one in registered}
    return [*findings, *_templates(templates, contents)]


async def _clock(client: Client, now: datetime) -> Finding:
    try:
        theirs = await client.server_date()
    except PlatformError as failure:
        return _failed(failure)
    off = (now - theirs).total_seconds()
    told = f"本机时间比微信{'快' if off > 0 else '慢'} {abs(off):.0f} 秒"
    advice = "打开自动对时：timedatectl set-ntp true"
    if abs(off) > 300:
        return error(f"{told}，微信的消息会被当作过期而拒绝", advice)
    if abs(off) > 60:
        return warn(told, advice)
    return ok("本机时间准确")


def _failed(failure: PlatformError) -> Finding:
    code = failure.errcode
    if code == 40164:
        found = _IP.search(str(failure))
        return error(
            f"本机的外网 IP {found[0] + ' ' if found else ''}不在公众号的白名单里",
            "在公众平台「基本配置 → IP 白名单」里加上它",
        )
    if code in (40125, 40001):
        return error("WECHAT_SECRET 不对", "在公众平台核对或重置 AppSecret，写进 .env")
    if code in (40013, 41002):
        return error("WECHAT_APPID 不对", "与公众平台的 AppID 逐字核对")
    if code in (48001, 40243):
        return warn(
            f"公众号没有这项权限或密钥被冻结（{code}）", "需要已认证的服务号；在公众平台查看"
        )
    if code < 0:
        return warn(f"连不上微信接口（{failure}）", "检查网络、DNS 和防火墙；恢复后推送会自动继续")
    return error(f"微信接口拒绝了请求（{failure}）", "按错误码在公众平台的文档里查原因")


def _templates(ours: Mapping[str, Template], contents: Mapping[str, str]) -> Iterator[Finding]:
    for purpose, template in ours.items():
        where = f"站点文件 [templates.{purpose}]"
        if template.id not in contents:
            advice = "在公众平台「模板消息 → 我的模板」里核对模板 ID"
            yield error(f"{where}：公众号里没有模板 {template.id}", advice)
            continue
        wanted = set(_KEYWORD.findall(contents[template.id])) - _DROPPED
        lacking, extra = (
            sorted(wanted - template.fields.keys()),
            sorted(template.fields.keys() - wanted),
        )
        if lacking:
            advice = f"在 fields 里加上 {'、'.join(lacking)}，否则平台拒收（47003）"
            yield error(f"{where}：少了字段 {'、'.join(lacking)}", advice)
        elif extra:
            advice = "它们不会显示；与公众平台的模板详情核对"
            yield warn(f"{where}：模板里没有字段 {'、'.join(extra)}", advice)
        else:
            yield ok(f"模板 {purpose} 与公众号一致")
