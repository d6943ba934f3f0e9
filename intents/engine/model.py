"""A linear classifier in numpy: one gather and one sum for a whole batch, no pickle.

The artefact holds weights as bytes with a scale for each class. On loading they are multiplied by
the features' idf, and a last column holds idf², so that one sum over a message's rows gives the
scores and the squared length to divide them by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intents.engine.features import Batch, Sounds, Vocabulary

PACKAGED = Path(__file__).parent / "model.npz"
FORMAT = 2
_TINY = np.float32(1e-6)

Floats = NDArray[np.float32]


class ModelError(ValueError):
    """A model artefact cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Chosen at training time on sentences of writers the model had not seen."""

    act: float  # confidence from which we go ahead
    ask: float  # confidence from which offering options is worth it
    danger_hinted: float  # probability of an emergency that is enough where words hint at it
    danger_unnamed: float  # the same where no word does


@dataclass(frozen=True, slots=True)
class Scores:
    """A batch: probabilities of the intents (sum 1) and scores of the acts, one row a text."""

    intents: Floats
    acts: Floats


class Model:
    """Everything learnt from the corpus."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if int(arrays["format"]) != FORMAT:
            raise ModelError(f"model format {int(arrays['format'])} is not {FORMAT}: train again")
        grams, words = unpack(arrays["grams"]), unpack(arrays["words"])
        pairs = unpack(arrays["pairs"])
        sounds = Sounds(unpack(arrays["sounds"])[0], unpack(arrays["syllables"]))
        self.vocabulary = Vocabulary(grams, words, pairs, sounds)
        self.intents: Sequence[str] = unpack(arrays["intents"])
        self.digest = bytes(arrays["digest"]).decode()
        self.thresholds = Thresholds(*map(float, arrays["thresholds"]))
        self._act_of_intent: Floats = arrays["act_of_intent"]
        # The acts have no probabilities, so only the intents' columns know the temperature.
        scale, intercept = arrays["scale"].copy(), arrays["intercept"].copy()
        scale[: len(self.intents)] /= arrays["temperature"]
        intercept[: len(self.intents)] /= arrays["temperature"]
        self._intercept: Floats = intercept
        idf = arrays["idf"][:, None]
        weights = arrays["weights"].astype(np.float32) * scale * idf
        rows = np.hstack([weights, idf * idf])
        self._rows: Floats = np.vstack([rows, np.zeros_like(rows[:1])]).astype(np.float32)

    @classmethod
    def load(cls, path: Path | None = None) -> Model:
        """From an artefact; raises ``ModelError`` when it is missing or of another format."""
        path = path or PACKAGED
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(dict(arrays))
        except FileNotFoundError:
            raise ModelError(f"{path} is missing: run `tongxin train`") from None
        except (KeyError, ValueError, OSError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"{path} is no usable model ({error}): run `tongxin train`") from error

    def score(self, batch: Batch) -> Scores:
        """Scores of the texts of a batch, one row each."""
        sums = np.add.reduceat(self._rows.take(batch.ids, axis=0), batch.starts, axis=0)
        scores = sums[:, :-1]
        scores /= np.sqrt(sums[:, -1:] + _TINY)
        scores += self._intercept
        split = len(self.intents)
        shares = softmax(scores[:, :split])
        return Scores(shares, scores[:, split:] + shares @ self._act_of_intent)


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Probabilities from scores, row by row."""
    powers: NDArray[Any] = scores - np.maximum.reduce(scores, axis=1, keepdims=True)
    np.exp(powers, out=powers)
    powers /= np.add.reduce(powers, axis=1, keepdims=True)
    return powers


def pack(texts: Iterable[str]) -> NDArray[np.uint8]:
    """Texts without line breaks as an array of bytes, which needs no pickle."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def unpack(packed: NDArray[np.uint8]) -> list[str]:
    """What ``pack`` packed."""
    return bytes(packed).decode().split("\n")
