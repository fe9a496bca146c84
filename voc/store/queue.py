"""What waits in the queues of departments, by pages, and what a page shows of each ticket.

A queue is read along an index, one department after the other: a page of it costs the same
however long it is. Filters look at what the index holds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from heapq import merge
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import ColumnElement, case, func, or_
from sqlmodel import Session, col, select

from voc.columns import UtcDateTime
from voc.models import Account, Role, Ticket
from voc.rules.queue import RANKS, Place

START = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every promise: what is finished has none, and is not in the queue."""
RANK = case({priority.value: rank for priority, rank in RANKS.items()}, value=col(Ticket.priority))


class Whose(StrEnum):
    """Which tickets of a queue."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which part of which queues somebody wants to see."""

    departments: Collection[str]
    whose: Whose = Whose.ALL
    me: str = ""
    """In small letters; the company file may spell the address otherwise."""
    topic: str | None = None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tickets wait. What is put off counts as snoozed only; late it is not put off."""

    all: int
    mine: int
    unassigned: int
    overdue: int
    snoozed: int


def page_of(session: Session, asked: Asked, *, after: Place | None, limit: int) -> list[Ticket]:
    """Tickets in the order of `Place`, from behind *after* on."""
    queues = [_queue(session, d, asked, after, limit) for d in sorted(asked.departments)]
    return list(islice(merge(*queues, key=Place.of), limit))


def _queue(
    session: Session, department: str, asked: Asked, after: Place | None, limit: int
) -> Sequence[Ticket]:
    due = col(Ticket.due_at)
    query = select(Ticket).where(
        Ticket.department == department, due >= (after.due_at if after else START), *_only(asked)
    )
    if after:
        here = sa.tuple_(due, RANK, col(Ticket.id))
        there = sa.tuple_(
            sa.literal(after.due_at, UtcDateTime()),
            sa.literal(after.rank),
            sa.literal(after.ticket_id),
        )
        query = query.where(here > there)
    return session.exec(query.order_by(due, RANK, col(Ticket.id)).limit(limit)).all()


def _only(asked: Asked) -> list[ColumnElement[bool]]:
    until = col(Ticket.snoozed_until)
    is_asleep = until > asked.now
    which = [is_asleep if asked.whose is Whose.SNOOZED else or_(until.is_(None), ~is_asleep)]
    if asked.whose is Whose.MINE:
        which.append(func.lower(Ticket.owner) == asked.me)
    elif asked.whose is Whose.UNASSIGNED:
        which.append(col(Ticket.owner).is_(None))
    if asked.topic:
        which.append(col(Ticket.topic) == asked.topic)
    return which


def counts_of(session: Session, asked: Asked) -> Counts:
    """Over all departments that are asked about, whatever the other filters are: index only."""
    awake = or_(col(Ticket.snoozed_until).is_(None), col(Ticket.snoozed_until) <= asked.now)
    owner, due = col(Ticket.owner), col(Ticket.due_at)

    def count(*which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((sa.and_(*which), 1)))

    row = session.execute(
        sa.select(
            count(awake),
            count(awake, func.lower(owner) == asked.me),
            count(awake, owner.is_(None)),
            count(due < asked.now),
            count(~awake),
        ).where(col(Ticket.department).in_(sorted(asked.departments)), due >= START)
    ).one()
    return Counts(all=row[0], mine=row[1], unassigned=row[2], overdue=row[3], snoozed=row[4])


def accounts_of(session: Session, department: str) -> list[Account]:
    """Owners who sign in to the desk for this department, by name."""
    query = select(Account).where(Account.role == Role.OWNER, col(Account.closed_at).is_(None))
    accounts = session.exec(query.order_by(col(Account.name), col(Account.id)))
    return [account for account in accounts if department in account.departments]
