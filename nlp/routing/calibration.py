"""How far to trust the descriptions, the vectors and the words; and when to say nothing.

Both are decided on predictions for labels that the model had not seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.arrays import FloatArray, IntArray
from nlp.routing.subjects import MIN_PROBABILITY
from nlp.sentiment import softmax

BoolArray = npt.NDArray[np.bool_]

DESCRIPTIONS_ONLY = np.array([1.0, 0.0, 0.0], dtype=np.float32)
"""The mix without any label: weights of descriptions, vectors, words."""
SPREAD = 0.25
"""How far labels may easily move a weight: a move of 1 has to explain them 8 nats better."""
LEAST = np.array([0.05, 0.0, 0.0])
"""Of each weight. Labels are mostly of what was wrong: descriptions that fail on all of them may
still be right elsewhere, so they are never silenced."""
FEWEST_ANSWERED = 20
"""Labels behind a threshold: the precision of fewer is chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The probability from which a value is given, and what it brought on held-back labels."""

    value: float
    precision: float
    """Of what got a value; 0 if nothing did."""
    answered: float
    """The share that got one."""


def fit_mix(logits: FloatArray, gold: IntArray) -> FloatArray:
    """The weights under which the mixed logits explain the labels best, shape ``(3,)``.

    Maximum a posteriori: a normal prior around "descriptions only" holds the weights until there
    are labels enough to pay for a move, so a few labels change little. None is below `LEAST`. Their
    overall size is the temperature, so what comes out is calibrated (Guo et al. 2017, On
    calibration of modern neural networks).

    Args:
        logits: Of descriptions, vectors and words, shape ``(3, n, k)``, the latter two out of
            fold.
        gold: Places of the labels, shape ``(n,)``.
    """
    from scipy.optimize import minimize

    rows = np.arange(len(gold))
    right = logits[:, rows, gold].sum(axis=1)  # (3,)

    def surprise(mix: FloatArray) -> tuple[float, FloatArray]:
        mixed = np.tensordot(mix.astype(np.float32), logits, axes=1)
        top = mixed.max(axis=1, keepdims=True)
        total = float((top[:, 0] + np.log(np.exp(mixed - top).sum(axis=1))).sum(dtype=np.float64))
        expected = (logits * softmax(mixed)).sum(axis=(1, 2), dtype=np.float64)
        away = mix - DESCRIPTIONS_ONLY
        value = total - float(mix @ right) + float(away @ away) / (2 * SPREAD**2)
        return value, expected - right + away / SPREAD**2

    bounds = [(least, None) for least in LEAST]
    found = minimize(surprise, DESCRIPTIONS_ONLY, jac=True, method="L-BFGS-B", bounds=bounds)
    mix: FloatArray = found.x.astype(np.float32)
    return mix


def choose_threshold(
    probabilities: FloatArray, gold: IntArray, *, precision: float = 0.9
) -> Threshold:
    """The lowest threshold from which the best guess is right often enough.

    Never below `MIN_PROBABILITY`: nothing gets a value that is likelier wrong than right, and
    scraps that are about nothing stay out. Where no threshold is good enough, the one with the
    highest precision; with fewer than `FEWEST_ANSWERED` labels, the one that descriptions have.

    Args:
        probabilities: Out of fold, shape ``(n, k)``.
        gold: Places of the labels, shape ``(n,)``.
        precision: The wanted share of right values among those given.
    """
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    order = np.argsort(-sure, kind="stable")
    sure, right = sure[order], right[order]
    reached = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Only where the next is less sure: statements of one probability are answered together.
    last = np.append(sure[1:] < sure[:-1], True) if len(sure) else np.zeros(0, bool)
    allowed = last & (sure >= MIN_PROBABILITY) & (np.arange(1, len(sure) + 1) >= FEWEST_ANSWERED)
    places = np.flatnonzero(allowed)
    if len(places) == 0:
        return measured_threshold(MIN_PROBABILITY, sure, right)
    good = places[reached[places] >= precision]
    place = good[-1] if len(good) else places[reached[places].argmax()]
    # All that may be answered is right often enough: then also what lies between the labels.
    value = MIN_PROBABILITY if place == places[-1] else float(sure[place])
    return measured_threshold(value, sure, right)


def measured_threshold(value: float, sure: FloatArray, right: BoolArray) -> Threshold:
    """What a threshold brings where the best guess has the probability *sure* and is *right*."""
    answered = sure >= value
    return Threshold(
        value=value,
        precision=float(right[answered].mean()) if answered.any() else 0.0,
        answered=float(answered.mean()) if len(answered) else 0.0,
    )
