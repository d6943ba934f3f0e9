"""The site: somebody at the desk, somebody to review, and holidays known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.doctor.finding import Finding, error, ok, warn
from bot.errors import SiteError
from bot.models.office import Site
from bot.models.template_fields import PURPOSES
from bot.services import site as sites

_PURPOSES = dict(zip(PURPOSES, ("派单", "进展", "提醒", "回访", "紧急"), strict=True))


def check_site(connection: Connection, now: datetime, *, live: bool) -> Iterator[Finding]:
    """Findings on what the site file said, and on who bound their WeChat.

    ``live`` says that pushes go to real people, to whom the demo's openids mean nothing.
    """
    try:
        # No hours are counted here, so a wrong TIMEZONE, told elsewhere, does not matter.
        site = sites.load(connection, ZoneInfo("UTC"))
    except SiteError:
        advice = "运行 tongxin site load 文件（示例：tongxin seed）"
        yield error("还没有载入站点：没有区域、单位和人员", advice)
        return
    yield ok(f"站点：{site.name}，{len(site.units)} 个单位，{len(site.areas)} 个区域")
    yield from _desk(site)
    yield from _heads(site)
    yield from _templates(site)
    if live:
        yield from _pretended(site)
    yield from _calendar(site, now)


def _desk(site: Site) -> Iterator[Finding]:
    if not site.desk_staff:
        yield error("值班没有人：没有人有 desk 角色", '在站点文件里给值班人员写 roles = ["desk"]')
    elif not any(person.openid for person in site.desk_staff):
        names = "、".join(person.name for person in site.desk_staff)
        yield warn(
            f"值班人员（{names}）都没有绑定微信，收不到通知",
            f"运行 tongxin staff code {site.desk_staff[0].name}，本人在公众号发「绑定 数字」",
        )
    else:
        yield ok("值班人员已绑定微信")


def _heads(site: Site) -> Iterator[Finding]:
    lacking = [unit.name for unit in site.units.values() if unit.review and not site.heads(unit.id)]
    if lacking:
        yield warn(
            f"{'、'.join(lacking)}没有负责人，办结后没有人审核",
            '给一个人写 roles = ["head"]，或给单位写 review = false',
        )
    if not site.supervisors:
        yield warn("没有分管领导，挂账和多次退单没有人裁定", '给一个人写 roles = ["supervisor"]')


def _templates(site: Site) -> Iterator[Finding]:
    lacking = [told for purpose, told in _PURPOSES.items() if purpose not in site.templates]
    if lacking:
        yield warn(
            f"没有设置模板消息：{'、'.join(lacking)}",
            "超过 48 小时没说过话的人收不到这些推送；在公众平台选好模板，写进站点文件 [templates]",
        )
    else:
        yield ok("五种模板消息都已设置")


def _pretended(site: Site) -> Iterator[Finding]:
    bound = site.staff_by_openid.items()
    pretended = [person.name for openid, person in bound if openid.startswith("demo-")]
    if pretended:
        yield warn(
            f"{pretended[0]} 等 {len(pretended)} 人绑定的是演示用的微信，真实推送到不了",
            "换成自己的站点文件",
        )


def _calendar(site: Site, now: datetime) -> Iterator[Finding]:
    """The State Council publishes the next year's days in November; until then none can know."""
    today = now.astimezone(site.zone)
    own = {day[:4] for day in site.data.get("days", {})}
    for year in (today.year, today.year + 1):
        if site.calendar.published(year) or str(year) in own:
            yield ok(f"{year} 年的节假日和调休已知")
        elif year == today.year or today.month == 12:
            yield warn(
                f"{year} 年的节假日和调休还不知道，只按周末计算时限",
                "升级 holidays 包（pip install -U holidays），或写进站点文件 [days]",
            )
        else:
            yield ok(f"{year} 年的节假日尚未公布，公布后请升级")
