"""What the governor asks about a message and the customer it goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import ColumnElement, CursorResult, Row, exists
from sqlmodel import Session, col, select

from voc.company.model import Company
from voc.models import (
    Consent,
    Customer,
    DeliveryChannel,
    Exposure,
    Installation,
    Loop,
    Message,
    MessageKind,
    MessageState,
    Purpose,
    Suppression,
    Ticket,
)
from voc.rules.addresses import OF_ONE_ADDRESS, choose_address
from voc.rules.contact import ContactFacts, Why, choose_way, is_held_out
from voc.rules.experiments import HOLD_OUT, is_running, variant_of
from voc.rules.quiet_hours import zone, zones_of
from voc.store.standings import UNCAPPED, Standing, standings_of
from voc.store.upsert import insert_new
from voc.store.wanted import answered, is_wanted, to_judge, unresolved

PURPOSES = {
    DeliveryChannel.EMAIL: Purpose.FOLLOW_UP,
    DeliveryChannel.SMS: Purpose.FOLLOW_UP_SMS,
}
"""What a customer has to agree to, to be written to by this channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What stays the same for all the messages that are asked about."""

    company: Company
    secret: bytes
    kill_switch: bool
    now: datetime

    def parameters(self) -> dict[str, Any]:
        today = self.now.astimezone(zone(self.company.company.timezone)).date()
        return {"running": [e.id for e in self.company.experiments if is_running(e, today)]}


def lock_contact(session: Session, customer_id: int | None) -> None:
    """Hold a customer until the transaction ends: a last look and an opt-out take turns.

    Whoever records an opt-out calls this first, too. On PostgreSQL a look without the lock
    misses an opt-out that commits at the same moment; SQLite has one writer anyway.
    """
    if customer_id is not None:
        query = select(Customer.id).where(col(Customer.id) == customer_id).with_for_update()
        session.exec(query).one_or_none()


def suppress(session: Session, address_hash: str, *, reason: str, how: str, now: datetime) -> bool:
    """Never write to this address again; False if that was so for this reason, or a wider one.

    The first reason stays, unless this one is wider.
    """
    row = {"address_hash": address_hash, "reason": reason, "how": how, "at": now}
    if insert_new(session, Suppression, [row]):
        return True
    if reason in OF_ONE_ADDRESS:
        return False
    widened = session.execute(
        sa.update(Suppression)
        .where(
            col(Suppression.address_hash) == address_hash,
            col(Suppression.reason).in_(OF_ONE_ADDRESS),
        )
        .values(reason=reason, how=how, at=now)
    )
    return cast(CursorResult[Any], widened).rowcount > 0


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

    A message that is not frozen yet may go by any channel of the policy: these are the facts of
    the one that it would go by. Suppressions are filed under a hash that only Python can make,
    so they cannot be joined.
    """
    asked = _Asked(company=company, secret=secret, kill_switch=kill_switch, now=now)
    parameters = {"message_ids": list(message_ids)} | asked.parameters()
    rows = session.execute(_facts_query(), parameters).all()
    customer_ids = {row.Message.customer_id for row in rows if row.Message.customer_id}
    standings = standings_of(session, customer_ids, secret=secret, now=now)
    facts = {}
    for row in rows:
        ways = [
            _facts(row, channel, standings.get(row.Message.customer_id), asked)
            for channel in _channels(row.Message, company)
        ]
        facts[row.Message.id] = choose_way(ways, company.follow_up, now)
    return facts


def ways_to(
    session: Session,
    customer_id: int,
    *,
    company: Company,
    secret: bytes,
    kill_switch: bool,
    now: datetime,
) -> list[ContactFacts]:
    """What would be decided on if this customer were written to now, by each channel."""
    asked = _Asked(company=company, secret=secret, kill_switch=kill_switch, now=now)
    query = sa.select(Customer, *_about_customers()).where(col(Customer.id) == customer_id)
    row = session.execute(query, asked.parameters()).one()
    standing = standings_of(session, [customer_id], secret=secret, now=now)[customer_id]
    channels = map(DeliveryChannel, company.follow_up.channels)
    return [_to_customer(row, channel, standing, asked) for channel in channels]


def _channels(message: Message, company: Company) -> Sequence[DeliveryChannel]:
    """By which ways a message may go: one, if it is frozen for it or to no customer."""
    may_change = message.channel in PURPOSES and message.address is None
    if message.kind is MessageKind.FOLLOW_UP and may_change:
        return [DeliveryChannel(channel) for channel in company.follow_up.channels]
    return [message.channel]


