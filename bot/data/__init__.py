"""What is packaged: the invented subdistrict, and its templates as the platform holds them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGED_SITE: Final = Path(__file__).parent / "site.toml"

# id, title, and label and keyword of each line; site.toml fills exactly these keywords.
_TEMPLATES: Final = (
    (
        "demo-task",
        "新工单提醒",
        (
            ("工单编号", "character_string1"),
            ("诉求内容", "thing2"),
            ("地点", "thing3"),
            ("办理时限", "time4"),
        ),
    ),
    (
        "demo-update",
        "工单进度通知",
        (
            ("工单编号", "character_string1"),
            ("诉求内容", "thing2"),
            ("当前状态", "phrase3"),
            ("办理单位", "thing4"),
            ("更新时间", "time5"),
        ),
    ),
    (
        "demo-reminder",
        "工单到期提醒",
        (
            ("工单编号", "character_string1"),
            ("提醒内容", "thing2"),
            ("办理单位", "thing3"),
            ("办理时限", "time4"),
        ),
    ),
    (
        "demo-follow-up",
        "办理结果回访",
        (
            ("工单编号", "character_string1"),
            ("诉求内容", "thing2"),
            ("温馨提示", "thing3"),
            ("办结时间", "time4"),
        ),
    ),
    (
        "demo-alert",
        "紧急情况通知",
        (
            ("工单编号", "character_string1"),
            ("紧急情况", "thing2"),
            ("地点", "thing3"),
            ("发生时间", "time4"),
        ),
    ),
)


def demo_templates() -> list[dict[str, str]]:
    """``{template_id, title, content}`` of each, content as the platform writes it."""
    return [
        {
            "template_id": template_id,
            "title": title,
            "content": "\n".join(f"{label}：{{{{{keyword}.DATA}}}}" for label, keyword in lines),
        }
        for template_id, title, lines in _TEMPLATES
    ]
