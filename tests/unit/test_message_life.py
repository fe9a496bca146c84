"""The life of a message: which arrows there are, when to try again, what is still wanted."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.errors import IllegalTransitionError
from voc.models import LinkPurpose, LoopKind, LoopState, TicketState
from voc.models import MessageState as Is
from voc.rules.messages import (
    ARROWS,
    GONE,
    WAITING,
    LoopFacts,
    TicketFacts,
    check_arrow,
    event_of,
    is_told_once,
    still_wanted,
)
from voc.rules.tokens import link_token, message_id, message_key, token_hash

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def reachable(start: Is, without: frozenset[tuple[Is, Is]] = frozenset()) -> set[Is]:
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for after in ARROWS.get(state, frozenset()):
            if (state, after) not in without and after not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def test_every_state_can_be_reached() -> None:
    assert reachable(Is.PLANNED) == set(Is)


def test_nothing_is_handed_over_without_a_claim() -> None:
    before = {state for state, after in ARROWS.items() if Is.SENDING in after}
    assert before == {Is.CLAIMED}


def test_what_was_sent_is_never_sent_again() -> None:
    for state in (Is.SENT, Is.DELIVERED, Is.BOUNCED, Is.COMPLAINED, Is.ABANDONED):
        assert not reachable(state) & {Is.QUEUED, Is.CLAIMED, Is.SENDING}


def test_what_is_gone_and_what_waits_are_different() -> None:
    assert not GONE & WAITING


@given(st.sampled_from(Is), st.sampled_from(Is))
def test_an_arrow_passes_or_says_why_not(state: Is, wanted: Is) -> None:
    if wanted in ARROWS.get(state, ()):
        check_arrow(7, state, wanted)
    else:
        with pytest.raises(IllegalTransitionError, match=f"message 7 is {state}"):
            check_arrow(7, state, wanted)


def test_the_ledger_hears_of_all_that_may_have_left_and_of_every_end() -> None:
    silent = {
        (state, to) for state, after in ARROWS.items() for to in after if not event_of(state, to)
    }
    assert silent == {
        (Is.PLANNED, Is.QUEUED),
        (Is.QUEUED, Is.CLAIMED),
        (Is.QUEUED, Is.PLANNED),
        (Is.CLAIMED, Is.QUEUED),
        (Is.CLAIMED, Is.PLANNED),
        (Is.CANCELLED, Is.PLANNED),
    }


def test_what_a_loop_waits_for_is_told_for_each_loop() -> None:
    assert [t for t in ("receipt", "thanks", "resolution", "reminder") if is_told_once(t)] == [
        "receipt",
        "thanks",
    ]


OPEN = LoopFacts(state=LoopState.OPEN, round=2, all_resolved=True, answered=False)
TOLD = LoopFacts(state=LoopState.TOLD, round=2, all_resolved=True, answered=False)
ANSWERED = LoopFacts(state=LoopState.TOLD, round=2, all_resolved=True, answered=True)
AT_WORK = LoopFacts(state=LoopState.OPEN, round=2, all_resolved=False, answered=False)
PRAISED = replace(OPEN, kind=LoopKind.THANKS)
CLOSED = LoopFacts(state=LoopState.CLOSED, round=2, all_resolved=True, answered=True)


@pytest.mark.parametrize(
    ("step", "wanted_by"),
    [
        ("receipt", [OPEN, AT_WORK, PRAISED]),
        ("thanks", [PRAISED]),
        ("resolution.2", [OPEN, PRAISED]),
        ("resolution.1", []),
        ("reminder.2", [TOLD]),
        ("reminder.1", []),
        ("something_new", [OPEN, TOLD, ANSWERED, AT_WORK, PRAISED, CLOSED]),
    ],
)
def test_which_loops_still_want_a_message(step: str, wanted_by: list[LoopFacts]) -> None:
    loops = [OPEN, TOLD, ANSWERED, AT_WORK, PRAISED, CLOSED]
    assert [loop for loop in loops if still_wanted(step, loop, None)] == wanted_by


@pytest.mark.parametrize(
    ("step", "state", "wanted"),
    [
        ("opened.3", TicketState.OPEN, True),
        ("opened.3", TicketState.IN_PROGRESS, True),
        ("opened.3", TicketState.RESOLVED, False),
        ("opened.2", TicketState.OPEN, False),
        ("reopened.3.2", TicketState.OPEN, True),
        ("reopened.3.1", TicketState.OPEN, False),
        ("reopened.2.2", TicketState.OPEN, False),
        ("escalation.1.3.2", TicketState.IN_PROGRESS, True),
        ("escalation.1.3.1", TicketState.IN_PROGRESS, False),
        ("escalation.1.2.2", TicketState.IN_PROGRESS, False),
        ("escalation.1.3.2", TicketState.CLOSED, False),
        ("assigned.1.3.2", TicketState.IN_PROGRESS, True),
        ("assigned.4.3.2", TicketState.IN_PROGRESS, True),
        ("assigned.1.2.2", TicketState.IN_PROGRESS, False),
        ("assigned.1.3.1", TicketState.IN_PROGRESS, False),
        ("something_new", TicketState.CLOSED, True),
    ],
)
def test_which_tickets_still_want_an_alert(step: str, state: TicketState, wanted: bool) -> None:
    ticket = TicketFacts(state=state, hand=3, round=2, owner="lee@corner.example")
    assert still_wanted(step, None, ticket, recipient="lee@corner.example") is wanted


@pytest.mark.parametrize("owner", [None, "kim@corner.example"])
def test_that_a_ticket_is_yours_is_not_told_to_those_who_have_it_no_more(owner: str | None) -> None:
    ticket = TicketFacts(state=TicketState.OPEN, hand=1, round=1, owner=owner)
    assert not still_wanted("assigned.1.1.1", None, ticket, recipient="lee@corner.example")
    assert still_wanted("opened.1", None, ticket, recipient="lee@corner.example")


def test_what_is_about_nothing_we_know_is_wanted() -> None:
    assert still_wanted("digest", None, None)


def test_a_message_id_and_its_links_are_stable_and_say_nothing() -> None:
    key = message_key("loop:7", "resolution.1", "email", "customer:1")
    wire = message_id(b"secret", key, "noodles.test")
    assert wire == message_id(b"secret", key, "noodles.test")
    assert wire != message_id(b"other", key, "noodles.test")
    assert wire.endswith("@noodles.test>")
    assert "7" not in wire or "loop" not in wire
    tokens = {link_token(b"secret", purpose, key) for purpose in LinkPurpose}
    assert len(tokens) == len(LinkPurpose)
    assert {len(token) for token in tokens} == {32}


def test_a_token_is_known_in_either_case() -> None:
    token = link_token(b"secret", LinkPurpose.ANSWER, "key")
    assert token_hash(token.upper()) == token_hash(token)
    assert token_hash(token) != token_hash(token[:-1])
