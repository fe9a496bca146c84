"""Where customers can be reached, why not to, and when they last heard from us."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from voc.columns import UtcDateTime
from voc.models import (
    DeliveryChannel,
    Identity,
    IdentityKind,
    Message,
    MessageKind,
    Suppression,
)
from voc.rules.messages import GONE
from voc.rules.pseudonym import pseudonym

LONGEST_CAP = timedelta(days=30)
UNCAPPED = "resolution"  # the template that caps neither hold back nor count
KINDS = {IdentityKind.EMAIL: DeliveryChannel.EMAIL, IdentityKind.PHONE: DeliveryChannel.SMS}
"""Which channel an address is for."""

Addresses = Mapping[DeliveryChannel, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a customer can be reached, and why not to."""

    addresses: Addresses
    suppressed: Mapping[str, str]
    contacted_at: tuple[datetime, ...]


def standings_of(
    session: Session, customer_ids: Collection[int], *, secret: bytes, now: datetime
) -> dict[int, Standing]:
    """How each of these customers stands: three queries."""
    addresses = addresses_of(session, customer_ids)
    contacted = _contacted(session, customer_ids, now)
    suppressed = _suppressed(session, addresses, secret)
    nowhere: Addresses = {}
    return {
        customer_id: Standing(
            addresses=(theirs := addresses.get(customer_id, nowhere)),
            suppressed={
                a: suppressed[a] for each in theirs.values() for a in each if a in suppressed
            },
            contacted_at=tuple(contacted.get(customer_id, ())),
        )
        for customer_id in customer_ids
    }


def addresses_of(session: Session, customer_ids: Collection[int]) -> dict[int, Addresses]:
    """The addresses of each customer by channel, the newest first."""
    found: dict[int, dict[DeliveryChannel, list[str]]] = {}
    if not customer_ids:
        return {}
    query = select(Identity).where(
        col(Identity.customer_id).in_(sorted(customer_ids)), col(Identity.kind).in_(KINDS)
    )
    for row in session.exec(query.order_by(col(Identity.at).desc(), col(Identity.id).desc())):
        theirs = found.setdefault(row.customer_id, {})
        theirs.setdefault(KINDS[row.kind], []).append(row.value)
    return dict(found)


def _suppressed(
    session: Session, addresses: Mapping[int, Addresses], secret: bytes
) -> dict[str, str]:
    """By address the reason why we are silent there; addresses that are not are left out."""
    every = [a for theirs in addresses.values() for each in theirs.values() for a in each]
    by_hash = {pseudonym(secret, address): address for address in every}
    if not by_hash:
        return {}
    query = select(Suppression).where(col(Suppression.address_hash).in_(by_hash))
    return {by_hash[row.address_hash]: row.reason for row in session.exec(query)}


def counting(customer_ids: Collection[int], now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions: messages to these customers that count against the caps.

    By whatever channel; what stands in public below a review was not written to them.
    """
    return (
        col(Message.customer_id).in_(sorted(customer_ids)),
        col(Message.kind) == MessageKind.FOLLOW_UP,
        col(Message.channel) != DeliveryChannel.REVIEW,
        col(Message.template) != UNCAPPED,
        col(Message.state).in_(GONE),
        or_(col(Message.settled_at).is_(None), col(Message.settled_at) > now - LONGEST_CAP),
    )


def _contacted(
    session: Session, customer_ids: Collection[int], now: datetime
) -> dict[int, list[datetime]]:
    """When each customer heard from us lately; a message still on its way counts as now."""
    if not customer_ids:
        return {}
    at = func.coalesce(Message.settled_at, now, type_=UtcDateTime())
    query = select(Message.customer_id, at).where(*counting(customer_ids, now))
    found: dict[int, list[datetime]] = {}
    for customer_id, moment in session.exec(query):
        if customer_id is not None:
            found.setdefault(customer_id, []).append(moment)
    return found
