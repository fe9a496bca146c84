"""Finding customers by their handles, and remembering what they told us of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from voc.arrivals import RawFeedback
from voc.models import Consent, Customer, Identity, IdentityKind, Purpose
from voc.rules.identities import STRENGTH, normalise_identity

Handle = tuple[IdentityKind, str]


def handles_of(item: RawFeedback, *, region: str) -> list[Handle]:
    """The item's handles in their one spelling, strongest first; impossible ones left out."""
    found = []
    for identity in item.identities:
        if value := normalise_identity(identity.kind, identity.value, region=region):
            found.append((identity.kind, value))
    return sorted(found, key=lambda handle: STRENGTH.index(handle[0]))


def owners_of(session: Session, handles: Iterable[Handle]) -> dict[Handle, int]:
    """Which customer is known by each of *handles*; unknown handles are left out."""
    wanted = sorted(set(handles))
    found: dict[Handle, int] = {}
    for start in range(0, len(wanted), 400):
        pairs = tuple_(col(Identity.kind), col(Identity.value))
        rows = session.exec(select(Identity).where(pairs.in_(wanted[start : start + 400])))
        found |= {(row.kind, row.value): row.customer_id for row in rows}
    return found


def known_values(session: Session, customer_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Per customer what we know of them, as (kind, value), for masking."""
    known: dict[int, list[tuple[str, str]]] = {}
    for row in session.exec(select(Identity).where(col(Identity.customer_id).in_(customer_ids))):
        known.setdefault(row.customer_id, []).append((row.kind.value, row.value))
    for customer in session.exec(select(Customer).where(col(Customer.id).in_(customer_ids))):
        if customer.name and customer.id is not None:
            known.setdefault(customer.id, []).append(("name", customer.name))
    return known


def link(
    session: Session,
    item: RawFeedback,
    handles: Sequence[Handle],
    owners: dict[Handle, int],
    *,
    now: datetime,
) -> int:
    """The id of the customer behind *item*, made if new. Extends *owners* as it goes.

    When two handles belong to different customers the strongest one is believed; the two are
    not merged by themselves.
    """
    customer_id = next((owners[handle] for handle in handles if handle in owners), None)
    customer = session.get_one(Customer, customer_id) if customer_id else Customer(created_at=now)
    for field in ("name", "language", "country", "segment", "value"):
        if (told := getattr(item, field)) is not None:
            setattr(customer, field, told)
    session.add(customer)
    session.flush()
    assert customer.id is not None  # noqa: S101  (flushed)
    for kind, value in handles:
        if (kind, value) not in owners:
            owners[kind, value] = customer.id
            session.add(Identity(customer_id=customer.id, kind=kind, value=value, at=now))
    if item.consent is not None:
        remember_consent(
            session, customer.id, granted=item.consent, how="as the source says", at=item.said_at
        )
    return customer.id


def remember_consent(
    session: Session, customer_id: int, *, granted: bool, how: str, at: datetime
) -> None:
    """Add a consent record unless the newest one says the same."""
    newest = session.exec(
        select(Consent)
        .where(col(Consent.customer_id) == customer_id, Consent.purpose == Purpose.FOLLOW_UP)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
    ).first()
    if newest is None or (newest.granted != granted and newest.at <= at):
        session.add(
            Consent(
                customer_id=customer_id, purpose=Purpose.FOLLOW_UP, granted=granted, how=how, at=at
            )
        )
