"""Undoing what owners did with a ticket, while nobody has gone on from there.

`take_back` is for what was resolved, `undo` for who has the ticket: accepted, given to a colleague,
given back, handed over to another department.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.actions.tickets import move
from voc.errors import VocError
from voc.models import LoopState, Ticket, TicketBefore, TicketEvent, TicketEventKind
from voc.store import labels, loops, messages, ticket_before, ticket_history, tickets, wanted

TAKEN_BACK = "taken_back"


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
        messages.withdraw(session, loop_id=loop.id or 0, step=step, reason=TAKEN_BACK, now=now)
        if loops.is_told_or_being_told(session, loop):
            raise TooLateError(f"the customer of ticket {ticket_id} is being told just now")
    ticket.resolved_at = None
    return ticket


def undoable(session: Session, ticket_id: int, actor: str) -> TicketBefore | None:
    """How the ticket was before the newest deed, if *actor* can undo that now; else None.

    Who accepted it, gave it to a colleague, gave it back or handed it over can undo that, as long
    as nothing else has happened to the ticket. That an alert about it left is no happening.
    """
    before = ticket_before.find(session, ticket_id)
    newest = ticket_history.newest_move(session, ticket_id)
    if before is None or newest is None or before.event_id != newest.id:
        return None
    return before if newest.actor == actor else None


def undo(session: Session, ticket_id: int, *, actor: str, now: datetime) -> Ticket:
    """Undo the newest deed with a ticket: what it overwrote is as it was.

    That is its department and why it is there, its owner and since when, how high it was raised,
    what was promised, and until when it was put off. The labels of a hand-over are forgotten. An
    alert about the deed that has not left will not; one that the deed had stopped leaves now.
    Undoing cannot be undone.

    Raises:
        TooLateError: It was not *actor* who did it, or something else has happened since.
    """
    ticket = tickets.locked(session, ticket_id)
    before = undoable(session, ticket_id, actor)
    if before is None:
        raise TooLateError(f"something else has happened to ticket {ticket_id} since")
    deed = session.get_one(TicketEvent, before.event_id)
    values = ticket_before.values_of(before)
    for kind, detail in _way_back(before, deed.kind):
        ticket = move(session, ticket_id, kind, actor=actor, now=now, detail=detail)
    if deed.kind is TicketEventKind.REASSIGNED:
        labels.take_back(session, ticket_id, actor=actor, at=deed.at)
    ticket_before.put_back(session, ticket, values)
    wanted.owe_again(session, ticket, now=now)
    return ticket


def _way_back(before: TicketBefore, deed: TicketEventKind) -> list[tuple[TicketEventKind, str]]:
    """What the ledger says of an undone deed: the arrows that lead to where the ticket was."""
    way = []
    if deed is TicketEventKind.REASSIGNED:
        way.append((TicketEventKind.REASSIGNED, before.department))
    elif before.owner is None:
        way.append((TicketEventKind.RELEASED, ""))
    if before.owner is not None:
        way.append((TicketEventKind.ASSIGNED, before.owner))
    return way
