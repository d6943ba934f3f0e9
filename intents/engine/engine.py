"""From messages to what they mean: the one place where the parts of understanding meet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from intents.engine.catalogue import Catalogue
from intents.engine.emergency import Finding, Screen
from intents.engine.model import Floats, Model, ModelError
from intents.engine.normalise import fold
from intents.engine.segment import load_segmenter
from intents.engine.slots import find_slots
from intents.understanding import ACTS, Decision, Item, Query, Understanding

N_ALTERNATIVES = 4
NOTHING = Understanding((Item("chitchat", "refuse", 0.0, (), "none"),))


class Engine:
    """Understands messages. Safe to share between threads; knows no database and no clock."""

    def __init__(self, model: Model, catalogue: Catalogue, cache_dir: Path | None = None) -> None:
        unknown = sorted(set(model.intents) - set(catalogue.intents))
        if unknown:
            raise ModelError(f"the model knows intents without a file: {', '.join(unknown)}")
        self.catalogue = catalogue
        self.model = model
        self._segment = load_segmenter(cache_dir)
        self._screen = Screen(catalogue.intents["emergency"])
        self._danger = list(model.intents).index("emergency")

    @classmethod
    def load(
        cls,
        model: Path | None = None,
        catalogue: Catalogue | None = None,
        cache_dir: Path | None = None,
    ) -> Engine:
        """The packaged model and catalogue, or others; raises ModelError, CatalogueError."""
        return cls(Model.load(model), catalogue or Catalogue.load(), cache_dir)

    def understand(self, queries: Sequence[Query]) -> list[Understanding]:
        """One understanding a message, in order; a batch gives the same as single messages."""
        folded = [fold(query.text) for query in queries]
        spoken = [i for i, text in enumerate(folded) if text and not text.isspace()]
        understood = [NOTHING] * len(queries)
        if not spoken:
            return understood
        ids, segment = self.model.vocabulary.ids, self._segment
        scores = self.model.score([ids(folded[i], segment) for i in spoken])
        findings = [self._screen.examine(folded[i]) for i in spoken]
        urgent = self._weigh_danger(scores.intents, findings)
        order = np.argsort(-scores.intents, axis=1, kind="stable")[:, : N_ALTERNATIVES + 1]
        acts = np.argmax(scores.acts + self.model.act_prior[order[:, 0]], axis=1).tolist()
        best = np.take_along_axis(scores.intents, order, axis=1).tolist()
        for i, row, probabilities, act, danger in zip(
            spoken, order.tolist(), best, acts, urgent, strict=True
        ):
            item = self._item(queries[i], folded[i], row, probabilities, act)
            understood[i] = Understanding((item,), danger)
        return understood

    def _weigh_danger(self, intents: Floats, findings: Sequence[Finding]) -> list[bool]:
        """Decides which texts are emergencies and makes their probabilities say so, in place."""
        limits = self.model.thresholds
        urgent = []
        for row, finding in zip(intents, findings, strict=True):
            p = row[self._danger]
            needed = limits.danger_named if finding.named else limits.danger_unnamed
            danger = bool(p >= needed) and not finding.set_aside
            if danger:
                sure = max(p, limits.act, row.max())
                row *= (1 - sure) / max(1 - p, 1e-6)
                row[self._danger] = sure + 1e-6
            else:
                row[self._danger] = 0
                row /= max(1 - p, 1e-6)
            urgent.append(danger)
        return urgent

    def _item(
        self, query: Query, folded: str, order: list[int], probabilities: list[float], act: int
    ) -> Item:
        names = self.model.intents
        ranked = [
            (names[i], min(p, 1.0)) for i, p in zip(order, probabilities, strict=True) if p > 0
        ]
        intent, confidence = ranked[0]
        return Item(
            intent=intent,
            decision=self._decide(confidence),
            confidence=confidence,
            alternatives=tuple(ranked[1:]),
            act=ACTS[act],
            slots=find_slots(query.text, folded, query.gazetteer, query.home, query.expecting),
            span=(0, len(folded)),
        )

    def _decide(self, confidence: float) -> Decision:
        limits = self.model.thresholds
        if confidence >= limits.act:
            return "act"
        return "ask" if confidence >= limits.ask else "refuse"
