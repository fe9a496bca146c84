"""A short text that changes whenever the books do."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import ChainHead, Feedback, Message, Quarantine


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
    parts = [f"events={head.length if head else 0}", f"quarantined={quarantined}"]
    parts += [f"{state}={n}" for state, n in [*feedback, *messages]]
    return " ".join(parts)
