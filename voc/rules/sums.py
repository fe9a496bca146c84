"""The figures of `voc.rules.figures`, from sums instead of cases: they can be added up by week.

Nothing here needs a library: the desk starts without one. The formulas are those that statsmodels
and scipy use; tests hold them against these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)

Limits = tuple[float, float, float]
"""A value, and the lower and the upper limit of its 95 % interval."""

BOUNDS_H = tuple(0.25 * 1.5**k for k in range(24))
"""Where the buckets of waiting times end, in hours: from a quarter of one to 117 days."""


def net_promoters(promoters: int, detractors: int, n: int) -> Limits:
    """Net promoter score, -100 to 100.

    Interval: adjusted Wald of Rocks (2016, arXiv:1601.07235), 3/4 added to promoters and to
    detractors, 3 to n. Plain Wald has no width when all agree, which is no certainty.
    """
    p, d = (promoters + 0.75) / (n + 3), (detractors + 0.75) / (n + 3)
    reach = Z * sqrt((p + d - (p - d) ** 2) / (n + 3))
    value = (promoters - detractors) / n
    return 100 * value, 100 * max(-1, p - d - reach), 100 * min(1, p - d + reach)


def share(hits: int, n: int) -> Limits:
    """*hits* of *n* in per cent, with Wilson's interval."""
    value, z2 = hits / n, Z * Z
    middle = (hits + z2 / 2) / (n + z2)
    reach = Z * sqrt(n * value * (1 - value) + z2 / 4) / (n + z2)
    # Rounding may put a limit a hair on the wrong side of the value at 0 % or 100 %.
    low, high = min(value, max(0, middle - reach)), max(value, min(1, middle + reach))
    return 100 * value, 100 * low, 100 * high


def average(n: int, total: float, squares: float, *, lowest: float, highest: float) -> Limits:
    """The mean of ratings with Student's t interval, cut at the ends of the scale.

    Args:
        total: Their sum.
        squares: The sum of their squares.
    """
    value = total / n
    variance = max(0.0, (squares - total * value) / (n - 1))
    reach = student_t(n - 1) * sqrt(variance / n)
    return value, max(lowest, value - reach), min(highest, value + reach)


def student_t(freedom: int) -> float:
    """The two-sided quantile of Student's t, by Cornish and Fisher's expansion.

    With 29 degrees of freedom or more it is off by less than 0.0001.
    """
    z, v = Z, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def bucket_of(hours: float) -> int:
    """Which bucket a waiting time falls into; the last one has no end."""
    return next((i for i, bound in enumerate(BOUNDS_H) if hours < bound), len(BOUNDS_H))


def median(buckets: Mapping[int, int]) -> Limits:
    """The median of waiting times in hours, from a histogram.

    Inside of a bucket it is interpolated; buckets end at one and a half times where they begin, so
    that it is off by less than half, and by a few per cent where many cases fill a bucket evenly.
    Interval: between two order statistics (binomial, by its normal approximation).
    """
    n = sum(buckets.values())
    reach = Z * sqrt(n) / 2
    counts = [buckets.get(i, 0) for i in range(len(BOUNDS_H) + 1)]
    return (
        _at_rank(counts, n / 2),
        _at_rank(counts, max(0.0, n / 2 - reach)),
        _at_rank(counts, min(float(n), n / 2 + reach)),
    )


def _at_rank(counts: Sequence[int], rank: float) -> float:
    """The waiting time below which *rank* cases lie."""
    below = 0
    for i, count in enumerate(counts):
        if count and below + count >= rank:
            if i == len(BOUNDS_H):
                return BOUNDS_H[-1]
            begin = BOUNDS_H[i - 1] if i else 0.0
            return begin + (BOUNDS_H[i] - begin) * (rank - below) / count
        below += count
    return BOUNDS_H[-1]
