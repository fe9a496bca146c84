"""Which models are at work, and what people made of where they sent things."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import (
    FeedbackVersion,
    Ticket,
    TicketEvent,
    TicketEventKind,
    TicketState,
    TrainedRouter,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The tickets of a department that people have taken, or handed on."""

    department: str
    """Where they were sent first."""
    kept: int
    handed_on: int


def readers(session: Session, *, most: int) -> list[str]:
    """The versions of all models together that read feedback, those of the newest words first.

    By leaps through an index, from each of them to the next.
    """
    by, number = col(FeedbackVersion.understood_by), col(FeedbackVersion.id)
    leap = select(func.min(by).label("version")).cte("leap", recursive=True)
    onwards = select(func.min(by)).where(by > leap.c.version).scalar_subquery()
    leap = leap.union_all(select(onwards).where(leap.c.version.is_not(None)))
    newest = select(func.max(number)).where(by == leap.c.version).scalar_subquery()
    query = select(leap.c.version).where(leap.c.version.is_not(None))
    return list(session.exec(query.order_by(newest.desc()).limit(most)))


def routers(session: Session, *, limit: int) -> list[TrainedRouter]:
    """What was learned, without the weights, the newest first."""
    query = select(TrainedRouter).options(defer(TrainedRouter.weights))  # type: ignore[arg-type]
    return list(session.exec(query.order_by(col(TrainedRouter.id).desc()).limit(limit)))


def beginning(
    session: Session, departments: Collection[str], *, since: datetime, most: int
) -> datetime:
    """From when on the tickets of all *departments* are few enough to be counted on a page.

    One moment for all: what one of them handed on is among those that another one has.

    Args:
        since: Not earlier than that.
        most: So many tickets of each that has them now, the newest, and those of the same moment.
    """
    begun = since
    for department in departments:
        theirs = (Ticket.department == department, Ticket.opened_at >= since)
        newest = select(Ticket.opened_at).where(*theirs).order_by(col(Ticket.opened_at).desc())
        begun = max(begun, session.exec(newest.offset(most - 1).limit(1)).first() or since)
    return begun


def judged(session: Session, departments: Collection[str], *, since: datetime) -> list[Judged]:
    """By the department that tickets were sent to first: whether it kept them.

    Tickets that nobody has taken yet say nothing, and those that are part of another one neither.

    Args:
        since: Only tickets that were opened from then on.
    """
    which = (
        col(Ticket.department).in_(departments),
        Ticket.opened_at >= since,
        unindexed(Ticket.merged_into_id).is_(None),
    )
    stayed = select(Ticket.department, func.count()).where(*which, Ticket.hand == 1)
    stayed = stayed.where(Ticket.state != TicketState.OPEN).group_by(col(Ticket.department))
    moved = (
        select(TicketEvent.detail, func.count())
        .join(Ticket, col(Ticket.id) == TicketEvent.ticket_id)
        .where(*which, Ticket.hand > 1, TicketEvent.kind == TicketEventKind.OPENED)
        .group_by(col(TicketEvent.detail))
    )
    kept, handed_on = dict(session.exec(stayed).all()), dict(session.exec(moved).all())
    return [
        Judged(department=d, kept=kept.get(d, 0), handed_on=handed_on.get(d, 0))
        for d in departments
    ]
