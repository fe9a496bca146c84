import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlp.routing.calibration import (
    DESCRIPTIONS_ONLY,
    FEWEST_ANSWERED,
    choose_threshold,
    fit_mix,
)
from nlp.routing.subjects import MIN_PROBABILITY
from nlp.sentiment import softmax


def opinions(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Descriptions know nothing, vectors know most, words a little; three classes."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, 3, n)
    truth = np.eye(3)[gold]
    noise = rng.normal(size=(3, n, 3))
    return (noise + np.array([0, 3, 1])[:, None, None] * truth).astype(np.float32), gold


def test_without_labels_the_descriptions_decide() -> None:
    logits, gold = opinions(0)

    assert fit_mix(logits, gold) == pytest.approx(DESCRIPTIONS_ONLY)


def test_a_few_labels_move_the_mix_a_little_and_many_move_it_far() -> None:
    moved = [float(np.abs(fit_mix(*opinions(n)) - DESCRIPTIONS_ONLY).sum()) for n in (1, 10, 1000)]

    assert moved == sorted(moved)
    assert moved[0] < 0.5 < moved[2]


def test_many_labels_find_out_who_knows() -> None:
    by_description, by_vector, by_words = fit_mix(*opinions(2000))

    assert by_description < by_words < by_vector


def test_what_is_mixed_is_calibrated() -> None:
    logits, gold = opinions(4000)
    probabilities = softmax(np.tensordot(fit_mix(logits, gold), logits, axes=1))
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold

    assert float(sure.mean()) == pytest.approx(float(right.mean()), abs=0.02)


@settings(max_examples=20, deadline=None)  # the first imports scipy
@given(st.integers(1, 30), st.integers(0, 5))
def test_no_opinion_is_turned_around(n: int, seed: int) -> None:
    logits, gold = opinions(n, seed)

    by_description, *others = fit_mix(-logits, gold)

    assert by_description > 0
    assert min(others) >= 0


rows = st.integers(0, 120).flatmap(
    lambda n: st.tuples(
        arrays(np.float32, (n, 3), elements=st.floats(-5, 5, width=16)),
        arrays(np.int64, (n,), elements=st.integers(0, 2)),
    )
)


@given(rows, st.floats(0.5, 1))
def test_a_threshold_says_what_it_brings(
    drawn: tuple[np.ndarray, np.ndarray], wanted: float
) -> None:
    probabilities, gold = softmax(drawn[0]), drawn[1]
    found = choose_threshold(probabilities, gold, precision=wanted)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    answered = sure >= found.value

    assert found.value >= MIN_PROBABILITY
    assert found.answered == pytest.approx(answered.mean() if len(gold) else 0)
    assert found.precision == pytest.approx(right[answered].mean() if answered.any() else 0)


@given(rows, st.floats(0.5, 1))
def test_no_lower_threshold_would_do(drawn: tuple[np.ndarray, np.ndarray], wanted: float) -> None:
    probabilities, gold = softmax(drawn[0]), drawn[1]
    found = choose_threshold(probabilities, gold, precision=wanted)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold

    for lower in sure[(sure >= MIN_PROBABILITY) & (sure < found.value)]:
        answered = sure >= lower
        if answered.sum() >= FEWEST_ANSWERED:
            assert right[answered].mean() < wanted or found.precision >= wanted
            assert right[answered].mean() < max(wanted, found.precision) + 1e-9


def test_the_wanted_precision_is_reached_where_it_can_be() -> None:
    logits, gold = opinions(2000)
    probabilities = softmax(logits[1])

    loose = choose_threshold(probabilities, gold, precision=0.985)
    strict = choose_threshold(probabilities, gold, precision=0.995)

    assert loose.precision >= 0.985
    assert strict.precision >= 0.995
    assert strict.answered < loose.answered < 1


def test_few_labels_choose_no_threshold() -> None:
    logits, gold = opinions(FEWEST_ANSWERED - 1)

    assert choose_threshold(softmax(logits[1]), gold).value == MIN_PROBABILITY
