import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.aspects import aspect_clauses
from nlp.embed import unit
from nlp.evaluation.statements import (
    Aspect,
    Sentence,
    described,
    evaluate_statements,
    sentence_of,
)
from nlp.reader import SeparateReader
from nlp.split import Span
from tests.nlp_fakes import FakeEncoder, FakeSentiment

READER = SeparateReader(FakeEncoder(), FakeSentiment())


def mixed(text: str, **polarities: str) -> Sentence:
    return Sentence(
        text=text,
        aspects=tuple(Aspect(category=name, polarity=said) for name, said in polarities.items()),
    )


def test_each_aspect_is_judged_by_its_own_statement() -> None:
    rows = [
        mixed("the food was great, the waiter was rude", food="positive", waiter="negative"),
        mixed("the food was awful and the waiter was lovely", food="negative", waiter="positive"),
    ]

    found = evaluate_statements(rows, READER)

    assert found.metrics["accuracy"] == found.metrics["separated"] == 1
    assert found.metrics["accuracy_sentence"] == 0  # one good and one bad word: neutral
    assert found.metrics["recall_negative"] == found.metrics["recall_positive"] == 1
    assert "recall_neutral" not in found.metrics
    assert (found.sentences, found.mixed, found.aspects, found.statements) == (2, 2, 4, 4)


def test_aspects_that_share_a_statement_are_not_separated() -> None:
    rows = [
        mixed("great food by a waiter", food="positive", waiter="neutral"),
        mixed("the food was great", food="positive"),
    ]

    found = evaluate_statements(rows, READER)

    assert found.metrics["separated"] == 0
    assert found.metrics["ceiling"] == 0.5
    assert "accuracy_separated" not in found.metrics
    assert found.metrics["accuracy"] == found.metrics["accuracy_sentence"] == 0.5
    assert found.metrics["accuracy_all"] == pytest.approx(2 / 3)
    assert (found.sentences, found.mixed) == (2, 1)


def test_a_named_aspect_is_looked_up_where_it_is_named() -> None:
    text = "the soup was cold , but the crew was friendly ."
    quads = ["1,2 FOOD#QUALITY 0 3,4", "7,8 FOOD#QUALITY 2 9,10", "-1,-1 FOOD#QUALITY 0 -1,-1"]
    row = {"text": text, "categories": [], "quads": quads}

    sentence = sentence_of(row)
    found = evaluate_statements([sentence], READER)

    assert sentence.aspects[0].term == Span(4, 8)
    assert sentence.aspects[0].opinion == Span(13, 17)
    assert sentence.aspects[2].term is None
    assert found.metrics["kept_together"] == 1
    assert found.metrics["recall_positive"] == 1


def test_a_cut_between_an_aspect_and_its_opinion_is_counted() -> None:
    row = {
        "text": "the soup was fine , but it was cold .",
        "categories": [],
        "quads": ["1,2 FOOD#QUALITY 2 3,4", "1,2 FOOD#QUALITY 0 8,9"],
    }

    found = evaluate_statements([sentence_of(row)], READER)

    assert found.metrics["kept_together"] == 0.5


def test_a_row_of_pairs_names_each_aspect_once() -> None:
    row = {"text": "ok", "categories": [["food", "neutral"], ["food", "neutral"]]}

    assert sentence_of(row).aspects == (Aspect(category="food", polarity="neutral"),)


def test_nothing_mixed_is_nothing_to_measure() -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        evaluate_statements([mixed("the food was great", food="positive")], READER)


def test_categories_are_read_as_words() -> None:
    assert described("FOOD#STYLE_OPTIONS") == "the food style options"
    assert described("SERVICE#GENERAL") == "the service"


def test_progress_is_told_for_every_distinct_text() -> None:
    told: list[int] = []
    rows = [mixed("the food was great, the waiter was rude", food="positive", waiter="negative")]

    evaluate_statements([*rows, *rows], READER, advance=told.append)

    assert sum(told) == 3


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_every_aspect_gets_a_clause(clauses: int, aspects: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, names = (
        unit(rng.normal(size=(count, 8)).astype(np.float32)) for count in (clauses, aspects)
    )

    places, margins = aspect_clauses(rows, names)

    assert places.shape == margins.shape == (aspects,)
    assert ((places >= 0) & (places < clauses)).all()
    assert (margins >= 0).all()
    assert np.isinf(margins).all() == (clauses == 1)


def test_a_clause_that_is_near_to_everything_does_not_take_all() -> None:
    clauses = np.array([[0.8, 0.6, 0], [0.3, 0.1, 0.9]], np.float32)
    aspects = np.array([[1, 0, 0], [0.6, 0.8, 0]], np.float32)

    # The first clause is nearer to both; the second is nearer to the first than to the other.
    assert (aspects @ clauses.T).argmax(axis=1).tolist() == [0, 0]
    assert aspect_clauses(clauses, aspects).places.tolist() == [1, 0]
