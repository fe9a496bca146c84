"""What customers decide about being written to."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from voc.models import Consent, Purpose, Suppression, TicketEventKind
from voc.rules.contact import Why
from voc.rules.provenance import chose
from voc.rules.pseudonym import pseudonym
from voc.store import contact, events, links
from voc.store.events import Happening
from voc.store.standings import addresses_of

UNSUBSCRIBE_PAGE = "unsubscribe page"
ONE_CLICK = "one-click unsubscribe"
STOP = "STOP by SMS"
START = "START by SMS"


def unsubscribe(
    session: Session,
    customer_id: int,
    *,
    secret: bytes,
    how: str,
    now: datetime,
    address: str | None = None,
    reason: Why = Why.OPTED_OUT,
) -> bool:
    """Never write to this customer again; True if a message is on its way at this moment.

    All their addresses and numbers are suppressed, and every consent is withdrawn. The customer
    is locked first, so that once this commits no message can be handed over any more. Repeating
    it changes nothing.

    Args:
        address: Where the message went that they unsubscribe with: it may no longer be theirs
            in our records, and still is where they read it.
        reason: OPTED_OUT, or COMPLAINED where they called us spam.
    """
    events.lock_head(session)
    contact.lock_contact(session, customer_id)
    changed = [
        _record_consent(session, customer_id, purpose, granted=False, how=how, now=now)
        for purpose in Purpose
    ]
    by_channel = addresses_of(session, [customer_id]).get(customer_id, {})
    theirs = {each for addresses in by_channel.values() for each in addresses}
    for each in sorted(theirs | ({address} if address else set())):
        hashed = pseudonym(secret, each)
        changed.append(contact.suppress(session, hashed, reason=reason, how=how, now=now))
    if any(changed):
        _remember(session, TicketEventKind.OPTED_OUT, customer_id, *Purpose, now=now)
    return links.is_on_its_way(session, customer_id)


def stop_sms(
    session: Session, address_hash: str, customer_id: int | None, *, now: datetime
) -> bool:
    """STOP: no SMS to this number, and none to this customer; True if one is on its way now.

    Mails go on. A number that we know of nobody is suppressed all the same.

    Args:
        address_hash: The number's pseudonym.
    """
    events.lock_head(session)
    contact.lock_contact(session, customer_id)
    contact.suppress(session, address_hash, reason=Why.STOPPED, how=STOP, now=now)
    if customer_id is None:
        return False
    purpose = Purpose.FOLLOW_UP_SMS
    _record_consent(session, customer_id, purpose, granted=False, how=STOP, now=now)
    _remember(session, TicketEventKind.OPTED_OUT, customer_id, purpose, now=now)
    return links.is_on_its_way(session, customer_id)


def start_sms(
    session: Session, address_hash: str, customer_id: int | None, *, now: datetime
) -> bool:
    """START: take back a STOP from the same number; False if there is none to take back.

    Nothing else is lifted: who unsubscribed from everything, or whose number does not work, is
    not written to.
    """
    events.lock_head(session)
    contact.lock_contact(session, customer_id)
    stopped = session.get(Suppression, address_hash)
    if stopped is None or stopped.reason != Why.STOPPED:
        return False
    session.delete(stopped)
    if customer_id is not None:
        purpose = Purpose.FOLLOW_UP_SMS
        _record_consent(session, customer_id, purpose, granted=True, how=START, now=now)
        _remember(session, TicketEventKind.OPTED_IN, customer_id, purpose, now=now)
    return True


def _remember(
    session: Session,
    kind: TicketEventKind,
    customer_id: int,
    *purposes: Purpose,
    now: datetime,
) -> None:
    """Into the ledger: its order shows later that nothing was handed over after this."""
    chosen = [Happening(kind=kind, detail=chose(customer_id, purpose)) for purpose in purposes]
    events.append(session, chosen, actor="customer", now=now)


def _record_consent(
    session: Session,
    customer_id: int,
    purpose: Purpose,
    *,
    granted: bool,
    how: str,
    now: datetime,
) -> bool:
    """Keep what they say if it is not what they said last; whether it was kept."""
    newest = session.exec(
        select(Consent)
        .where(Consent.customer_id == customer_id, Consent.purpose == purpose)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
    ).first()
    if newest is not None and newest.granted == granted:
        return False
    session.add(
        Consent(
            customer_id=customer_id,
            purpose=purpose,
            granted=granted,
            how=how,
            # A source may have dated its consent later than now; the newest one holds.
            at=max(now, newest.at) if newest else now,
        )
    )
    return True
