"""What becomes of a message after it was tried: written down, whatever the other side said."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

from notifications.allowlist import Channels
from notifications.channel import (
    Capability,
    ChannelDownError,
    NoSuchMailboxError,
    OptedOutError,
)
from notifications.liveness import Held
from voc.actions.restoring import head_of
from voc.company.model import Company
from voc.errors import DeliveryError, NotSentError, RefusedError, UnconfirmedError
from voc.journal import Journal, message_digest
from voc.models import DeliveryChannel, Message, MessageKind, MessageState
from voc.rules.contact import Why
from voc.rules.pseudonym import pseudonym
from voc.rules.retries import pause_after, retry_at
from voc.store import breakers, contact, events, messages
from voc.store.database import transaction

Is = MessageState
OnSent = Callable[[Session, Message, datetime], None]
SETTLING_ATTEMPTS = 3
MOST_DOUBTS = 10
"""After so many lost replies in a row, a way is left alone: each one more is work for a person."""
ONE_WAY = frozenset({DeliveryChannel.EMAIL, DeliveryChannel.SMS})
"""All that goes by them takes one route. Others have one for each room or console."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """What stays the same while a sender works, and what it has learned."""

    engine: Engine
    channels: Channels
    company: Company
    secret: bytes
    sender: Held
    journal: Journal
    kill_switch: Path
    clock: Callable[[], datetime]
    rng: Random
    on_sent: OnSent
    waiting: set[DeliveryChannel] = field(default_factory=set)
    """Channels that are not tried any more in this drain."""
    usable: set[str] = field(default_factory=set)
    """Routes that nothing was known against when this drain first took them."""
    on_trial: set[str] = field(default_factory=set)
    """Those of them that failed last time, and whose one try is ours."""
    doubts: Counter[str] = field(default_factory=Counter)
    """By route the replies that were lost in a row."""

    def leave_alone(self, channel: DeliveryChannel, route: str) -> None:
        """Try *route* no more: what goes by it waits. So does all of a channel with one way."""
        self.usable.discard(route)
        self.on_trial.discard(route)
        if channel in ONE_WAY:
            self.waiting.add(channel)


def settle_as_sent(
    session: Session,
    message: Message,
    *,
    provider_id: str,
    on_sent: OnSent,
    now: datetime,
) -> bool:
    """SENT, and what the domain makes of it, in one transaction."""
    told = provider_id[:255] or None
    if not messages.move(session, message, Is.SENT, provider_id=told, now=now):
        return False
    on_sent(session, message, now)
    return True


def settle_success(drain: Drain, message: Message, route: str, provider_id: str) -> None:
    """Write down that it was taken; also if someone took us for dead and wrote UNKNOWN.

    A database that is locked, or gone for a moment, is asked again. One that stays away leaves
    the message SENDING: who recovers finds no sender and makes it UNKNOWN, and a person finds
    in the log what the other side called it.

    Raises:
        OperationalError: The database could not be asked.
    """
    for left in reversed(range(SETTLING_ATTEMPTS)):
        try:
            _settle_success(drain, message, route, provider_id)
        except OperationalError:
            if not left:
                log.warning("message %s was taken as %r, not noted", message.id, provider_id)
                raise
        else:
            return


def _settle_success(drain: Drain, message: Message, route: str, provider_id: str) -> None:
    with transaction(drain.engine) as session:
        events.lock_head(session)
        stored = session.get_one(Message, message.id)
        if stored.state in {Is.SENDING, Is.UNKNOWN} and stored.sender_id == message.sender_id:
            settle_as_sent(
                session,
                stored,
                provider_id=provider_id,
                on_sent=drain.on_sent,
                now=drain.clock(),
            )
        _heard_clearly(drain, session, route)
    set_committed_value(message, "state", stored.state)


def settle_failure(
    drain: Drain,
    message: Message,
    error: DeliveryError,
    *,
    route: str = "",
    capability: Capability = Capability.NEITHER,
) -> None:
    """Write down that it was not taken, or that nobody knows, and what follows.

    Args:
        route: The way it was to take; empty if this machine has none.
    """
    now = drain.clock()
    was_sending = message.state is Is.SENDING
    with transaction(drain.engine) as session:
        events.lock_head(session)
        if isinstance(error, ChannelDownError):
            _wait_for_the_channel(drain, session, message, error, route)
        else:
            to, changes = _what_follows(drain, message, error, capability, now)
            attempts = message.attempts + 1
            messages.move(session, message, to, now=now, attempts=attempts, **changes)
            _suppress_if_gone(drain, session, message, error, now)
            if isinstance(error, UnconfirmedError):
                _count_doubt(drain, session, message, error, route)
            else:
                _heard_clearly(drain, session, route)
        head = head_of(session)
    if was_sending and not isinstance(error, UnconfirmedError):
        digest = message_digest(message.message_id or "")
        drain.journal.refused(head, digest, message.words_hash or "", now)


def _what_follows(
    drain: Drain, message: Message, error: DeliveryError, capability: Capability, now: datetime
) -> tuple[MessageState, dict[str, Any]]:
    """The next state, and what changes with it."""
    reason = str(error)
    if isinstance(error, RefusedError):
        return Is.FAILED, {"reason": reason}
    may_repeat = capability is Capability.IDEMPOTENT
    if isinstance(error, UnconfirmedError) and not may_repeat:
        return Is.UNKNOWN, {"reason": reason}
    in_doubt = may_repeat and message.sending_at is not None  # an earlier try may have worked
    again = retry_at(
        message.attempts + 1,
        now,
        drain.rng,
        queued_at=message.frozen_at or message.planned_at,
        asked=_asked(error),
    )
    if again is None:
        gave_up = f"gave up after {message.attempts + 1} attempts: {reason}"
        return Is.UNKNOWN if in_doubt else Is.DEAD, {"reason": gave_up}
    not_before = min(again, message.expires_at or again)  # then it expires, and says so
    return Is.QUEUED, {"reason": reason, "not_before": not_before}


def _wait_for_the_channel(
    drain: Drain, session: Session, message: Message, error: ChannelDownError, route: str
) -> None:
    """It is not about this message: that keeps its attempts, and all others wait with it."""
    now, reason, asked = drain.clock(), str(error), _asked(error)
    until = now + max(pause_after(1), asked)
    if route:
        until = breakers.has_failed(session, route, reason=reason, now=now, asked=asked)
    messages.move(session, message, Is.QUEUED, reason=reason, now=now, not_before=until)
    drain.leave_alone(message.channel, route)


def _count_doubt(
    drain: Drain, session: Session, message: Message, error: UnconfirmedError, route: str
) -> None:
    """Leave a way alone that loses one reply after the other, or the one of its trial."""
    drain.doubts[route] += 1
    if route in drain.on_trial or drain.doubts[route] >= MOST_DOUBTS:
        breakers.has_failed(session, route, reason=str(error), now=drain.clock())
        drain.leave_alone(message.channel, route)


def _asked(error: DeliveryError) -> timedelta:
    """How long the other side asked us to wait."""
    seconds = error.retry_after_s if isinstance(error, NotSentError) else None
    return timedelta(seconds=seconds or 0)


def _heard_clearly(drain: Drain, session: Session, route: str) -> None:
    """The provider speaks to us: it takes messages, or refuses this one."""
    drain.doubts.pop(route, None)
    if route in drain.on_trial:
        breakers.works(session, route)
        drain.on_trial.discard(route)


def _suppress_if_gone(
    drain: Drain, session: Session, message: Message, error: DeliveryError, now: datetime
) -> None:
    if message.kind is not MessageKind.FOLLOW_UP or not message.address:
        return
    if isinstance(error, NoSuchMailboxError):
        reason = Why.BOUNCED
    elif isinstance(error, OptedOutError):
        reason = Why.STOPPED
    else:
        return
    address_hash = pseudonym(drain.secret, message.address)
    how = f"message {message.id}"
    contact.suppress(session, address_hash, reason=reason, how=how, now=now)
