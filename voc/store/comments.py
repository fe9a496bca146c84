"""What colleagues write on tickets, for each other."""

from __future__ import annotations

from sqlalchemy import delete, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from voc.models import Feedback, FeedbackState, Loop, LoopTicket, TicketComment

MOST = 200
"""The newest that are shown of one ticket."""


def of_ticket(session: Session, ticket_id: int) -> list[TicketComment]:
    """A ticket's comments, the oldest first; of very many the newest."""
    query = select(TicketComment).where(TicketComment.ticket_id == ticket_id)
    newest = session.exec(query.order_by(col(TicketComment.id).desc()).limit(MOST))
    return list(reversed(newest.all()))


def find(session: Session, ticket_id: int, comment_id: int) -> TicketComment | None:
    """One comment of a ticket; None if it has none with this number."""
    row = session.get(TicketComment, comment_id)
    return row if row is not None and row.ticket_id == ticket_id else None


def hand_on(session: Session, ticket_id: int, to_id: int) -> None:
    """Let one ticket's comments stand on another."""
    query = update(TicketComment).where(col(TicketComment.ticket_id) == ticket_id)
    session.execute(query.values(ticket_id=to_id))


def forget(session: Session, loop_id: int) -> None:
    """Erase the comments on a loop's tickets that are about no other words that are kept."""
    other = aliased(LoopTicket)
    kept = exists().where(
        col(other.ticket_id) == LoopTicket.ticket_id,
        col(other.loop_id) != loop_id,
        col(Loop.id) == other.loop_id,
        col(Feedback.id) == Loop.feedback_id,
        col(Feedback.state) != FeedbackState.FILED,
    )
    bare = select(LoopTicket.ticket_id).where(LoopTicket.loop_id == loop_id, ~kept)
    session.execute(delete(TicketComment).where(col(TicketComment.ticket_id).in_(bare)))
