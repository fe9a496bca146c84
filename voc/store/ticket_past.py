"""What went before a ticket: its events, the customer's other loops, tickets that were like it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    Embedding,
    Feedback,
    FeedbackVersion,
    Loop,
    LoopState,
    LoopTicket,
    Statement,
    Ticket,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.lifecycle import UNFINISHED

EVENTS, LOOPS, ANSWERS, LIKE = 200, 10, 20, 300
"""How much of each is looked at: the newest."""
OF_LOOPS = (
    TicketEventKind.LOOP_TOLD,
    TicketEventKind.LOOP_CLOSED,
    TicketEventKind.LOOP_ENDED,
    TicketEventKind.ANSWERED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLoop:
    """Another loop of the same customer."""

    id: int
    said_at: datetime
    text: str = field(repr=False)
    state: LoopState
    reason: str | None
    reopened: int
    departments: tuple[str, ...]
    tickets: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A finished ticket, what helped, and the vectors of what was said."""

    id: int
    root_cause: str = field(repr=False)
    action: str = field(repr=False)
    resolved_at: datetime
    round: int
    vectors: tuple[bytes, ...] = field(repr=False)


def events_of(session: Session, ticket_id: int, loops: Collection[int]) -> list[TicketEvent]:
    """What happened to a ticket, and what its customers were told and answered; oldest first."""
    of_ticket = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)
    of_loops = select(TicketEvent).where(
        col(TicketEvent.loop_id).in_(loops), col(TicketEvent.kind).in_(OF_LOOPS)
    )
    newest = col(TicketEvent.id).desc()
    found = {
        event.id or 0: event
        for query in (of_ticket, of_loops)
        for event in session.exec(query.order_by(newest).limit(EVENTS))
    }
    return [found[number] for number in sorted(found)]


def answers_to(session: Session, loops: Collection[int]) -> list[Answer]:
    """What customers answered in these loops, the oldest first."""
    query = select(Answer).where(col(Answer.loop_id).in_(loops))
    newest = session.exec(query.order_by(col(Answer.at).desc(), col(Answer.id).desc()))
    return list(reversed(newest.fetchmany(ANSWERS)))


def earlier_loops(session: Session, customer_id: int, but: Collection[int]) -> list[EarlierLoop]:
    """The customer's newest loops beside *but*, each with its words as they are now."""
    rows = session.execute(
        select(Loop, Feedback, FeedbackVersion)
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .join(
            FeedbackVersion,
            (col(FeedbackVersion.feedback_id) == Feedback.id)
            & (col(FeedbackVersion.number) == Feedback.version),
        )
        .where(Loop.customer_id == customer_id, col(Loop.id).not_in(but))
        .order_by(col(Loop.id).desc())
        .limit(LOOPS)
    ).all()
    pairs = session.execute(
        select(LoopTicket.loop_id, Ticket.id, Ticket.department)
        .join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
        .where(col(LoopTicket.loop_id).in_([loop.id for loop, _, _ in rows]))
        .order_by(col(Ticket.id))
    ).all()
    return [
        EarlierLoop(
            id=loop.id,
            said_at=feedback.said_at,
            text=version.verbatim,
            state=loop.state,
            reason=loop.reason,
            reopened=loop.reopened,
            departments=tuple(d for loop_id, _, d in pairs if loop_id == loop.id),
            tickets=tuple(t for loop_id, t, _ in pairs if loop_id == loop.id),
        )
        for loop, feedback, version in rows
    ]


def others_unfinished(session: Session, ticket: Ticket) -> list[Ticket]:
    """The customer's other tickets that somebody still has to work on."""
    query = select(Ticket).where(
        Ticket.customer_id == ticket.customer_id,
        Ticket.id != ticket.id,
        col(Ticket.state).in_(UNFINISHED),
    )
    return list(session.exec(query.order_by(col(Ticket.id)).limit(LOOPS)))


def merged_into(session: Session, ticket_id: int) -> list[int]:
    """The tickets that became part of this one."""
    query = select(Ticket.id).where(Ticket.merged_into_id == ticket_id)
    return [number or 0 for number in session.exec(query.order_by(col(Ticket.id)))]


def vectors_of(session: Session, ticket_id: int) -> dict[str, list[bytes]]:
    """By model the vectors of the ticket's statements."""
    found: dict[str, list[bytes]] = {}
    rows = session.exec(
        select(Embedding)
        .join(Statement, col(Statement.text_hash) == Embedding.text_hash)
        .where(Statement.ticket_id == ticket_id)
        .order_by(col(Embedding.model), col(Statement.id))
    )
    for row in rows:
        found.setdefault(row.model, []).append(row.vector)
    return found


def solved_before(session: Session, ticket: Ticket, model: str) -> list[Solved]:
    """The department's newest resolved tickets with the vectors of one model."""
    theirs = session.execute(
        sa.select(
            col(Ticket.id),
            col(Ticket.root_cause),
            col(Ticket.action_taken),
            col(Ticket.resolved_at),
            col(Ticket.round),
        )
        .where(
            col(Ticket.department) == ticket.department,
            col(Ticket.resolved_at).is_not(None),
            col(Ticket.state).not_in(UNFINISHED),
            col(Ticket.id) != ticket.id,
        )
        .order_by(col(Ticket.resolved_at).desc())
        .limit(LIKE)
    ).all()
    vectors: dict[int, list[bytes]] = {}
    rows = session.execute(
        select(Statement.ticket_id, Embedding.vector)
        .join(Embedding, col(Embedding.text_hash) == Statement.text_hash)
        .where(col(Statement.ticket_id).in_([each.id for each in theirs]), Embedding.model == model)
    )
    for ticket_id, vector in rows:
        vectors.setdefault(ticket_id, []).append(vector)
    return [
        Solved(
            id=each.id,
            root_cause=each.root_cause or "",
            action=each.action_taken or "",
            resolved_at=each.resolved_at,
            round=each.round,
            vectors=tuple(vectors[each.id]),
        )
        for each in theirs
        if each.id in vectors
    ]
