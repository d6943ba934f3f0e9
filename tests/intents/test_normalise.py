"""Folding unifies spellings and never moves a character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intents.engine.normalise import MAX_CHARS, fold

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("３号楼２单元", "3号楼2单元"),
        ("電梯壞了，請來修！", "电梯坏了,请来修!"),
        ("沪Ａ·１２３４５", "沪a·12345"),
        ("①号楼", "1号楼"),
        ("3️⃣号楼", "3  号楼"),
        ("灯坏了。", "灯坏了."),
        ("乾隆", "乾隆"),
    ],
)
def test_fold(text, folded):
    assert fold(text) == folded


@given(ANY_TEXT)
def test_length_is_kept_and_folding_twice_changes_nothing(text):
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded


def test_only_the_beginning_of_a_long_text_is_read():
    assert len(fold("灯" * 5000)) == MAX_CHARS == 2000


def test_a_lone_surrogate_becomes_a_blank():
    assert fold("灯\ud83d坏") == "灯 坏"
