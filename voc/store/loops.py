"""Loops that wait for something: a reminder, silence, or news that will never come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, cast, exists, or_
from sqlmodel import Session, and_, col, select

from voc.models import Answer, Loop, LoopState, Message, MessageState
from voc.rules.contact import Why
from voc.rules.merging import NEVER_LEFT
from voc.rules.messages import SAME_WORDS, WAITING

NEVER_ARRIVES = (
    MessageState.SUPPRESSED,
    MessageState.EXPIRED,
    MessageState.FAILED,
    MessageState.DEAD,
    MessageState.BOUNCED,
    MessageState.ABANDONED,
)


def to_remind(session: Session, told_before: datetime) -> list[Loop]:
    """Told before that moment, and in this round neither reminded nor answered."""
    step = "reminder." + cast(Loop.round, String)
    reminded = exists().where(col(Message.loop_id) == Loop.id, col(Message.step) == step)
    answered = exists().where(col(Answer.loop_id) == Loop.id, col(Answer.round) == Loop.round)
    query = select(Loop).where(
        Loop.state == LoopState.TOLD, col(Loop.told_at) <= told_before, ~reminded, ~answered
    )
    return list(session.exec(query.order_by(col(Loop.id)).with_for_update()))


def is_told_or_being_told(session: Session, loop: Loop) -> bool:
    """Whether the reply of this round is in a sender's hands, or went further."""
    never = [*WAITING, MessageState.HELD, *NEVER_LEFT]
    query = select(Message.id).where(
        Message.loop_id == loop.id,
        Message.step == f"resolution.{loop.round}",
        col(Message.state).not_in(never),
    )
    return session.exec(query.limit(1)).first() is not None


def silent(session: Session, told_before: datetime) -> list[Loop]:
    """Told before that moment, and no answer waits to be taken in."""
    waiting = exists().where(col(Answer.loop_id) == Loop.id, col(Answer.applied_at).is_(None))
    query = select(Loop).where(
        Loop.state == LoopState.TOLD, col(Loop.told_at) <= told_before, ~waiting
    )
    return list(session.exec(query.order_by(col(Loop.id)).with_for_update()))


def untellable(session: Session) -> list[tuple[Loop, str]]:
    """Open loops whose deciding message will never arrive, each with the reason.

    Without any address that is clear as soon as the receipt could not go. Without consent we
    wait for the resolution: the customer may agree in the meantime.
    """
    lost = or_(
        col(Message.state).in_(NEVER_ARRIVES),
        and_(col(Message.state) == MessageState.HELD, col(Message.reason) == Why.HOLD_OUT),
        and_(col(Message.state) == MessageState.CANCELLED, col(Message.reason) == SAME_WORDS),
    )
    decides = or_(
        col(Message.template) == "thanks",
        col(Message.step) == "resolution." + cast(Loop.round, String),
    )
    no_address = and_(
        col(Message.template) == "receipt",
        col(Message.state) == MessageState.SUPPRESSED,
        col(Message.reason) == Why.NO_ADDRESS,
    )
    rows = session.exec(
        select(Loop, Message)
        .join(Message, col(Message.loop_id) == Loop.id)
        .where(Loop.state == LoopState.OPEN, or_(and_(decides, lost), no_address))
        .order_by(col(Loop.id))
        .with_for_update(of=Loop, skip_locked=True)
    )
    found = {loop.id: (loop, message.reason or message.state.value) for loop, message in rows}
    return list(found.values())
