"""Which models are at work, and what people made of where they sent things."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Subquery, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from voc.models import (
    FeedbackVersion,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
    TrainedRouter,
)

IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The tickets of a department that people have taken, or handed on."""

    department: str
    """Where they were sent first."""
    kept: int
    handed_on: int


def readers(session: Session, *, most: int) -> list[str]:
    """The versions of all models together that ever read feedback; by leaps through an index."""
    found: list[str] = []
    while len(found) < most:
        query = select(FeedbackVersion.understood_by).order_by(col(FeedbackVersion.understood_by))
        query = query.where(col(FeedbackVersion.understood_by) > (found[-1] if found else ""))
        if (next_one := session.exec(query.limit(1)).first()) is None:
            break
        found.append(next_one)
    return found


def reads_now(session: Session) -> str | None:
    """The versions that read the newest of what was read."""
    query = select(FeedbackVersion.understood_by).where(
        col(FeedbackVersion.understood_by).is_not(None)
    )
    return session.exec(query.order_by(col(FeedbackVersion.id).desc()).limit(1)).first()


def routers(session: Session, *, limit: int) -> list[TrainedRouter]:
    """What was learned, without the weights, the newest first."""
    query = select(TrainedRouter).options(defer(TrainedRouter.weights))  # type: ignore[arg-type]
    return list(session.exec(query.order_by(col(TrainedRouter.id).desc()).limit(limit)))


def judged(
    session: Session, departments: Collection[str], *, since: datetime, most: int
) -> list[Judged]:
    """By the department that tickets were sent to first: whether it kept them.

    Tickets that nobody has taken yet say nothing, and those that are part of another one neither.

    Args:
        since: Only tickets that were opened from then on.
        most: Of each department that has them now only so many, the newest.
    """
    kept: dict[str, int] = {}
    handed_on = dict.fromkeys(departments, 0)
    moved: list[int] = []
    for department in departments:
        newest = _newest(department, since, most)
        stayed = select(func.count()).where(newest.c.hand == 1, newest.c.state != TicketState.OPEN)
        kept[department] = session.exec(stayed).one()
        moved += session.exec(select(newest.c.id).where(newest.c.hand > 1))
    for first in _first_departments(session, moved):
        if first in handed_on:
            handed_on[first] += 1
    return [Judged(department=d, kept=kept[d], handed_on=handed_on[d]) for d in departments]


def _newest(department: str, since: datetime, most: int) -> Subquery:
    return (
        select(Ticket.id, Ticket.hand, Ticket.state)
        .where(
            Ticket.department == department,
            Ticket.opened_at >= since,
            col(Ticket.merged_into_id).is_(None),
        )
        .order_by(col(Ticket.opened_at).desc())
        .limit(most)
        .subquery()
    )


def _first_departments(session: Session, ticket_ids: Sequence[int]) -> list[str]:
    """Where each of these was sent when it was opened, as the ledger says."""
    found: list[str] = []
    for start in range(0, len(ticket_ids), IDS_AT_ONCE):
        query = select(TicketEvent.detail).where(
            col(TicketEvent.ticket_id).in_(ticket_ids[start : start + IDS_AT_ONCE]),
            TicketEvent.kind == TicketEventKind.OPENED,
        )
        found += session.exec(query)
    return found
