"""How good answers and probabilities are, against what people said.

Answers and labels are places in a list of classes, shape ``(n,)``; probabilities have the shape
``(n, k)``. Every figure lies between 0 and 1 and agrees with scikit-learn's of the same name.
There is no figure of no rows: each function raises ValueError for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from nlp.arrays import FloatArray, IntArray

BINS = 10
COVERAGE = (0.5, 0.8, 1.0)


def accuracy(predicted: IntArray, gold: IntArray) -> float:
    """The share of right answers."""
    _require_rows(gold)
    return float((predicted == gold).mean())


def confusion(predicted: IntArray, gold: IntArray, classes: int) -> IntArray:
    """How often each class (row) was called each class (column), shape ``(classes, classes)``."""
    counts: IntArray = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (gold, predicted), 1)
    return counts


def recalls(predicted: IntArray, gold: IntArray, classes: int) -> FloatArray:
    """The share of each class that was found, shape ``(classes,)``; NaN for one nobody has."""
    counts = confusion(predicted, gold, classes)
    return _shares(counts.diagonal(), counts.sum(axis=1))


def precisions(predicted: IntArray, gold: IntArray, classes: int) -> FloatArray:
    """The share of what was called a class that is one; NaN for one that was never said."""
    counts = confusion(predicted, gold, classes)
    return _shares(counts.diagonal(), counts.sum(axis=0))


def f1_scores(predicted: IntArray, gold: IntArray, classes: int) -> FloatArray:
    """F1 of each class, shape ``(classes,)``; NaN for one that was neither there nor said."""
    counts = confusion(predicted, gold, classes)
    return _shares(2 * counts.diagonal(), counts.sum(axis=0) + counts.sum(axis=1))


def macro_f1(predicted: IntArray, gold: IntArray, classes: int) -> float:
    """The mean F1 of the classes that were there or said: a wrong extra class costs."""
    _require_rows(gold)
    return float(np.nanmean(f1_scores(predicted, gold, classes)))


def macro_recall(predicted: IntArray, gold: IntArray, classes: int) -> float:
    """The mean recall of the classes that were there; also called balanced accuracy."""
    _require_rows(gold)
    return float(np.nanmean(recalls(predicted, gold, classes)))


def top_k_accuracy(probabilities: FloatArray, gold: IntArray, k: int) -> float:
    """How often the label is among the *k* likeliest; ties go to the earlier class."""
    _require_rows(gold)
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    return float((best == gold[:, None]).any(axis=1).mean())


def calibration_error(probabilities: FloatArray, gold: IntArray) -> float:
    """Expected calibration error of the likeliest class over ten equal bins; 0 is perfect.

    Naeini et al. 2015, Obtaining well calibrated probabilities using Bayesian binning.
    """
    _require_rows(gold)
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == gold
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    # Of each bin: |right answers - how many it promised|; their sum over n is the weighted mean.
    gaps = np.bincount(bins, weights=right - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / len(gold))


def coverage_curve(
    probabilities: FloatArray, gold: IntArray, shares: Sequence[float] = COVERAGE
) -> tuple[float, ...]:
    """The accuracy of the surest half, of the surest 80 % and of all, or of other *shares*.

    How sure an answer is: the probability of the likeliest class. Ties go to the earlier row.
    """
    _require_rows(gold)
    right = probabilities.argmax(axis=1) == gold
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")
    return tuple(float(right[surest[: math.ceil(share * len(gold))]].mean()) for share in shares)


def _shares(part: IntArray, whole: IntArray) -> FloatArray:
    shares: FloatArray = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares


def _require_rows(gold: IntArray) -> None:
    if len(gold) == 0:
        raise ValueError("there are no rows to measure")
