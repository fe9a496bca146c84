"""What may be stored, and what a reader of a post sees."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.growth import grows_evenly
from voc.text import html_to_text, normalise


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("a\x00b", "ab"),
        ("cafe\u0301", "café"),
        ("a\ud800b", "a\ufffdb"),
        ("\ud83d\ude00", "😀"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("pay\u202egnp.exe", "paygnp.exe"),
        ("in\u200bvis\u2060ible\ufeff", "invisible"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("a\u200db", "ab"),
        ("  \t tabs\tinside stay \n", "tabs\tinside stay"),
        ("❤️", "❤️"),
    ],
)
def test_text_is_stored_in_one_spelling_without_what_is_invisible(
    given_text: str, stored: str
) -> None:
    assert normalise(given_text) == stored


@given(st.text(st.characters(codec=None)))
def test_normalising_twice_changes_nothing_and_both_databases_can_store_it(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    once.encode()
    kept = set(once) - {"\n", "\t", "\u200d"}
    assert not {c for c in kept if unicodedata.category(c) in ("Cc", "Cf", "Cs")}


@given(st.text())
def test_letters_and_digits_are_never_lost(text: str) -> None:
    def words(s: str) -> list[str]:
        composed = unicodedata.normalize("NFC", s)
        return [c for c in composed if unicodedata.category(c) in ("Lu", "Ll", "Lo", "Nd")]

    invisible = {c for c in text if unicodedata.category(c) == "Cf"}
    if not invisible:
        assert words(normalise(text)) == words(text)


def test_a_post_reads_as_its_reader_sees_it() -> None:
    html = (
        '<p>@<a href="x">acme</a> still<br>no refund &amp; 2 &lt; 3</p><p>Second</p>'
        '<p><a href="https://a.b/c"><span class="invisible">https://</span>'
        '<span class="ellipsis">a.b/c</span></a></p><script>steal()</script>'
    )
    assert html_to_text(html) == ("@acme still\nno refund & 2 < 3\n\nSecond\n\nhttps://a.b/c")


@given(st.text())
def test_any_html_becomes_text(html: str) -> None:
    assert normalise(html_to_text(html)) == html_to_text(html)


def test_deeply_nested_html_does_not_stop_us() -> None:
    assert html_to_text("<div>" * 20_000 + "late") == "late"


@pytest.mark.parametrize("unit", ["<div>", "<li><ul>", "<a><p>", "<i></b>", "<", "<p>a", "&amp;"])
def test_the_time_that_reading_html_takes_grows_evenly(unit: str) -> None:
    assert grows_evenly(html_to_text, unit)


def test_a_font_that_is_never_closed_is_not_opened_anew_in_each_paragraph() -> None:
    def read(text: str) -> str:
        return html_to_text("".join(f"<p><b x='<{i}>'>" for i in range(len(text) // 10)))

    assert grows_evenly(read, "x")
