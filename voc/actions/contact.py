"""What customers decide about being written to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import Consent, Purpose
from voc.rules.contact import Why
from voc.rules.pseudonym import pseudonym
from voc.store import contact, links

UNSUBSCRIBE_PAGE = "unsubscribe page"
ONE_CLICK = "one-click unsubscribe"


def unsubscribe(
    session: Session,
    customer_id: int,
    *,
    secret: bytes,
    how: str,
    now: datetime,
    address: str | None = None,
) -> bool:
    """Never write to this customer again; True if a message is on its way at this moment.

    All their addresses are suppressed. The customer is locked first, so that once this commits
    no message can be handed over any more. Repeating it changes nothing.

    Args:
        address: Where the message went that they unsubscribe with: it may no longer be theirs
            in our records, and still is where they read it.
    """
    contact.lock_contact(session, customer_id)
    _withdraw(session, customer_id, how=how, now=now)
    addresses = contact.addresses_of(session, [customer_id]).get(customer_id, [])
    for theirs in {*addresses, *([address] if address else [])}:
        contact.suppress(session, pseudonym(secret, theirs), reason=Why.OPTED_OUT, how=how, now=now)
    return links.is_on_its_way(session, customer_id)


def _withdraw(session: Session, customer_id: int, *, how: str, now: datetime) -> None:
    newest = session.exec(
        select(Consent)
        .where(Consent.customer_id == customer_id, Consent.purpose == Purpose.FOLLOW_UP)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
    ).first()
    if newest is not None and not newest.granted:
        return
    session.add(
        Consent(
            customer_id=customer_id,
            purpose=Purpose.FOLLOW_UP,
            granted=False,
            how=how,
            # A source may have dated its consent later than now; the newest one holds.
            at=max(now, newest.at) if newest else now,
        )
    )
