"""A person reads a message before it leaves: what they approve is what is sent, byte for byte."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from sqlmodel import Session

from voc.actions import loops, tickets
from voc.company.model import Company
from voc.errors import VocError
from voc.models import (
    DeliveryChannel,
    LoopKind,
    LoopState,
    Message,
    MessageState,
    TicketEventKind,
    TicketState,
)
from voc.store import approval as store
from voc.store import events, messages
from voc.store import tickets as ticket_store
from voc.store.events import Happening

REFUSED = "refused"
FINGERPRINT = 12
"""Letters of a hash that people see: enough to tell two versions of a message apart."""


class ChangedError(VocError):
    """What is there is not what was read; nothing was decided."""


class NotWaitingError(VocError):
    """Somebody has decided already, or what the message was about has changed."""


def needs_approval(message: Message, company: Company) -> bool:
    """Whether a person has to read it: of a kind that the company file names, or public."""
    is_public = message.channel is DeliveryChannel.REVIEW
    return is_public or message.template in company.follow_up.approval.messages


def fingerprint(message: Message) -> str:
    """Of the bytes that would leave; empty if there are none."""
    return "" if message.content is None else content_hash(message.content)[:FINGERPRINT]


def content_hash(content: bytes) -> str:
    """Of frozen bytes, as `Message.approved_hash` holds it."""
    return sha256(content).hexdigest()


def approve(
    session: Session, message_id: int, *, seen: str | None, actor: str, now: datetime
) -> Message:
    """Let the message leave just as it is.

    Args:
        seen: The fingerprint of what the person has read; None: they take it as it is now.

    Raises:
        NotFoundError: There is no such message.
        NotWaitingError: It does not wait for approval.
        ChangedError: It was written anew since they read it.
    """
    message = _waiting(session, message_id, seen)
    content = message.content or b""
    messages.move(
        session,
        message,
        MessageState.QUEUED,
        now=now,
        needs_approval=True,
        approved_by=actor[:255],
        approved_at=now,
        approved_hash=content_hash(content),
    )
    _remember(session, message, TicketEventKind.MESSAGE_APPROVED, actor=actor, now=now)
    return message


def refuse(
    session: Session,
    message_id: int,
    company: Company,
    *,
    why: str,
    seen: str | None,
    actor: str,
    now: datetime,
) -> Message:
    """Do not let the message leave; what it was about goes back to where it came from.

    After a refused resolution the loop's tickets are open again, at the same level, and the
    reply is written anew once they are resolved again. A loop of thanks ends. A receipt, a
    reminder or a public reply is just not sent.

    Raises:
        NotFoundError: There is no such message.
        NotWaitingError: It does not wait for approval.
        ChangedError: It was written anew since they read it.
        VocError: There is no reason.
    """
    if not why.strip():
        raise VocError("to refuse a message say why: its owners have to do better")
    message = _waiting(session, message_id, seen)
    refusal = " ".join(why.split())[:500]
    messages.move(
        session, message, MessageState.CANCELLED, reason=REFUSED, now=now, refusal=refusal
    )
    _remember(session, message, TicketEventKind.MESSAGE_REFUSED, actor=actor, now=now)
    if message.channel is not DeliveryChannel.REVIEW and message.loop_id is not None:
        _send_back(session, message, message.loop_id, company, actor=actor, now=now)
    return message


def _waiting(session: Session, message_id: int, seen: str | None) -> Message:
    message = store.locked(session, message_id)
    if not store.is_waiting(message) or message.content is None:
        state = message.state.value
        raise NotWaitingError(f"message {message_id} is {state} and does not wait for approval")
    if seen is not None and seen != fingerprint(message):
        raise ChangedError(
            f"message {message_id} was written anew since it was read; read it once more"
        )
    return message


def _remember(
    session: Session, message: Message, kind: TicketEventKind, *, actor: str, now: datetime
) -> None:
    happened = Happening(
        kind=kind,
        loop_id=message.loop_id,
        message_id=message.id,
        detail=f"{message.step} {fingerprint(message)}",
    )
    events.append(session, [happened], actor=actor[:255], now=now)
    store.stop_asking(session, message.id or 0, now=now)


def _send_back(
    session: Session, message: Message, loop_id: int, company: Company, *, actor: str, now: datetime
) -> None:
    loop = ticket_store.locked_loop(session, loop_id)
    if loop.state is not LoopState.OPEN:
        return
    if message.step == f"resolution.{loop.round}":
        for ticket in ticket_store.tickets_of(session, loop_id):
            if ticket.state is TicketState.RESOLVED:
                tickets.send_back(session, ticket.id or 0, company, actor=actor, now=now)
    elif message.template == "thanks" and loop.kind is LoopKind.THANKS:
        loops.give_up(session, loop, reason=REFUSED, now=now)
