"""The journal: what it remembers, what a torn line is, and what a restore makes of it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from voc.journal import Head, Journal, message_digest

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WORDS = "f" * 64
A, B, C = (message_digest(f"<{name}@noodles.test>") for name in "abc")


def head(length: int) -> Head:
    return Head(length, f"{length:064x}", f"{length + 7:064x}")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


def lengths(journal: Journal) -> list[int]:
    return [found.length for found in journal.heads()]


def test_an_empty_journal_knows_nothing(journal: Journal) -> None:
    assert journal.last_head() is None
    assert (lengths(journal), journal.handed_over(), journal.lost()) == ([], {}, {})


def test_what_is_written_is_read_back_by_whoever_opens_it_next(
    journal: Journal, tmp_path: Path
) -> None:
    journal.anchor(Head(1, "1" * 64), AT)
    journal.hand_over(head(2), A, WORDS, AT)
    again = Journal(tmp_path / "journal")
    assert again.last_head() == head(2)
    assert list(again.heads()) == [Head(1, "1" * 64), head(2)]
    assert again.handed_over() == {A: WORDS}
    assert again.handed_over(beyond=2) == {}


def test_what_the_other_side_clearly_refused_was_not_handed_over(journal: Journal) -> None:
    journal.hand_over(head(1), A, "", AT)
    journal.refused(head(2), A, "", AT)
    assert journal.handed_over() == {}
    journal.hand_over(head(3), A, "", AT)
    assert journal.handed_over() == {A: ""}


def test_a_refusal_of_what_was_not_handed_over_takes_nothing_back(journal: Journal) -> None:
    journal.refused(head(1), A, "", AT)
    journal.hand_over(head(2), A, "", AT)
    assert journal.times_handed_over() == {A: 1}


def test_senders_that_overlap_may_write_out_of_order(journal: Journal) -> None:
    for length in (5, 3):
        journal.hand_over(head(length), A, "", AT)
    assert journal.last_head() == head(5)


@pytest.mark.parametrize("cut", range(1, 230, 12))
def test_a_line_that_was_cut_is_no_line_and_spoils_none(
    journal: Journal, tmp_path: Path, cut: int
) -> None:
    journal.hand_over(head(1), A, "", AT)
    file = tmp_path / "journal" / "0001.log"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:cut])
    assert lengths(journal) == [1]
    journal.hand_over(head(2), B, "", AT)
    assert lengths(journal) == [1, 2]
    assert set(journal.handed_over()) == {A, B}


def test_a_restore_begins_anew_and_remembers_what_the_copy_does_not_know(
    journal: Journal,
) -> None:
    journal.hand_over(head(2), A, "", AT)
    journal.hand_over(head(5), B, WORDS, AT)
    journal.hand_over(head(6), C, "", AT)
    journal.refused(head(7), C, "", AT)
    journal.restart(head(3), fork=2, at=AT)
    assert journal.last_head() == head(3)
    assert lengths(journal) == [2, 3]
    assert journal.handed_over() == {A: ""}
    assert journal.lost() == {B: WORDS}


def test_a_second_restore_forgets_nothing_of_the_first(journal: Journal) -> None:
    journal.hand_over(head(5), A, "", AT)
    journal.restart(head(3), fork=0, at=AT)
    journal.hand_over(head(4), B, "", AT)
    journal.restart(head(4), fork=3, at=AT)
    assert set(journal.lost()) == {A, B}
    assert lengths(journal) == [3, 4]


def test_nothing_of_a_message_can_be_read_in_it(journal: Journal, tmp_path: Path) -> None:
    journal.hand_over(head(1), message_digest("<a@noodles.test>"), WORDS, AT)
    assert "noodles" not in (tmp_path / "journal" / "0001.log").read_text()
