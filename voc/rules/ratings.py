"""What a rating's number means: which values a scale has, and which end is good.

One table for everybody: sources refuse values that a scale does not have, rules ask how good a
rating is, the measures ask who promotes.
"""

from __future__ import annotations

from dataclasses import dataclass

from voc.models import RatingScale

PROMOTER_FROM = 9
PASSIVE_FROM = 7
SATISFIED_FROM = 4


@dataclass(frozen=True, slots=True)
class Meaning:
    """The two ends of a scale, and how fine it is. `worst` may be the higher number."""

    worst: float
    best: float
    step: float = 1

    @property
    def low(self) -> float:
        return min(self.worst, self.best)

    @property
    def high(self) -> float:
        return max(self.worst, self.best)


MEANINGS: dict[RatingScale, Meaning] = {
    RatingScale.NPS: Meaning(worst=0, best=10),
    RatingScale.CSAT: Meaning(worst=1, best=5),
    RatingScale.CES: Meaning(worst=7, best=1),  # effort: 1 is the least, so 1 is best
    RatingScale.STARS: Meaning(worst=1, best=5, step=0.5),  # some review sites give halves
    RatingScale.TEN: Meaning(worst=1, best=10, step=0.5),
}


def has_value(value: float, scale: RatingScale) -> bool:
    """Whether *scale* has this value: 11 is no NPS answer, nor is 7.5. NaN is on no scale."""
    meaning = MEANINGS[scale]
    return meaning.low <= value <= meaning.high and value % meaning.step == 0


def share(rating: float, scale: RatingScale) -> float:
    """How good a rating is, whatever its scale: 0 is the worst end, 1 the best.

    Raises:
        ValueError: The scale does not have this value; refuse it where it comes in.
    """
    if not has_value(rating, scale):
        raise ValueError(f"{rating:g} is not on the scale {scale.value}")
    meaning = MEANINGS[scale]
    return (rating - meaning.worst) / (meaning.best - meaning.worst)


def is_promoter(rating: float, scale: RatingScale) -> bool:
    """9 or 10, on the NPS scale only: five stars promote nothing."""
    return _is_nps(rating, scale) and rating >= PROMOTER_FROM


def is_passive(rating: float, scale: RatingScale) -> bool:
    """7 or 8, on the NPS scale only."""
    return _is_nps(rating, scale) and PASSIVE_FROM <= rating < PROMOTER_FROM


def is_detractor(rating: float, scale: RatingScale) -> bool:
    """0 to 6, on the NPS scale only."""
    return _is_nps(rating, scale) and rating < PASSIVE_FROM


def is_satisfied(rating: float, scale: RatingScale) -> bool:
    """4 or 5, on the CSAT scale only."""
    return scale is RatingScale.CSAT and has_value(rating, scale) and rating >= SATISFIED_FROM


def _is_nps(rating: float, scale: RatingScale) -> bool:
    return scale is RatingScale.NPS and has_value(rating, scale)
