"""What the ledger says of a message can have happened; or it cannot, and is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.models import MessageState as Is
from voc.models import TicketEventKind as Kind
from voc.rules.message_history import SYSTEM, Entry, ImpossibleHistoryError, replay
from voc.rules.messages import ARROWS, detail_of, event_of


def entry(kind: Kind, detail: str = "", actor: str = SYSTEM) -> Entry:
    return Entry(event_id=1, kind=kind, detail=detail, actor=actor)


SENDING, SENT, QUEUED = map(entry, (Kind.MESSAGE_SENDING, Kind.MESSAGE_SENT, Kind.MESSAGE_QUEUED))
UNKNOWN = entry(Kind.MESSAGE_ENDED, "unknown:the reply was lost")
AGAIN = entry(Kind.MESSAGE_QUEUED, actor="tess")


@given(st.data())
def test_every_walk_along_the_arrows_is_possible_and_ends_where_it_says(
    data: st.DataObject,
) -> None:
    state, history = Is.PLANNED, []
    for _ in range(data.draw(st.integers(0, 12))):
        if not (ways := sorted(ARROWS.get(state, ()))):
            break
        to = data.draw(st.sampled_from(ways))
        if kind := event_of(state, to):
            history.append(entry(kind, detail_of(to, "code", "smtp"), actor="tess"))
        state = to
    assert state in replay(history, is_whole=True)


@pytest.mark.parametrize(
    ("history", "problem"),
    [
        ([SENDING, SENDING], "second time"),
        ([SENDING, SENT, SENDING], "second time"),
        ([SENDING, UNKNOWN, SENDING], "second time"),
        ([SENDING, UNKNOWN, QUEUED], "no person said so"),
        ([SENT], "cannot follow"),
        ([SENDING, entry(Kind.MESSAGE_ENDED, "lost")], "cannot follow while it is sending"),
    ],
)
def test_what_cannot_have_happened_is_named(history: list[Entry], problem: str) -> None:
    with pytest.raises(ImpossibleHistoryError, match=problem):
        replay(history, is_whole=True)


def test_a_person_may_send_again_what_is_in_doubt_and_a_clean_no_needs_nobody() -> None:
    assert replay([SENDING, UNKNOWN, AGAIN, SENDING, SENT], is_whole=True) == {Is.SENT}
    assert replay([SENDING, QUEUED, SENDING], is_whole=True) == {Is.SENDING}


def test_a_message_from_before_the_ledger_held_them_began_anywhere() -> None:
    assert replay([SENT], is_whole=False) == {Is.SENT}
    assert replay([], is_whole=False) == frozenset(Is)
