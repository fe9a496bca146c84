"""From QUEUED to an outcome, at most once for each message.

Three transactions a message: *claim* it; after everything that can fail harmlessly, take the
*last look* and write down that we are sending; hand over; *settle*. If the process ends in
between, what is written down says how far it can have come (`notifications.recovery`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import Engine
from sqlmodel import Session

from notifications.allowlist import Channels, close_all
from notifications.channel import Channel, ChannelDownError, Envelope, NoSuchMailboxError
from notifications.mail import CannotComposeError, wire_address
from voc.company.model import Company
from voc.errors import NotSentError, RefusedError, UnconfirmedError
from voc.models import DeliveryChannel, Message, MessageKind, MessageState
from voc.rules.contact import Silence, Why, why_not_contact
from voc.rules.messages import retry_at
from voc.rules.pseudonym import pseudonym
from voc.store import contact, messages
from voc.store.database import transaction

Is = MessageState
OnSent = Callable[[Session, Message, datetime], None]
CHANNEL_PAUSE = timedelta(minutes=1)


def nothing_more(session: Session, message: Message, now: datetime) -> None:
    """What happens to the domain when nobody asked for anything to happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drain:
    """What stays the same while a sender works."""

    engine: Engine
    channels: Channels
    company: Company
    secret: bytes
    sender_id: str
    kill_switch: Path
    now: datetime
    rng: Random
    on_sent: OnSent


def deliver_due(
    engine: Engine,
    channels: Channels,
    *,
    company: Company,
    secret: bytes,
    sender_id: str,
    kill_switch: Path,
    now: datetime,
    rng: Random,
    limit: int = 1000,
    on_sent: OnSent = nothing_more,
) -> Counter[MessageState]:
    """Deliver up to *limit* messages that are due; return how many ended in which state.

    Stops early when the channel works for nobody. Senders may overlap; each must hold its
    `SenderLock` meanwhile, or `recover` cannot tell the dead from the busy.

    Args:
        kill_switch: While this file exists nothing leaves. What it held is queued again when
            it is gone.
        on_sent: Called in the transaction that settles a message as SENT.
    """
    drain = _Drain(
        engine=engine,
        channels=channels,
        company=company,
        secret=secret,
        sender_id=sender_id,
        kill_switch=kill_switch,
        now=now,
        rng=rng,
        on_sent=on_sent,
    )
    counts: Counter[MessageState] = Counter()
    if not kill_switch.exists():
        with transaction(engine) as session:
            messages.release_held(session)
    try:
        for _ in range(limit):
            if (message := _claim(drain)) is None:
                break
            goes_on = message.state is not Is.CLAIMED or _deliver(drain, message)
            counts[message.state] += 1
            if not goes_on:
                break
    finally:
        close_all(channels)
    return counts


def settle_as_sent(
    session: Session, message: Message, *, provider_id: str, on_sent: OnSent, now: datetime
) -> bool:
    """SENT, and what the domain makes of it, in one transaction."""
    told = provider_id[:255] or None
    if not messages.move(session, message, Is.SENT, provider_id=told, now=now):
        return False
    on_sent(session, message, now)
    return True


def _claim(drain: _Drain) -> Message | None:
    """Take the next message; one that may not leave is moved on before anything is opened."""
    with transaction(drain.engine) as session:
        message = messages.claim(session, drain.sender_id, drain.now)
        if message is not None and (silence := _ask(drain, session, message)):
            _keep_silent(drain, session, message, silence)
        return message


def _deliver(drain: _Drain, message: Message) -> bool:
    """Take a claimed message as far as it goes; False if the channel works for nobody."""
    try:
        mail = envelope_of(message)
        channel = _channel_of(drain, message)
        route = channel.route_for(mail.recipient)
        channel.prepare(mail)
        if not _last_look(drain, message, route):
            return True
        provider_id = channel.hand_over(mail)
    except ChannelDownError as exc:
        with transaction(drain.engine) as session:
            later = drain.now + CHANNEL_PAUSE
            messages.move(
                session, message, Is.QUEUED, reason=str(exc), now=drain.now, not_before=later
            )
        return False
    except (NotSentError, RefusedError, UnconfirmedError) as exc:
        _settle_failure(drain, message, exc)
    else:
        _settle_success(drain, message, provider_id)
    return True


