"""The usual classifier: jieba words, TF-IDF, a linear SVM, trained at start on the corpus."""

from __future__ import annotations

import json

import jieba
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.sentences import CORPUS, PLAIN


def train() -> Pipeline:
    """A fitted pipeline; ``predict([text])`` gives the intent."""
    jieba.setLogLevel("WARNING")
    texts, intents = list(PLAIN), list(PLAIN.values())
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            texts.append(row["text"])
            intents.append(row["intent"])
    pipeline = make_pipeline(TfidfVectorizer(analyzer=jieba.lcut), LinearSVC())
    pipeline.fit(texts, intents)
    return pipeline
