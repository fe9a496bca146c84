"""One customer as colleagues see them, and how they are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import Consent, Customer, Feedback, Identity, Loop, LoopTicket, Ticket
from voc.rules.lifecycle import UNFINISHED
from voc.store.customers import Handle, owners_of
from voc.store.message_lists import Spot

Departments = Collection[str] | None
"""Those that somebody sees; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A line in the list of customers."""

    customer: Customer
    spot: Spot
    """Their newest feedback; for an owner, their newest ticket."""
    open_tickets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopShown:
    """What we owed them, and how it ended or stands."""

    loop: Loop
    tickets: tuple[Ticket, ...]


def among(departments: Collection[str]) -> ColumnElement[bool]:
    """A condition on tickets of one customer: of these departments."""
    return unindexed(Ticket.department).in_(departments)


def found(session: Session, customer_id: int, departments: Departments) -> Customer | None:
    """The customer whom this number means by now, if they are anybody's whom one sees.

    Who was merged is found as the one who was kept.
    """
    customer = session.get(Customer, customer_id)
    while customer is not None and customer.merged_into_id is not None:
        customer = session.get_one(Customer, customer.merged_into_id)
    if customer is None or departments is None:
        return customer
    theirs = select(Ticket.id).where(Ticket.customer_id == customer.id, among(departments))
    return customer if session.exec(theirs.limit(1)).first() is not None else None


def by_handles(session: Session, handles: Sequence[Handle]) -> list[int]:
    """The numbers of the customers with one of these handles."""
    return sorted(set(owners_of(session, handles).values()))


def identities(session: Session, customer_id: int) -> Sequence[Identity]:
    """The oldest first."""
    query = select(Identity).where(Identity.customer_id == customer_id)
    return session.exec(query.order_by(col(Identity.at), col(Identity.id))).all()


def consents(session: Session, customer_id: int) -> Sequence[Consent]:
    """All that they said of being written to; the newest, which holds, first."""
    query = select(Consent).where(Consent.customer_id == customer_id)
    return session.exec(query.order_by(col(Consent.at).desc(), col(Consent.id).desc())).all()


def visible_loops(customer_id: int, departments: Departments) -> ColumnElement[bool]:
    """A condition on loops: theirs, and about a ticket of one of *departments*."""
    theirs = col(Loop.customer_id) == customer_id
    if departments is None:
        return theirs
    about = (
        select(LoopTicket.loop_id)
        .join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
        .where(col(LoopTicket.loop_id) == Loop.id, among(departments))
    )
    return theirs & sa.exists(about.correlate(Loop))


def loops(
    session: Session, customer_id: int, departments: Departments, *, limit: int
) -> list[LoopShown]:
    """Their newest loops with the tickets that one sees."""
    query = select(Loop).where(visible_loops(customer_id, departments))
    rows = session.exec(query.order_by(col(Loop.id).desc()).limit(limit)).all()
    pairs = (
        select(LoopTicket.loop_id, Ticket)
        .join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
        .where(col(LoopTicket.loop_id).in_([loop.id for loop in rows]))
        .order_by(col(Ticket.id))
    )
    by_loop: dict[int, list[Ticket]] = {}
    for loop_id, ticket in session.exec(pairs):
        if departments is None or ticket.department in departments:
            by_loop.setdefault(loop_id, []).append(ticket)
    return [LoopShown(loop=loop, tickets=tuple(by_loop.get(loop.id or 0, ()))) for loop in rows]


def active(
    session: Session, departments: Departments, *, after: Spot | None, limit: int
) -> list[Known]:
    """Customers by when they last said something; an owner's by their newest ticket.

    Read along an index, so that a page costs the same however many there are.
    """
    if departments is None:
        spots = _who_spoke(session, after, limit)
    else:
        queues = [_who_has_tickets(session, d, departments, after, limit) for d in departments]
        merged = merge(*queues, key=lambda each: each[1].id, reverse=True)
        spots = list(islice(merged, limit))
    return _lines(session, spots, departments)


def lines(session: Session, customers: Sequence[int], departments: Departments) -> list[Known]:
    """The same of these customers, whenever they were active."""
    now_here = {each.id: each.created_at for each in _customers(session, customers).values()}
    spots = [(number, Spot(now_here[number], number)) for number in customers if number in now_here]
    return _lines(session, spots, departments)


def _who_spoke(session: Session, after: Spot | None, limit: int) -> list[tuple[int, Spot]]:
    newer = aliased(Feedback)
    when, later = col(Feedback.said_at), col(newer.said_at)
    theirs = col(newer.customer_id) == Feedback.customer_id
    # Apart, each of the two is one look into an index. SQLite does not look up a pair in one.
    is_overtaken = sa.or_(
        sa.exists().where(theirs, later > when),
        sa.exists().where(theirs, later == when, col(newer.id) > col(Feedback.id)),
    )
    query = select(Feedback.customer_id, Feedback.said_at, Feedback.id).where(~is_overtaken)
    if after:
        is_older = (when < after.at) | (col(Feedback.id) < after.id)
        query = query.where(when <= after.at, is_older)
    rows = session.exec(query.order_by(when.desc(), col(Feedback.id).desc()).limit(limit))
    return [(customer_id, Spot(at, number or 0)) for customer_id, at, number in rows]


def _who_has_tickets(
    session: Session, department: str, seen: Collection[str], after: Spot | None, limit: int
) -> list[tuple[int, Spot]]:
    newer = aliased(Ticket)
    is_overtaken = sa.exists().where(
        col(newer.customer_id) == Ticket.customer_id,
        col(newer.department).in_(seen),
        col(newer.id) > col(Ticket.id),
    )
    query = select(Ticket.customer_id, Ticket.opened_at, Ticket.id).where(
        Ticket.department == department, ~is_overtaken
    )
    if after:
        query = query.where(col(Ticket.id) < after.id)
    rows = session.exec(query.order_by(col(Ticket.id).desc()).limit(limit))
    return [(customer_id, Spot(at, number or 0)) for customer_id, at, number in rows]


def _lines(
    session: Session, spots: Sequence[tuple[int, Spot]], departments: Departments
) -> list[Known]:
    numbers = [customer_id for customer_id, _ in spots]
    customers = _customers(session, numbers)
    theirs = select(Ticket.customer_id, Ticket.state, Ticket.department)
    rows = session.exec(theirs.where(col(Ticket.customer_id).in_(numbers)))
    counted = Counter(
        customer_id
        for customer_id, state, department in rows
        if state in UNFINISHED and (departments is None or department in departments)
    )
    return [
        Known(customer=customers[customer_id], spot=spot, open_tickets=counted[customer_id])
        for customer_id, spot in spots
    ]


def _customers(session: Session, numbers: Sequence[int]) -> dict[int, Customer]:
    query = select(Customer).where(col(Customer.id).in_(numbers))
    return {row.id or 0: row for row in session.exec(query)}
