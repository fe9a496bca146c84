"""Undoing what owners did with a ticket, while nobody has gone on from there."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.actions.tickets import move, start_clocks
from voc.company.model import Company
from voc.errors import VocError
from voc.models import LoopState, Ticket, TicketEvent, TicketEventKind
from voc.store import labels, loops, messages, ticket_history, tickets

TAKEN_BACK = "taken_back"
STARTS_CLOCKS = frozenset(
    {TicketEventKind.OPENED, TicketEventKind.REASSIGNED, TicketEventKind.REOPENED}
)
WITH = frozenset({TicketEventKind.OPENED, TicketEventKind.REASSIGNED})
"""Events whose detail says whose the ticket is from there on."""


class TooLateError(VocError):
    """Somebody has gone on from there; nothing was changed."""


def take_back(session: Session, ticket_id: int, *, actor: str, now: datetime) -> Ticket:
    """It is not resolved after all. What was to be told is not; cause and action stay as a draft.

    Raises:
        IllegalTransitionError: It is not resolved.
        TooLateError: The customer was told, or is being told at this moment.
    """
    ticket = move(session, ticket_id, TicketEventKind.TAKEN_BACK, actor=actor, now=now)
    since = ticket.resolved_at or now
    for loop in tickets.loops_of(session, ticket_id):
        if loop.told_at is not None and loop.told_at >= since:
            raise TooLateError(f"the customer of ticket {ticket_id} was told already")
        if loop.state is not LoopState.OPEN:
            continue
        step = f"resolution.{loop.round}"
        messages.cancel(session, loop_id=loop.id, steps=[step], reason=TAKEN_BACK, now=now)
        if loops.is_told_or_being_told(session, loop):
            raise TooLateError(f"the customer of ticket {ticket_id} is being told just now")
    ticket.resolved_at = None
    return ticket


def may_hand_back(history: list[TicketEvent], actor: str) -> bool:
    """Whether the newest thing that happened is that *actor* handed the ticket over."""
    newest = history[-1] if history else None
    if newest is None or newest.kind is not TicketEventKind.REASSIGNED or newest.actor != actor:
        return False
    return sum(event.kind in WITH for event in history) > 1


def came_from(history: list[TicketEvent]) -> str | None:
    """The department that had the ticket before the one that has it; None if there was none."""
    owners = [event.detail for event in history if event.kind in WITH]
    return owners[-2] if len(owners) > 1 else None


def hand_back(
    session: Session, ticket_id: int, company: Company, *, actor: str, now: datetime
) -> Ticket:
    """Undo a hand-over that nobody has acted on: the department before has the ticket again.

    Its clocks go on from where they were started there, and nothing was taught: the labels of
    the hand-over are taken back. What told the other department of it is not sent any more.

    Raises:
        TooLateError: It was not *actor* who handed it over, or somebody has gone on from there.
    """
    tickets.locked(session, ticket_id)
    history = ticket_history.history_of(session, ticket_id)
    before = came_from(history)
    if before is None or not may_hand_back(history, actor):
        raise TooLateError(f"ticket {ticket_id} was worked on since it was handed over")
    handed_over = history[-1]
    started = [e.at for e in history[:-1] if e.kind in STARTS_CLOCKS][-1]
    ticket = move(
        session, ticket_id, TicketEventKind.REASSIGNED, actor=actor, now=now, detail=before
    )
    step = f"opened.{ticket.hand}"
    messages.cancel(session, ticket_id=ticket_id, steps=[step], reason=TAKEN_BACK, now=now)
    labels.take_back(session, ticket_id, actor=actor, at=handed_over.at)
    department = company.department_or_triage(before)
    ticket.department, ticket.because = department.id, f"handed back by {actor}"[:255]
    ticket.hand += 1
    start_clocks(ticket, department, now=started)
    return ticket
