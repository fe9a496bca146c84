import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.models import RatingScale
from voc.rules.ratings import (
    MEANINGS,
    has_value,
    is_detractor,
    is_passive,
    is_promoter,
    is_satisfied,
    share,
)

SCALES = st.sampled_from(RatingScale)


@given(SCALES)
def test_the_worst_end_is_0_and_the_best_is_1(scale: RatingScale) -> None:
    assert share(MEANINGS[scale].worst, scale) == 0
    assert share(MEANINGS[scale].best, scale) == 1


@given(SCALES, st.integers(0, 10))
def test_every_value_of_a_scale_has_a_share_and_no_other_has(
    scale: RatingScale, value: int
) -> None:
    if has_value(value, scale):
        assert 0 <= share(value, scale) <= 1
    else:
        with pytest.raises(ValueError, match=f"not on the scale {scale}"):
            share(value, scale)


def test_little_effort_is_good() -> None:
    assert share(1, RatingScale.CES) > share(4, RatingScale.CES) > share(7, RatingScale.CES)
    assert share(4, RatingScale.CES) == 0.5


@pytest.mark.parametrize(
    ("value", "scale"),
    [
        (11, RatingScale.NPS),
        (-1, RatingScale.NPS),
        (7.5, RatingScale.NPS),
        (0, RatingScale.CSAT),
        (4.5, RatingScale.CSAT),
        (8, RatingScale.CES),
        (0, RatingScale.STARS),
        (4.2, RatingScale.STARS),
        (0, RatingScale.TEN),
        (math.nan, RatingScale.NPS),
        (math.inf, RatingScale.TEN),
    ],
)
def test_a_scale_does_not_have(value: float, scale: RatingScale) -> None:
    assert not has_value(value, scale)


def test_stars_come_in_halves() -> None:
    assert has_value(4.5, RatingScale.STARS)


@given(st.integers(0, 10))
def test_everybody_on_the_nps_scale_is_one_of_three(value: int) -> None:
    kinds = [f(value, RatingScale.NPS) for f in (is_promoter, is_passive, is_detractor)]
    assert kinds.count(True) == 1
    assert kinds == [value >= 9, value in {7, 8}, value <= 6]


@given(SCALES.filter(lambda scale: scale is not RatingScale.NPS), st.integers(0, 10))
def test_no_other_scale_has_promoters(scale: RatingScale, value: int) -> None:
    assert not any(f(value, scale) for f in (is_promoter, is_passive, is_detractor))


def test_only_4_and_5_of_csat_are_satisfied() -> None:
    assert [v for v in range(7) if is_satisfied(v, RatingScale.CSAT)] == [4, 5]
    assert not is_satisfied(5, RatingScale.STARS)
