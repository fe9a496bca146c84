"""Lists of messages for those who look after them, each in an order that an index has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from voc.models import InboundEvent, Message, MessageKind, MessageState, Ticket

UNTIMED = frozenset({MessageState.PLANNED, MessageState.QUEUED})
"""States in which a message is ordered by when it is due, not by when it got there."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a list goes on."""

    at: datetime
    id: int


def spot_of(message: Message) -> Spot:
    """Just behind *message*."""
    return Spot(message.settled_at or message.not_before, message.id or 0)


def page(
    session: Session,
    states: Collection[MessageState],
    *,
    reasons: Collection[str] = (),
    of_work: bool = False,
    newest_first: bool = False,
    after: Spot | None = None,
    limit: int,
) -> list[Message]:
    """Messages in *states*, without their bytes, by when they got there; the longest there first.

    Args:
        reasons: Only for one of these; all if there are none.
        of_work: Only `alerts_of_work`.
        newest_first: The other way round.
    """
    found: list[Message] = []
    wanted: Collection[str | None] = reasons or [None]
    for state, reason in product(states, wanted):
        query = _ordered(state, newest_first=newest_first, after=after)
        if reason is not None:
            query = query.where(Message.reason == reason)
        if of_work:
            query = query.where(alerts_of_work())
        found += session.exec(query.limit(limit))
    found.sort(key=_place, reverse=newest_first)
    return found[:limit]


def _place(message: Message) -> tuple[datetime, int]:
    spot = spot_of(message)
    return spot.at, spot.id


def _ordered(
    state: MessageState, *, newest_first: bool, after: Spot | None
) -> SelectOfScalar[Message]:
    at: Any = col(Message.not_before if state in UNTIMED else Message.settled_at)
    number = col(Message.id)
    query = select(Message).where(Message.state == state).options(defer(Message.content))  # type: ignore[arg-type]
    if after is not None and newest_first:
        query = query.where(at <= after.at, (at < after.at) | (number < after.id))
    elif after is not None:
        query = query.where(at >= after.at, (at > after.at) | (number > after.id))
    order = (at.desc(), number.desc()) if newest_first else (at, number)
    return query.order_by(*order)


def count(
    session: Session,
    states: Collection[MessageState],
    *,
    reasons: Collection[str] = (),
    of_work: bool = False,
    most: int,
) -> int:
    """How many messages are in *states*; *most* + 1 if there are more than that."""
    query = select(Message.id).where(col(Message.state).in_(states))
    if reasons:
        query = query.where(col(Message.reason).in_(sorted(reasons)))
    if of_work:
        query = query.where(alerts_of_work())
    some = query.limit(most + 1).subquery()
    return session.exec(select(func.count()).select_from(some)).one()


def alerts_of_work() -> ColumnElement[bool]:
    """Alerts about tickets that are not finished: a colleague may still wait for them."""
    ticket = (col(Ticket.id) == Message.ticket_id) & col(Ticket.due_at).is_not(None)
    return (col(Message.kind) == MessageKind.ALERT) & select(Ticket.id).where(ticket).exists()


def reported(session: Session, message_id: int) -> list[InboundEvent]:
    """What mailboxes and providers told us about a message, the oldest first."""
    query = select(InboundEvent).where(InboundEvent.message_id == message_id)
    return list(session.exec(query.order_by(col(InboundEvent.id))))
