import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlp.errors import ModelFileError
from nlp.runtime.weights import read_sentiment
from nlp.sentiment import LABELS, WEIGHTS, WEIGHTS_SHA256, softmax
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


def test_the_weights_that_ship_are_those_that_were_released() -> None:
    sentiment = read_sentiment(WEIGHTS, WEIGHTS_SHA256)
    made = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))

    assert sentiment.weight.shape == (len(LABELS), 384)
    assert sentiment.fork == made["plans"][-1]["fork"]
    assert sentiment.temperature == pytest.approx(made["temperature"], abs=1e-4)
    assert made["sha256"] == WEIGHTS_SHA256


def test_tampered_weights_are_not_used(tmp_path: Path) -> None:
    copy = tmp_path / "sentiment.safetensors"
    copy.write_bytes(WEIGHTS.read_bytes()[:-1] + b"\0")

    with pytest.raises(ModelFileError, match="has SHA-256"):
        read_sentiment(copy, WEIGHTS_SHA256)


def test_the_fake_says_what_its_words_say() -> None:
    texts = ["great food", "the courier was rude", "it is blue"]

    predicted = FakeSentiment().predict(texts, FakeEncoder().encode(texts))

    assert [LABELS[best] for best in predicted.argmax(axis=1)] == [
        "positive",
        "negative",
        "neutral",
    ]
