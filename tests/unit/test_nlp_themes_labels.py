import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.themes import label_words
from nlp.themes.labels import MOST_WORDS, class_tfidf, common_words, terms
from nlp.themes.words import stem

LATE = [
    "My parcel is late again",
    "The parcels were two days late",
    "Late parcel, third time, and the courier never rang",
    "Acme's courier left my parcel with nobody, late of course",
]
TWICE = [
    "I was charged twice for one order",
    "You charged me twice!",
    "Why was my card charged twice?",
    "They have charged my card twice and it's the same order",
]


def test_words_are_those_that_tell_the_themes_apart() -> None:
    words = label_words({1: LATE, 2: TWICE}, stop_words={"Acme"})

    assert {"late", "courier"} <= set(words[1]), words
    assert any(word.startswith("parcel") for word in words[1])
    assert "charged twice" in words[2]
    assert all(2 <= len(own) <= MOST_WORDS for own in words.values())


def test_no_company_no_stop_word_no_number_and_no_word_twice() -> None:
    texts = [f"The 24 Acme bags and it's THIS bag of baggs, isn't it {n}" for n in range(9)]

    [words] = label_words({1: texts}, stop_words=["ACME"]).values()

    said = [part for word in words for part in word.split()]
    assert not {"the", "acme", "24", "this", "isn't", "isn"} & set(said)
    assert len({stem(part) for part in said}) == len(said)
    assert any(stem(part) == stem("bags") for part in said)


def test_the_usual_spelling_is_shown() -> None:
    words = label_words({1: ["refunds late"] * 3 + ["refund late"], 2: ["seat"] * 4})

    assert "refunds" in " ".join(words[1])


def test_particles_stay_with_their_word() -> None:
    assert terms("I cannot top up", common_words())["top up"] == "top up"


@pytest.mark.parametrize(
    "forms",
    ["cancelled cancel cancels cancellation", "delay delayed delays", "connection connecting"],
)
def test_forms_of_a_word_are_one(forms: str) -> None:
    assert len({stem(word) for word in forms.split()}) == 1


def test_words_that_customers_mean_are_no_stop_words() -> None:
    assert not {"bill", "system", "full", "front", "empty"} & common_words()
    assert {"the", "thanks", "did", "week"} <= common_words()


def test_a_word_weighs_by_how_often_it_is_said_here_and_how_seldom_elsewhere() -> None:
    """tf * log(1 + A / f), by hand."""
    weights = class_tfidf({1: {"bag": 3, "late": 1}, 2: {"late": 2}, 3: {}})

    assert weights[1]["bag"] == pytest.approx(3 / 4 * math.log(1 + 2 / 3))
    assert weights[1]["late"] == pytest.approx(1 / 4 * math.log(1 + 2 / 3))
    assert weights[2] == {"late": pytest.approx(math.log(1 + 2 / 3))}
    assert weights[3] == {}


def test_births_load_neither_bertopic_nor_spacy() -> None:
    program = """
import sys
from nlp.themes import label_words
assert label_words({1: ["late parcel"] * 3, 2: ["charged twice"] * 3})[1]
heavy = {"torch", "umap", "bertopic", "hdbscan", "numba", "spacy", "plotly"}
sys.exit(" ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(1, 5), st.lists(st.text(max_size=40), max_size=6), max_size=3))
def test_any_text_gets_a_label_or_none(texts: dict[int, list[str]]) -> None:
    words = label_words(texts)

    assert words.keys() == texts.keys()
    assert all(len(own) <= MOST_WORDS for own in words.values())
    assert words == label_words(texts)
