"""Subjects by description: what the company says each is about, and how near a statement is.

No labels are needed. Which way it errs: what is not clearly nearer to one subject than to the
others gets no value, only offers, and a person decides. `docs/models/routing.md` has the
measurements behind the constants.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.arrays import FloatArray

SHARPNESS = 50.0
"""Of the soft maximum over a subject's texts: the nearest decides, near ones help."""
TEMPERATURE = 0.06
MIN_PROBABILITY = 0.5
"""For a value by description. Labels may ask for more, never for less: see `calibration`."""
MIN_SIMILARITY = 0.25
OFFERS = 3

Anchors = Mapping[str, tuple[str, ...]]
"""Of each subject its description and example phrases, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A topic, and the department that owns it."""

    id: str
    department: str
    texts: tuple[str, ...]
    """Its description and example phrases, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a model says, and what it would offer a person."""

    value: str | None
    """None: not sure enough, or not asked."""
    probability: float
    """Of the best offer, whether or not it became the value; 0 if there is none."""
    offers: tuple[tuple[str, float], ...]
    """The three best with their probabilities, best first."""


NO_GUESS = Guess(value=None, probability=0.0, offers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """How near ``n`` statements are to the texts of ``k`` subjects."""

    logits: FloatArray
    """Shape ``(n, k)``; their softmax is the probability by description."""
    nearest: FloatArray
    """Shape ``(n,)``: the similarity to the nearest text of all."""


def described(vectors: FloatArray, anchors: Sequence[FloatArray]) -> Described:
    """Compare statements with the texts of each subject.

    Args:
        vectors: Statements, shape ``(n, d)``, rows of length 1.
        anchors: Of each subject the vectors of its texts, shape ``(m, d)``, ``m`` at least 1.
    """
    similarity = [vectors @ texts.T for texts in anchors]
    scores = np.column_stack([soft_maximum(columns) for columns in similarity])
    nearest = np.column_stack([columns.max(axis=1) for columns in similarity]).max(axis=1)
    return Described(logits=(scores / TEMPERATURE).astype(np.float32), nearest=nearest)


def soft_maximum(similarity: FloatArray) -> FloatArray:
    """Over a subject's texts, shape ``(n, m)`` to ``(n,)``; more texts are no advantage."""
    # At most exp(50), which float32 holds.
    powers = np.exp(SHARPNESS * similarity).mean(axis=1)
    score: FloatArray = (np.log(powers) / SHARPNESS).astype(np.float32)
    return score


def guess(
    names: Sequence[str],
    probabilities: FloatArray,
    similarity: float,
    *,
    threshold: float = MIN_PROBABILITY,
) -> Guess:
    """The best of *names*, if it is likely enough and anything at all was similar.

    Args:
        probabilities: Shape ``(k,)``, in the order of *names*; ties go to the earlier name.
        similarity: Of the nearest text, in [-1, 1].
        threshold: The probability from which the best becomes the value.
    """
    best = np.argsort(-probabilities, kind="stable")[:OFFERS]
    offers = tuple((names[place], float(probabilities[place])) for place in best)
    value, probability = offers[0]
    sure = probability >= threshold and similarity >= MIN_SIMILARITY
    return Guess(value=value if sure else None, probability=probability, offers=offers)


def departments_of(
    subjects: Sequence[Subject], departments: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Each department's own texts, and those of its topics; *subjects* may name others, too."""
    texts = {name: tuple(own) for name, own in departments.items()}
    for subject in subjects:
        texts[subject.department] = texts.get(subject.department, ()) + tuple(subject.texts)
    return texts


def name_in_words(name: str) -> str:
    """An id as a person would say it, for a class that nobody described: "late_parcel"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return " ".join(apart.split()) or name
