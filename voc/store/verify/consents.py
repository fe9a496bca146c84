"""What customers and colleagues allowed: nothing left against a word that the ledger heard."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
from sqlmodel import Session, col, select

from voc.models import (
    Consent,
    DeliveryChannel,
    Message,
    MessageKind,
    MessageState,
    Purpose,
    TicketEvent,
    TicketEventKind,
)
from voc.rules.books import Finding
from voc.rules.contact import Why
from voc.rules.messages import GONE, detail_of
from voc.rules.provenance import read_choice, read_content_hash
from voc.store.contact import PURPOSES


def nothing_left_after_an_opt_out(session: Session) -> Finding | None:
    """No message was handed over after its customer's opt-out, unless they agreed anew.

    The order of the ledger decides, not a clock: an opt-out and a last look take turns. A reply
    in public is under the customer's own words, and about those.
    """
    silenced: set[tuple[int, str]] = set()
    for event, customer_id, channel in _choices_and_sendings(session):
        if channel in PURPOSES:
            purpose = PURPOSES[channel]
            is_silenced = (customer_id, purpose.value) in silenced
            if is_silenced and not _agreed(session, customer_id, purpose, event.at):
                problem = f"hands message {event.message_id} over after an opt-out"
                return Finding("nothing left after an opt out", f"ticketevent {event.id}", problem)
        elif choice := read_choice(event.detail):
            change = silenced.add if event.kind is TicketEventKind.OPTED_OUT else silenced.discard
            change(choice)
    return None


def _choices_and_sendings(session: Session) -> sa.Result[tuple[TicketEvent, int, DeliveryChannel]]:
    """What customers chose, and what was handed over to customers, in the order of the ledger."""
    to_customer = sa.and_(
        col(TicketEvent.kind) == TicketEventKind.MESSAGE_SENDING,
        col(Message.kind) == MessageKind.FOLLOW_UP,
        col(Message.channel).in_(PURPOSES),
    )
    chose = col(TicketEvent.kind).in_([TicketEventKind.OPTED_OUT, TicketEventKind.OPTED_IN])
    return session.execute(
        sa.select(TicketEvent, col(Message.customer_id), col(Message.channel))
        .outerjoin(Message, col(Message.id) == TicketEvent.message_id)
        .where(sa.or_(chose, to_customer))
        .order_by(col(TicketEvent.id))
        .execution_options(yield_per=1000)
    )


def _agreed(session: Session, customer_id: int, purpose: Purpose, by: datetime) -> bool:
    """Whether the newest of what they said by then is a yes."""
    query = select(Consent.granted).where(
        Consent.customer_id == customer_id, Consent.purpose == purpose, col(Consent.at) <= by
    )
    newest = query.order_by(col(Consent.at).desc(), col(Consent.id).desc()).limit(1)
    return bool(session.exec(newest).first())


def approved_messages_left_as_approved(session: Session) -> Finding | None:
    """What had to be approved was, before it left; and left byte for byte as it was read."""
    name = "approved messages left as approved"
    approved: dict[int, str | None] = {}
    for event, needs_approval in session.execute(_approvals()):
        message_id, content_hash = event.message_id or 0, read_content_hash(event.detail)
        row = f"ticketevent {event.id}"
        if event.kind is TicketEventKind.MESSAGE_APPROVED:
            approved[message_id] = event.detail.rpartition(" ")[2]
        elif event.kind is TicketEventKind.MESSAGE_ENDED:
            approved[message_id] = None  # it waits, whatever its row says by now
        elif not needs_approval and message_id not in approved:
            continue
        elif (fingerprint := approved.get(message_id)) is None:
            return Finding(name, row, f"hands message {message_id} over before it was approved")
        elif content_hash is None or not content_hash.startswith(fingerprint):
            return Finding(name, row, f"hands message {message_id} over, but not as approved")
    kept = select(Message).where(
        col(Message.needs_approval).is_(True),
        col(Message.state).in_(GONE),
        col(Message.content).is_not(None),
    )
    for message in session.exec(kept.order_by(col(Message.id))):
        if sha256(message.content or b"").hexdigest() != message.approved_hash:
            return Finding(name, f"message {message.id}", "is not what was approved")
    return None


def _approvals() -> sa.Select[tuple[TicketEvent, bool]]:
    """What waited, was approved and was handed over, in that order; and what needs approval."""
    waits = sa.and_(
        col(TicketEvent.kind) == TicketEventKind.MESSAGE_ENDED,
        col(TicketEvent.detail) == detail_of(MessageState.HELD, Why.NEEDS_APPROVAL, None),
    )
    kinds = [TicketEventKind.MESSAGE_APPROVED, TicketEventKind.MESSAGE_SENDING]
    return (
        sa.select(TicketEvent, col(Message.needs_approval))
        .join(Message, col(Message.id) == TicketEvent.message_id)
        .where(sa.or_(waits, col(TicketEvent.kind).in_(kinds)))
        .order_by(col(TicketEvent.id))
        .execution_options(yield_per=1000)
    )
