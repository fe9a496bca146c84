"""Whether this database is an older copy of itself, and what that makes of its messages."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select, update

from voc.journal import Head
from voc.models import Installation, Message, MessageState, TicketEvent
from voc.rules.contact import Why
from voc.store.messages import move_all

Is = MessageState
MAY_HAVE_LEFT = frozenset({Is.QUEUED, Is.CLAIMED, Is.SENDING, Is.HELD})


def restored_at(session: Session) -> datetime | None:
    """Since when this is known to be an older copy that nobody has looked into."""
    return session.exec(select(Installation.restored_at)).first()


def mark(session: Session, at: datetime | None) -> None:
    """Remember that this is an older copy, or that somebody has looked into it (None)."""
    session.exec(update(Installation).values(restored_at=at))


def has_come_through(session: Session, head: Head) -> bool:
    """Whether the ledger was at *head* once: its hash covers every event before."""
    if head.length == 0:
        return True
    query = select(TicketEvent.id).where(TicketEvent.hash == head.hash)
    return session.exec(query).first() is not None


def last_common(session: Session, heads: Sequence[Head]) -> int:
    """The length of the longest of *heads* that the ledger has come through; 0 if of none."""
    ordered = sorted(heads, key=lambda head: head.length)
    known = bisect_right(ordered, False, key=lambda head: not has_come_through(session, head))
    return ordered[known - 1].length if known else 0


def doubt_what_may_have_left(session: Session, *, now: datetime) -> int:
    """Make UNKNOWN what waits to leave, or is held until somebody lets it go."""
    not_held_out = col(Message.reason).is_distinct_from(Why.HOLD_OUT.value)
    return move_all(
        session, MAY_HAVE_LEFT, Is.UNKNOWN, not_held_out, reason=Why.RESTORED.value, now=now
    )


def plan_what_the_restore_held(session: Session, *, now: datetime) -> int:
    """What was planned after the restore, and held because of it, is written after all."""
    held = (col(Message.reason) == Why.RESTORED.value, col(Message.content).is_(None))
    return move_all(session, [Is.HELD], Is.PLANNED, *held, now=now)
