import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.split import LONGEST_STATEMENT, split
from tests.growth import grows_evenly

# Built from what cuts and what must not, so that the interesting meetings are frequent.
PIECES = [
    *("great food", " but ", "the courier was rude", ". ", "!", "? ", "...", ",", "\n", "\r\n"),
    *("Dr.", " e.g. ", "4.5", "https://shop.test/a.b?c=d", "ada@shop.test", "ありがとう。", "؟ "),
    *("and ", ", and the waiter was slow", " too loud", " when ", "the music", " was ", "&amp; "),
    *("(", '"', "; ", " -- ", "it's ", "nobody said sorry", "bad food", ", service slow", "who "),
    *("مرحبا", "👍", "\u200f", "\u200b", " ", "a", "although ", ", however ", "- ", "1. ", ")"),
]
verbatims = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


def statements(verbatim: str) -> list[str]:
    return [verbatim[start:end].strip() for start, end in split(verbatim)]


@given(verbatims)
def test_statements_tile_the_verbatim(verbatim: str) -> None:
    spans = split(verbatim)

    assert "".join(verbatim[start:end] for start, end in spans) == (verbatim if spans else "")
    assert bool(spans) == bool(verbatim.strip())
    assert all(start < end for start, end in spans)
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]


@given(verbatims)
def test_no_statement_is_silent_unless_all_of_it_is(verbatim: str) -> None:
    spans = split(verbatim)

    speaks = [any(c.isalnum() for c in verbatim[start:end]) for start, end in spans]
    assert all(speaks) or len(spans) == 1


@given(st.text(alphabet="abcXYZ äé,;-'\"()", max_size=3000))
def test_no_word_is_cut(verbatim: str) -> None:
    for _, end in split(verbatim)[:-1]:
        assert not (verbatim[end - 1].isalnum() and verbatim[end].isalnum())


@pytest.mark.parametrize(
    ("verbatim", "expected"),
    [
        ("great food but the courier was rude", ["great food", "but the courier was rude"]),
        ("Late again! Cold. Why?", ["Late again!", "Cold.", "Why?"]),
        (
            "Although the food was great, the courier was rude.",
            ["Although the food was great,", "the courier was rude."],
        ),
        ("1. Late\n2. Cold\n- rude", ["1. Late", "2. Cold", "- rude"]),
        ("很好。但是太贵了！", ["很好。", "但是太贵了！"]),  # noqa: RUF001
        ("لماذا تأخر؟ سيء جدا", ["لماذا تأخر؟", "سيء جدا"]),
        ("Great food.Will come again", ["Great food.", "Will come again"]),
        ("Das Essen war gut, aber der Fahrer war grob", None),
        ("Great service! 😀", ["Great service! 😀"]),
        ("👍👍", ["👍👍"]),
        ('She said "never again." Then left.', ['She said "never again."', "Then left."]),
        ("We sat at gate 5. Nobody came", ["We sat at gate 5.", "Nobody came"]),
        (
            "the food was great, the waiter slow and the music far too loud",
            ["the food was great,", "the waiter slow", "and the music far too loud"],
        ),
        (
            "Great food, terrible service; fair prices",
            ["Great food,", "terrible service;", "fair prices"],
        ),
        (
            "When we arrived, the host was rude and the soup was cold",
            ["When we arrived, the host was rude", "and the soup was cold"],
        ),
        (
            "We waited an hour, they brought the wrong dish and nobody said sorry",
            ["We waited an hour, they brought the wrong dish", "and nobody said sorry"],
        ),
        ("I loved the parcel and we came early", ["I loved the parcel", "and we came early"]),
        ("The site is down and this app is slow", ["The site is down", "and this app is slow"]),
        ("It is cheap, and although it is old, it works", None),
        ("the seats were old however the crew was kind", None),
    ],
)
def test_it_cuts_between_thoughts(verbatim: str, expected: list[str] | None) -> None:
    found = statements(verbatim)

    assert found == expected if expected else len(found) == 2


@pytest.mark.parametrize(
    "verbatim",
    [
        "I paid 4.5 dollars",
        "e.g. the courier of St. Helens and Dr. Who",
        "see https://shop.test/a.Html?b=c. or ada.b@shop.test",
        "Order No. 5 is missing",
        "nothing but trouble with you",
        "not only late but also cold and soggy",
        "waiting... and waiting",
        "I tried, but nope",
        "great pizza, pasta and wine",
        "great food and wine",
        "We liked the food, the wine and the service",
        "The food, the wine and the service were great",
        "I think the food and the service were great",
        "I hear that the staff and the manager were rude",
        "The waiter, who served us, was rude to all of us",
        "The policy, however, did not apply",
        "the waiter was friendly and forgot our drinks",
        "If the app is slow and the phone is old it crashes",
        "After the parcel arrived broken, we sent it back",
        "We booked a table because the room was large and quiet",
        "The food was great, I must say",
        "The soup came late and it was cold",
        "The staff was rude, they ignored us, and this was our last visit",
        "The best and worst places look the same",
        "The dress is easy to wear and looks really polished",
        "the room was dark, somewhat loud and very cold",
        "Ben &amp; the others were fine",
        "They said (the app was down, the site was up) nothing else",
    ],
)
def test_it_does_not_cut_inside_one(verbatim: str) -> None:
    assert len(split(verbatim)) == 1


@pytest.mark.parametrize("verbatim", ["", " ", "\n\t\u2003 \r\n"])
def test_nothing_said_is_no_statement(verbatim: str) -> None:
    assert split(verbatim) == []


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            "a ",
            "a@",
            ".",
            "but ",
            "although a, ",
            "a\n",
            ", - ",
            "www.",
            "a.b.",
            "1.\n",
            " .",
        ),
        *("and ", "and it was ", "the food, ", "when a, ", "the a was bad, ", "(", "the ", '"a, '),
    ],
)
def test_a_long_text_takes_no_more_than_its_share_whatever_it_is(unit: str) -> None:
    verbatim = (unit * 20_000)[:20_000]

    assert split(verbatim)[-1].end == 20_000
    assert grows_evenly(split, unit)


def test_a_long_run_without_a_stop_is_cut_between_words() -> None:
    spans = split("word " * 4000)

    assert len(spans) == 20
    assert max(end - start for start, end in spans) <= LONGEST_STATEMENT
