import pytest
from hypothesis import given
from hypothesis import strategies as st

from voc.errors import IllegalTransitionError
from voc.models import LoopState, TicketState
from voc.models import TicketEventKind as Event
from voc.rules.lifecycle import (
    LOOP_ARROWS,
    TICKET_ARROWS,
    LoopAction,
    next_loop_state,
    next_ticket_state,
    replay,
)


@given(st.sampled_from(TicketState), st.sampled_from(Event))
def test_a_ticket_moves_along_its_arrows_and_nowhere_else(state: TicketState, event: Event) -> None:
    if (state, event) in TICKET_ARROWS:
        assert next_ticket_state(1, state, event) is TICKET_ARROWS[state, event]
    else:
        with pytest.raises(IllegalTransitionError, match=f"ticket 1 is {state.value}"):
            next_ticket_state(1, state, event)


@given(st.sampled_from(LoopState), st.sampled_from(LoopAction))
def test_a_loop_moves_along_its_arrows_and_nowhere_else(
    state: LoopState, action: LoopAction
) -> None:
    if (state, action) in LOOP_ARROWS:
        assert next_loop_state(1, state, action) is LOOP_ARROWS[state, action]
    else:
        with pytest.raises(IllegalTransitionError):
            next_loop_state(1, state, action)


def test_a_closed_ticket_is_only_reached_from_states_a_person_saw() -> None:
    reached = {before for (before, _), after in TICKET_ARROWS.items() if after == "closed"}
    seen = {TicketState.OPEN, TicketState.IN_PROGRESS, TicketState.RESOLVED}
    assert reached - {TicketState.CLOSED} == seen


def test_a_loop_is_closed_only_after_the_customer_was_told() -> None:
    before = {state for (state, _), after in LOOP_ARROWS.items() if after is LoopState.CLOSED}
    assert before == {LoopState.TOLD}


def test_replaying_events_gives_the_state() -> None:
    events = [Event.OPENED, Event.REASSIGNED, Event.ACCEPTED, Event.RESOLVED, Event.CLOSED]
    assert replay(1, events) is TicketState.CLOSED
    assert replay(1, [*events, Event.REOPENED]) is TicketState.OPEN
