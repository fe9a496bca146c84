"""What waits at this moment: asked each time, from indexes alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from voc.models import (
    Loop,
    LoopState,
    Message,
    MessageState,
    Quarantine,
    QuarantineState,
    Ticket,
)
from voc.rules.contact import Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many wait for what, now."""

    unknown: int
    quarantined: int
    approvals: int
    open_loops: int
    told_loops: int
    open_tickets: int
    late_tickets: int


def standing(session: Session, now: datetime) -> Standing:
    """What waits now."""
    tickets = by_department(session, now)
    return Standing(
        unknown=_messages(session, MessageState.UNKNOWN),
        quarantined=_count(session, col(Quarantine.state) == QuarantineState.WAITING),
        approvals=_messages(session, MessageState.HELD, Why.NEEDS_APPROVAL),
        open_loops=_count(session, col(Loop.state) == LoopState.OPEN),
        told_loops=_count(session, col(Loop.state) == LoopState.TOLD),
        open_tickets=sum(waiting for waiting, _ in tickets.values()),
        late_tickets=sum(late for _, late in tickets.values()),
    )


def departments(session: Session) -> list[str]:
    """All that have tickets, also those that have left the company file since. By leaps."""
    found: list[str] = []
    name = col(Ticket.department)
    query = select(func.min(name))
    while (following := session.exec(query).one()) is not None:
        found.append(following)
        query = select(func.min(name)).where(name > following)
    return found


def by_department(session: Session, now: datetime) -> dict[str, tuple[int, int]]:
    """By department the tickets that are not finished, and those of them that are late."""
    due = col(Ticket.due_at)
    late = func.sum(case((due < now, 1), else_=0))
    rows = session.exec(
        select(col(Ticket.department), func.count(), late)
        .where(col(Ticket.department).in_(departments(session)), due.is_not(None))
        .group_by(col(Ticket.department))
    )
    return {department: (n, int(late or 0)) for department, n, late in rows}


def _messages(session: Session, state: MessageState, reason: str | None = None) -> int:
    which = col(Message.state) == state
    return _count(session, which if reason is None else which & (col(Message.reason) == reason))


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).where(which)).one()
