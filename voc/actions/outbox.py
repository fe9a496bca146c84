"""What a person does about messages that wait: hold one, let it go."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.errors import VocError
from voc.models import MessageState
from voc.rules.contact import Why
from voc.rules.messages import WAITING
from voc.store import messages, outbox


def hold(session: Session, message_id: int, *, actor: str, now: datetime) -> None:
    """Keep a message that waits from leaving until somebody lets it go.

    Raises:
        NotFoundError: There is no such message.
        VocError: It does not wait (any more).
    """
    message = outbox.locked(session, message_id)
    if message.state not in WAITING:
        raise VocError(f"message {message_id} is {message.state}: only what waits can be held")
    messages.move(
        session, message, MessageState.HELD, reason=Why.BY_HAND.value, actor=actor, now=now
    )


def release(session: Session, message_id: int, *, actor: str, now: datetime) -> None:
    """Let a message go that a person held. The governor is asked about it as about any other.

    Raises:
        NotFoundError: There is no such message.
        VocError: No person holds it.
    """
    message = outbox.locked(session, message_id)
    if message.state is not MessageState.HELD or message.reason != Why.BY_HAND:
        because = f" ({message.reason})" if message.reason else ""
        raise VocError(f"message {message_id} is {message.state}{because}, not held by hand")
    outbox.let_go(session, message, reason="released", actor=actor, now=now)
