import html
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.clean import clean, text_hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@acme  where is\nmy parcel? https://t.co/x", "where is my parcel?"),
        ("I love Acme's app, ACME!", "I love app, !"),
        ("RT @bob: #latenight again", "latenight again"),
        ("write to [email] or [phone]", "write to or"),
        ("👍", "thumbs up"),
        ("acmeology", "acmeology"),
        ("#LostMyBag #FAIL #NBCNews", "Lost My Bag FAIL NBC News"),
        ("Soooooo lateee", "Soo latee"),
        ("2000 www pages", "2000 ww pages"),
        ("bags &amp; seats &lt;3", "bags & seats <3"),
        ("\u200fمرحبا\u200b", "مرحبا"),  # noqa: RUF001
        ("a\x07b", "a b"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_what_is_embedded_is_the_words(text: str, expected: str) -> None:
    assert clean(text, ["Acme"]) == expected


@pytest.mark.parametrize("text", ["@acme", "Acme", "https://acme.test", "[email]", "@acme Acme"])
def test_what_is_nothing_but_names_is_kept(text: str) -> None:
    assert any(character.isalpha() for character in clean(text, ["Acme"]))


@given(st.text(), st.lists(st.text(alphabet=string.ascii_letters + " .*(", max_size=6), max_size=3))
def test_letters_never_become_nothing(text: str, brand_names: list[str]) -> None:
    cleaned = clean(text, brand_names)

    assert cleaned == " ".join(cleaned.split())
    if any(character.isalpha() for character in html.unescape(text)):
        assert cleaned


def test_a_hash_is_of_the_text_alone() -> None:
    assert text_hash("late") == text_hash("late") != text_hash("Late")
    assert len(text_hash("\ud800")) == 64
