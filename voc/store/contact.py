"""What the governor asks about a customer, and the suppressions it obeys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Row, exists, func, or_
from sqlmodel import Session, col, select

from voc.columns import UtcDateTime
from voc.company.model import Company
from voc.models import (
    Answer,
    Consent,
    Customer,
    Identity,
    IdentityKind,
    Loop,
    LoopTicket,
    Message,
    MessageKind,
    Purpose,
    Suppression,
    Ticket,
)
from voc.rules.contact import ContactFacts, choose_address, is_held_out
from voc.rules.lifecycle import UNFINISHED
from voc.rules.messages import GONE, LoopFacts, TicketFacts, still_wanted
from voc.rules.pseudonym import pseudonym
from voc.store.upsert import insert_new

LONGEST_CAP = timedelta(days=30)
UNCAPPED = "resolution"  # the template that caps neither hold back nor count


def lock_contact(session: Session, customer_id: int | None) -> None:
    """Hold a customer until the transaction ends: a last look and an opt-out take turns.

    Whoever records an opt-out calls this first, too. On PostgreSQL a look without the lock
    misses an opt-out that commits at the same moment; SQLite has one writer anyway.
    """
    if customer_id is not None:
        query = select(Customer.id).where(col(Customer.id) == customer_id).with_for_update()
        session.exec(query).one_or_none()


def suppress(session: Session, address_hash: str, *, reason: str, how: str, now: datetime) -> None:
    """Never write to this address again. The first reason stays."""
    row = {"address_hash": address_hash, "reason": reason, "how": how, "at": now}
    insert_new(session, Suppression, [row])


def facts_for(
    session: Session,
    message_ids: Sequence[int],
    *,
    company: Company,
    secret: bytes,
    kill_switch: bool,
    now: datetime,
) -> dict[int, ContactFacts]:
    """By message id what the governor decides on: one query, and one each for what it points to.

    Suppressions are filed under a hash that only Python can make, so they cannot be joined.
    """
    rows = session.execute(_facts_query(), {"message_ids": list(message_ids)}).all()
    customer_ids = {row.Message.customer_id for row in rows if row.Message.customer_id}
    addresses = addresses_of(session, customer_ids)
    suppressed = _suppressed(session, addresses, secret)
    contacted = _contacted(session, customer_ids, now)
    facts = {}
    for row in rows:
        customer_id = row.Message.customer_id
        address, reason = (
            choose_address(addresses.get(customer_id, []), suppressed, row.Message.address)
            if row.Message.kind is MessageKind.FOLLOW_UP
            else (row.Message.recipient, None)
        )
        facts[row.Message.id] = ContactFacts(
            kind=row.Message.kind,
            address=address,
            suppressed=reason,
            consent=row.consent,
            held_out=customer_id is not None
            and is_held_out(secret, customer_id, company.follow_up.hold_out_share),
            contacted_at=tuple(contacted.get(customer_id, ())),
            exempt=row.Message.template == UNCAPPED,
            timezone=(row.Customer and row.Customer.timezone) or company.company.timezone,
            kill_switch=kill_switch,
            expires_at=_expiry(row.Message, company),
            still_wanted=_still_wanted(row),
        )
    return facts


def _expiry(message: Message, company: Company) -> datetime | None:
    """When news is too old to be told: as planned, else as the policy says for customers."""
    if message.expires_at or message.kind is MessageKind.ALERT:
        return message.expires_at
    return message.planned_at + timedelta(days=company.follow_up.expire_after_days)


@cache
def _facts_query() -> sa.Select[Any]:
    """Built once: it is asked twice for every message that leaves."""
    return (
        sa.select(Message, Customer, Loop, Ticket, _consent(), _unresolved(), _answered())
        .outerjoin(Customer, col(Customer.id) == Message.customer_id)
        .outerjoin(Loop, col(Loop.id) == Message.loop_id)
        .outerjoin(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(col(Message.id).in_(sa.bindparam("message_ids", expanding=True)))
    )


def addresses_of(session: Session, customer_ids: Collection[int]) -> dict[int, list[str]]:
    """The e-mail addresses of each customer, the newest first."""
    found: dict[int, list[str]] = {}
    if not customer_ids:
        return found
    query = select(Identity).where(
        col(Identity.customer_id).in_(sorted(customer_ids)), Identity.kind == IdentityKind.EMAIL
    )
    for row in session.exec(query.order_by(col(Identity.at).desc(), col(Identity.id).desc())):
        found.setdefault(row.customer_id, []).append(row.value)
    return found


def _consent() -> ColumnElement[bool]:
    newest = (
        select(Consent.granted)
        .where(
            col(Consent.customer_id) == Message.customer_id, Consent.purpose == Purpose.FOLLOW_UP
        )
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
    )
    return newest.correlate(Message).scalar_subquery().label("consent")


def _unresolved() -> ColumnElement[bool]:
    waits_for = select(LoopTicket.ticket_id).join(Ticket, col(Ticket.id) == LoopTicket.ticket_id)
    unfinished = waits_for.where(
        col(LoopTicket.loop_id) == Message.loop_id, col(Ticket.state).in_(UNFINISHED)
    )
    return exists(unfinished.correlate(Message)).label("unresolved")


def _answered() -> ColumnElement[bool]:
    answers = select(Answer.id).where(
        col(Answer.loop_id) == Message.loop_id, col(Answer.round) == Loop.round
    )
    return exists(answers.correlate(Message, Loop)).label("answered")


def _still_wanted(row: Row[Any]) -> bool:
    loop = row.Loop and LoopFacts(
        state=row.Loop.state,
        round=row.Loop.round,
        all_resolved=not row.unresolved,
        answered=bool(row.answered),
    )
    ticket = row.Ticket and TicketFacts(
        state=row.Ticket.state, hand=row.Ticket.hand, round=row.Ticket.round
    )
    # A follow-up is about its loop; an alert may name the loop, but is about its ticket.
    is_follow_up = row.Message.kind is MessageKind.FOLLOW_UP
    return still_wanted(
        row.Message.step, loop if is_follow_up else None, None if is_follow_up else ticket
    )


def _suppressed(
    session: Session, addresses: Mapping[int, Sequence[str]], secret: bytes
) -> dict[str, str]:
    """By address the reason why we are silent there; addresses that are not are left out."""
    by_hash = {pseudonym(secret, a): a for theirs in addresses.values() for a in theirs}
    if not by_hash:
        return {}
    query = select(Suppression).where(col(Suppression.address_hash).in_(by_hash))
    return {by_hash[row.address_hash]: row.reason for row in session.exec(query)}


def _contacted(
    session: Session, customer_ids: Collection[int], now: datetime
) -> dict[int, list[datetime]]:
    """When each customer heard from us lately; a message still on its way counts as now."""
    if not customer_ids:
        return {}
    at = func.coalesce(Message.settled_at, now, type_=UtcDateTime())
    query = select(Message.customer_id, at).where(
        col(Message.customer_id).in_(sorted(customer_ids)),
        Message.kind == MessageKind.FOLLOW_UP,
        Message.template != UNCAPPED,
        col(Message.state).in_(GONE),
        or_(col(Message.settled_at).is_(None), col(Message.settled_at) > now - LONGEST_CAP),
    )
    found: dict[int, list[datetime]] = {}
    for customer_id, moment in session.exec(query):
        if customer_id is not None:
            found.setdefault(customer_id, []).append(moment)
    return found
