"""Owing other programs news of what happened: one message for each event and webhook."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from voc.company.model import Company
from voc.company.webhooks import Webhook
from voc.models import DeliveryChannel, MessageKind
from voc.rules.cloud_events import TEMPLATE, TYPES, step_of, subject_of
from voc.store import messages
from voc.store import webhooks as store
from voc.store.events import lock_head, newest

BATCH = 500
"""Events a transaction: each is a message of its own."""


def plan_news(session: Session, company: Company, *, now: datetime) -> tuple[int, bool]:
    """Plan what each webhook of the company file has not been told of yet.

    The cursor moves in the transaction that plans: nothing is lost, and nothing planned twice.

    Returns:
        How many were planned, and whether there is more: then call it again.
    """
    lock_head(session)  # no event commits behind our back with a number below the cursor
    store.forget_all_but(session, [webhook.name for webhook in company.webhooks])
    done = [_plan_for(session, webhook, now=now) for webhook in company.webhooks]
    return sum(count for count, _ in done), any(more for _, more in done)


def _plan_for(session: Session, webhook: Webhook, *, now: datetime) -> tuple[int, bool]:
    cursor = store.locked_cursor(session, webhook.name, now=now)
    end = newest(session)
    wanted = {kind for kind, type_ in TYPES.items() if type_ in webhook.events}
    found = store.events_after(session, cursor.event_id, end, wanted, BATCH)
    planned = sum(
        messages.plan(
            session,
            subject=subject_of(event.id or 0),
            step=step_of(event.kind, event.hash),
            channel=DeliveryChannel.WEBHOOK,
            recipient=webhook.name,
            kind=MessageKind.EVENT,
            template=TEMPLATE,
            now=now,
        )
        for event in found
    )
    is_full = len(found) == BATCH
    cursor.event_id = (found[-1].id or 0) if is_full else end
    cursor.moved_at = now
    session.add(cursor)
    return planned, is_full
