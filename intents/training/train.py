"""Builds the model artefact from the corpus: the same sentences always give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from intents.engine.catalogue import Catalogue
from intents.engine.features import Vocabulary, grams_and_words
from intents.engine.model import FORMAT, Model, pack
from intents.engine.normalise import fold
from intents.engine.segment import Segment, load_segmenter
from intents.engine.slots import find_slots, without_address
from intents.training.calibrate import Judged, calibrate, log_prior
from intents.training.corpus import FOLDER, Row, digest, load_rows, writers
from intents.understanding import ACTS

Progress = Callable[[str], None]
_SEED = 1949


def train(
    out: Path,
    *,
    progress: Progress = lambda _: None,
    catalogue: Catalogue | None = None,
    corpus: Path = FOLDER,
) -> dict[str, Any]:
    """Writes the artefact to ``out`` and returns figures about it.

    Every writer's sentences are first read by a model that has seen only the others'; from that
    come the temperature of the confidences and the thresholds.
    """
    catalogue = catalogue or Catalogue.load()
    rows = load_rows(catalogue, corpus)
    intents = list(catalogue.intents)
    segment = load_segmenter()
    judged = []
    for writer in writers(rows):
        progress(f"cross-validation: {writer}")
        seen = [row for row in rows if row.writer != writer]
        unseen = [row for row in rows if row.writer == writer]
        judged.append(_judge(_fit(seen, intents, segment), seen, unseen, segment))
    figures = calibrate(judged, catalogue)
    progress(f"training on {len(rows)} sentences")
    arrays = _fit(rows, intents, segment) | {
        "temperature": np.float32(figures["temperature"]),
        "thresholds": np.array(figures["thresholds"], np.float32),
        "act_prior": (figures["act_prior_weight"] * log_prior(rows, intents)).astype(np.float32),
        "digest": np.frombuffer(digest(rows).encode(), np.uint8),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    features = int(arrays["weights"].shape[0])
    return figures | {"sentences": len(rows), "features": features, "bytes": out.stat().st_size}


def _judge(arrays: dict[str, Any], seen: Sequence[Row], unseen: list[Row], seg: Segment) -> Judged:
    """What a model makes of sentences by a writer it has not seen."""
    neutral = {
        "temperature": np.float32(1),
        "thresholds": np.zeros(4, np.float32),
        "act_prior": np.zeros((1, len(ACTS)), np.float32),
        "digest": np.zeros(0, np.uint8),
    }
    model = Model(arrays | neutral)
    scores = model.score([model.vocabulary.ids(_told(row), seg) for row in unseen])
    return Judged(unseen, np.log(scores.intents), scores.acts, log_prior(seen, model.intents))


def _told(row: Row) -> str:
    """A sentence as the engine classifies it."""
    folded = fold(row.text)
    return without_address(folded, find_slots(row.text, folded))


def _fit(rows: Sequence[Row], intents: Sequence[str], segment: Segment) -> dict[str, Any]:
    """Vocabulary, weights and intercepts learnt from ``rows``."""
    folded = [_told(row) for row in rows]
    found = [grams_and_words(text, segment) for text in folded]
    grams = sorted(set().union(*(grams for grams, _ in found)))
    words = sorted(set().union(*(words for _, words in found)))
    vocabulary = Vocabulary(grams, words)
    ids = [sorted(set(vocabulary.ids(text, segment)) - {vocabulary.size}) for text in folded]
    matrix, idf = _tf_idf(ids, vocabulary.size)
    weight = np.array([row.weight for row in rows])
    with_act = np.array([row.act is not None for row in rows])
    about = _svm(matrix, np.array([intents.index(row.intent) for row in rows]), weight)
    acts = np.array([ACTS.index(row.act) for row in rows if row.act])
    purpose = _svm(matrix[with_act], acts, weight[with_act])
    coefficients = np.vstack([about.coef_, purpose.coef_]).T
    scale = np.abs(coefficients).max(axis=0) / 127
    return {
        "format": np.int32(FORMAT),
        "intents": pack(intents),
        "grams": pack(grams),
        "words": pack(words),
        "idf": idf.astype(np.float32),
        "weights": np.rint(coefficients / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "intercept": np.hstack([about.intercept_, purpose.intercept_]).astype(np.float32),
    }


def _tf_idf(ids: Sequence[list[int]], size: int) -> tuple[csr_matrix, NDArray[np.float64]]:
    """Rows of length one over the features' inverse document frequencies, and those."""
    columns = np.concatenate([np.array(row, np.int64) for row in ids])
    bounds = np.cumsum([0, *map(len, ids)])
    idf = np.log((1 + len(ids)) / (1 + np.bincount(columns, minlength=size))) + 1
    lengths = np.sqrt(np.add.reduceat(idf[columns] ** 2, bounds[:-1]))
    values = idf[columns] / np.repeat(lengths, np.diff(bounds))
    return csr_matrix((values, columns, bounds), shape=(len(ids), size)), idf


def _svm(matrix: csr_matrix, labels: NDArray[Any], weight: NDArray[Any]) -> LinearSVC:
    return LinearSVC(C=1.0, random_state=_SEED).fit(matrix, labels, sample_weight=weight)
