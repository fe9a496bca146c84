"""Noting which days' feedback has changed, so that only their weeks are counted again.

In the transaction of the change: what is rolled back was not changed. Rows are only added, so that
nobody who changes feedback waits for anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from voc.models import Feedback, FeedbackVersion, Statement, ThemeAssignment, TouchedDay
from voc.store.feedback import IN_A_QUERY
from voc.store.upsert import insert_new


def touch(session: Session, said_at: Iterable[datetime]) -> None:
    """What was said at these moments has changed, or what became of it."""
    days = sorted({moment.astimezone(UTC).date() for moment in said_at})
    insert_new(session, TouchedDay, [{"day": day} for day in days])


def touch_feedback(session: Session, which: ColumnElement[bool]) -> None:
    """The feedback of which *which* holds has changed."""
    touch(session, session.exec(select(Feedback.said_at).where(which)).all())


def touch_statements(session: Session, statement_ids: Sequence[int]) -> None:
    """What is known of these statements has changed."""
    for start in range(0, len(statement_ids), IN_A_QUERY):
        _touch(session, col(Statement.id).in_(statement_ids[start : start + IN_A_QUERY]))


def touch_placed(session: Session, which: ColumnElement[bool]) -> None:
    """The statements whose place among the themes *which* is about have changed."""
    placed = select(ThemeAssignment.statement_id).where(which)
    _touch(session, col(Statement.id).in_(placed))


def _touch(session: Session, statements: ColumnElement[bool]) -> None:
    query = (
        select(Feedback.said_at)
        .join(FeedbackVersion, col(FeedbackVersion.feedback_id) == Feedback.id)
        .join(Statement, col(Statement.version_id) == FeedbackVersion.id)
        .where(statements)
    )
    touch(session, session.exec(query).all())
