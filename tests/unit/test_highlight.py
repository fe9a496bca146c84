"""A customer's words, marked: nothing is lost, and only the issue is marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voc.rules.highlight import CUT, Piece, excerpt, pieces

WORDS = "The sofa came late. It is blue. Nobody answered my calls."
spans = st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), max_size=5)


@given(text=st.text(max_size=60), where=spans)
def test_nothing_is_lost_and_what_is_marked_lies_in_a_span(
    text: str, where: list[tuple[int, int]]
) -> None:
    found = pieces(text, where)
    assert "".join(piece.text for piece in found) == text
    inside = {i for start, end in where for i in range(start, end)}
    if all(i in inside or text[i].isspace() for i in range(len(text))):
        inside = set()  # all of it: then nothing is marked
    at = 0
    for piece in found:
        for i in range(at, at + len(piece.text)):
            assert piece.marked or i not in inside
            assert i in inside or not piece.marked or text[i].isspace()
        at += len(piece.text)


@given(text=st.text(max_size=300), where=spans, length=st.integers(10, 100))
def test_an_excerpt_is_part_of_the_words_and_not_longer(
    text: str, where: list[tuple[int, int]], length: int
) -> None:
    shown = [piece.text for piece in excerpt(text, where, length)]
    words = "".join(shown).removeprefix(CUT if len(text) > length else "")
    assert len(words) <= length + len(CUT)
    assert words.removesuffix(CUT) in text + CUT


def test_an_excerpt_begins_shortly_before_the_issue() -> None:
    text = "Before. " * 20 + WORDS
    start = text.index("Nobody")
    shown = excerpt(text, [(start, len(text))], 100)
    assert shown[0].text == CUT
    assert shown[-1] == Piece("Nobody answered my calls.", marked=True)


def test_two_statements_side_by_side_are_one_mark() -> None:
    found = pieces("late, and rude. Bye", [(0, 5), (6, 15)])
    assert found == [Piece("late, and rude.", marked=True), Piece(" Bye")]


def test_where_all_of_it_is_the_issue_nothing_is_marked() -> None:
    assert pieces("late, and rude ", [(0, 5), (6, 14)]) == [Piece("late, and rude ")]
    (shown, cut) = excerpt(WORDS, [(0, len(WORDS))], 30)
    assert not shown.marked
    assert cut.text == CUT
