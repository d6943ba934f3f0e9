"""The sentences a model is trained on: four writers' files, and the catalogue's own words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from intents.engine.catalogue import Catalogue
from intents.understanding import ACTS, Act

FOLDER = Path(__file__).parent.parent / "corpus"
# A keyword is a sentence of which nobody knows what it asks for, and worth a third of one.
KEYWORD_WEIGHT = 0.3
CATALOGUE = "catalogue"


class CorpusError(ValueError):
    """A training sentence is wrong; the message names file, line and field."""


class Row(NamedTuple):
    """One training sentence. ``act`` None: unknown. ``writer`` is who wrote it."""

    text: str
    intent: str
    act: Act | None
    writer: str
    weight: float = 1.0


def load_rows(catalogue: Catalogue, folder: Path = FOLDER) -> list[Row]:
    """All training sentences, always in the same order."""
    rows = [row for path in sorted(folder.glob("*.jsonl")) for row in _read(path, catalogue)]
    for intent in catalogue.intents.values():
        rows += (Row(e.text, intent.id, e.act, CATALOGUE) for e in intent.examples)
        rows += (Row(k, intent.id, None, CATALOGUE, KEYWORD_WEIGHT) for k in intent.keywords)
    return rows


def _read(path: Path, catalogue: Catalogue) -> Iterator[Row]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            text, intent, act = fields["text"], fields["intent"], fields["act"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise CorpusError(f"{path.name}:{number}: {error!r}") from error
        if intent not in catalogue.intents:
            raise CorpusError(f"{path.name}:{number}: intent: {intent!r} has no catalogue file")
        if act not in ACTS:
            raise CorpusError(f"{path.name}:{number}: act: {act!r} is not one of {', '.join(ACTS)}")
        yield Row(text, intent, act, path.stem)


def writers(rows: Iterable[Row]) -> Sequence[str]:
    """Who wrote the corpus, without the catalogue."""
    return sorted({row.writer for row in rows} - {CATALOGUE})


def digest(rows: Iterable[Row]) -> str:
    """Changes whenever a model trained on ``rows`` might."""
    return hashlib.sha256(json.dumps(list(rows), ensure_ascii=False).encode()).hexdigest()
