"""A head that learns subjects from labels, on vectors that are there already.

Three opinions are mixed: the descriptions, a logistic regression on the vectors, and the words.
The descriptions and example phrases are also training rows, so every subject is known from the
start. Fitting is deterministic and takes seconds; predicting is numpy.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nlp.arrays import FloatArray, IntArray
from nlp.clean import text_hash
from nlp.embed import unit
from nlp.routing.calibration import choose_threshold, fit_mix
from nlp.routing.subjects import Described, described
from nlp.routing.words import Vocabulary, Words, build_vocabulary, fit_words, read_all
from nlp.sentiment import softmax

BoolArray = npt.NDArray[np.bool_]

REGULARISATION = 10.0
ITERATIONS = 60
TOLERANCE = 1e-3
FOLDS = 5
FOLDS_OF_MANY = 3
MANY = 3000
"""Labels: from here on three folds say the same as five, in half the time."""
PRECISION = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Texts with what people say of them."""

    texts: Sequence[str]
    vectors: FloatArray
    """Shape ``(n, d)``, rows of length 1."""
    labels: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How good a head is on labels that it had not seen; shares between 0 and 1."""

    labels: int
    accuracy: float
    accuracy_descriptions: float
    """Of the descriptions alone, on the same labels."""
    top3: float
    precision: float
    answered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What was learned about one kind of subject; ``k`` classes."""

    classes: tuple[str, ...]
    weight: FloatArray  # (k, d)
    bias: FloatArray  # (k,)
    words: Words
    centroids: FloatArray
    """Shape ``(k, d)``: the middle of each class, to tell what is like nothing that was seen."""
    mix: FloatArray
    """Shape ``(3,)``: weights of descriptions, vectors, words."""
    threshold: float
    seen: IntArray
    """Shape ``(n,)``, ascending: of each text that it has learned from the start of its hash."""
    figures: Figures

    def of(self, places: Sequence[int]) -> Head:
        """The same head over some of its classes, in the order of *places*."""
        rows = list(places)
        return replace(
            self,
            classes=tuple(self.classes[place] for place in rows),
            weight=self.weight[rows],
            bias=self.bias[rows],
            words=replace(self.words, weight=self.words.weight[:, rows]),
            centroids=self.centroids[rows],
        )

    def has_seen(self, texts: Sequence[str]) -> BoolArray:
        """Which of *texts* it has learned from, shape ``(n,)``."""
        found: BoolArray = np.isin(_marks(texts), self.seen)
        return found

    def knows_only(self, texts: Sequence[str]) -> bool:
        """Whether all that it has learned from is among *texts*: nothing of it was erased."""
        return bool(np.isin(self.seen, _marks(texts)).all())

    def logits(
        self, texts: Sequence[str], vectors: FloatArray, by_description: Described
    ) -> FloatArray:
        """Shape ``(n, k)``. *by_description*: over the same classes."""
        opinions = np.stack(
            [by_description.logits, vectors @ self.weight.T + self.bias, self.words.logits(texts)]
        )
        mixed: FloatArray = np.tensordot(self.mix, opinions, axes=1).astype(np.float32)
        return mixed

    def nearest(self, vectors: FloatArray) -> FloatArray:
        """Shape ``(n,)``: the similarity to the middle of the nearest class."""
        similarity: FloatArray = (vectors @ self.centroids.T).max(axis=1)
        return similarity


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A head, and what it would have said of its own labels, had it not seen them."""

    head: Head
    probabilities: FloatArray  # (n, k), out of fold
    gold: IntArray  # (n,)


def fit_head(
    labelled: Examples,
    anchors: Mapping[str, Examples],
    *,
    precision: float = PRECISION,
    seed: int = 0,
) -> Fitted:
    """Learn from labels.

    Args:
        labelled: Distinct texts, at least one; labels are among the names of *anchors*.
        anchors: Of each class its description and example phrases, at least one text.
        precision: The wanted share of right values among those given.

    Raises:
        ValueError: There are fewer than two classes, or no labels.
    """
    classes = tuple(anchors)
    if len(classes) < 2 or not len(labelled.labels):  # noqa: PLR2004
        raise ValueError("a head needs two classes and a label")
    gold = np.array([classes.index(label) for label in labelled.labels], dtype=np.int64)
    rows = _rows(labelled, anchors, gold)
    by_description = described(labelled.vectors, [a.vectors for a in anchors.values()])
    vectors, words = _out_of_fold(rows, len(gold), len(classes), seed)
    opinions = np.stack([by_description.logits, vectors, words])
    mix = fit_mix(opinions, gold)
    probabilities = softmax(np.tensordot(mix, opinions, axes=1))
    threshold = choose_threshold(probabilities, gold, precision=precision)
    weight, bias = fit_vectors(rows.vectors, rows.gold, len(classes))
    head = Head(
        classes=classes,
        weight=weight,
        bias=bias,
        words=Words(
            vocabulary=rows.vocabulary, weight=fit_words(rows.read, rows.gold, len(classes))
        ),
        centroids=_centroids(rows.vectors, rows.gold, len(classes)),
        mix=mix,
        threshold=threshold.value,
        seen=np.sort(_marks(labelled.texts)),
        figures=Figures(
            labels=len(gold),
            accuracy=_right(probabilities, gold, 1),
            accuracy_descriptions=_right(by_description.logits, gold, 1),
            top3=_right(probabilities, gold, 3),
            precision=threshold.precision,
            answered=threshold.answered,
        ),
    )
    return Fitted(head=head, probabilities=probabilities, gold=gold)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What is learned from: the labelled texts first, then descriptions and phrases."""

    vectors: FloatArray
    vocabulary: Vocabulary
    read: Any  # sparse, (n, v)
    gold: IntArray

    def without(self, left_out: IntArray) -> tuple[FloatArray, Any, IntArray]:
        kept = np.setdiff1d(np.arange(len(self.gold)), left_out)
        return self.vectors[kept], self.read[kept], self.gold[kept]


