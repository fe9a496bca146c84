"""Feedback: each piece is in one state, its words are in place and those of the ledger."""

from __future__ import annotations

from sqlalchemy import and_, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select

from voc.models import (
    Feedback,
    FeedbackState,
    FeedbackVersion,
    Loop,
    Statement,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.books import Finding
from voc.rules.provenance import read_origin


def feedback_is_in_one_state(session: Session) -> Finding | None:
    """Routed feedback has its loop, filed has its reason, the rest has neither."""
    name = "feedback is in one state"
    unknown = select(Feedback.id).where(col(Feedback.state).not_in([*FeedbackState]))
    if (key := session.exec(unknown.order_by(col(Feedback.id)).limit(1)).first()) is not None:
        return Finding(name, f"feedback {key}", "is in a state that there is not")
    has_loop = exists().where(col(Loop.feedback_id) == Feedback.id)
    wrong = or_(
        and_(col(Feedback.state) == FeedbackState.ROUTED, ~has_loop),
        and_(col(Feedback.state) == FeedbackState.FILED, col(Feedback.reason).is_(None)),
    )
    row = session.exec(select(Feedback).where(wrong).order_by(col(Feedback.id)).limit(1)).first()
    if row:
        return Finding(
            name, f"feedback {row.id}", f"is {row.state.value} without its loop or reason"
        )
    has_version = exists().where(
        col(FeedbackVersion.feedback_id) == Feedback.id,
        col(FeedbackVersion.number) == Feedback.version,
    )
    row = session.exec(select(Feedback).where(~has_version).limit(1)).first()
    return Finding(name, f"feedback {row.id}", "has no current version") if row else None


def statements_lie_in_their_verbatim(session: Session) -> Finding | None:
    """Spans point into the text, and do not overlap."""
    name = "statements lie in their verbatim"
    length = func.length(FeedbackVersion.verbatim)
    row = session.exec(
        select(Statement)
        .join(FeedbackVersion, col(FeedbackVersion.id) == Statement.version_id)
        .where((col(Statement.end) > length) | (col(Statement.start) >= Statement.end))
        .order_by(col(Statement.id))
        .limit(1)
    ).first()
    if row:
        return Finding(name, f"statement {row.id}", "points outside of the text")
    other = aliased(Statement)
    row = session.exec(
        select(Statement)
        .join(other, (col(other.version_id) == Statement.version_id) & (other.id != Statement.id))
        .where(col(other.start) <= Statement.start, col(other.end) > Statement.start)
        .order_by(col(Statement.id))
        .limit(1)
    ).first()
    return Finding(name, f"statement {row.id}", "overlaps another one") if row else None


def words_are_those_of_the_ledger(session: Session) -> Finding | None:
    """The version of the words that the ledger names is there, with the content that it had."""
    name = "words are those of the ledger"
    versions = session.exec(
        select(FeedbackVersion.feedback_id, FeedbackVersion.number, FeedbackVersion.content_hash)
    )
    contents = {(feedback_id, number): content for feedback_id, number, content in versions}
    steps = session.exec(
        select(TicketEvent.id, TicketEvent.detail, Loop.feedback_id)
        .join(Loop, col(Loop.id) == TicketEvent.loop_id)
        .where(col(TicketEvent.kind).in_([TicketEventKind.LOOP_OPENED, TicketEventKind.DECIDED]))
        .order_by(col(TicketEvent.id))
    )
    for event_id, detail, of_loop in steps:
        if (origin := read_origin(detail)) is None:
            continue
        feedback_id, number, content = origin
        if feedback_id != of_loop:
            problem = f"names feedback {feedback_id}, its loop is about {of_loop}"
            return Finding(name, f"ticketevent {event_id}", problem)
        if not contents.get((feedback_id, number), "-").startswith(content):
            return Finding(name, f"feedback {feedback_id}", f"version {number} is another one")
    return None
