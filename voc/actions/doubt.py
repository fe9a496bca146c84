"""Messages whose reply was lost: a person, or the customer's answer, says what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from voc.actions import loops
from voc.errors import NotFoundError
from voc.models import Loop, Message, MessageState
from voc.store import messages
from voc.store.events import lock_head
from voc.store.outbox import resolve_unknown


def settle(
    session: Session,
    message_id: int,
    to: MessageState,
    *,
    now: datetime,
    reason: str = "a person decided",
    actor: str = messages.SYSTEM,
) -> MessageState:
    """It arrived (SENT), goes once more (QUEUED), or is left (ABANDONED); the state it is in now.

    Raises:
        NotFoundError: There is no such message in doubt.
    """
    lock_head(session)
    message = session.get(Message, message_id)
    if message is None or not resolve_unknown(
        session, message_id, to, reason=reason, now=now, actor=actor
    ):
        raise NotFoundError(f"message {message_id} is not in doubt; `voc outbox list` shows those")
    if to is MessageState.SENT:
        loops.on_sent(session, message, now)
    return message.state


def is_being_asked(session: Session, loop: Loop) -> bool:
    """Whether this round's question is still on its way, as far as we know.

    Also where it is only planned, as in an older copy of the database that was put back.
    """
    on_its_way = [
        MessageState.PLANNED,
        MessageState.QUEUED,
        MessageState.CLAIMED,
        MessageState.SENDING,
        MessageState.HELD,
    ]
    query = select(Message.id).where(
        Message.loop_id == loop.id,
        Message.step == f"resolution.{loop.round}",
        col(Message.state).in_(on_its_way),
    )
    return session.exec(query.limit(1)).first() is not None


def believe_the_answer(session: Session, loop: Loop, *, now: datetime) -> None:
    """Who answers a question has got it: its message, if in doubt or given up, arrived."""
    asked = select(Message).where(
        Message.loop_id == loop.id,
        col(Message.state).in_([MessageState.UNKNOWN, MessageState.ABANDONED]),
        col(Message.step).in_([f"resolution.{loop.round}", f"reminder.{loop.round}"]),
    )
    for message in session.exec(asked):
        it_arrived(session, message, reason="the customer answered", now=now)


def it_arrived(session: Session, message: Message, *, reason: str, now: datetime) -> None:
    """Evidence that a message in doubt, or given up, was received."""
    if messages.move(session, message, MessageState.SENT, reason=reason, now=now):
        loops.on_sent(session, message, now)
