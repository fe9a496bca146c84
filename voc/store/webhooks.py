"""How far other programs were told of the ledger, and what is new for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from voc.models import (
    DeliveryChannel,
    Message,
    MessageState,
    TicketEvent,
    TicketEventKind,
    WebhookCursor,
)
from voc.rules.cloud_events import LedgerEvent, event_id_of
from voc.rules.messages import WAITING
from voc.store import events
from voc.store.upsert import insert_new

UNFINISHED = WAITING | {MessageState.CLAIMED, MessageState.SENDING}


def locked_cursor(session: Session, webhook: str, *, now: datetime) -> WebhookCursor:
    """How far *webhook* is, held until the commit. A new one begins at the ledger's end."""
    query = select(WebhookCursor).where(col(WebhookCursor.webhook) == webhook)
    query = query.with_for_update().execution_options(populate_existing=True)
    if (cursor := session.exec(query).one_or_none()) is None:
        row = {"webhook": webhook, "event_id": events.newest(session), "moved_at": now}
        insert_new(session, WebhookCursor, [row])  # another process may have made it just now
        cursor = session.exec(query).one()
    return cursor


def forget_all_but(session: Session, webhooks: Collection[str]) -> None:
    """Whoever leaves the company file and comes back begins anew."""
    session.exec(delete(WebhookCursor).where(col(WebhookCursor.webhook).not_in(webhooks)))


def events_after(
    session: Session, event_id: int, up_to: int, kinds: Iterable[TicketEventKind], limit: int
) -> list[TicketEvent]:
    """The first events of some kinds after one. Numbers follow the order of commits."""
    query = select(TicketEvent).where(
        col(TicketEvent.id) > event_id,
        col(TicketEvent.id) <= up_to,
        col(TicketEvent.kind).in_(sorted(kinds)),
    )
    return list(session.exec(query.order_by(col(TicketEvent.id)).limit(limit)))


def told_of(session: Session, messages: Sequence[Message]) -> dict[int, LedgerEvent]:
    """By message the event that it tells of."""
    ours = {
        message.id or 0: event_id_of(message.subject)
        for message in messages
        if message.channel is DeliveryChannel.WEBHOOK
    }
    if not ours:
        return {}
    found = {
        event.id: LedgerEvent(
            id=event.id or 0,
            hash=event.hash,
            kind=event.kind,
            ticket_id=event.ticket_id,
            loop_id=event.loop_id,
            detail=event.detail,
            at=event.at,
        )
        for event in session.exec(
            select(TicketEvent).where(col(TicketEvent.id).in_(set(ours.values())))
        )
    }
    return {message: found[event] for message, event in ours.items() if event in found}


def cursors(session: Session) -> dict[str, WebhookCursor]:
    """By webhook how far it is."""
    return {cursor.webhook: cursor for cursor in session.exec(select(WebhookCursor))}


def waiting(session: Session, states: Collection[MessageState]) -> dict[str, int]:
    """By webhook how many of its messages are in one of *states*."""
    query = (
        select(Message.recipient, func.count())
        .where(
            col(Message.state).in_(states),
            col(Message.channel) == DeliveryChannel.WEBHOOK,
        )
        .group_by(col(Message.recipient))
    )
    return dict(session.exec(query).all())
