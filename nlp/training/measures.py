"""How good probabilities are, against what people said."""

from __future__ import annotations

import numpy as np

from nlp.arrays import FloatArray, IntArray

BINS = 10


def macro_f1(predicted: IntArray, gold: IntArray, classes: int) -> float:
    """The mean over *classes* of F1; a class that neither has counts as 0. Shapes ``(n,)``."""
    scores = []
    for label in range(classes):
        hits = int(((predicted == label) & (gold == label)).sum())
        either = int((predicted == label).sum()) + int((gold == label).sum())
        scores.append(2 * hits / either if either else 0.0)
    return sum(scores) / classes


def calibration_error(probabilities: FloatArray, gold: IntArray) -> float:
    """Expected calibration error of the likeliest class over ten equal bins; 0 is perfect."""
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == gold
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    return sum(
        abs(float(right[bins == b].mean()) - float(sure[bins == b].mean()))
        * float((bins == b).mean())
        for b in range(BINS)
        if (bins == b).any()
    )
