"""A receipt and a resolution that are due together become one mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from voc.models import Message, MessageState
from voc.rules.messages import WAITING
from voc.store.messages import move

MERGED = "merged"
MERGES_WITHIN = timedelta(hours=24)


def merge_receipts(session: Session, *, now: datetime) -> int:
    """Drop receipts whose loop's resolution was planned within a day: it says that, and more."""
    resolution = aliased(Message)
    pairs = session.exec(
        select(Message, func.min(resolution.planned_at))
        .join(resolution, col(resolution.loop_id) == Message.loop_id)
        .where(Message.template == "receipt", col(Message.state).in_(WAITING))
        .where(resolution.template == "resolution", col(resolution.state).in_(WAITING))
        .group_by(col(Message.id))
    ).all()
    return sum(
        move(session, receipt, MessageState.CANCELLED, reason=MERGED, now=now)
        for receipt, planned_at in pairs
        if planned_at - receipt.planned_at < MERGES_WITHIN
    )
