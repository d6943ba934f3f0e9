"""Words of a text: rjieba where it is installed, else jieba, with the same dictionary and cuts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

Segment = Callable[[str], list[str]]


def load_segmenter(cache_dir: Path | None = None) -> Segment:
    """A function from text to words. ``cache_dir`` is where jieba may keep its dictionary."""
    try:
        import rjieba
    except ImportError:
        return _load_jieba(cache_dir)
    cut = rjieba.Jieba().cut

    def segment(text: str) -> list[str]:
        words: list[str] = cut(text, False)
        return words

    return segment


def _load_jieba(cache_dir: Path | None) -> Segment:
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    if cache_dir is not None:
        cache_dir.mkdir(parents=True, exist_ok=True)
        tokenizer.tmp_dir = str(cache_dir)
    tokenizer.initialize()

    def segment(text: str) -> list[str]:
        words: list[str] = tokenizer.lcut(text, HMM=False)
        return words

    return segment
