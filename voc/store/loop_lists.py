"""Loops as lists: those behind a number, by when their feedback was said, and those that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, true
from sqlmodel import Session, col, select

from voc.columns import unindexed
from voc.models import Customer, Feedback, Loop, LoopState
from voc.rules import reasons
from voc.store.message_lists import Spot
from voc.store.said import LOOKED_THROUGH, Span, Stretch, conditions, stretch
from voc.store.weekly import Wanted

Listed = Sequence[tuple[Loop, datetime]]
"""Loops, and when the customer said it."""


@dataclass(frozen=True, slots=True)
class Which:
    """Loops in a state, for a reason: of those that could not be told a group of reasons."""

    state: LoopState
    reason: str | None = None
    """None: any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Some loops, and the spot behind which the next page begins; None: nowhere."""

    loops: Listed
    after: Spot | None


def said_in(
    session: Session, which: Which, wanted: Wanted, span: Span, *, after: Spot | None, limit: int
) -> Found:
    """Such loops, whose feedback was said in *span* before *after*, the newest first.

    If there are few of them in all, all are looked at; else those of so much feedback.
    """
    state, said, key = col(Loop.state), col(Feedback.said_at), col(Feedback.id)
    because = _because(which)
    ids = select(Loop.id).where(state == which.state, because).limit(LOOKED_THROUGH + 1)
    if len(session.exec(ids).all()) <= LOOKED_THROUGH:
        looked_at, is_such = Stretch(*span, after), state == which.state
    else:
        looked_at, is_such = stretch(session, span, after), unindexed(state) == which.state
    rows = session.exec(
        select(Loop, said)
        .join(Feedback, key == Loop.feedback_id)
        .join(Customer, col(Customer.id) == Feedback.customer_id)
        .where(is_such, because, *looked_at.holds(key), *conditions(wanted))
        .order_by(said.desc(), key.desc())
        .limit(limit)
    ).all()
    last = Spot(rows[-1][1], rows[-1][0].feedback_id) if len(rows) == limit else None
    return Found(loops=rows, after=looked_at.follows(last))


def in_state(session: Session, state: LoopState, *, after: int, limit: int) -> Listed:
    """All loops in *state* now with ids above *after*: who has waited longest is first."""
    return session.exec(
        select(Loop, col(Feedback.said_at))
        .join(Feedback, col(Feedback.id) == Loop.feedback_id)
        .where(Loop.state == state, col(Loop.id) > after)
        .order_by(col(Loop.id))
        .limit(limit)
    ).all()


def _because(which: Which) -> ColumnElement[bool]:
    reason = col(Loop.reason)
    if which.reason is None:
        return true()
    if which.state is not LoopState.COULD_NOT_TELL:
        return reason == which.reason
    if (names := reasons.reasons_in(which.reason)) is not None:
        return reason.in_(names)
    return reason.not_in(list(reasons.GROUPS)) | reason.is_(None)