def _channel_of(drain: _Drain, message: Message) -> Channel:
    if (channel := drain.channels.get(message.channel)) is None:
        raise ChannelDownError(f"no {message.channel.value} channel is set up on this machine")
    return channel


def envelope_of(message: Message) -> Envelope:
    """What a channel gets of a message.

    Raises:
        RefusedError: It was never frozen, or its address is none.
    """
    if message.message_id is None or message.address is None or message.content is None:
        raise RefusedError("it was queued without being written")
    recipient = message.address
    if message.channel is DeliveryChannel.EMAIL:
        try:
            recipient = wire_address(recipient)
        except CannotComposeError as exc:
            raise RefusedError(str(exc)) from None
    return Envelope(
        channel=message.channel,
        message_id=message.message_id,
        sender=message.envelope_sender or "",
        recipient=recipient,
        content=message.content,
        frozen_at=message.frozen_at or message.planned_at,
    )


def _last_look(drain: _Drain, message: Message, route: str) -> bool:
    """Ask once more with the contact locked, and write down that the handing-over begins."""
    with transaction(drain.engine) as session:
        contact.lock_contact(session, message.customer_id)
        if silence := _ask(drain, session, message):
            _keep_silent(drain, session, message, silence)
            return False
        return messages.move(
            session, message, Is.SENDING, route=route, sending_at=drain.now, now=drain.now
        )


def _ask(drain: _Drain, session: Session, message: Message) -> Silence | None:
    key = message.id or 0
    facts = contact.facts_for(
        session,
        [key],
        company=drain.company,
        secret=drain.secret,
        kill_switch=drain.kill_switch.exists(),
        now=drain.now,
    )
    return why_not_contact(facts[key], drain.company.follow_up, drain.now)


def _keep_silent(drain: _Drain, session: Session, message: Message, silence: Silence) -> None:
    later = {"not_before": silence.until} if silence.until else {}
    messages.move(session, message, silence.state, reason=silence.reason, now=drain.now, **later)


def _settle_success(drain: _Drain, message: Message, provider_id: str) -> None:
    with transaction(drain.engine) as session:
        if _settle(session, drain, message, provider_id):
            return
        # Someone took us for dead and wrote UNKNOWN. We are not, and we know better.
        stored = session.get_one(Message, message.id)
        if stored.state is Is.UNKNOWN and stored.sender_id == drain.sender_id:
            _settle(session, drain, stored, provider_id)


def _settle(session: Session, drain: _Drain, message: Message, provider_id: str) -> bool:
    return settle_as_sent(
        session, message, provider_id=provider_id, on_sent=drain.on_sent, now=drain.now
    )


def _settle_failure(drain: _Drain, message: Message, error: Exception) -> None:
    reason, now = str(error), drain.now
    attempts = message.attempts + 1
    with transaction(drain.engine) as session:
        if isinstance(error, UnconfirmedError):
            messages.move(session, message, Is.UNKNOWN, reason=reason, now=now, attempts=attempts)
        elif isinstance(error, NotSentError) and (again := retry_at(attempts, now, drain.rng)):
            messages.move(
                session,
                message,
                Is.QUEUED,
                reason=reason,
                now=now,
                attempts=attempts,
                not_before=again,
            )
        elif isinstance(error, NotSentError):
            reason = f"gave up after {attempts} attempts: {reason}"
            messages.move(session, message, Is.DEAD, reason=reason, now=now, attempts=attempts)
        else:
            messages.move(session, message, Is.FAILED, reason=reason, now=now, attempts=attempts)
            _suppress_if_gone(drain, session, message, error)


def _suppress_if_gone(drain: _Drain, session: Session, message: Message, error: Exception) -> None:
    is_customer = message.kind is MessageKind.FOLLOW_UP
    if isinstance(error, NoSuchMailboxError) and is_customer and message.address:
        address_hash = pseudonym(drain.secret, message.address)
        how = f"message {message.id}"
        contact.suppress(session, address_hash, reason=Why.BOUNCED, how=how, now=drain.now)
