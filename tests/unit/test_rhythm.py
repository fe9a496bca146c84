"""What a source usually brings in a week, and what is called a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.desk.operations.intervals import forest, per_cent
from apps.desk.operations.paging import read_spot, written
from voc.rules.comparing import Interval
from voc.rules.rhythm import CHANCE, is_gap, longest_silence, usual
from voc.store.message_lists import Spot


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([], None),
        ([0, 0, 0, 0, 0, 5, 5, 5], None),  # it has begun only just now
        ([0, 0, 20, 22, 0, 21], 20.5),
        ([3, 3, 3, 3], 3),
        ([0, 0, 0, 0], None),
    ],
)
def test_the_usual_is_the_median_since_the_first_item(
    weeks: list[int], expected: float | None
) -> None:
    assert usual(weeks) == expected


@pytest.mark.parametrize(
    ("n", "expected", "gap"),
    [
        (0, 20, True),
        (9, 20, False),
        (4, 20, True),
        (0, 3, False),
        (0, 0, False),
        (600, 1000, False),
    ],
)
def test_a_gap_is_less_than_half_and_no_chance(n: int, expected: float, *, gap: bool) -> None:
    assert is_gap(n, expected) is gap


@given(st.integers(0, 5000), st.floats(0.1, 10_000))
def test_more_is_never_a_gap_where_less_is_none(n: int, expected: float) -> None:
    assert not (is_gap(n + 1, expected) and not is_gap(n, expected))


def test_false_alarms_are_as_rare_as_it_says() -> None:
    rng = Random(1)
    weeks = 20_000
    drawn = [sum(rng.random() < 0.05 for _ in range(400)) for _ in range(weeks // 10)]
    assert sum(is_gap(n, 20) for n in drawn) <= 3 * CHANCE * weeks


@given(st.floats(0.01, 10_000))
def test_silence_is_longer_where_less_comes(expected: float) -> None:
    shorter, longer = longest_silence(2 * expected), longest_silence(expected)
    assert shorter is not None
    assert longer is not None
    assert timedelta(days=8) <= shorter <= longer


def test_where_nothing_is_usual_no_silence_is_too_long() -> None:
    assert longest_silence(0) is None


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(0, 2**40),
)
def test_a_spot_survives_the_address_bar(at: datetime, number: int) -> None:
    assert read_spot(written(Spot(at, number))) == Spot(at, number)


@given(st.text())
def test_whatever_is_typed_is_a_spot_or_none(word: str) -> None:
    found = read_spot(word)
    assert found is None or isinstance(found, Spot)


def test_intervals_are_drawn_inside_the_picture() -> None:
    low, none = forest([("a", Interval(0.5, -0.2, 1.4)), ("b", None)], lowest=0, highest=1)
    assert (low.low, low.value, low.high) == (0, 50, 100)
    assert none.value is None
    assert per_cent(None) == "too few to say"
    assert per_cent(Interval(0.1, -0.05, 0.25), signed=True) == "+10.0 % (-5.0 to +25.0)"
