"""How much a source usually brings in a week, and what is too little to be chance. Pure.

Customers write independently of each other, so the number of a week is thought to follow a
Poisson distribution around the usual one. What is less likely than `CHANCE` is called a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import dropwhile
from math import exp, lgamma, log
from statistics import median

CHANCE = 0.001
"""Of a hundred sources, watched for a year, this calls five weeks a gap that is none."""
WEEKS_NEEDED = 4
AT_LEAST = 0.5
"""A gap is also less than this share of the usual: holidays and weather are no gaps."""
SHORTEST_SILENCE = timedelta(days=8)
"""Files that are dropped once a week are not late before that."""


def usual(weeks: Sequence[int]) -> float | None:
    """The median of whole *weeks*, from the first with anything in it; None of too few weeks."""
    counted = list(dropwhile(lambda n: n == 0, weeks))
    return float(median(counted)) if len(counted) >= WEEKS_NEEDED else None


def is_gap(n: int, expected: float) -> bool:
    """Whether *n* in a week is too little to be chance, where *expected* are usual."""
    return n < AT_LEAST * expected and _at_most(n, expected) < CHANCE


def longest_silence(expected: float) -> timedelta | None:
    """How long nothing may come before it is no chance any more; None where nothing is usual."""
    if expected <= 0:
        return None
    return max(SHORTEST_SILENCE, -log(CHANCE) / expected * timedelta(weeks=1))


def _at_most(n: int, expected: float) -> float:
    """How likely *n* or fewer are of a Poisson distribution."""
    return sum(exp(k * log(expected) - expected - lgamma(k + 1)) for k in range(n + 1))
