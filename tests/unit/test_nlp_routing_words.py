import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.routing.words import Words, build_vocabulary, fit_words, ngrams, read_all

TEXTS = ["late parcel", "the parcel is late", "wrong invoice", "the invoice is wrong"]
GOLD = np.array([0, 0, 1, 1])


def model() -> Words:
    vocabulary = build_vocabulary(TEXTS)
    return Words(
        vocabulary=vocabulary, weight=fit_words(read_all(vocabulary, TEXTS), GOLD, classes=2)
    )


def test_words_speak_for_the_class_that_uses_them() -> None:
    late, invoice, neither = model().logits(["LATE again", "my invoice", "the"])

    assert late[0] > late[1]
    assert invoice[1] > invoice[0]
    assert abs(neither[0] - neither[1]) < 0.1


def test_neighbours_are_words_too() -> None:
    assert ngrams("Don't call, please") == ["don't", "call", "please", "don't call", "call please"]


def test_a_word_of_one_text_is_not_kept() -> None:
    assert len(build_vocabulary(["only once", "nothing alike"]).keys) == 0
    assert len(build_vocabulary(["twice", "twice"]).keys) == 1


@given(st.text(), st.lists(st.text(), max_size=5))
def test_any_text_is_read_as_a_row_of_length_one_or_none(text: str, others: list[str]) -> None:
    places, weights = build_vocabulary([*others, text, text]).read(text)

    assert len(places) == len(set(places.tolist())) == len(set(ngrams(text)))
    assert np.linalg.norm(weights) < 1 + 1e-5
    assert np.isclose(np.linalg.norm(weights), 1, atol=1e-5) or not len(places)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_what_was_never_seen_says_nothing(texts: list[str]) -> None:
    vocabulary = build_vocabulary([])
    empty = Words(vocabulary=vocabulary, weight=np.zeros((0, 3), np.float32))

    assert not empty.logits(texts).any()


@given(st.permutations(TEXTS))
def test_the_vocabulary_does_not_depend_on_the_order(texts: list[str]) -> None:
    assert np.array_equal(build_vocabulary(texts).keys, build_vocabulary(TEXTS).keys)