def _rows(labelled: Examples, anchors: Mapping[str, Examples], gold: IntArray) -> _Rows:
    texts = [*labelled.texts, *(text for each in anchors.values() for text in each.texts)]
    vocabulary = build_vocabulary(texts)  # knows no labels, so all folds may share it
    places = [np.full(len(each.texts), place) for place, each in enumerate(anchors.values())]
    return _Rows(
        vectors=np.vstack([labelled.vectors, *(each.vectors for each in anchors.values())]),
        vocabulary=vocabulary,
        read=read_all(vocabulary, texts),
        gold=np.concatenate([gold, *places]).astype(np.int64),
    )


def _out_of_fold(rows: _Rows, n: int, k: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """What vectors and words say of each label when it was left out; two of shape ``(n, k)``."""
    vectors, words = np.zeros((n, k), np.float32), np.zeros((n, k), np.float32)
    for fold in folds(rows.gold[:n], FOLDS if n < MANY else FOLDS_OF_MANY, seed):
        seen_vectors, seen_read, seen_gold = rows.without(fold)
        weight, bias = fit_vectors(seen_vectors, seen_gold, k)
        vectors[fold] = rows.vectors[fold] @ weight.T + bias
        words[fold] = rows.read[fold] @ fit_words(seen_read, seen_gold, k)
    return vectors, words


def folds(gold: IntArray, number: int, seed: int) -> list[IntArray]:
    """Row numbers in *number* parts, each class spread evenly; parts without rows are left out."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(gold))
    by_class = shuffled[np.argsort(gold[shuffled], kind="stable")]
    parts = [np.sort(by_class[start::number]) for start in range(number)]
    return [part for part in parts if len(part)]


def fit_vectors(vectors: FloatArray, gold: IntArray, classes: int) -> tuple[FloatArray, FloatArray]:
    """Multinomial logistic regression: weight ``(k, d)``, bias ``(k,)``. Each class has rows."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    model: Any = LogisticRegression(C=REGULARISATION, max_iter=ITERATIONS, tol=TOLERANCE)
    # Several threads only wait for each other on matrices as small as these.
    with threadpool_limits(1), warnings.catch_warnings():
        # Not quite converged is good enough, and few labels of many classes are no mistake.
        warnings.simplefilter("ignore", UserWarning)
        model.fit(vectors, gold)
    weight, bias = model.coef_, model.intercept_
    if classes == 2:  # noqa: PLR2004  (of two, only the second has a row)
        weight, bias = np.vstack([-weight, weight]) / 2, np.append(-bias, bias) / 2
    return weight.astype(np.float32), bias.astype(np.float32)


def _centroids(vectors: FloatArray, gold: IntArray, classes: int) -> FloatArray:
    return unit(np.stack([vectors[gold == place].mean(axis=0) for place in range(classes)]))


def _marks(texts: Sequence[str]) -> IntArray:
    return np.array([int(text_hash(text)[:15], 16) for text in texts], dtype=np.int64)


def _right(scores: FloatArray, gold: IntArray, k: int) -> float:
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == gold[:, None]).any(axis=1).mean())
