from hypothesis import given
from hypothesis import strategies as st

from nlp.themes import label_words
from nlp.themes.labels import MOST_WORDS, common_words, terms
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
    assert terms("I cannot top up", common_words(("en",)))["top up"] == "top up"
    assert stem("cancelled") == stem("cancel") == stem("cancellation")


def test_other_languages_leave_out_their_own_words() -> None:
    german = ["Der Kurier war nicht da und das Paket ist weg"] * 4

    [words] = label_words({1: german}, languages=("en", "de", "zz")).values()

    said = {part for word in words for part in word.split()}
    assert said <= {"kurier", "paket", "weg"}
    assert said


@given(st.dictionaries(st.integers(1, 5), st.lists(st.text(max_size=40), max_size=6), max_size=3))
def test_any_text_gets_a_label_or_none(texts: dict[int, list[str]]) -> None:
    words = label_words(texts)

    assert words.keys() == texts.keys()
    assert all(len(own) <= MOST_WORDS for own in words.values())
    assert words == label_words(texts)
