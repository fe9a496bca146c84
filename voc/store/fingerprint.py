"""A short text that changes whenever the books do."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import Answer, ChainHead, Feedback, FeedbackVersion, Message, Quarantine


def fingerprint(session: Session) -> str:
    """Of everything that a report counts: events, feedback and messages by state, quarantine."""
    head = session.get(ChainHead, 1)
    feedback = session.exec(
        select(Feedback.state, func.count())
        .group_by(col(Feedback.state))
        .order_by(col(Feedback.state))
    )
    messages = session.exec(
        select(Message.state, func.count())
        .group_by(col(Message.state))
        .order_by(col(Message.state))
    )
    quarantined = session.exec(select(func.count()).select_from(Quarantine)).one()
    versions = session.exec(select(func.count()).select_from(FeedbackVersion)).one()
    answers = session.exec(select(func.count()).select_from(Answer)).one()
    parts = [f"events={head.length if head else 0}", f"quarantined={quarantined}"]
    parts += [f"versions={versions}", f"answers={answers}"]
    parts += [f"{state}={n}" for state, n in [*feedback, *messages]]
    return " ".join(parts)
