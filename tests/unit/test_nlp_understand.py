from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.arrays import FloatArray
from nlp.clean import clean, text_hash
from nlp.reader import SeparateReader
from nlp.topics import Subject, SubjectModel
from nlp.understand import MAX_VERSION, Models, sentiment_guess, understand
from tests.nlp_fakes import FakeDetector, FakeEncoder, FakeSentiment

SUBJECTS = (
    Subject(id="late", department="delivery", texts=("late parcel courier rude",)),
    Subject(id="food", department="kitchen", texts=("great food cold meal",)),
)


def models(encoder: FakeEncoder | None = None) -> Models:
    encoder = encoder or FakeEncoder()
    return Models(
        detector=FakeDetector(),
        reader=SeparateReader(encoder, FakeSentiment()),
        subjects=SubjectModel(SUBJECTS, {}, encoder),
    )


def test_each_statement_is_read_for_itself() -> None:
    [read] = understand(["Great food but the courier was rude"], models())

    food, courier = read.statements
    assert read.language == "en"
    assert (food.sentiment.value, courier.sentiment.value) == ("positive", "negative")
    assert (food.topic.value, courier.topic.value) == ("food", "late")
    assert courier.department.value == "delivery"
    assert food.probabilities == pytest.approx((0.05, 0.05, 0.9))


def test_each_distinct_statement_is_embedded_once() -> None:
    encoder = FakeEncoder()

    understand(["late parcel", "Late parcel", "late parcel. @acme late parcel."], models(encoder))

    assert encoder.encoded.count("late parcel") == 1
    assert encoder.encoded.count("late parcel.") == 1


def test_a_stored_vector_wins_and_the_sentiment_is_todays() -> None:
    # What "cold meal" means today, under the hash of "late parcel".
    stored = {text_hash("late parcel"): FakeEncoder().encode(["cold meal"])[0]}
    asked: list[list[str]] = []

    def known(hashes: Sequence[str]) -> Mapping[str, FloatArray]:
        asked.append(list(hashes))
        return stored

    first, second = understand(["late parcel", "great lamp"], models(), known=known)

    assert asked == [[text_hash("late parcel"), text_hash("great lamp")]]
    np.testing.assert_array_equal(first.statements[0].vector, stored[text_hash("late parcel")])
    assert first.statements[0].topic.value == "food"
    assert first.statements[0].sentiment.value == "negative"
    assert second.statements[0].sentiment.value == "positive"


@pytest.mark.parametrize("verbatims", [[], [""], [" \n", "?!"]])
def test_nothing_to_embed_loads_nothing(verbatims: list[str]) -> None:
    encoder = FakeEncoder()

    readings = understand(verbatims, models(encoder))

    assert len(readings) == len(verbatims)
    assert encoder.encoded == []


def test_a_language_the_model_does_not_know_gets_no_sentiment() -> None:
    [german, arabic] = understand(["sehr nicht gut", "سيء جدا"], models())

    for read in (german.statements[0], arabic.statements[0]):
        assert read.sentiment is not None
        assert read.sentiment.value is None
        assert read.sentiment.offers == ()
        assert read.probabilities is None
        assert read.topic.offers  # a topic may still be offered


def test_an_unsure_sentiment_has_no_value_but_offers() -> None:
    unsure = sentiment_guess(np.array([0.44, 0.3, 0.26], dtype=np.float32))

    assert unsure.value is None
    assert [label for label, _ in unsure.offers] == ["negative", "neutral", "positive"]
    assert sentiment_guess(np.array([0.2, 0.3, 0.5], dtype=np.float32)).value == "positive"


def test_the_companys_names_are_not_what_is_similar() -> None:
    [read] = understand(["Acme late parcel"], models(), brand_names=["Acme"])

    assert read.statements[0].text_hash == text_hash(clean("late parcel"))


@pytest.mark.parametrize(
    "verbatim",
    ["", "  ", "👍😡", "سيء جدا!", "配達が遅い。最悪です。", "\u202eevil\u202c",
     "\u200b\u200d\ufeff", "late " * 4000, "x" * 20_000, "a\x01b\x7f\x9f", "[name] [email]",
     "10/10", "?!", "\ud800"],
)  # fmt: skip
def test_nothing_that_people_write_is_too_odd(verbatim: str) -> None:
    [read] = understand([verbatim], models())

    assert "".join(verbatim[s.span.start : s.span.end] for s in read.statements) in {verbatim, ""}


@given(st.lists(st.text(), max_size=4))
def test_there_is_one_understanding_for_each_verbatim(verbatims: list[str]) -> None:
    together = understand(verbatims, models())

    assert len(together) == len(verbatims)
    for verbatim, read in zip(verbatims, together, strict=True):
        [alone] = understand([verbatim], models())
        assert [s.text_hash for s in alone.statements] == [s.text_hash for s in read.statements]
        assert [s.sentiment for s in alone.statements] == [s.sentiment for s in read.statements]


def test_the_version_names_every_model_and_fits_its_column() -> None:
    assert models().version == models().version
    assert "subjects@" in models().version
    assert len(models().version) <= MAX_VERSION


def test_a_language_that_we_cannot_read_gets_offers_but_no_department() -> None:
    [read] = understand(["late parcel und courier nicht rude"], models())

    (statement,) = read.statements
    assert (statement.topic.value, statement.department.value) == (None, None)
    assert statement.department.offers[0][0] == "delivery"