def _facts(
    row: Row[Any], channel: DeliveryChannel, standing: Standing | None, asked: _Asked
) -> ContactFacts:
    message = row.Message
    experiments = asked.company.experiments
    is_contact = message.kind is MessageKind.FOLLOW_UP and channel in PURPOSES
    if is_contact and row.Customer and standing:
        facts = _to_customer(row, channel, standing, asked, frozen=message.address)
    else:
        facts = ContactFacts(
            address=None if is_contact else message.address or message.recipient,
            restored=row.restored_at is not None,
        )
    variant = variant_of(experiments, message.variant)
    content = message.content
    return replace(
        facts,
        kind=message.kind,
        channel=channel,
        exempt=message.template == UNCAPPED,
        not_before_hour=variant.hour if variant else None,
        kill_switch=asked.kill_switch,
        by_hand=message.state is MessageState.HELD and message.reason == Why.BY_HAND,
        written=content is not None,
        # The file may have come to ask for it since the message was written.
        needs_approval=message.needs_approval
        or message.template in asked.company.follow_up.approval.messages,
        approved=content is not None and message.approved_hash == sha256(content).hexdigest(),
        expires_at=_expiry(message, asked.company),
        still_wanted=is_wanted(row),
    )


def _to_customer(
    row: Row[Any],
    channel: DeliveryChannel,
    standing: Standing,
    asked: _Asked,
    frozen: str | None = None,
) -> ContactFacts:
    """What is about the customer and the channel, and not about a message."""
    customer, about = row.Customer, asked.company.company
    addresses = standing.addresses.get(channel, ())
    address, reason = choose_address(addresses, standing.suppressed, frozen)
    share = asked.company.follow_up.hold_out_share
    return ContactFacts(
        channel=channel,
        address=address,
        suppressed=reason,
        consent=row.consent if channel is DeliveryChannel.EMAIL else row.consent_sms,
        country=customer.country,
        held_out=row.held_out or is_held_out(asked.secret, customer.id, share),
        contacted_at=standing.contacted_at,
        zones=zones_of(
            customer.timezone, customer.country, about.customer_countries, about.timezone
        ),
        kill_switch=asked.kill_switch,
        restored=row.restored_at is not None,
    )


def _expiry(message: Message, company: Company) -> datetime | None:
    """When news is too old to be told: as planned, else as the policy says for customers."""
    if message.expires_at or message.kind is not MessageKind.FOLLOW_UP:
        return message.expires_at
    return message.planned_at + timedelta(days=company.follow_up.expire_after_days)


@cache
def _facts_query() -> sa.Select[Any]:
    """Built once: it is asked twice for every message that leaves."""
    about_loop = (unresolved(), answered(), to_judge())
    return (
        sa.select(Message, Customer, Loop, Ticket, *_about_customers(), *about_loop)
        .outerjoin(Customer, col(Customer.id) == Message.customer_id)
        .outerjoin(Loop, col(Loop.id) == Message.loop_id)
        .outerjoin(Ticket, col(Ticket.id) == Message.ticket_id)
        .where(col(Message.id).in_(sa.bindparam("message_ids", expanding=True)))
    )


def _about_customers() -> tuple[ColumnElement[Any], ...]:
    running: sa.BindParameter[str] = sa.bindparam("running", expanding=True)
    exposed = select(Exposure.customer_id).where(
        col(Exposure.customer_id) == Customer.id,
        Exposure.variant == HOLD_OUT,
        col(Exposure.experiment).in_(running),
    )
    return (
        _consent(Purpose.FOLLOW_UP).label("consent"),
        _consent(Purpose.FOLLOW_UP_SMS).label("consent_sms"),
        exists(exposed.correlate(Customer)).label("held_out"),
        select(Installation.restored_at).limit(1).scalar_subquery().label("restored_at"),
    )


def _consent(purpose: Purpose) -> sa.ScalarSelect[bool]:
    newest = (
        select(Consent.granted)
        .where(col(Consent.customer_id) == Customer.id, Consent.purpose == purpose)
        .order_by(col(Consent.at).desc(), col(Consent.id).desc())
        .limit(1)
    )
    return newest.correlate(Customer).scalar_subquery()
