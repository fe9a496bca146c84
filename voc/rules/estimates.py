"""Figures from the counts of weeks: what `voc.rules.measures` says of cases, said of sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from voc.models import RatingScale
from voc.rules.cases import TREND_WEEKS
from voc.rules.figures import ENOUGH, Figure, withheld
from voc.rules.ratings import MEANINGS
from voc.rules.sums import average, median, net_promoters, share
from voc.rules.weeks import HALF_STARS, part, total

Counts = Mapping[str, int]
Estimate = Callable[[Counts], Figure]


def nps(counts: Counts) -> Figure:
    """Promoters less detractors, in points."""
    n, promoters, detractors = _taken(counts, "nps:n", "nps:promoters", "nps:detractors")
    if n < ENOUGH:
        return withheld(n, "points")
    passives = n - promoters - detractors
    note = f"{promoters} promoters, {passives} passives, {detractors} detractors"
    return Figure("NPS", *net_promoters(promoters, detractors, n), n, "points", note)


def proportion(hits: str, of: str) -> Estimate:
    """The share of *hits* in *of*, two names of counts, in per cent."""

    def estimate(counts: Counts) -> Figure:
        n, yes = _taken(counts, of, hits)
        if n < ENOUGH:
            return withheld(n, "%")
        return Figure("share", *share(yes, n), n, "%", f"{yes:,} of {n:,}")

    return estimate


def mean(scale: RatingScale) -> Estimate:
    """The mean of the ratings on *scale*."""
    ends = MEANINGS[scale]
    unit = f"of {ends.high:g}"

    def estimate(counts: Counts) -> Figure:
        n, units, squares = _taken(counts, *(f"{scale}:{of}" for of in ("n", "sum", "squares")))
        if n < ENOUGH:
            return withheld(n, unit)
        sums = units / HALF_STARS, squares / HALF_STARS**2
        return Figure("mean", *average(n, *sums, lowest=ends.low, highest=ends.high), n, unit)

    return estimate


def waiting(what: str) -> Estimate:
    """The median of the waiting times *what*, in hours."""

    def estimate(counts: Counts) -> Figure:
        buckets = {int(bucket): n for bucket, n in part(counts, what).items()}
        n = sum(buckets.values())
        return withheld(n, "h") if n < ENOUGH else Figure("median", *median(buckets), n, "h")

    return estimate


CSAT = proportion("csat:satisfied", "csat:n")
CES = mean(RatingScale.CES)
STARS = mean(RatingScale.STARS)
CLOSURE = proportion("loop:closed", "could")
REOPENED = proportion("reopened", "asked")
FIRST_ANSWER = waiting("first_answer")
CLOSING = waiting("closing")


def trend(
    weeks: Sequence[Counts], estimate: Estimate, *, lead: int = 0
) -> tuple[int, list[Figure]]:
    """The figure of each week, and over how many weeks each reaches: 1 or `TREND_WEEKS`.

    Where most weeks have too few cases, each point is made of the weeks that end there.

    Args:
        lead: So many of *weeks* stand in front and get no point: they are part of the first ones.
    """
    alone = [estimate(counts) for counts in weeks[lead:]]
    if 2 * sum(each.value is not None for each in alone) >= len(alone):
        return 1, alone
    ends = range(lead + 1, len(weeks) + 1)
    return TREND_WEEKS, [estimate(total(weeks[max(0, i - TREND_WEEKS) : i])) for i in ends]


def _taken(counts: Counts, *names: str) -> list[int]:
    return [counts.get(name, 0) for name in names]
