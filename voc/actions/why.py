"""Why a message does not leave, and what stands behind it; addresses are masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from voc.company.follow_up import Ground
from voc.company.model import Company
from voc.models import Customer, DeliveryChannel, Message, MessageKind, MessageState
from voc.rules.addresses import masked
from voc.rules.contact import ContactFacts, Silence, Why, ground_of, silences
from voc.rules.messages import GONE
from voc.rules.quiet_hours import zone
from voc.rules.sentences import SENTENCES
from voc.store import evidence
from voc.store.contact import PURPOSES, facts_for, ways_to

LISTED = 20  # messages of one customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for silence, as it is told."""

    code: Why
    sentence: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a message would go, and all that is against it, the strongest first."""

    channel: DeliveryChannel
    address: str | None
    """Masked."""
    reasons: tuple[Reason, ...]
    consent: bool | None
    ground: Ground
    held_out: bool
    zones: tuple[str, ...]
    local_times: tuple[str, ...]
    """What the clocks of these zones show now: each time of day once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageShown:
    id: int
    about: str
    step: str
    channel: DeliveryChannel
    state: MessageState
    reason: str | None
    """As it was stored when it was moved to this state."""
    at: datetime
    not_before: datetime
    merged_into: int | None
    needs_approval: bool
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a customer said about being written to by one channel."""

    purpose: str
    granted: bool
    how: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    address: str
    reason: str
    how: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that the governor knows of a message, or of a customer."""

    customer_id: int | None
    country: str | None
    message: MessageShown | None
    ways: tuple[Way, ...]
    """Of a message the one that it goes by; none if it has left."""
    consents: tuple[Said, ...]
    suppressions: tuple[Suppressed, ...]
    counted: tuple[MessageShown, ...]
    """What fills the caps."""
    unsent: tuple[MessageShown, ...]
    """Of a customer: what has not left, the newest first."""


def explain_message(
    session: Session,
    message_id: int,
    *,
    company: Company,
    secret: bytes,
    kill_switch: bool,
    now: datetime,
) -> Explanation:
    """Why this message does not leave.

    Raises:
        NotFoundError: There is no such message.
    """
    message = evidence.found_message(session, message_id)
    facts = facts_for(
        session, [message_id], company=company, secret=secret, kill_switch=kill_switch, now=now
    )[message_id]
    ways = [] if message.state in GONE else [facts]
    return _explanation(
        session,
        message.customer_id,
        message,
        ways=ways,
        company=company,
        secret=secret,
        now=now,
    )


def explain_customer(
    session: Session,
    who: str,
    *,
    company: Company,
    secret: bytes,
    kill_switch: bool,
    now: datetime,
) -> Explanation:
    """Why this customer is not written to now, by each channel of the policy.

    Args:
        who: Their number, or an e-mail address.

    Raises:
        NotFoundError: We know no such customer.
    """
    customer_id = evidence.found_customer(session, who)
    ways = ways_to(
        session, customer_id, company=company, secret=secret, kill_switch=kill_switch, now=now
    )
    return _explanation(session, customer_id, ways=ways, company=company, secret=secret, now=now)


def _explanation(
    session: Session,
    customer_id: int | None,
    message: Message | None = None,
    *,
    ways: Sequence[ContactFacts],
    company: Company,
    secret: bytes,
    now: datetime,
) -> Explanation:
    customer = session.get(Customer, customer_id) if customer_id is not None else None
    is_alert = message is not None and message.kind is not MessageKind.FOLLOW_UP
    known = None if is_alert else customer_id
    return Explanation(
        customer_id=known,
        country=customer.country if customer else None,
        message=_shown(message) if message else None,
        ways=tuple(_way(facts, company, now) for facts in ways),
        consents=_said(session, known) if known else (),
        suppressions=_suppressed(session, known, secret) if known else (),
        counted=tuple(map(_shown, evidence.counted(session, known, now))) if known else (),
        unsent=()
        if message or known is None
        else tuple(map(_shown, evidence.unsent(session, known, LISTED))),
    )


def _way(facts: ContactFacts, company: Company, now: datetime) -> Way:
    walls = sorted({f"{now.astimezone(zone(name)):%H:%M}" for name in facts.zones})
    return Way(
        channel=facts.channel,
        address=masked(facts.address) if facts.address else None,
        reasons=tuple(map(_reason, silences(facts, company.follow_up, now))),
        consent=facts.consent,
        ground=ground_of(facts.country, company.follow_up),
        held_out=facts.held_out,
        zones=facts.zones,
        local_times=tuple(walls),
    )


def _reason(silence: Silence) -> Reason:
    return Reason(code=silence.reason, sentence=SENTENCES[silence.reason], until=silence.until)


def _shown(message: Message) -> MessageShown:
    return MessageShown(
        id=message.id or 0,
        about=message.subject,
        step=message.step,
        channel=message.channel,
        state=message.state,
        reason=message.reason,
        at=message.settled_at or message.planned_at,
        not_before=message.not_before,
        merged_into=message.merged_into_id,
        needs_approval=message.needs_approval,
        approved_at=message.approved_at,
    )


def _said(session: Session, customer_id: int) -> tuple[Said, ...]:
    newest = evidence.newest_consents(session, customer_id)
    return tuple(
        Said(purpose=purpose, granted=row.granted, how=row.how, at=row.at)
        for purpose in PURPOSES.values()
        if (row := newest.get(purpose))
    )


def _suppressed(session: Session, customer_id: int, secret: bytes) -> tuple[Suppressed, ...]:
    return tuple(
        Suppressed(address=masked(address), reason=row.reason, how=row.how, at=row.at)
        for address, row in evidence.suppressions(session, customer_id, secret).items()
    )
