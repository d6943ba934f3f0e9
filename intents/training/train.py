"""Builds the model artefact from the corpus: the same sentences always give the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.svm import LinearSVC

from intents.engine.catalogue import Catalogue
from intents.engine.features import Batch, Sounds, Vocabulary, find
from intents.engine.model import FORMAT, pack, softmax
from intents.engine.normalise import fold
from intents.engine.segment import load_segmenter
from intents.engine.slots import find_slots, without_address
from intents.training.calibrate import calibrate
from intents.training.corpus import FOLDER, Row, digest, load_rows, writers
from intents.training.sounds import load_sounds
from intents.understanding import ACTS

Progress = Callable[[str], None]
Floats = NDArray[np.float64]
_SEED = 1949
_FOLDS = 6  # groups of writers


def train(
    out: Path,
    *,
    progress: Progress = lambda _: None,
    catalogue: Catalogue | None = None,
    corpus: Path = FOLDER,
) -> dict[str, Any]:
    """Writes the artefact to ``out`` and returns figures about it.

    Every writer's sentences are also read by a model that has seen only others'; from that come
    the temperature of the confidences and the thresholds.
    """
    catalogue = catalogue or Catalogue.load()
    rows = load_rows(catalogue, corpus)
    intents = list(catalogue.intents)
    progress(f"reading {len(rows)} sentences")
    known = _read(rows)
    about = np.array([intents.index(row.intent) for row in rows])
    weight = np.array([row.weight for row in rows])
    purpose = np.array([-1 if row.act is None else ACTS.index(row.act) for row in rows])
    groups = _groups(rows)
    unseen = [np.array([row.writer in group for row in rows]) for group in groups]
    fitted = _svm(known.matrix, about, weight)
    # The catalogue's own words are nobody's: for them the model that has seen all must do.
    scores = fitted.decision_function(known.matrix)
    for group, out_of in zip(groups, unseen, strict=True):
        progress(f"cross-validation: {', '.join(group)}")
        seen = _svm(known.matrix[~out_of], about[~out_of], weight[~out_of])
        scores[out_of] = seen.decision_function(known.matrix[out_of])
    written = np.logical_or.reduce(unseen)
    judged = [row for row, counts in zip(rows, written, strict=True) if counts]
    figures = calibrate(judged, scores[written], catalogue)
    progress("what each is for")
    both = hstack([known.matrix, csr_matrix(softmax(scores / figures["temperature"]))]).tocsr()
    right = 0
    for out_of in unseen:
        acts = _svm(both[~out_of & (purpose >= 0)], purpose[~out_of & (purpose >= 0)], None)
        right += int((acts.predict(both[out_of]) == purpose[out_of]).sum())
    acts = _svm(both[purpose >= 0], purpose[purpose >= 0], None)
    arrays = _packed(known, fitted, acts, intents) | {
        "temperature": np.float32(figures["temperature"]),
        "thresholds": np.array(figures["thresholds"], np.float32),
        "digest": np.frombuffer(digest(rows).encode(), np.uint8),
    }
    figures["act"] = right / int(written.sum())
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    features = int(arrays["weights"].shape[0])
    return figures | {"sentences": len(rows), "features": features, "bytes": out.stat().st_size}


def _groups(rows: Sequence[Row]) -> list[list[str]]:
    names = writers(rows)
    return [group for n in range(_FOLDS) if (group := list(names[n::_FOLDS]))]


class _Known(NamedTuple):
    """The features of all sentences, and which those are."""

    matrix: csr_matrix
    idf: Floats
    grams: list[str]
    words: list[str]
    pairs: list[str]
    sounds: Sounds


def _read(rows: Sequence[Row]) -> _Known:
    segment, sounds = load_segmenter(), load_sounds()
    told = [_told(row) for row in rows]
    found = [find(text, segment, sounds) for text in told]
    grams, words, pairs = (_frequent(kind) for kind in zip(*found, strict=True))
    vocabulary = Vocabulary(grams, words, pairs, sounds)
    matrix, idf = _tf_idf(vocabulary.batch(told, segment), vocabulary.size)
    return _Known(matrix, idf, grams, words, pairs, sounds)


def _told(row: Row) -> str:
    """A sentence as the engine classifies it."""
    folded = fold(row.text)
    return without_address(folded, find_slots(row.text, folded))


def _packed(
    known: _Known, about: LinearSVC, acts: LinearSVC, intents: Sequence[str]
) -> dict[str, Any]:
    """The artefact's arrays, the weights as bytes with a scale for each column.

    Columns are the intents, then the acts, which also hang on the intents' probabilities.
    """
    features = known.matrix.shape[1]
    weights = np.vstack([about.coef_, acts.coef_[:, :features]]).T
    scale = np.abs(weights).max(axis=0) / 127
    return {
        "format": np.int32(FORMAT),
        "intents": pack(intents),
        "grams": pack(known.grams),
        "words": pack(known.words),
        "pairs": pack(known.pairs),
        "sounds": pack([known.sounds.spelt]),
        "syllables": pack(known.sounds.syllables),
        "idf": known.idf.astype(np.float32),
        "weights": np.rint(weights / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "intercept": np.hstack([about.intercept_, acts.intercept_]).astype(np.float32),
        "act_of_intent": acts.coef_[:, features:].T.astype(np.float32),
    }


def _frequent(sets: Iterable[set[Any]]) -> list[Any]:
    """What at least two sentences hold, in order."""
    counts = Counter(chain.from_iterable(sets))
    return sorted(feature for feature, count in counts.items() if count > 1)


def _tf_idf(batch: Batch, size: int) -> tuple[csr_matrix, Floats]:
    """Rows of length one over the features' inverse document frequencies, and those."""
    bounds = np.append(batch.starts, len(batch.ids))
    texts = len(batch.starts)
    idf = np.log((1 + texts) / (1 + np.bincount(batch.ids, minlength=size + 1))) + 1
    idf[size] = 0  # of the feature that all have
    lengths = np.sqrt(np.add.reduceat(idf[batch.ids] ** 2, batch.starts))
    values = idf[batch.ids] / np.repeat(np.maximum(lengths, 1e-9), np.diff(bounds))
    matrix = csr_matrix((values, batch.ids, bounds), shape=(texts, size + 1))
    return matrix[:, :size], idf[:size]


def _svm(matrix: csr_matrix, labels: NDArray[Any], weight: NDArray[Any] | None) -> LinearSVC:
    return LinearSVC(C=1.0, random_state=_SEED).fit(matrix, labels, sample_weight=weight)
