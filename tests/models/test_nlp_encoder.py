"""The encoder that ships, and the head on top of it."""

import numpy as np
import pytest

from nlp.language import LinguaDetector
from nlp.reader import SharedReader, get_reader
from nlp.sentiment import LABELS
from nlp.topics import Subject, SubjectModel
from nlp.understand import Models, understand

pytestmark = pytest.mark.model

ODD = ["", "late", "late " * 5000, "مرحبا", "ありがとう", "👍", "x" * 20_000, "\u200f\x01"]


def test_odd_texts_get_unit_vectors_in_their_order() -> None:
    encoder = get_reader()

    vectors = encoder.encode(ODD)

    assert vectors.shape == (len(ODD), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[1] @ encoder.encode(["late"])[0] > 0.9999


def test_it_is_loaded_only_for_a_text() -> None:
    reader = SharedReader()

    assert reader.encode([]).shape == (0, 384)
    assert not reader.loaded
    reader.encode(["late"])
    assert reader.loaded


def test_what_means_the_same_is_nearer_than_what_does_not() -> None:
    late, delayed, soup = get_reader().encode(
        ["the parcel was late", "my delivery arrived after a week", "the soup was salty"]
    )

    assert late @ delayed > late @ soup + 0.2


def test_plain_feedback_is_read_as_people_read_it() -> None:
    texts = ["I love it, great food", "terrible, the worst service", "how do I change my address?"]

    probabilities = get_reader().read(texts).probabilities

    best = [LABELS[place] for place in probabilities.argmax(axis=1)]
    assert best == ["positive", "negative", "neutral"]


def test_a_verbatim_is_understood_from_end_to_end() -> None:
    encoder = get_reader()
    subjects = (
        Subject(id="courier", department="delivery", texts=("The courier: late, rude, no show",)),
        Subject(id="meals", department="kitchen", texts=("Food: cold, tasty, portions",)),
    )
    models = Models(
        detector=LinguaDetector(),
        reader=encoder,
        subjects=SubjectModel(subjects, {"kitchen": ["Cooking"]}, encoder),
    )

    [read, german] = understand(
        ["The food was delicious but the courier was rude", "Das Paket kam viel zu spät an"], models
    )

    assert [s.department.value for s in read.statements] == ["kitchen", "delivery"]
    assert [s.sentiment.value for s in read.statements if s.sentiment] == ["positive", "negative"]
    assert german.language == "de"
    assert german.statements[0].probabilities is None
