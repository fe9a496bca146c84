"""Tickets: their events lead to their state; what is resolved says why."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from sqlmodel import Session, col, exists, select

from voc.errors import IllegalTransitionError
from voc.models import (
    Loop,
    LoopState,
    LoopTicket,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
)
from voc.rules import lifecycle
from voc.rules.books import Finding

OF_TICKETS = frozenset({TicketEventKind.OPENED} | {event for _, event in lifecycle.TICKET_ARROWS})


def tickets_follow_their_events(session: Session) -> Finding | None:
    """A ticket's state is what its events say."""
    name = "tickets follow their events"
    query = (
        select(TicketEvent.ticket_id, col(TicketEvent.kind))
        .where(col(TicketEvent.kind).in_(OF_TICKETS))
        .order_by(col(TicketEvent.ticket_id), col(TicketEvent.id))
    )
    states = dict(session.exec(select(Ticket.id, Ticket.state)).all())
    for ticket_id, events in groupby(session.exec(query), key=itemgetter(0)):
        row = f"ticket {ticket_id}"
        try:
            replayed = lifecycle.replay(ticket_id or 0, [kind for _, kind in events])
        except IllegalTransitionError as exc:
            return Finding(name, row, f"has impossible events: {exc}")
        if ticket_id not in states:
            return Finding(name, row, "has events, and is not there")
        if states.pop(ticket_id) is not replayed:
            return Finding(name, row, f"its events say {replayed.value}")
    if states:
        return Finding(name, f"ticket {min(i or 0 for i in states)}", "has no events")
    return None


def resolved_tickets_say_why(session: Session) -> Finding | None:
    """Resolved tickets have a root cause and an action; closed ones wait for nobody."""
    name = "resolved tickets say why"
    row = session.exec(
        select(Ticket)
        .where(
            col(Ticket.state) == TicketState.RESOLVED,
            col(Ticket.root_cause).is_(None) | col(Ticket.action_taken).is_(None),
        )
        .limit(1)
    ).first()
    if row:
        return Finding(name, f"ticket {row.id}", "is resolved without root cause and action")
    waiting = exists().where(
        col(LoopTicket.ticket_id) == Ticket.id,
        col(LoopTicket.loop_id) == Loop.id,
        col(Loop.state) == LoopState.OPEN,
    )
    row = session.exec(
        select(Ticket).where(col(Ticket.state) == TicketState.CLOSED, waiting).limit(1)
    ).first()
    return Finding(name, f"ticket {row.id}", "is closed while a loop waits for it") if row else None
