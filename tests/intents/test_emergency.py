"""Danger is heard whoever says it and however; what only sounds like it alarms nobody."""

from __future__ import annotations

import json

import pytest

NOW = [
    "着火了", "三楼窗户往外冒黑烟", "屋里一股煤气味，头好晕", "我摔倒了爬不起来", "老伴胸口疼得厉害，直冒冷汗",
    "我妈叫不醒了", "困在电梯里了，快来人", "孙子走丢了，五岁", "我不想活了", "他在打我，我锁在厕所里",
    "有人掉河里了", "救命", "救命啊！！！",
    "閣樓起火了，快來人", "小孩吞了电池喘不上气", "有人拿刀追人", "去年着过火，现在又着火了，快来",
]  # fmt: skip
NOT_NOW = [
    "消防演习几点开始", "听说去年那栋楼起火了", "我爸前年摔倒骨折，想问护理补贴怎么申请", "笑死我了",
    "今天热死了", "点不着火", "谢谢你们，孩子找到了，锦旗送到哪里", "万一着火了往哪里跑",
    "建议楼里多放几个灭火器", "煤气费在哪里交", "救命恩人啊，要表扬小李", "电梯坏了",
    "昨天电视剧里那个人跳楼了", "路灯坏了一个月没人修",
]  # fmt: skip


@pytest.mark.parametrize("text", NOW)
def test_danger_now(hear, text):
    understanding = hear(text)
    assert understanding.emergency
    (item,) = understanding.items
    assert (item.intent, item.decision) == ("emergency", "act")
    assert all(item.confidence >= other for _, other in item.alternatives)


@pytest.mark.parametrize("text", NOT_NOW)
def test_no_danger_now(hear, text):
    understanding = hear(text)
    assert not understanding.emergency
    assert understanding.items[0].intent != "emergency"


def test_held_out_emergencies_and_lookalikes(hear, data):
    """Of those that nobody trained on most are heard, and few others alarm."""
    rows = [
        json.loads(line)
        for name in ("heldout", "emergencies")
        for line in (data / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    danger = [row for row in rows if row["intent"] == "emergency"]
    safe = [row for row in rows if "emergency" not in (row["intent"], *row["also"])]
    alike = [row for row in safe if row.get("lookalike")]
    assert len(danger) >= 200
    assert len(alike) >= 200
    heard = sum(hear(row["text"]).emergency for row in danger)
    alarmed = [row for row in safe if hear(row["text"]).emergency]
    assert heard / len(danger) >= 0.9
    assert sum("lookalike" in row for row in alarmed) / len(alike) <= 0.12
    others = [row["text"] for row in alarmed if "lookalike" not in row]
    assert len(others) / (len(safe) - len(alike)) <= 0.015, others
