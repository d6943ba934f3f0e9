"""How sure is sure: temperature and thresholds from sentences of writers the model never saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intents.engine.catalogue import Catalogue
from intents.engine.emergency import Screen
from intents.engine.model import softmax
from intents.engine.normalise import fold
from intents.training.corpus import Row

Array = NDArray[Any]
# Going ahead must be right this often; below «ask», the right answer is among three less than half
# of the time; a missed emergency costs as much as ten false alarms.
_RIGHT_WHEN_ACTING = 0.9
_RIGHT_AMONG_THREE = 0.5
_COST_OF_A_MISS = 10
# The first list of words for danger, written before this corpus, named it in nine tenths of its
# emergencies; the list of today has seen the corpus, so this cannot be measured here.
_SHARE_UNNAMED = 0.1


def calibrate(rows: Sequence[Row], scores: Array, catalogue: Catalogue) -> dict[str, Any]:
    """The numbers that the artefact keeps, and how good the models were at unseen writers.

    ``scores`` are those of the intents, one row a sentence.
    """
    intents = list(catalogue.intents)
    truth = np.array([intents.index(row.intent) for row in rows])
    temperature = _best(np.geomspace(0.05, 2, 80), lambda t: _log_loss(softmax(scores / t), truth))
    probabilities = softmax(scores / temperature)
    right = probabilities.argmax(axis=1) == truth
    top3 = (np.argsort(-probabilities, axis=1)[:, :3] == truth[:, None]).any(axis=1)
    confidence = probabilities.max(axis=1)
    act, ask = _act_threshold(confidence, right), _ask_threshold(confidence, top3)
    hinted, unnamed = _danger_thresholds(
        rows, probabilities[:, intents.index("emergency")], catalogue
    )
    return {
        "temperature": temperature,
        "thresholds": [act, ask, hinted, unnamed],
        "top1": float(right.mean()),
        "top3": float(top3.mean()),
        "acted_on": float((confidence >= act).mean()),
        "refused": float((confidence < ask).mean()),
    }


def _best(grid: Array, cost: Callable[[float], float]) -> float:
    return float(min(grid.tolist(), key=cost))


def _log_loss(probabilities: Array, truth: Array) -> float:
    return float(-np.log(probabilities[np.arange(len(truth)), truth] + 1e-9).mean())


def _act_threshold(confidence: Array, right: Array) -> float:
    """The lowest confidence from which on going ahead is right often enough."""
    grid = np.arange(0.05, 0.96, 0.01)
    good = [t for t in grid.tolist() if right[confidence >= t].mean() >= _RIGHT_WHEN_ACTING]
    return min(good, default=0.95)


def _ask_threshold(confidence: Array, top3: Array) -> float:
    """The highest confidence below which not even three options help."""
    grid = np.arange(0.02, 0.31, 0.01).tolist()
    bad = [
        t for t in grid if (low := confidence < t).any() and top3[low].mean() < _RIGHT_AMONG_THREE
    ]
    return max(bad, default=0.02)


def _danger_thresholds(
    rows: Sequence[Row], probability: Array, catalogue: Catalogue
) -> tuple[float, float]:
    """The cheapest thresholds where words hint at danger, and where they do not."""
    screen = Screen(catalogue.intents["emergency"])
    findings = [screen.examine(fold(row.text)) for row in rows]
    danger = np.array([row.intent == "emergency" for row in rows])
    open_ = np.array([not finding.set_aside for finding in findings])
    named = np.array([finding.named for finding in findings])
    hinted = np.array([finding.hinted for finding in findings]) & ~named

    def cheapest(part: Array, cost_of_a_miss: float) -> float:
        p, d = probability[part], danger[part]

        def cost(threshold: float) -> float:
            alarm = p >= threshold
            return float(cost_of_a_miss * (d & ~alarm).sum() + (~d & alarm).sum())

        return _best(np.geomspace(0.9, 0.002, 60), cost)

    return (
        cheapest(open_ & hinted, _COST_OF_A_MISS),
        cheapest(open_ & (danger | ~(named | hinted)), _COST_OF_A_MISS * _SHARE_UNNAMED),
    )
