"""What a ticket is about, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlmodel import Session, col, func, select

from voc.models import FeedbackVersion, Statement, TicketEvent, TicketEventKind
from voc.store.listings import MOVES


def quotes_of(session: Session, ticket_ids: Sequence[int | None]) -> dict[int, list[str]]:
    """By ticket the statements behind it, personal data masked, in the order they were said.

    Of edited feedback only the newest words count; each quote stands once.
    """
    rows = session.exec(
        select(Statement, FeedbackVersion)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where(col(Statement.ticket_id).in_(ticket_ids))
        .order_by(col(FeedbackVersion.feedback_id), col(Statement.version_id), col(Statement.start))
    ).all()
    newest = {(s.ticket_id, v.feedback_id): v.number for s, v in rows}
    found: dict[int, list[str]] = {}
    for statement, version in rows:
        quotes = found.setdefault(statement.ticket_id or 0, [])
        text = version.verbatim[statement.start : statement.end].strip()
        is_newest = newest[statement.ticket_id, version.feedback_id] == version.number
        if is_newest and text and text not in quotes:
            quotes.append(text)
    return found


def statements_of(session: Session, ticket_id: int) -> list[int]:
    """The numbers of all statements behind a ticket."""
    query = select(Statement.id).where(Statement.ticket_id == ticket_id).order_by(col(Statement.id))
    return [number for number in session.exec(query) if number is not None]


def history_of(session: Session, ticket_id: int) -> list[TicketEvent]:
    """The ticket's events, oldest first."""
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id)
    return list(session.exec(query.order_by(col(TicketEvent.id))))


def newest_move(session: Session, ticket_id: int) -> TicketEvent | None:
    """What happened last to the ticket itself. That a message about it left is nothing of that."""
    return next(iter(newest_of(session, ticket_id, MOVES, limit=1)), None)


def newest_of(
    session: Session, ticket_id: int, kinds: Collection[TicketEventKind], *, limit: int
) -> list[TicketEvent]:
    """The ticket's newest events of these kinds, the newest first."""
    query = select(TicketEvent).where(
        TicketEvent.ticket_id == ticket_id, col(TicketEvent.kind).in_(sorted(kinds))
    )
    return list(session.exec(query.order_by(col(TicketEvent.id).desc()).limit(limit)))


def times(session: Session, ticket_id: int, kind: TicketEventKind) -> int:
    """How often that has happened to the ticket."""
    query = select(func.count()).where(
        col(TicketEvent.ticket_id) == ticket_id, TicketEvent.kind == kind
    )
    return session.exec(query).one()
