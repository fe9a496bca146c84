"""Messages: each is whole, did what the ledger says, and left at most once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from voc.models import (
    Message,
    MessageKind,
    MessageState,
    TicketEvent,
)
from voc.rules.books import Finding
from voc.rules.message_history import STATES, Entry, ImpossibleHistoryError, replay
from voc.store.verify.since import since

LEFT = frozenset(
    {
        MessageState.SENT,
        MessageState.DELIVERED,
        MessageState.BOUNCED,
        MessageState.COMPLAINED,
    }
)
WITH_REASON = frozenset(
    {
        MessageState.SUPPRESSED,
        MessageState.EXPIRED,
        MessageState.HELD,
        MessageState.CANCELLED,
        MessageState.FAILED,
        MessageState.DEAD,
    }
)


def messages_are_whole(session: Session) -> Finding | None:
    """What left has its Message-ID and time; what did not says why."""
    name = "messages are whole"
    wrong = or_(
        and_(
            col(Message.state).in_(LEFT),
            or_(col(Message.message_id).is_(None), col(Message.settled_at).is_(None)),
        ),
        and_(col(Message.state).in_(WITH_REASON), col(Message.reason).is_(None)),
        and_(col(Message.kind) == MessageKind.FOLLOW_UP, col(Message.customer_id).is_(None)),
    )
    row = session.exec(select(Message).where(wrong).order_by(col(Message.id)).limit(1)).first()
    return (
        Finding(name, f"message {row.id}", f"is {row.state.value} but not whole") if row else None
    )


def messages_follow_their_events(session: Session) -> Finding | None:
    """A message is what its events lead to, and no event hands it over a second time."""
    name = "messages follow their events"
    start = since(session)
    columns = (col(Message.id), col(Message.state), col(Message.planned_at))
    rows = session.execute(sa.select(*columns).order_by(col(Message.id)))
    stories = _histories(session)
    message_id, history = next(stories, (None, []))
    for key, state, planned_at in rows:
        if message_id is not None and message_id < key:
            break
        told = history if message_id == key else []
        is_whole = start is not None and planned_at >= start
        try:
            possible = replay(told, is_whole=is_whole)
        except ImpossibleHistoryError as exc:
            problem = f"{exc.problem} (message {key})"
            return Finding(name, f"ticketevent {exc.entry.event_id}", problem)
        if state not in possible:
            said = " or ".join(sorted(possible))
            return Finding(name, f"message {key}", f"is {state}, its events say {said}")
        if told:
            message_id, history = next(stories, (None, []))
    if message_id is not None:
        row = f"ticketevent {history[0].event_id}"
        return Finding(name, row, f"is about message {message_id}, which is not there")
    return None


def _histories(session: Session) -> Iterator[tuple[int | None, list[Entry]]]:
    """By message its events, both in the order of their ids."""
    events = session.execute(
        sa.select(
            col(TicketEvent.message_id),
            col(TicketEvent.id),
            col(TicketEvent.kind),
            col(TicketEvent.detail),
            col(TicketEvent.actor),
        )
        .where(col(TicketEvent.message_id).is_not(None), col(TicketEvent.kind).in_(STATES))
        .order_by(col(TicketEvent.message_id), col(TicketEvent.id))
    )
    for message_id, rows in groupby(events, key=lambda row: row.message_id):
        entries = [Entry(event_id=r.id, kind=r.kind, detail=r.detail, actor=r.actor) for r in rows]
        yield message_id, entries
