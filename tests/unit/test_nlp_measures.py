"""The figures of an evaluation are those that scikit-learn would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)

from nlp.arrays import FloatArray, IntArray
from nlp.evaluation.measures import (
    accuracy,
    calibration_error,
    confusion,
    coverage_curve,
    f1_scores,
    macro_f1,
    macro_recall,
    precisions,
    recalls,
    top_k_accuracy,
)

CLASSES = 4
PLACES = st.integers(0, CLASSES - 1)
ANSWERS = st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=60).map(
    lambda pairs: (np.array([p for p, _ in pairs]), np.array([g for _, g in pairs]))
)


@st.composite
def judged(draw: st.DrawFn) -> tuple[FloatArray, IntArray]:
    """Probabilities, shape (n, CLASSES), and labels."""
    rows = draw(st.integers(1, 50))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sharpness = draw(st.sampled_from([0.05, 1.0, 20.0]))
    probabilities = rng.dirichlet(np.full(CLASSES, sharpness), rows).astype(np.float32)
    return probabilities, rng.integers(0, CLASSES, rows)


@given(ANSWERS)
def test_answers_are_judged_as_scikit_learn_does(answers: tuple[IntArray, IntArray]) -> None:
    predicted, gold = answers
    there = np.unique(gold)
    said = np.unique(predicted)

    assert accuracy(predicted, gold) == pytest.approx(accuracy_score(gold, predicted))
    assert macro_f1(predicted, gold, CLASSES) == pytest.approx(
        f1_score(gold, predicted, average="macro", zero_division=0)
    )
    assert macro_recall(predicted, gold, CLASSES) == pytest.approx(
        recall_score(gold, predicted, labels=there, average="macro")
    )
    assert (confusion(predicted, gold, CLASSES) == confusion_matrix(
        gold, predicted, labels=range(CLASSES)
    )).all()  # fmt: skip
    assert recalls(predicted, gold, CLASSES)[there] == pytest.approx(
        recall_score(gold, predicted, labels=there, average=None)
    )
    assert precisions(predicted, gold, CLASSES)[said] == pytest.approx(
        precision_score(gold, predicted, labels=said, average=None)
    )


def test_balanced_accuracy_is_the_mean_recall() -> None:
    predicted, gold = np.array([0, 1, 1, 2]), np.array([0, 1, 0, 1])

    assert macro_recall(predicted, gold, 3) == pytest.approx(
        recall_score(gold, predicted, labels=[0, 1], average="macro")
    )
    predicted[3] = 0
    assert macro_recall(predicted, gold, 3) == balanced_accuracy_score(gold, predicted)


@given(ANSWERS)
def test_a_class_nobody_has_or_says_has_no_figure(answers: tuple[IntArray, IntArray]) -> None:
    predicted, gold = answers

    for place in range(CLASSES):
        is_there, is_said = place in gold, place in predicted
        assert np.isnan(recalls(predicted, gold, CLASSES)[place]) == (not is_there)
        assert np.isnan(precisions(predicted, gold, CLASSES)[place]) == (not is_said)
        assert np.isnan(f1_scores(predicted, gold, CLASSES)[place]) == (
            not is_there and not is_said
        )


@given(judged(), st.integers(1, CLASSES))
def test_the_likeliest_are_counted_as_scikit_learn_does(
    rows: tuple[FloatArray, IntArray], k: int
) -> None:
    probabilities, gold = rows
    rng = np.random.default_rng(0)
    probabilities = probabilities + rng.random(probabilities.shape).astype(np.float32) * 1e-3

    expected = (
        1.0
        if k == CLASSES
        else top_k_accuracy_score(gold, probabilities, k=k, labels=range(CLASSES))
    )

    assert top_k_accuracy(probabilities, gold, k) == pytest.approx(expected)


@given(judged())
def test_the_calibration_error_is_the_mean_gap_of_ten_bins(
    rows: tuple[FloatArray, IntArray],
) -> None:
    probabilities, gold = rows
    sure = probabilities.max(axis=1).astype(float)
    right = probabilities.argmax(axis=1) == gold
    expected = 0.0
    for b in range(10):
        inside = (sure >= b / 10) & ((sure < (b + 1) / 10) | (b == 9))
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())

    assert calibration_error(probabilities, gold) == pytest.approx(expected, abs=1e-6)


def test_certainty_that_is_right_has_no_calibration_error() -> None:
    gold = np.array([0, 1, 2])

    assert calibration_error(np.eye(3, dtype=np.float32), gold) == 0
    assert calibration_error(np.eye(3, dtype=np.float32)[[1, 2, 0]], gold) == 1


@given(judged())
def test_the_coverage_curve_ends_with_the_accuracy(rows: tuple[FloatArray, IntArray]) -> None:
    probabilities, gold = rows
    half, most, everything = coverage_curve(probabilities, gold)

    assert everything == accuracy(probabilities.argmax(axis=1), gold)
    surest = np.sort(probabilities.max(axis=1))[::-1]
    right = probabilities.argmax(axis=1) == gold
    cut = surest[-(-len(gold) // 2) - 1]
    sure_for_certain = probabilities.max(axis=1) > cut
    fewest = (right & sure_for_certain).sum()
    assert fewest <= half * -(-len(gold) // 2) + 1e-6
    assert 0 <= most <= 1


def test_the_surest_half_is_what_has_the_highest_probabilities() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.45, 0.55]], np.float32)

    assert coverage_curve(probabilities, np.array([0, 1, 1, 0])) == (1.0, 0.5, 0.5)
    assert coverage_curve(probabilities, np.array([0, 1, 1, 0]), (0.25, 0.75)) == (1.0, 2 / 3)


@pytest.mark.parametrize("measure", [accuracy, calibration_error, coverage_curve])
def test_there_is_no_figure_of_no_rows(measure) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="no rows"):
        measure(np.empty((0, 3), np.float32), np.empty(0, np.int64))
