"""What stands behind the governor's facts about a customer, to be shown to a colleague."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from voc.errors import NotFoundError
from voc.models import Consent, Customer, Identity, IdentityKind, Message, Purpose, Suppression
from voc.rules.identities import normalise_identity
from voc.rules.messages import GONE
from voc.rules.pseudonym import pseudonym
from voc.store.standings import addresses_of, counted_for, counting


def found_message(session: Session, message_id: int) -> Message:
    """The message.

    Raises:
        NotFoundError: There is none with this number.
    """
    if (message := session.get(Message, message_id)) is None:
        raise NotFoundError(f"there is no message {message_id}")
    return message


def found_customer(session: Session, who: str) -> int:
    """The id of a customer, by their number or an e-mail address of theirs.

    Raises:
        NotFoundError: We know no such customer.
    """
    if who.isdecimal():
        if session.get(Customer, int(who)) is None:
            raise NotFoundError(f"there is no customer {who}")
        return int(who)
    address = normalise_identity(IdentityKind.EMAIL, who)
    query = select(Identity.customer_id).where(
        Identity.kind == IdentityKind.EMAIL, Identity.value == address
    )
    if (customer_id := session.exec(query).one_or_none()) is None:
        raise NotFoundError("we know no customer with this e-mail address")
    return customer_id


def newest_consents(session: Session, customer_id: int) -> dict[Purpose, Consent]:
    """By purpose what the customer said last."""
    query = select(Consent).where(Consent.customer_id == customer_id)
    rows = session.exec(query.order_by(col(Consent.at), col(Consent.id)))
    return {row.purpose: row for row in rows}


def suppressions(session: Session, customer_id: int, secret: bytes) -> Mapping[str, Suppression]:
    """By address of the customer why we are silent there."""
    by_channel = addresses_of(session, [customer_id]).get(customer_id, {})
    by_hash = {pseudonym(secret, a): a for each in by_channel.values() for a in each}
    query = select(Suppression).where(col(Suppression.address_hash).in_(by_hash))
    rows = session.exec(query.order_by(col(Suppression.at)))
    return {by_hash[row.address_hash]: row for row in rows}


def counted(session: Session, customer_id: int, now: datetime) -> list[Message]:
    """The messages that fill the customer's caps, the oldest first."""
    query = select(Message).where(*counting())
    query = query.order_by(col(Message.settled_at), col(Message.id))
    return list(session.exec(query, params=counted_for([customer_id], now)))


def unsent(session: Session, customer_id: int, limit: int) -> list[Message]:
    """The newest messages to the customer that have not left."""
    query = select(Message).where(
        Message.customer_id == customer_id, col(Message.state).not_in(GONE)
    )
    return list(session.exec(query.order_by(col(Message.id).desc()).limit(limit)))
