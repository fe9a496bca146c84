"""A number that can be trusted: its value, its 95 % interval, and how many cases it stands on.

Below `ENOUGH` cases no value is given, in headlines and breakdowns alike: a department with four
answers gets "too few to say", not a score that somebody is praised or blamed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, isnan

from voc.rules import sums
from voc.rules.sums import CONFIDENCE

ENOUGH = 30
TOO_FEW = "too few to say"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. `low` or `high` is None where the cases do not limit it, or all are withheld."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The same figure for each group: a row is named by its group."""

    by: str
    rows: tuple[Figure, ...]


def named(figure: Figure, name: str) -> Figure:
    return replace(figure, name=name)


def nps(outcomes: Sequence[int]) -> Figure:
    """Net promoter score of *outcomes*: 1 promoter, 0 passive, -1 detractor. -100 to 100.

    Interval: see `voc.rules.sums.net_promoters`.
    """
    n, promoters, detractors = len(outcomes), outcomes.count(1), outcomes.count(-1)
    counts = (
        f"{promoters} promoters, {n - promoters - detractors} passives, {detractors} detractors"
    )
    if n < ENOUGH:
        return withheld(n, "points")
    return Figure("NPS", *sums.net_promoters(promoters, detractors, n), n, "points", counts)


def proportion(hits: Sequence[bool]) -> Figure:
    """The share of *hits* that are true, in per cent, with Wilson's interval."""
    n, yes = len(hits), sum(hits)
    counts = f"{yes} of {n}"
    if n < ENOUGH:
        return withheld(n, "%")
    return Figure("share", *sums.share(yes, n), n, "%", counts)


def mean(values: Sequence[float], *, lowest: float, highest: float, unit: str) -> Figure:
    """The mean of ratings with Student's t interval, cut at the ends of the scale."""
    n = len(values)
    if n < ENOUGH:
        return withheld(n, unit)
    total, squares = fsum(values), fsum(value * value for value in values)
    limits = sums.average(n, total, squares, lowest=lowest, highest=highest)
    return Figure("mean", *limits, n, unit)


def quantile(values: Sequence[float], q: float, *, unit: str) -> Figure:
    """The *q*-quantile, with the interval between two order statistics (binomial; Conover).

    It asks nothing of the distribution, which waiting times need. With few cases and *q* near
    1 no observation limits it from above: `high` is None.
    """
    n = len(values)
    if n < ENOUGH:
        return withheld(n, unit)
    import numpy as np
    from scipy.stats import quantile_test

    value = float(np.quantile(values, q))
    limits = quantile_test(values, q=value, p=q).confidence_interval(CONFIDENCE)
    return Figure("quantile", value, _limit(limits.low), _limit(limits.high), n, unit)


def _limit(value: float) -> float | None:
    return None if isnan(value) else float(value)


def withheld(n: int, unit: str) -> Figure:
    """No value, and no counts that would let it be worked out again."""
    return Figure("", None, None, None, n, unit, TOO_FEW)
