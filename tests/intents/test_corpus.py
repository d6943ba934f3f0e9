"""The sentences are honest: none twice, none shared with the held-out sets, and the model is theirs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest
from rapidfuzz.fuzz import ratio

from intents.engine.catalogue import Catalogue
from intents.engine.model import PACKAGED
from intents.engine.normalise import fold
from intents.training.corpus import CATALOGUE, CorpusError, digest, load_rows, writers

NEAR = 85  # of 100, by characters
SHORT = 8  # shorter sentences are alike by nature and must only not be equal
COMMAND = 4  # «转人工» is what everybody says


@pytest.fixture(scope="module")
def rows():
    return load_rows(Catalogue.load())


@pytest.fixture(scope="module")
def held_out(data):
    return [
        fold(json.loads(line)["text"])
        for name in ("heldout", "emergencies", "slots")
        for line in (data / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]


def alike(left, right):
    """Pairs of equal or nearly equal texts; only those that share a rare pair are compared."""
    holders = defaultdict(list)
    for i, text in enumerate(right):
        for pair in {text[k : k + 2] for k in range(len(text) - 1)} or {text}:
            holders[pair].append(i)
    for i, text in enumerate(left):
        if len(text) <= COMMAND:
            continue
        shared = Counter()
        for pair in {text[k : k + 2] for k in range(len(text) - 1)} or {text}:
            if len(holders[pair]) < 80:
                shared.update(holders[pair])
        for j, n in shared.items():
            short = min(len(text), len(right[j])) < SHORT
            if (left is not right or i < j) and n >= len(text) // 4:
                same = text == right[j] if short else ratio(text, right[j]) >= NEAR
                if same:
                    yield text, right[j]


def test_no_near_duplicates(rows):
    texts = [fold(row.text) for row in rows if row.writer != CATALOGUE]
    assert list(alike(texts, texts)) == []


def test_nothing_of_the_held_out_sets_is_trained_on(rows, held_out):
    sentences = [fold(row.text) for row in rows if row.act is not None]
    assert list(alike(sentences, held_out)) == []


def test_every_intent_and_writer_is_there(rows):
    by_intent = Counter(row.intent for row in rows if row.writer != CATALOGUE)
    assert set(by_intent) == set(Catalogue.load().intents)
    assert min(by_intent.values()) >= 150
    assert len(writers(rows)) >= 20


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "bad.jsonl:2"),
        ('{"text": "x", "intent": "noise"}', "act"),
        ('{"text": "x", "intent": "nonsense", "act": "report"}', "intent: 'nonsense'"),
        ('{"text": "x", "intent": "noise", "act": "shout"}', "act: 'shout'"),
    ],
)
def test_a_wrong_sentence_is_refused(tmp_path, line, complaint):
    (tmp_path / "bad.jsonl").write_text(f"\n{line}\n", "utf-8")
    with pytest.raises(CorpusError) as error:
        load_rows(Catalogue.load(), tmp_path)
    assert "bad.jsonl:2" in str(error.value)
    assert complaint in str(error.value)


def test_the_model_is_of_this_corpus(engine, rows):
    assert engine.model.digest == digest(rows), "the sentences have changed: run `tongxin train`"


def test_the_model_is_small():
    assert PACKAGED.stat().st_size < 3_000_000


@pytest.mark.timeout(400)
def test_training_again_gives_the_same_bytes(tmp_path):
    train = pytest.importorskip("intents.training.train").train
    train(tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == PACKAGED.read_bytes()
