"""How well labelled messages are understood, in one report and one table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from intents.engine.engine import Engine
from intents.understanding import Gazetteer, Item, Query


class Answer(NamedTuple):
    """A labelled message and the most confident item understood of it."""

    row: Mapping[str, Any]
    item: Item
    slots: Counter[tuple[str, str]]

    @property
    def right(self) -> bool:
        return bool(self.item.intent == self.row["intent"])

    @property
    def fair(self) -> bool:
        accepted = self.row.get("accept") or self.row.get("also") or ()
        return self.right or self.item.intent in accepted

    @property
    def in_top3(self) -> bool:
        others = [intent for intent, _ in self.item.alternatives[:2]]
        return self.right or self.row["intent"] in others


def evaluate(
    engine: Engine, path: Path, *, gazetteer: Gazetteer | None, at: datetime
) -> dict[str, Any]:
    """The report on a file of labelled messages; shares between 0 and 1, None where nothing counts."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    understood = engine.understand([Query(row["text"], at, gazetteer) for row in rows])
    answers = [
        Answer(
            row,
            max(message.items, key=lambda item: item.confidence),
            Counter(
                (name, slot.text)
                for item in message.items
                for name, slots in item.slots.items()
                for slot in slots
            ),
        )
        for row, message in zip(rows, understood, strict=True)
    ]
    per_intent = _per_intent(answers)
    with_act = [answer for answer in answers if answer.row.get("act") is not None]
    return {
        "n": len(answers),
        "top1": _share(answer.right for answer in answers),
        "top3": _share(answer.in_top3 for answer in answers),
        "fair": _share(answer.fair for answer in answers),
        "macro_f1": _mean([figures["f1"] for figures in per_intent.values() if figures["n"]]),
        "act": _share(answer.item.act == answer.row["act"] for answer in with_act),
        "slot_f1": _slot_f1(answers),
        "per_intent": per_intent,
        "confusions": _confusions(answers),
    }


def table(report: Mapping[str, Any]) -> str:
    """The report for people to read."""
    lines = [
        "  ".join(
            f"{name} {_shown(report[name])}"
            for name in ("n", "top1", "top3", "fair", "macro_f1", "act", "slot_f1")
        ),
        "",
        f"{'intent':<18}{'n':>5}{'precision':>11}{'recall':>8}{'f1':>7}{'fair':>7}",
    ]
    for intent, figures in report["per_intent"].items():
        shown = (_shown(figures[name]) for name in ("precision", "recall", "f1", "fair"))
        precision, recall, f1, fair = shown
        lines.append(f"{intent:<18}{figures['n']:>5}{precision:>11}{recall:>8}{f1:>7}{fair:>7}")
    lines += ["", "confusions (expected → understood)"]
    lines += [f"{n:>5}  {expected} → {got}" for expected, got, n in report["confusions"][:15]]
    return "\n".join(lines)


def _per_intent(answers: Iterable[Answer]) -> dict[str, dict[str, Any]]:
    expected: Counter[str] = Counter()
    got: Counter[str] = Counter()
    both: Counter[str] = Counter()
    fair: Counter[str] = Counter()
    for answer in answers:
        intent = answer.row["intent"]
        expected[intent] += 1
        got[answer.item.intent] += 1
        both[intent] += answer.right
        fair[intent] += answer.fair
    return {
        intent: {
            "n": expected[intent],
            "precision": _ratio(both[intent], got[intent]),
            "recall": _ratio(both[intent], expected[intent]),
            "f1": _ratio(2 * both[intent], expected[intent] + got[intent]),
            "fair": _ratio(fair[intent], expected[intent]),
        }
        for intent in sorted({*expected, *got})
    }


def _confusions(answers: Iterable[Answer]) -> list[list[Any]]:
    """``[expected, understood, how often]``, the most frequent first; fair answers are none."""
    pairs = Counter((a.row["intent"], a.item.intent) for a in answers if not a.fair)
    ranked = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return [[expected, got, n] for (expected, got), n in ranked]


def _slot_f1(answers: Iterable[Answer]) -> float | None:
    """Over the exact texts of the slots of those messages whose slots are labelled."""
    right = total = 0
    for answer in answers:
        if answer.row.get("slots") is None:
            continue
        expected = Counter(
            (name, text)
            for name, texts in answer.row["slots"].items()
            for text in ([texts] if isinstance(texts, str) else texts)
        )
        right += 2 * (expected & answer.slots).total()
        total += expected.total() + answer.slots.total()
    return _ratio(right, total)


def _share(answers: Iterable[bool]) -> float | None:
    return _mean([float(answer) for answer in answers])


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3f}"
