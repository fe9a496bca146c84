"""Reading what the measures are made of: seven queries, whatever the size of the period.

The moment that decides is when the customer said it: a loop, a ticket and a rating belong to the
period of their feedback. Messages and quarantined items have none and count by their own moment.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, true
from sqlmodel import Session, col, select

from voc.models import (
    Answer,
    Feedback,
    Loop,
    LoopTicket,
    Message,
    Quarantine,
    RatingScale,
    Ticket,
)
from voc.rules.facts import (
    Facts,
    FeedbackCount,
    LoopFact,
    MessageCount,
    QuarantineCount,
    Rated,
    TicketFact,
)

MEASURED_SCALES = (RatingScale.NPS, RatingScale.CSAT, RatingScale.CES)


def read(session: Session, *, now: datetime, since: datetime | None = None) -> Facts:
    """All facts of the feedback that was said from *since* on; of all time if None.

    Call it in one transaction, so that the numbers fit together.
    """
    said = true() if since is None else col(Feedback.said_at) >= since
    return Facts(
        now=now,
        since=since,
        rated=_rated(session, said),
        loops=_loops(session, said),
        tickets=_tickets(session, said),
        links=_links(session, said),
        messages=_messages(session, since),
        feedback=_feedback(session, said),
        quarantined=_quarantined(session, since),
    )


def _rated(session: Session, said: ColumnElement[bool]) -> tuple[Rated, ...]:
    rows = session.exec(
        select(Feedback, Loop.id)
        .join(Loop, isouter=True)
        .where(said, col(Feedback.rating_scale).in_(MEASURED_SCALES))
        .order_by(col(Feedback.id))
    )
    return tuple(
        Rated(
            rating=feedback.rating,
            scale=feedback.rating_scale,
            channel=feedback.channel,
            said_at=feedback.said_at,
            loop_id=loop_id,
        )
        for feedback, loop_id in rows
        if feedback.rating is not None and feedback.rating_scale is not None
    )


def _loops(session: Session, said: ColumnElement[bool]) -> tuple[LoopFact, ...]:
    answered = exists().where(col(Answer.loop_id) == col(Loop.id))
    rows = session.exec(
        select(Loop, col(Feedback.channel), col(Feedback.said_at), answered)
        .join(Feedback)
        .where(said)
        .order_by(col(Loop.id))
    )
    return tuple(
        LoopFact(
            id=_stored_id(loop.id),
            kind=loop.kind,
            state=loop.state,
            reason=loop.reason,
            reopened=loop.reopened,
            channel=channel,
            said_at=said_at,
            first_told_at=loop.first_told_at,
            closed_at=loop.closed_at,
            answered=has_answer,
        )
        for loop, channel, said_at, has_answer in rows
    )


def _tickets(session: Session, said: ColumnElement[bool]) -> tuple[TicketFact, ...]:
    """Each once, however many loops share it."""
    of_the_period = select(LoopTicket.ticket_id).join(Loop).join(Feedback).where(said)
    rows = session.exec(
        select(Ticket).where(col(Ticket.id).in_(of_the_period)).order_by(col(Ticket.id))
    )
    return tuple(
        TicketFact(
            id=_stored_id(ticket.id),
            department=ticket.department,
            topic=ticket.topic,
            state=ticket.state,
            hand=ticket.hand,
            first_response_due_at=ticket.first_response_due_at,
            resolution_due_at=ticket.resolution_due_at,
            accepted_at=ticket.accepted_at,
            resolved_at=ticket.resolved_at,
            closed_at=ticket.closed_at,
        )
        for ticket in rows
    )


def _links(session: Session, said: ColumnElement[bool]) -> tuple[tuple[int, int], ...]:
    rows = session.exec(
        select(LoopTicket.loop_id, LoopTicket.ticket_id)
        .join(Loop)
        .join(Feedback)
        .where(said)
        .order_by(col(LoopTicket.loop_id), col(LoopTicket.ticket_id))
    )
    return tuple((loop_id, ticket_id) for loop_id, ticket_id in rows)


def _messages(session: Session, since: datetime | None) -> tuple[MessageCount, ...]:
    rows = session.exec(
        select(col(Message.state), col(Message.reason), func.count())
        .where(true() if since is None else col(Message.planned_at) >= since)
        .group_by(col(Message.state), col(Message.reason))
    )
    return tuple(MessageCount(state=state, reason=reason, n=n) for state, reason, n in rows)


def _feedback(session: Session, said: ColumnElement[bool]) -> tuple[FeedbackCount, ...]:
    rows = session.exec(
        select(col(Feedback.state), col(Feedback.reason), func.count())
        .where(said)
        .group_by(col(Feedback.state), col(Feedback.reason))
    )
    return tuple(FeedbackCount(state=state, reason=reason, n=n) for state, reason, n in rows)


def _quarantined(session: Session, since: datetime | None) -> tuple[QuarantineCount, ...]:
    rows = session.exec(
        select(col(Quarantine.state), col(Quarantine.reason), func.count())
        .where(true() if since is None else col(Quarantine.at) >= since)
        .group_by(col(Quarantine.state), col(Quarantine.reason))
    )
    return tuple(QuarantineCount(state=state, reason=reason, n=n) for state, reason, n in rows)


def _stored_id(value: int | None) -> int:
    """A stored row has one; only a new one does not."""
    assert value is not None  # noqa: S101
    return value
