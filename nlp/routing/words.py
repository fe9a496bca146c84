"""What single words and pairs of words say about a class: naive Bayes over tf-idf.

A vector says what a statement is about; words tell apart what is about nearly the same. Words are
kept as hashes, which a dictionary reverses: guard a trained router like the texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from zlib import crc32

import numpy as np

from nlp.arrays import FloatArray, IntArray

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")  # noqa: RUF001  (both apostrophes are written)
MIN_TEXTS = 2
"""A word that one text has says more about that text than about a class."""
MAX_WORDS = 50_000
SMOOTHING = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words and pairs that count, most of them in the texts that were labelled."""

    keys: IntArray
    """Shape ``(v,)``: their hashes, ascending."""
    idf: FloatArray
    """Shape ``(v,)``: the rarer, the more it says."""

    def read(self, text: str) -> tuple[IntArray, FloatArray]:
        """Which of them *text* has, and how much each weighs: two of shape ``(w,)``, length 1."""
        counts = Counter(map(_key, ngrams(text)))
        found = np.fromiter(counts, dtype=np.int64, count=len(counts))
        often = np.fromiter(counts.values(), dtype=np.float32, count=len(counts))
        places = np.searchsorted(self.keys, found).clip(max=max(len(self.keys) - 1, 0))
        known = self.keys[places] == found if len(self.keys) else np.zeros(len(found), bool)
        places, often = places[known], often[known]
        order = np.argsort(places)
        places, often = places[order], often[order]
        weights = (1 + np.log(often)) * self.idf[places]
        length = float(np.linalg.norm(weights))
        return places, (weights / length if length else weights).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A naive Bayes model of ``k`` classes."""

    vocabulary: Vocabulary
    weight: FloatArray
    """Shape ``(v, k)``: how much each word speaks for each class; rows have the mean 0."""

    def logits(self, texts: Sequence[str]) -> FloatArray:
        """Shape ``(n, k)``; zeros for a text without a word that counts."""
        rows = np.zeros((len(texts), self.weight.shape[1]), dtype=np.float32)
        for number, text in enumerate(texts):
            places, weights = self.vocabulary.read(text)
            rows[number] = weights @ self.weight[places]
        return rows


def ngrams(text: str) -> list[str]:
    """Words and pairs of neighbours, in small letters, in order; repeats stay."""
    words = WORD.findall(text.casefold())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def build_vocabulary(texts: Sequence[str]) -> Vocabulary:
    """Of words that at least two of *texts* have, the most frequent; ties go to the lower hash."""
    seen = Counter(key for text in texts for key in set(map(_key, ngrams(text))))
    frequent = [(-n, key) for key, n in seen.items() if n >= MIN_TEXTS]
    kept = sorted(key for _, key in sorted(frequent)[:MAX_WORDS])
    often = np.array([seen[key] for key in kept], dtype=np.float64)
    return Vocabulary(
        keys=np.array(kept, dtype=np.int64),
        idf=(np.log((1 + len(texts)) / (1 + often)) + 1).astype(np.float32),
    )


def read_all(vocabulary: Vocabulary, texts: Sequence[str]) -> Any:
    """A scipy sparse matrix of shape ``(n, v)``."""
    from scipy.sparse import csr_matrix

    found = [vocabulary.read(text) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in found)])
    places = np.concatenate([places for places, _ in found])
    weights = np.concatenate([weights for _, weights in found])
    return csr_matrix((weights, places, ends), shape=(len(texts), len(vocabulary.keys)))


def fit_words(read: Any, gold: IntArray, classes: int) -> FloatArray:
    """The weight of `Words`, shape ``(v, k)``: multinomial naive Bayes, classes equally likely.

    Args:
        read: What `read_all` gave, shape ``(n, v)``.
        gold: Places of the labels, shape ``(n,)``.
    """
    from scipy.sparse import csr_matrix

    n = len(gold)
    of_class = csr_matrix((np.ones(n, np.float32), (gold, np.arange(n))), shape=(classes, n))
    counts = np.asarray((of_class @ read).todense()) + SMOOTHING
    weight = np.log(counts / counts.sum(axis=1, keepdims=True)).T
    centred: FloatArray = (weight - weight.mean(axis=1, keepdims=True)).astype(np.float32)
    return centred


def _key(ngram: str) -> int:
    return crc32(ngram.encode("utf-8", "surrogatepass"))
