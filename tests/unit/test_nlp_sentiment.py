from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlp.errors import ModelFileError
from nlp.sentiment import LABELS, WEIGHTS, HeadSentiment, softmax
from nlp.training.measures import calibration_error, macro_f1
from tests.nlp_fakes import FakeEncoder, FakeSentiment

logits = arrays(
    np.float32,
    st.tuples(st.integers(0, 5), st.integers(1, 5)),
    elements=st.floats(-50, 50, width=32),
)


@given(logits)
def test_probabilities_sum_to_one_and_keep_the_order(values: np.ndarray) -> None:
    probabilities = softmax(values)

    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (np.diff(np.take_along_axis(probabilities, np.argsort(values), axis=1)) >= 0).all()


def test_the_shipped_head_answers_for_any_number_of_statements() -> None:
    head = HeadSentiment()
    vectors = np.eye(3, 384, dtype=np.float32)

    assert head.predict(["a", "b", "c"], vectors).shape == (3, len(LABELS))
    assert head.predict([], np.empty((0, 384), np.float32)).shape == (0, 3)
    assert head.languages == {"en"}
    assert head.version.startswith("sentiment-head@")


def test_a_head_is_not_given_another_encoders_vectors() -> None:
    with pytest.raises(ValueError, match="reshape"):
        HeadSentiment().predict(["a"], np.ones((1, 32), np.float32))


def test_a_tampered_head_is_not_used(tmp_path: Path) -> None:
    copy = tmp_path / "head.safetensors"
    copy.write_bytes(WEIGHTS.read_bytes()[:-1] + b"\0")

    with pytest.raises(ModelFileError, match="has SHA-256"):
        HeadSentiment(copy)


def test_the_fake_says_what_its_words_say() -> None:
    texts = ["great food", "the courier was rude", "it is blue"]

    predicted = FakeSentiment().predict(texts, FakeEncoder().encode(texts))

    assert [LABELS[best] for best in predicted.argmax(axis=1)] == [
        "positive",
        "negative",
        "neutral",
    ]


def test_the_measures_are_the_textbooks() -> None:
    gold = np.array([0, 0, 1, 2])
    sure = np.eye(3, dtype=np.float32)[[0, 1, 1, 2]]

    assert macro_f1(sure.argmax(axis=1), gold, 3) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert calibration_error(sure, gold) == pytest.approx(0.25)
