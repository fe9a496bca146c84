"""What there is now, counted: the closing table of a run."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import (
    Feedback,
    FeedbackState,
    Loop,
    Message,
    Quarantine,
    QuarantineState,
    Statement,
    Ticket,
)

Rows = list[tuple[str, int]]


def summary(session: Session) -> dict[str, Rows]:
    """Sections of (what, how many), from one query each."""
    return {
        "Feedback": _feedback(session),
        "Tickets by department": _tickets(session),
        "Messages": _messages(session),
        "Loops": _loops(session),
    }


def _feedback(session: Session) -> Rows:
    collected = session.exec(select(func.count()).select_from(Feedback)).one()
    waiting = select(func.count()).where(Quarantine.state == QuarantineState.WAITING)
    statements = session.exec(select(func.count()).select_from(Statement)).one()
    states = session.exec(
        select(col(Feedback.state), col(Feedback.reason), func.count())
        .group_by(col(Feedback.state), col(Feedback.reason))
        .order_by(func.count().desc())
    )
    by_fate: Counter[str] = Counter()
    for state, reason, n in states:
        said = f": {reason.replace('_', ' ')}" if reason and state is FeedbackState.FILED else ""
        by_fate[f"  {state.value}{said}"] += n
    rows = [("collected", collected), *by_fate.items()]
    rows.append(("statements in it", statements))
    rows.append(("in quarantine", session.exec(waiting).one()))
    return rows


def _tickets(session: Session) -> Rows:
    rows = session.exec(
        select(col(Ticket.department), col(Ticket.state), func.count())
        .group_by(col(Ticket.department), col(Ticket.state))
        .order_by(col(Ticket.department), col(Ticket.state))
    )
    return [(f"{department}: {state.value.replace('_', ' ')}", n) for department, state, n in rows]


def _messages(session: Session) -> Rows:
    rows = session.exec(
        select(col(Message.template), col(Message.state), col(Message.reason), func.count())
        .group_by(col(Message.template), col(Message.state), col(Message.reason))
        .order_by(col(Message.template), func.count().desc())
    )
    found = []
    for template, state, reason, n in rows:
        said = f" ({reason.replace('_', ' ')})" if reason else ""
        found.append((f"{template.replace('_', ' ')}: {state.value}{said}", n))
    return found


def _loops(session: Session) -> Rows:
    rows = session.exec(
        select(col(Loop.state), col(Loop.reason), func.count())
        .group_by(col(Loop.state), col(Loop.reason))
        .order_by(func.count().desc())
    )
    found = []
    for state, reason, n in rows:
        said = f": {reason.replace('_', ' ')}" if reason else ""
        found.append((f"{state.value.replace('_', ' ')}{said}", n))
    return found
