"""Putting right what a dead sender left behind: nothing is sent here, only written down."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from notifications.allowlist import Channels
from notifications.channel import Capability, Channel
from notifications.delivery import envelope_of, nothing_more
from notifications.liveness import liveness
from notifications.settling import OnSent, settle_as_sent
from voc.models import Message, MessageState
from voc.rules.messages import IN_DOUBT_ALARM, IN_DOUBT_AT_MOST
from voc.store import messages, outbox, restores
from voc.store.database import transaction

Is = MessageState
log = logging.getLogger(__name__)


def recover(
    engine: Engine,
    locks_dir: Path,
    *,
    channels: Channels,
    now: datetime,
    on_sent: OnSent = nothing_more,
) -> Counter[MessageState]:
    """Move on what senders that have certainly ended had claimed or were handing over.

    CLAIMED goes back to QUEUED: nothing had left. SENDING becomes SENT if the way it took says
    that it has the message; else QUEUED if handing over again is harmless there, else UNKNOWN.
    Ways that can be asked are asked again about what is UNKNOWN; that something is not there is
    no proof, and changes nothing. After three days without any proof it is ABANDONED.
    """
    alive = liveness(engine, locks_dir)
    with transaction(engine) as session:
        waiting = outbox.in_flight(session)
        in_doubt = outbox.in_doubt_since(session, now)
    counts: Counter[MessageState] = Counter()
    for message in waiting:
        if alive.is_dead(message.sender_id or "", sending_at=message.sending_at, now=now) and (
            _recover(engine, message, channels, now, on_sent)
        ):
            counts[message.state] += 1
    for message in in_doubt:
        if _ask_again(engine, message, channels, now, on_sent):
            counts[message.state] += 1
    return counts


def long_in_doubt(engine: Engine, *, now: datetime) -> int:
    """How many messages have been UNKNOWN for so long that a person should look; names them."""
    with transaction(engine) as session:
        found = outbox.in_doubt_since(session, now - IN_DOUBT_ALARM)
    if found:
        ids = ", ".join(str(message.id) for message in found)
        log.warning("in doubt for more than 15 minutes: %s (`voc outbox list`)", ids)
    return len(found)


def _recover(
    engine: Engine, message: Message, channels: Channels, now: datetime, on_sent: OnSent
) -> bool:
    if message.state is Is.CLAIMED:
        with transaction(engine) as session:
            return messages.move(session, message, Is.QUEUED, reason="its sender died", now=now)
    route, channel = message.route or "", channels.get(message.channel)
    taken = look_up(channel, message)
    with transaction(engine) as session:
        if taken is not None:
            return settle_as_sent(session, message, provider_id=taken, on_sent=on_sent, now=now)
        harmless = channel is not None and channel.capability_of(route) is Capability.IDEMPOTENT
        state, reason = (
            (Is.QUEUED, "its sender died; handing it over again is harmless")
            if harmless
            else (Is.UNKNOWN, f"its sender died while handing it over by {route}")
        )
        return messages.move(session, message, state, reason=reason, now=now)


def _ask_again(
    engine: Engine, message: Message, channels: Channels, now: datetime, on_sent: OnSent
) -> bool:
    taken = look_up(channels.get(message.channel), message)
    if taken is None and now - (message.settled_at or now) < IN_DOUBT_AT_MOST:
        return False
    with transaction(engine) as session:
        if taken is not None:
            return settle_as_sent(session, message, provider_id=taken, on_sent=on_sent, now=now)
        if restores.restored_at(session) is not None:
            return False
        reason = "in doubt for three days"
        return messages.move(session, message, Is.ABANDONED, reason=reason, now=now)


def look_up(channel: Channel | None, message: Message) -> str | None:
    """What the way that a message took calls it; None if that cannot be known, or not now."""
    route = message.route
    if channel is None or route is None or channel.capability_of(route) is Capability.NEITHER:
        return None
    try:
        return channel.look_up(route, envelope_of(message))
    except Exception as exc:  # noqa: BLE001  (whatever it is, it is no proof)
        log.info("message %s cannot be looked up: %s", message.id, type(exc).__name__)
        return None
