"""One raw mail to what it is: bounces, complaints, machines, customers; and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.inbox.parts import MOST_LINES, take_apart
from notifications.inbox.reading import OwnAddresses, read_mail
from notifications.inbox.replies import new_words
from tests.growth import grows_evenly
from tests.mails_in import (
    BOUNCE_SAMPLES,
    BOUNCES,
    CORPUS,
    MACHINE_SAMPLES,
    NOTICE_SAMPLES,
    OUR_ID,
    OUR_TEXT,
    OWN,
    POISON_SAMPLES,
    REPLIES,
    REPLY_SAMPLES,
    ROW,
    SECRET,
    Sample,
    arf,
    block,
    dsn,
    html,
    plain,
    threaded,
)
from voc.models import InboundKind
from voc.rules.tokens import read_return_token

NEVER_AN_ANSWER = set(InboundKind) - {InboundKind.REPLIED}


@pytest.mark.parametrize("sample", BOUNCE_SAMPLES, ids=str)
def test_a_report_is_read_as_what_it_means_for_the_address(sample: Sample) -> None:
    mail = read_mail(sample.raw, OWN)
    assert (mail.kind, mail.code) == (sample.kind, sample.code)


@pytest.mark.parametrize("sample", NOTICE_SAMPLES, ids=str)
def test_complaints_and_wishes_for_silence_are_told_apart(sample: Sample) -> None:
    mail = read_mail(sample.raw, OWN)
    assert (mail.kind, mail.code) == (sample.kind, sample.code)


@pytest.mark.parametrize("sample", MACHINE_SAMPLES, ids=str)
def test_what_a_machine_writes_is_never_an_answer(sample: Sample) -> None:
    mail = read_mail(sample.raw, OWN)
    assert (mail.kind, mail.code) == (sample.kind, sample.code)
    assert mail.text == ""


@pytest.mark.parametrize("sample", REPLY_SAMPLES, ids=str)
def test_of_a_reply_only_the_new_words_are_taken(sample: Sample) -> None:
    mail = read_mail(sample.raw, OWN)
    assert mail.kind is sample.kind
    assert new_words(mail.text, OUR_TEXT) == sample.words


@pytest.mark.parametrize("sample", POISON_SAMPLES, ids=str)
def test_what_cannot_be_read_says_why(sample: Sample) -> None:
    mail = read_mail(sample.raw, OWN)
    assert (mail.kind, mail.code) == (sample.kind, sample.code)


def test_a_report_names_our_message_by_its_address_and_by_what_it_returns() -> None:
    mail = read_mail(dsn(block("failed", "5.1.1")), OWN)
    assert {read_return_token(SECRET, *token) for token in mail.tokens} == {ROW}
    assert mail.message_ids == (OUR_ID,)
    assert read_mail(arf(), OWN).message_ids == (OUR_ID,)
    assert read_mail(arf(), OWN).tokens == mail.tokens


def test_a_report_without_our_token_names_nothing() -> None:
    forged = dsn(block("failed", "5.1.1"), to="care@noodles.test", returned="Subject: Yours\n")
    mail = read_mail(forged, OWN)
    assert mail.kind is InboundKind.HARD_BOUNCED
    assert (mail.tokens, mail.message_ids) == ((), ())


def test_a_guessed_token_is_found_and_leads_nowhere() -> None:
    guessed = BOUNCES.replace(BOUNCES.partition("@")[0][-6:], "aaaaaa")
    mail = read_mail(dsn(block("failed", "5.1.1"), to=guessed, returned=""), OWN)
    assert [read_return_token(SECRET, *token) for token in mail.tokens] == [None]


def test_servers_may_change_the_case_of_an_address() -> None:
    mail = read_mail(plain("No", to=REPLIES.upper()), OWN)
    assert [read_return_token(SECRET, *token) for token in mail.tokens] == [ROW]


def test_a_reply_names_what_it_answers_the_nearest_first() -> None:
    head = f"In-Reply-To: <2@a.test>\nReferences: {OUR_ID}\n <1@a.test> <2@a.test>\n"
    mail = read_mail(plain("No", head=head), OWN)
    assert mail.message_ids == ("<2@a.test>", "<1@a.test>", OUR_ID)


def test_a_reply_is_not_linked_by_what_it_quotes() -> None:
    mail = read_mail(plain(f"> To: {REPLIES}\n> Message-ID: {OUR_ID}\nNo", to="x@y.test"), OWN)
    assert mail.kind is InboundKind.REPLIED
    assert (mail.tokens, mail.message_ids) == ((), ())


def test_without_a_reply_address_there_are_no_tokens() -> None:
    own = OwnAddresses(reply_address="", sender="hello@noodles.test")
    assert read_mail(plain("No"), own).tokens == ()


def test_the_same_mail_has_the_same_event_whichever_way_it_came() -> None:
    again = b"Received: from elsewhere\n" + threaded("No")
    assert read_mail(again, OWN).event_id == read_mail(threaded("No"), OWN).event_id
    assert read_mail(threaded("Yes"), OWN).event_id != read_mail(again, OWN).event_id


def test_a_mail_without_a_name_of_its_own_is_known_by_its_bytes() -> None:
    assert read_mail(b"No", OWN).event_id == read_mail(b"No", OWN).event_id
    assert read_mail(b"No", OWN).event_id != read_mail(b"No!", OWN).event_id


def test_a_mail_shows_nothing_of_its_sender_when_it_is_printed() -> None:
    shown = repr(read_mail(threaded("My number is 030 1234"), OWN))
    assert "1234" not in shown
    assert "kim" not in shown.casefold()


HOSTILE = [
    "\n",
    "> ",
    "Am x schrieb ",
    "On x wrote\n",
    "From: x\nSent: \n",
    "\xa0\n",
    "- ",
    "__\n",
    "<b>",
    "<div>",
    "<blockquote>",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_time_that_reading_takes_grows_evenly(unit: str) -> None:
    assert grows_evenly(lambda text: new_words(read_mail(plain(text), OWN).text, OUR_TEXT), unit)
    assert grows_evenly(lambda text: read_mail(text.encode(), OWN), unit)


@pytest.mark.parametrize("unit", ["<div>", "<blockquote>", "<i></b>"])
def test_the_time_that_reading_html_takes_grows_evenly(unit: str) -> None:
    assert grows_evenly(lambda text: read_mail(html(text), OWN), unit)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_without_end_are_cut_off(end: str) -> None:
    mail = take_apart(f"From: {REPLIES}{end}{end}".encode() + end.encode() * 50_000)
    assert len(str(mail.get_payload()).splitlines()) == MOST_LINES - 2


@pytest.mark.parametrize("charset", ["punycode", "idna", "unicode-escape"])
def test_codings_that_are_no_character_sets_are_not_used(charset: str) -> None:
    raw = plain("No-\\ud800").replace(b"utf-8", charset.encode())
    assert read_mail(raw, OWN).text == "No-\\ud800"


@pytest.mark.parametrize("letter", ["\0", "=?utf-7?q?+2AA-?=", "=?utf-8?q?=00?=", "\xe9"])
def test_a_message_id_that_no_database_takes_is_none(letter: str) -> None:
    head = f"In-Reply-To: <1{letter}2@a.test>\nReferences: {OUR_ID}\n"
    assert read_mail(plain("No", head=head), OWN).message_ids == (OUR_ID,)


raw_mails = st.one_of(
    st.binary(max_size=2_000),
    st.builds(
        lambda sample, at, junk: (
            sample.raw[: at % (len(sample.raw) + 1)]
            + junk
            + sample.raw[at % (len(sample.raw) + 1) :]
        ),
        st.sampled_from([sample for sample in CORPUS if len(sample.raw) < 10_000]),
        st.integers(0, 10_000),
        st.binary(max_size=60),
    ),
    st.builds(
        lambda lines: "\n".join(lines).encode("utf-8", "surrogateescape"),
        st.lists(
            st.one_of(
                st.text(max_size=60),
                st.sampled_from(
                    [
                        line.decode("utf-8", "replace")
                        for s in CORPUS[:60]
                        for line in s.raw[:5_000].splitlines()
                    ]
                ),
            ),
            max_size=30,
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(raw_mails)
def test_any_bytes_are_read_as_something(raw: bytes) -> None:
    mail = read_mail(raw, OWN)
    assert mail.kind is None or mail.kind in set(InboundKind)
    assert len(mail.event_id) <= 255
    assert len(mail.code) <= 64
    words = new_words(mail.text, OUR_TEXT)
    assert "\0" not in words
    assert words.encode().decode() == words  # no lone surrogates: both databases refuse them
    if mail.kind in NEVER_AN_ANSWER:
        assert mail.text == ""


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2_000))
def test_no_bytes_become_an_answer_without_our_token(raw: bytes) -> None:
    mail = read_mail(raw, OWN)
    assert all(read_return_token(SECRET, *token) is None for token in mail.tokens)
    assert OUR_ID not in mail.message_ids
