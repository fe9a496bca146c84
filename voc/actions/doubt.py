"""A person's word on a message whose reply was lost."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.actions import loops
from voc.errors import NotFoundError
from voc.models import Message, MessageState
from voc.store.messages import resolve_unknown


def settle(session: Session, message_id: int, to: MessageState, *, now: datetime) -> None:
    """It arrived (SENT), goes once more (QUEUED), or is left (ABANDONED).

    Raises:
        NotFoundError: There is no such message in doubt.
    """
    message = session.get(Message, message_id)
    if message is None or not resolve_unknown(session, message_id, to, now=now):
        raise NotFoundError(f"message {message_id} is not in doubt; `voc outbox list` shows those")
    if to is MessageState.SENT:
        loops.on_sent(session, message, now)
