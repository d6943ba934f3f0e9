"""What the engine promises whatever it is sent."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intents.engine.catalogue import Catalogue
from intents.engine.engine import Engine
from intents.engine.model import Model, ModelError
from intents.engine.segment import _load_jieba, load_segmenter
from intents.understanding import ACTS, Query

SENTENCES = [
    "楼道灯坏了",
    "",
    "着火了快来人",
    "我上次报的怎么样了",
    "谢谢",
    "😀" * 50,
    "3-2-501",
    "a" * 3000,
]


def test_plain_messages(hear):
    item = hear("阳光小区3号楼2单元楼道灯坏了").items[0]
    assert (item.intent, item.decision, item.act) == ("facility_repair", "act", "report")
    assert hear("我上次报的那个怎么样了").items[0].intent == "progress"
    assert hear("谢谢啊").items[0].intent == "praise"
    assert hear("转人工").items[0].intent == "human"


@pytest.mark.parametrize("text", ["", "  ", "\n", "\u3000"])
def test_nothing_said_is_refused(hear, text):
    (item,) = hear(text).items
    assert (item.intent, item.decision, item.act) == ("chitchat", "refuse", "none")


def test_a_batch_is_the_same_as_single_messages(engine, at, places):
    queries = [Query(text, at, places) for text in SENTENCES]
    assert engine.understand(queries) == [engine.understand([query])[0] for query in queries]
    assert engine.understand([]) == []


def test_confidences_are_shares_in_order(engine, at):
    for understanding in engine.understand([Query(text, at) for text in SENTENCES if text]):
        (item,) = understanding.items
        shares = [item.confidence, *(share for _, share in item.alternatives)]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1 + 1e-6
        assert item.intent not in [intent for intent, _ in item.alternatives]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(st.characters(codec=None), max_size=80), max_size=4))
def test_never_raises_and_every_slot_is_an_exact_substring(engine, at, places, texts):
    _check(engine, at, places, texts)


FRAGMENTS = [
    "3号楼", "2单元", "五零一", "-", " ", "138", "0013", "8000", "沪a", "·", "T2026",
    "1122", "0007", "那个", "尾号", "幺", "救命", "去年", "着火", "阳光小区", "十", "層", "零", "#",
    "\ud800",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_never_raises_on_heaps_of_details(engine, at, places, text):
    _check(engine, at, places, [text])


def _check(engine, at, places, texts):
    for expecting in ("", "building"):
        queries = [Query(text, at, places, expecting=expecting) for text in texts]
        for text, understanding in zip(texts, engine.understand(queries), strict=True):
            urgent = any(item.intent == "emergency" for item in understanding.items)
            assert understanding.emergency == urgent
            for item in understanding.items:
                assert item.act in ACTS
                taken = set()
                for slots in item.slots.values():
                    for slot in slots:
                        span = range(slot.start, slot.start + len(slot.text))
                        assert slot.text
                        assert text[span.start : span.stop] == slot.text
                        assert taken.isdisjoint(span)
                        taken.update(span)


def test_jieba_is_a_substitute_with_the_same_cuts(tmp_path):
    ours, substitute = load_segmenter(), _load_jieba(tmp_path / "cache")
    for text in ["阳光小区3号楼的楼道灯坏了", "车位被占了,还有电梯停了", "低保怎么申请?"]:
        assert substitute(text) == ours(text)
    assert list((tmp_path / "cache").iterdir())


def test_unusable_models_are_refused_with_advice(tmp_path):
    with pytest.raises(ModelError, match="tongxin train"):
        Model.load(tmp_path / "none.npz")
    broken = tmp_path / "broken.npz"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="tongxin train"):
        Model.load(broken)
    np.savez(tmp_path / "old.npz", format=np.int32(0))
    with pytest.raises(ModelError, match="train again"):
        Model.load(tmp_path / "old.npz")


def test_a_model_with_unknown_intents_is_refused(engine):
    some = {name: i for name, i in Catalogue.load().intents.items() if name != "noise"}
    with pytest.raises(ModelError, match="noise"):
        Engine(engine.model, Catalogue(some))


def test_the_server_never_loads_scikit_learn():
    script = (
        "import sys, intents.engine.engine as e, intents.training.classify, intents.training.evaluate;"
        "e.Engine.load(); print([m for m in ('sklearn', 'scipy', 'bot', 'handlers') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
