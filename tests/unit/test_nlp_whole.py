"""What a text of several statements says in all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.arrays import FloatArray
from nlp.reader import SeparateReader
from nlp.whole import in_all, read_whole, summed
from tests.nlp_fakes import FakeEncoder, FakeSentiment

NEGATIVE, NEUTRAL, POSITIVE = np.eye(3, dtype=np.float32)


def rows(*each: FloatArray) -> FloatArray:
    return np.array(each, dtype=np.float32)


probabilities = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3).map(
    lambda values: np.array(values, dtype=np.float32) / sum(values)
)


@given(st.lists(probabilities, min_size=1, max_size=12), probabilities, st.data())
def test_it_is_always_a_probability(
    statements: list[FloatArray], whole: FloatArray, data: st.DataObject
) -> None:
    n = len(statements)
    lengths = data.draw(st.lists(st.integers(1, 1000), min_size=n, max_size=n))
    for found in (summed(rows(*statements), lengths), in_all(whole, rows(*statements), lengths)):
        assert found.sum() == pytest.approx(1.0, abs=1e-4)
        assert (found >= -1e-6).all()


@given(st.lists(probabilities, min_size=2, max_size=8), st.randoms())
def test_the_order_of_statements_does_not_matter(statements: list[FloatArray], random) -> None:
    numbered = list(enumerate(statements, start=10))
    mixed = random.sample(numbered, len(numbered))
    one = summed(rows(*(s for _, s in numbered)), [n for n, _ in numbered])
    other = summed(rows(*(s for _, s in mixed)), [n for n, _ in mixed])
    assert one == pytest.approx(other, abs=1e-5)


def test_opposite_opinions_meet_in_the_middle() -> None:
    assert summed(rows(NEGATIVE, POSITIVE), [40, 40]).argmax() == 1


@pytest.mark.parametrize("opinion", [NEGATIVE, POSITIVE])
def test_an_opinion_outweighs_facts_beside_it(opinion: FloatArray) -> None:
    assert summed(rows(opinion, NEUTRAL), [40, 40]).argmax() == opinion.argmax()


def test_facts_alone_are_neutral() -> None:
    assert summed(rows(NEUTRAL, NEUTRAL), [40, 40]).argmax() == 1


def test_one_statement_is_the_whole() -> None:
    assert in_all(POSITIVE, rows(NEGATIVE), [10]) is POSITIVE


def test_texts_are_read_with_their_statements() -> None:
    reader = SeparateReader(FakeEncoder(), FakeSentiment())
    texts = ["Great food.", "Great food. The waiter was rude.", "", "👍"]
    found = read_whole(texts, reader)
    assert found.shape == (4, 3)
    assert read_whole([], reader).shape == (0, 3)
    assert read_whole(texts, reader) == pytest.approx(found)
