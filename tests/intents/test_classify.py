"""The exact format that outside checks read."""

from __future__ import annotations

import json

from intents.training.classify import classify

LINES = [
    "阳光小区3号楼2单元501的灯坏了，电话138 0013 8000\n",
    "\n",
    "着火了\r\n",
    "哈哈哈",
    "",
    "住在十几楼",
]


def test_one_object_a_line_in_order(engine, places, at):
    answers = list(classify(engine, iter(LINES), gazetteer=places, at=at))
    assert [answer["text"] for answer in answers] == [line.rstrip("\r\n") for line in LINES]
    assert json.loads(json.dumps(answers)) == answers


def test_fields(engine, places, at):
    for answer in classify(engine, LINES, gazetteer=places, at=at):
        assert set(answer) == {"text", "emergency", "items"}
        assert answer["items"]
        for item in answer["items"]:
            assert list(item) == [
                "intent",
                "decision",
                "confidence",
                "alternatives",
                "act",
                "slots",
            ]
            assert item["decision"] in ("act", "ask", "refuse")
            assert all(len(pair) == 2 for pair in item["alternatives"])
            for slots in item["slots"].values():
                assert all(list(slot) == ["text", "start", "value"] for slot in slots)


def test_values(engine, places, at):
    first, empty, fire, *_, unresolved = classify(engine, LINES, gazetteer=places, at=at)
    item = first["items"][0]
    assert item["intent"] == "facility_repair"
    assert item["slots"] == {
        "place": [{"text": "阳光小区", "start": 0, "value": "阳光小区"}],
        "building": [
            {
                "text": "3号楼2单元501",
                "start": 4,
                "value": {"building": "3", "unit": "2", "floor": None, "room": "501"},
            }
        ],
        "phone": [{"text": "138 0013 8000", "start": 20, "value": "13800138000"}],
    }
    assert (empty["items"][0]["intent"], empty["items"][0]["decision"]) == ("chitchat", "refuse")
    assert fire["emergency"] is True
    assert unresolved["items"][0]["slots"]["building"][0]["value"] is None


def test_more_lines_than_a_batch(engine, at):
    lines = [f"第{i}盏路灯坏了" for i in range(200)]
    answers = list(classify(engine, lines, gazetteer=None, at=at))
    assert [answer["text"] for answer in answers] == lines
