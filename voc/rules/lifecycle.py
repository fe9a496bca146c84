"""The lives of tickets and loops, as tables of arrows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from voc.errors import IllegalTransitionError
from voc.models import LoopState, TicketState
from voc.models import TicketEventKind as Event

UNFINISHED = frozenset({TicketState.OPEN, TicketState.IN_PROGRESS})

TICKET_ARROWS: Mapping[tuple[TicketState, Event], TicketState] = MappingProxyType(
    {
        (TicketState.OPEN, Event.ACCEPTED): TicketState.IN_PROGRESS,
        (TicketState.OPEN, Event.REASSIGNED): TicketState.OPEN,
        (TicketState.OPEN, Event.RESOLVED): TicketState.RESOLVED,
        (TicketState.IN_PROGRESS, Event.REASSIGNED): TicketState.OPEN,
        (TicketState.IN_PROGRESS, Event.RESOLVED): TicketState.RESOLVED,
        (TicketState.RESOLVED, Event.REOPENED): TicketState.OPEN,
        (TicketState.CLOSED, Event.REOPENED): TicketState.OPEN,
        # A ticket may be closed unresolved when nobody is left to answer: its loops were
        # duplicates, or the customer's words were erased.
        (TicketState.OPEN, Event.CLOSED): TicketState.CLOSED,
        (TicketState.IN_PROGRESS, Event.CLOSED): TicketState.CLOSED,
        (TicketState.RESOLVED, Event.CLOSED): TicketState.CLOSED,
        (TicketState.OPEN, Event.JOINED): TicketState.OPEN,
        (TicketState.IN_PROGRESS, Event.JOINED): TicketState.IN_PROGRESS,
        (TicketState.OPEN, Event.ESCALATED): TicketState.OPEN,
        (TicketState.IN_PROGRESS, Event.ESCALATED): TicketState.IN_PROGRESS,
        (TicketState.OPEN, Event.ASSIGNED): TicketState.IN_PROGRESS,
        (TicketState.IN_PROGRESS, Event.ASSIGNED): TicketState.IN_PROGRESS,
        (TicketState.IN_PROGRESS, Event.RELEASED): TicketState.OPEN,
        (TicketState.RESOLVED, Event.TAKEN_BACK): TicketState.IN_PROGRESS,
        # Its statements and loops are another ticket's now.
        (TicketState.OPEN, Event.MERGED): TicketState.CLOSED,
        (TicketState.IN_PROGRESS, Event.MERGED): TicketState.CLOSED,
        **{(state, Event.COMMENTED): state for state in TicketState},
        **{(state, Event.COMMENT_REMOVED): state for state in TicketState},
        **{(state, Event.SNOOZED): state for state in UNFINISHED},
        **{(state, Event.WOKEN): state for state in UNFINISHED},
    }
)


class LoopAction(StrEnum):
    TELL = "tell"
    SOLVE = "solve"
    CLOSE_SILENT = "close_silent"
    REOPEN = "reopen"
    GIVE_UP = "give_up"  # the customer cannot be told, or what told them came back
    DROP = "drop"  # there is nothing to tell any more


LOOP_ARROWS: Mapping[tuple[LoopState, LoopAction], LoopState] = MappingProxyType(
    {
        (LoopState.OPEN, LoopAction.TELL): LoopState.TOLD,
        (LoopState.TOLD, LoopAction.SOLVE): LoopState.CLOSED,
        (LoopState.TOLD, LoopAction.CLOSE_SILENT): LoopState.CLOSED,
        (LoopState.TOLD, LoopAction.REOPEN): LoopState.OPEN,
        (LoopState.CLOSED, LoopAction.REOPEN): LoopState.OPEN,
        (LoopState.OPEN, LoopAction.GIVE_UP): LoopState.COULD_NOT_TELL,
        (LoopState.TOLD, LoopAction.GIVE_UP): LoopState.COULD_NOT_TELL,
        (LoopState.CLOSED, LoopAction.GIVE_UP): LoopState.COULD_NOT_TELL,
        # What came back, or was in doubt for good, was answered: so it did arrive.
        (LoopState.COULD_NOT_TELL, LoopAction.TELL): LoopState.TOLD,
        (LoopState.OPEN, LoopAction.DROP): LoopState.NOT_ACTIONABLE,
        (LoopState.TOLD, LoopAction.DROP): LoopState.NOT_ACTIONABLE,
    }
)

LAST_SAYS: Mapping[Event, frozenset[LoopState]] = MappingProxyType(
    {
        Event.LOOP_OPENED: frozenset({LoopState.OPEN}),
        Event.LOOP_REOPENED: frozenset({LoopState.OPEN}),
        Event.LOOP_TOLD: frozenset({LoopState.TOLD}),
        Event.LOOP_CLOSED: frozenset({LoopState.CLOSED}),
        Event.LOOP_ENDED: frozenset(
            {LoopState.COULD_NOT_TELL, LoopState.NOT_ACTIONABLE, LoopState.DUPLICATE}
        ),
    }
)
"""What a loop can be after the newest of these events."""


def next_ticket_state(ticket_id: int, state: TicketState, event: Event) -> TicketState:
    """Where *event* takes a ticket that is *state*.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    try:
        return TICKET_ARROWS[state, event]
    except KeyError:
        raise IllegalTransitionError("ticket", ticket_id, state, event) from None


def next_loop_state(loop_id: int, state: LoopState, action: LoopAction) -> LoopState:
    """Where *action* takes a loop that is *state*.

    Raises:
        IllegalTransitionError: There is no such arrow.
    """
    try:
        return LOOP_ARROWS[state, action]
    except KeyError:
        raise IllegalTransitionError("loop", loop_id, state, action) from None


def replay(ticket_id: int, events: Iterable[Event]) -> TicketState:
    """The state of a ticket after *events*, in order; the first one opened it."""
    state = TicketState.OPEN
    for event in events:
        if event is not Event.OPENED:
            state = next_ticket_state(ticket_id, state, event)
    return state
