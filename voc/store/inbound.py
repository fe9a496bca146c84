"""What mailboxes and providers told us, and the messages that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from voc.models import (
    DeliveryChannel,
    Identity,
    IdentityKind,
    InboundEvent,
    InboundKind,
    Message,
    MessageKind,
)
from voc.rules.messages import GONE
from voc.store.upsert import insert_new

TWILIO = "twilio"


def insert(session: Session, row: Mapping[str, Any]) -> InboundEvent | None:
    """Keep an event; None if the same provider told us the same before, however long ago."""
    if not insert_new(session, InboundEvent, [row]):
        return None
    query = select(InboundEvent).where(
        InboundEvent.provider == row["provider"], InboundEvent.event_id == row["event_id"]
    )
    return session.exec(query).one()


def is_kept(session: Session, provider: str, event_id: str) -> bool:
    """Whether this provider told us this before."""
    query = select(InboundEvent.id).where(
        InboundEvent.provider == provider, InboundEvent.event_id == event_id[:255]
    )
    return session.exec(query).first() is not None


def unapplied(session: Session) -> list[int]:
    """Ids of the events that nothing was done about yet, by when they happened."""
    query = select(InboundEvent.id).where(col(InboundEvent.applied_at).is_(None))
    order = col(InboundEvent.occurred_at), col(InboundEvent.id)
    return [number for number in session.exec(query.order_by(*order)) if number is not None]


def locked(session: Session, event_id: int) -> InboundEvent:
    """The event, held until the transaction ends."""
    query = select(InboundEvent).where(col(InboundEvent.id) == event_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def message_of(session: Session, event: InboundEvent) -> Message | None:
    """The message that an event is about, locked; None if we know none (yet).

    What a provider calls a message is only believed for what went by such a provider.
    """
    query = select(Message).with_for_update().execution_options(populate_existing=True)
    if event.message_id is not None:
        return session.exec(query.where(col(Message.id) == event.message_id)).one_or_none()
    if not event.provider_id:
        return None
    is_text = col(Message.channel) == DeliveryChannel.SMS
    theirs = is_text if event.provider == TWILIO else ~is_text
    found = session.exec(query.where(col(Message.provider_id) == event.provider_id, theirs)).all()
    return found[0] if len(found) == 1 else None


def by_message_id(session: Session, header: str) -> int | None:
    """The message that was sent with this Message-ID."""
    query = select(Message.id).where(col(Message.message_id) == header)
    return session.exec(query).one_or_none()


def newest_text_to(session: Session, phone: str) -> Message | None:
    """The last follow-up that went to this number, or may have: what a text answers."""
    query = select(Message).where(
        Message.channel == DeliveryChannel.SMS,
        Message.kind == MessageKind.FOLLOW_UP,
        Message.address == phone,
        col(Message.state).in_(GONE),
    )
    at = func.coalesce(Message.sending_at, Message.settled_at)
    return session.exec(query.order_by(at.desc(), col(Message.id).desc()).limit(1)).first()


def owner_of_phone(session: Session, phone: str) -> int | None:
    """The customer with this number."""
    query = select(Identity.customer_id).where(
        Identity.kind == IdentityKind.PHONE, Identity.value == phone
    )
    return session.exec(query).one_or_none()


def is_often_busy(session: Session, address_hash: str, *, times: int, within: timedelta) -> bool:
    """Whether so many messages found an address full or busy in any stretch of that length.

    A message counts once: a provider may report what the mailbox holds a report of, too.
    """
    query = select(func.min(InboundEvent.occurred_at)).where(
        InboundEvent.address_hash == address_hash, InboundEvent.kind == InboundKind.SOFT_BOUNCED
    )
    by_message = func.coalesce(InboundEvent.message_id, -col(InboundEvent.id))
    moments = sorted(session.exec(query.group_by(by_message)))
    first_and_last = zip(moments, moments[times - 1 :], strict=False)
    return any(last - first < within for first, last in first_and_last)


def overtaken(session: Session, event: InboundEvent, by: InboundKind) -> bool:
    """Whether the same address said the opposite later: the newest word holds."""
    query = select(InboundEvent.id).where(
        InboundEvent.address_hash == event.address_hash,
        InboundEvent.kind == by,
        col(InboundEvent.occurred_at) > event.occurred_at,
    )
    return session.exec(query.limit(1)).first() is not None
