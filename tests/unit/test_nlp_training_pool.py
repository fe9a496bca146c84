"""How labels become what the sentiment model learns from."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.training.labelled import data_folder
from nlp.training.pool import (
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    Sample,
    composed,
    crowd_target,
    goemotions,
    is_held_back,
    mams_whole,
    summed,
)


@given(st.floats(-4, 4))
def test_a_crowds_mean_becomes_probabilities(rating: float) -> None:
    below, between, above = crowd_target(rating)
    assert below + between + above == pytest.approx(1.0)
    assert min(below, between, above) >= -1e-9


def test_a_crowd_on_the_border_is_of_two_minds() -> None:
    assert crowd_target(0.5)[2] == pytest.approx(0.5)
    assert crowd_target(3.0)[2] > 0.99
    assert int(np.argmax(crowd_target(-2.0))) == 0


@given(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=8))
def test_the_sum_of_statements_is_a_probability_and_leans_where_they_do(said: list[int]) -> None:
    target = summed(said)
    assert sum(target) == pytest.approx(1.0)
    lean = sum(label - 1 for label in said)
    assert (target[2] - target[0]) * lean >= 0


def test_what_statements_add_up_to() -> None:
    assert summed([1, 1]) == NEUTRAL
    assert summed([0, 0]) == pytest.approx(NEGATIVE)
    assert int(np.argmax(summed([0, 2]))) == 1
    assert int(np.argmax(summed([2, 1, 1]))) == int(np.argmax(POSITIVE))


def test_composed_texts_are_the_same_for_the_same_seed() -> None:
    said = {0: "It broke.", 1: "It is blue.", 2: "Lovely!"}
    targets = (NEGATIVE, NEUTRAL, POSITIVE)
    part = [Sample(text=said[label], target=targets[label]) for label in said]
    pool = dict.fromkeys(("hutto_tweets", "hutto_texts", "uci", "goemotions"), part)
    first, second = (composed(pool, n=50, rng=random.Random(3)) for _ in range(2))
    assert first == second
    assert all(sample.text.count(".") + sample.text.count("!") >= 2 for sample in first)


def test_a_text_is_always_on_the_same_side() -> None:
    assert is_held_back("a") == is_held_back("a")
    share = np.mean([is_held_back(str(number)) for number in range(2000)])
    assert 0.07 < share < 0.13


def test_the_open_sets_are_read() -> None:
    try:
        folder = data_folder()
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    for reader, least in ((goemotions, 40_000), (mams_whole, 3_000)):
        samples = list(reader(folder))
        assert len(samples) >= least
        assert not any("[NAME]" in sample.text for sample in samples)
        assert all(sum(sample.target) == pytest.approx(1.0) for sample in samples[:500])
