"""Where customers can be reached, why not to, and when they last heard from us."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

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
    rows = session.execute(_addresses_query(), {"customer_ids": sorted(customer_ids)})
    for customer_id, kind, value in rows:
        found.setdefault(customer_id, {}).setdefault(KINDS[kind], []).append(value)
    return dict(found)


@cache
def _addresses_query() -> sa.Select[Any]:
    """Built once, as the others here: they are asked twice for every message that leaves."""
    return (
        sa.select(*map(col, (Identity.customer_id, Identity.kind, Identity.value)))
        .where(_in(Identity.customer_id, "customer_ids"), col(Identity.kind).in_(KINDS))
        .order_by(col(Identity.at).desc(), col(Identity.id).desc())
    )


def _suppressed(
    session: Session, addresses: Mapping[int, Addresses], secret: bytes
) -> dict[str, str]:
    """By address the reason why we are silent there; addresses that are not are left out."""
    every = [a for theirs in addresses.values() for each in theirs.values() for a in each]
    by_hash = {pseudonym(secret, address): address for address in every}
    if not by_hash:
        return {}
    rows = session.execute(_suppressions_query(), {"hashes": list(by_hash)})
    return {by_hash[address_hash]: reason for address_hash, reason in rows}


@cache
def _suppressions_query() -> sa.Select[Any]:
    query = sa.select(*map(col, (Suppression.address_hash, Suppression.reason)))
    return query.where(_in(Suppression.address_hash, "hashes"))


def _contacted(
    session: Session, customer_ids: Collection[int], now: datetime
) -> dict[int, list[datetime]]:
    """When each customer heard from us lately; a message still on its way counts as now."""
    if not customer_ids:
        return {}
    found: dict[int, list[datetime]] = {}
    for customer_id, settled_at in session.execute(
        _contacted_query(), counted_for(customer_ids, now)
    ):
        found.setdefault(customer_id, []).append(settled_at or now)
    return found


@cache
def _contacted_query() -> sa.Select[Any]:
    return sa.select(*map(col, (Message.customer_id, Message.settled_at))).where(*counting())


@cache
def counting() -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions on messages: those that count against the caps of `counted_for`.

    By whatever channel; what stands in public below a review was not written to them.
    """
    since = sa.bindparam("since", type_=UtcDateTime())
    return (
        _in(Message.customer_id, "customer_ids"),
        col(Message.kind) == MessageKind.FOLLOW_UP,
        col(Message.channel) != DeliveryChannel.REVIEW,
        col(Message.template) != UNCAPPED,
        col(Message.state).in_(GONE),
        sa.or_(col(Message.settled_at).is_(None), col(Message.settled_at) > since),
    )


def counted_for(customer_ids: Collection[int], now: datetime) -> dict[str, Any]:
    """The parameters of `counting`: whose caps, and when."""
    return {"customer_ids": sorted(customer_ids), "since": now - LONGEST_CAP}


def _in(column: Any, name: str) -> sa.ColumnElement[bool]:
    """That *column* is among the values that the query gets under *name*."""
    return col(column).in_(sa.bindparam(name, expanding=True))
