import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nlp.embed import unit
from nlp.topics import Guess, Subject, SubjectModel, soft_maximum
from tests.nlp_fakes import DIMENSIONS, FakeEncoder

SUBJECTS = (
    Subject(id="late", department="delivery", texts=("late parcel", "courier never came")),
    Subject(id="damaged", department="delivery", texts=("damaged box",)),
    Subject(id="invoice", department="billing", texts=("wrong invoice", "charged twice")),
)
DEPARTMENTS = {"delivery": ["shipping and courier"], "billing": ["money"], "legal": ["contract"]}


def model(encoder: FakeEncoder | None = None, **changes: object) -> SubjectModel:
    return SubjectModel(SUBJECTS, DEPARTMENTS | changes, encoder or FakeEncoder())  # type: ignore[operator]


def suggested(*texts: str) -> list[tuple[Guess, Guess]]:
    return model().suggest(FakeEncoder().encode(texts), texts)


def test_a_statement_belongs_where_its_words_are() -> None:
    late, charged, contract = suggested("my parcel is late", "charged twice again", "contract")

    assert (late[0].value, late[1].value) == ("late", "delivery")
    assert (charged[0].value, charged[1].value) == ("invoice", "billing")
    assert contract[1].value == "legal"


def test_what_is_like_nothing_is_offered_but_not_decided() -> None:
    [(topic, department)] = suggested("zzz qqq")

    assert topic.value is department.value is None
    assert len(topic.offers) == 3
    assert topic.probability == topic.offers[0][1]


@given(arrays(np.float32, (3, DIMENSIONS), elements=st.floats(-1, 1, width=16)))
def test_offers_are_the_best_three_best_first(raw: np.ndarray) -> None:
    for pair in model().suggest(unit(raw), ["late"] * 3):
        for guess in pair:
            probabilities = [probability for _, probability in guess.offers]
            assert probabilities == sorted(probabilities, reverse=True)
            assert sum(probabilities) <= 1 + 1e-5
            assert guess.value in {None, guess.offers[0][0]}


def test_subjects_are_embedded_once_and_not_before_they_are_needed() -> None:
    encoder = FakeEncoder()
    subjects = model(encoder)
    vectors = FakeEncoder().encode(["late"])

    assert subjects.suggest(vectors[:0], []) == []
    assert encoder.encoded == []
    subjects.suggest(vectors, ["late"])
    subjects.suggest(vectors, ["late"])
    assert sorted(encoder.encoded) == sorted(set(encoder.encoded))


def test_subjects_are_embedded_once_for_every_router_that_comes() -> None:
    encoder = FakeEncoder()
    described = model(encoder)
    vectors = FakeEncoder().encode(["late"])
    for _ in range(3):
        described.with_router(None).suggest(vectors, ["late"])
    assert encoder.encoded.count("late parcel") == 1


def test_the_version_changes_with_any_text() -> None:
    assert model().version == model().version
    assert model().version != model(billing=["money", "refunds"]).version


@pytest.mark.parametrize("subjects", [(), (Subject(id="empty", department="d", texts=()),)])
def test_a_company_without_descriptions_gets_no_guess(subjects: tuple[Subject, ...]) -> None:
    [(topic, department)] = SubjectModel(subjects, {}, FakeEncoder()).suggest(
        FakeEncoder().encode(["late"]), ["late"]
    )

    assert topic.value is department.value is None
    assert topic.offers == department.offers == ()


def test_more_examples_are_no_advantage() -> None:
    similarity = np.array([[0.5, 0.5, 0.5]], dtype=np.float32)

    assert soft_maximum(similarity) == pytest.approx(soft_maximum(similarity[:, :1]), abs=1e-6)
