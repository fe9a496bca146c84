"""Finding customers by their handles, and remembering what they told us of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from voc.arrivals import RawFeedback
from voc.models import Consent, Customer, Feedback, Identity, IdentityKind, Purpose
from voc.rules.identities import STRENGTH, normalise_identity
from voc.store.touched import touch_feedback

Handle = tuple[IdentityKind, str]


def handles_of(item: RawFeedback, *, region: str) -> list[Handle]:
    """The item's handles in their one spelling, strongest first; impossible ones left out."""
    found = []
    for identity in item.identities:
        if value := normalise_identity(identity.kind, identity.value, region=region):
            found.append((identity.kind, value))
    return sorted(found, key=lambda handle: STRENGTH.index(handle[0]))


def owners_of(
    session: Session, handles: Iterable[Handle], *, hold: bool = False
) -> dict[Handle, int]:
    """Which customer is known by each of *handles*; unknown handles are left out.

    Args:
        hold: Until the transaction ends: a merge waits, or was waited for.
    """
    wanted = sorted(set(handles))
    found: dict[Handle, int] = {}
    for start in range(0, len(wanted), 400):
        pairs = tuple_(col(Identity.kind), col(Identity.value))
        query = select(Identity).where(pairs.in_(wanted[start : start + 400]))
        query = query.order_by(col(Identity.id))
        if hold:
            query = query.with_for_update(read=True).execution_options(populate_existing=True)
        found |= {(row.kind, row.value): row.customer_id for row in session.exec(query)}
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


def customer_for(
    session: Session, handles: Sequence[Handle], owners: Mapping[Handle, int], *, now: datetime
) -> int:
    """The id of the customer that the handles belong to, made if new.

    When two handles belong to different customers the strongest one is believed; the two are
    not merged by themselves.
    """
    for handle in handles:
        if handle in owners:
            return owners[handle]
    customer = Customer(created_at=now)
    session.add(customer)
    session.flush()
    assert customer.id is not None  # noqa: S101  (flushed)
    return customer.id


def learn(
    session: Session,
    customer_id: int,
    item: RawFeedback,
    handles: Sequence[Handle],
    owners: dict[Handle, int],
    *,
    now: datetime,
) -> None:
    """Remember what the item says of its author. Extends *owners* as it goes.

    A consent counts from when it was said, so that an old row that comes again does not undo a
    withdrawal; a refusal counts from now.
    """
    customer = session.get_one(Customer, customer_id)
    if item.segment not in {None, customer.segment}:
        touch_feedback(session, col(Feedback.customer_id) == customer_id)
    for field in ("name", "language", "country", "segment", "value"):
        if (told := getattr(item, field)) is not None:
            setattr(customer, field, told)
    session.add(customer)
    for kind, value in handles:
        if (kind, value) not in owners:
            owners[kind, value] = customer_id
            session.add(Identity(customer_id=customer_id, kind=kind, value=value, at=now))
    if item.consent is not None:
        at = item.said_at if item.consent else now
        remember_consent(
            session, customer_id, granted=item.consent, how="as the source says", at=at
        )


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
