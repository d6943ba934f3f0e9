"""From messages to what they mean: the one place where the parts of understanding meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from intents.engine.catalogue import Catalogue
from intents.engine.emergency import Finding, Screen
from intents.engine.model import Floats, Model, ModelError
from intents.engine.normalise import fold
from intents.engine.segment import load_segmenter
from intents.engine.slots import ADDRESS, find_slots, without_address
from intents.understanding import ACTS, Decision, Item, Query, Slot, Understanding

Slots = Mapping[str, tuple[Slot, ...]]
N_ALTERNATIVES = 4
FEWEST_SIGNS = 3
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
        slots = [self._slots(queries[i], folded[i]) for i in spoken]
        told = [without_address(folded[i], found) for i, found in zip(spoken, slots, strict=True)]
        scores = self.model.score(self.model.vocabulary.batch(told, self._segment))
        for i, text, found, row, acts in zip(
            spoken, told, slots, scores.intents.tolist(), scores.acts, strict=True
        ):
            danger = self._weigh_danger(row, self._screen.examine(folded[i]), text)
            item = self._item(found, len(text), row, acts)
            understood[i] = Understanding((item,), danger)
        return understood

    def _weigh_danger(self, row: list[float], finding: Finding, told: str) -> bool:
        """Decides whether the text is an emergency and makes its probabilities say so, in place."""
        limits, here = self.model.thresholds, self._danger
        p, row[here] = row[here], 0.0
        others = max(row)
        if finding.set_aside:
            return False
        needed = limits.danger_hinted if finding.hinted else limits.danger_unnamed
        # «就在翠湖苑2号楼» names no danger and, but for the address, says nothing.
        silent = ADDRESS in told and sum(map(str.isalnum, told)) < FEWEST_SIGNS
        if not finding.named and (p < needed or silent):
            row[here] = min(p, others * 0.99)  # an option to offer, never the first
            return False
        # As sure as it takes to go ahead, and surer than of anything else.
        share = limits.act / (1 - limits.act)
        row[here] = max(p, share * (1 - p), others * 1.01)
        return True

    @staticmethod
    def _slots(query: Query, folded: str) -> Slots:
        return find_slots(query.text, folded, query.gazetteer, query.home, query.expecting)

    def _item(self, slots: Slots, length: int, row: list[float], acts: Floats) -> Item:
        order = sorted(range(len(row)), key=row.__getitem__, reverse=True)[: N_ALTERNATIVES + 1]
        names, total, best = self.model.intents, sum(row), order[0]
        confidence = row[best] / total
        return Item(
            intent=names[best],
            decision=self._decide(confidence),
            confidence=confidence,
            alternatives=tuple([(names[i], row[i] / total) for i in order[1:] if row[i]]),
            act=ACTS[int(acts.argmax())],
            slots=slots,
            span=(0, length),
        )

    def _decide(self, confidence: float) -> Decision:
        limits = self.model.thresholds
        if confidence >= limits.act:
            return "act"
        return "ask" if confidence >= limits.ask else "refuse"
