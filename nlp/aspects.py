"""Which of a sentence's clauses is about which aspect: "the food", "the staff"."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nlp.arrays import FloatArray, IntArray


class Matches(NamedTuple):
    """For each of ``k`` aspects."""

    places: IntArray
    """The clause that is about it, shape ``(k,)``."""
    margins: FloatArray
    """How much nearer it is than the next best clause, shape ``(k,)``; infinite if it is alone."""


def aspect_clauses(clause_vectors: FloatArray, aspect_vectors: FloatArray) -> Matches:
    """The nearest clause of each aspect, nearness compared with how near it is to aspects at all.

    A clause in plain words is near to everything, so the mean over all aspects is taken off
    first: with names as aspects, 67 % instead of 54 % of the labels
    of `mams_acsa` then share their clause with no label of another polarity.

    Args:
        clause_vectors: ``c`` clauses of one sentence, at least one; unit rows, shape ``(c, d)``.
        aspect_vectors: All ``k`` aspects that could be meant, not only those of this sentence;
            unit rows, shape ``(k, d)``.
    """
    near = aspect_vectors @ clause_vectors.T  # (k, c)
    near = near - near.mean(axis=0, keepdims=True)
    places = near.argmax(axis=1)
    if near.shape[1] == 1:
        return Matches(places, np.full(len(near), np.inf, dtype=np.float32))
    second, best = np.sort(near, axis=1)[:, -2:].T
    return Matches(places, (best - second).astype(np.float32))
