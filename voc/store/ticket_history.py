"""What a ticket is about, and everything that happened to it."""

from __future__ import annotations

from sqlmodel import Session, col, select

from voc.models import FeedbackVersion, Statement, TicketEvent


def quotes_of(session: Session, ticket_id: int) -> list[str]:
    """The statements behind a ticket, personal data masked, in the order they were said."""
    rows = session.exec(
        select(Statement, FeedbackVersion.verbatim)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where(Statement.ticket_id == ticket_id)
        .order_by(col(Statement.version_id), col(Statement.start))
    )
    return [verbatim[row.start : row.end].strip() for row, verbatim in rows]


def history_of(session: Session, ticket_id: int) -> list[TicketEvent]:
    """The ticket's events, oldest first."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)
    return list(session.exec(query.order_by(col(TicketEvent.id))))
