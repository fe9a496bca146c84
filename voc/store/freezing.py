"""Writing a message: from PLANNED to QUEUED, with the links that its words hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from voc.models import Link, LinkPurpose, Message, MessageState
from voc.rules.contact import Why
from voc.store.messages import move
from voc.store.upsert import insert_new

Is = MessageState


def freeze(
    session: Session,
    message: Message,
    *,
    address: str,
    message_id: str,
    content: bytes,
    envelope_sender: str,
    words_hash: str | None = None,
    links: Sequence[tuple[str, LinkPurpose]],
    links_expire_at: datetime,
    now: datetime,
    in_doubt: str | None = None,
    needs_approval: bool = False,
) -> bool:
    """PLANNED to QUEUED: from here on the bytes do not change, whoever edits a template.

    Args:
        words_hash: `voc.rules.tokens.words_hash` of what it says.
        links: Hash and purpose of each token in the mail.
        in_doubt: Why it may have left already: then it becomes UNKNOWN, for a person.
        needs_approval: Whether a person has to read it first: then it becomes HELD.
    """
    to, reason = (Is.HELD, Why.NEEDS_APPROVAL.value) if needs_approval else (Is.QUEUED, None)
    if in_doubt:
        to, reason = Is.UNKNOWN, in_doubt
    if not move(
        session,
        message,
        to,
        now=now,
        reason=reason,
        needs_approval=needs_approval,
        words_hash=words_hash,
        channel=message.channel,
        address=address,
        message_id=message_id,
        content=content,
        envelope_sender=envelope_sender,
        frozen_at=now,
    ):
        return False
    rows = [
        {
            "token_hash": token_hash,
            "purpose": purpose,
            "message_id": message.id,
            "expires_at": links_expire_at,
        }
        for token_hash, purpose in links
    ]
    insert_new(session, Link, rows)
    return True
