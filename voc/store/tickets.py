"""Tickets and loops, and how they hang together."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, delete, or_, update
from sqlmodel import Session, col, select

from voc.company.model import Company
from voc.errors import NotFoundError
from voc.models import Loop, LoopTicket, Statement, Ticket, TicketState
from voc.rules.escalation import next_escalation
from voc.rules.lifecycle import UNFINISHED
from voc.store.events import lock_head
from voc.store.upsert import insert_new


def found(session: Session, ticket_id: int) -> Ticket:
    """The ticket, only to be read.

    Raises:
        NotFoundError: There is none with this id.
    """
    if (ticket := find(session, ticket_id)) is None:
        raise _not_found(ticket_id)
    return ticket


def find(session: Session, ticket_id: int) -> Ticket | None:
    """The ticket, only to be read; None if there is none with this id."""
    return session.get(Ticket, ticket_id)


def _not_found(ticket_id: int) -> NotFoundError:
    return NotFoundError(f"there is no ticket {ticket_id}; `voc ticket list` shows those open")


def locked(session: Session, ticket_id: int) -> Ticket:
    """The ticket, held until the transaction ends.

    Raises:
        NotFoundError: There is none with this id.
    """
    lock_head(session)
    query = select(Ticket).where(col(Ticket.id) == ticket_id).with_for_update()
    rows = session.exec(query.execution_options(populate_existing=True))
    if (ticket := rows.one_or_none()) is None:
        raise _not_found(ticket_id)
    return ticket


def locked_loop(session: Session, loop_id: int) -> Loop:
    """The loop, held until the transaction ends."""
    lock_head(session)
    query = select(Loop).where(col(Loop.id) == loop_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def loops_of(session: Session, ticket_id: int) -> list[Loop]:
    return list(
        session.exec(
            select(Loop)
            .join(LoopTicket, col(LoopTicket.loop_id) == Loop.id)
            .where(LoopTicket.ticket_id == ticket_id)
            .order_by(col(Loop.id))
        )
    )


def tickets_of(session: Session, loop_id: int) -> list[Ticket]:
    return list(
        session.exec(
            select(Ticket)
            .join(LoopTicket, col(LoopTicket.ticket_id) == Ticket.id)
            .where(LoopTicket.loop_id == loop_id)
            .order_by(col(Ticket.id))
        )
    )


def hand_on_loops(session: Session, ticket_id: int, to_id: int) -> list[int]:
    """Let another ticket stand for this one: its statements, and the loops that wait for it.

    Returns:
        The loops that did not wait for the other one already.
    """
    has = {loop.id for loop in loops_of(session, to_id)}
    joined = [loop.id or 0 for loop in loops_of(session, ticket_id) if loop.id not in has]
    session.execute(delete(LoopTicket).where(col(LoopTicket.ticket_id) == ticket_id))
    rows = [{"loop_id": loop_id, "ticket_id": to_id} for loop_id in joined]
    insert_new(session, LoopTicket, rows)
    said = update(Statement).where(col(Statement.ticket_id) == ticket_id)
    session.execute(said.values(ticket_id=to_id))
    return joined


def listing(
    session: Session,
    *,
    department: str | None = None,
    state: TicketState | None = None,
    limit: int = 200,
) -> list[Ticket]:
    """Tickets, the most urgent promise first; unfinished ones unless a state is asked for."""
    query = select(Ticket).order_by(col(Ticket.resolution_due_at), col(Ticket.id)).limit(limit)
    query = query.where(col(Ticket.state) == state if state else col(Ticket.state).in_(UNFINISHED))
    if department:
        query = query.where(Ticket.department == department)
    return list(session.exec(query))


def to_escalate(session: Session, company: Company, now: datetime) -> list[Ticket]:
    """Unfinished tickets that broke a promise, below their top level, and whose time has come."""
    below = [
        and_(
            col(Ticket.department) == department.id, col(Ticket.level) < len(department.escalation)
        )
        for department in company.departments
    ]
    untaken = and_(col(Ticket.state) == TicketState.OPEN, col(Ticket.first_response_due_at) < now)
    overdue = and_(col(Ticket.state).in_(UNFINISHED), col(Ticket.resolution_due_at) < now)
    query = select(Ticket).where(or_(untaken, overdue), or_(*below)).order_by(col(Ticket.id))
    query = query.with_for_update(skip_locked=True)
    return [
        ticket
        for ticket in session.exec(query)
        if next_escalation(ticket, company.department(ticket.department)) <= now
    ]
