"""The figures of a report, on messages whose answers are known and on the held-out ones."""

from __future__ import annotations

import json

import pytest

from intents.training.evaluate import evaluate, table
from intents.understanding import Item, Slot, Understanding


class Parrot:
    """An engine that answers what the test wrote down."""

    def __init__(self, answers):
        self._answers = answers

    def understand(self, queries):
        return [self._answers[query.text] for query in queries]


def item(intent, confidence=0.9, others=(), act="report", **slots):
    found = {name: (Slot(text, 0, None),) for name, text in slots.items()}
    return Item(intent, "act", confidence, tuple((o, 0.01) for o in others), act, found)


@pytest.fixture
def report(tmp_path, at):
    rows = [
        {"text": "1", "intent": "noise", "act": "report", "slots": {"place": "甲", "time": "昨天"}},
        {"text": "2", "intent": "noise", "accept": ["noise", "pets"], "act": "complain"},
        {"text": "3", "intent": "pets", "also": [], "act": None},
        {"text": "4", "intent": "noise", "also": [], "act": "report", "slots": {}},
    ]
    answers = {
        "1": Understanding((item("noise", place="甲"),)),
        "2": Understanding((item("pets", others=("noise",)),)),
        "3": Understanding((item("noise", 0.3), item("pets", 0.8))),
        "4": Understanding((item("pets", others=("a", "b", "noise"), plate="x"),)),
    }
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", "utf-8")
    return evaluate(Parrot(answers), path, gazetteer=None, at=at)


def test_figures(report):
    assert list(report) == [
        "n", "top1", "top3", "fair", "macro_f1", "act", "slot_f1", "per_intent", "confusions"
    ]  # fmt: skip
    assert report["n"] == 4
    assert report["top1"] == 0.5
    assert report["top3"] == 0.75
    assert report["fair"] == 0.75
    assert report["act"] == pytest.approx(2 / 3, abs=1e-4)
    assert report["slot_f1"] == 0.5
    assert report["macro_f1"] == pytest.approx((0.5 + 0.5) / 2, abs=1e-4)
    assert report["per_intent"]["noise"] == {
        "n": 3, "precision": 1.0, "recall": 0.3333, "f1": 0.5, "fair": 0.6667
    }  # fmt: skip
    assert report["confusions"] == [["noise", "pets", 1]]


def test_the_table_names_what_matters(report):
    text = table(report)
    assert "top1 0.500" in text
    assert "noise → pets" in text


def test_held_out_messages_are_understood(engine, data, at):
    report = evaluate(engine, data / "heldout.jsonl", gazetteer=None, at=at)
    assert report["n"] >= 1600
    assert report["top1"] >= 0.80
    assert report["top3"] >= 0.92
    assert report["act"] >= 0.75
    weak = [name for name, row in report["per_intent"].items() if row["n"] and row["recall"] < 0.4]
    assert not weak


def test_lookalikes_are_told_apart(engine, data, at):
    assert evaluate(engine, data / "emergencies.jsonl", gazetteer=None, at=at)["fair"] >= 0.8
