"""Putting right what a dead sender left behind: nothing is sent here, only written down."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from notifications.allowlist import Channels
from notifications.channel import Capability
from notifications.delivery import OnSent, envelope_of, nothing_more, settle_as_sent
from notifications.senders import is_dead
from voc.models import Message, MessageState
from voc.store import messages
from voc.store.database import transaction

Is = MessageState


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
    """
    with transaction(engine) as session:
        waiting = messages.in_flight(session)
    dead = {
        sender: is_dead(locks_dir, sender)
        for sender in {m.sender_id for m in waiting if m.sender_id}
    }
    counts: Counter[MessageState] = Counter()
    for message in waiting:
        if dead.get(message.sender_id or "") and _recover(engine, message, channels, now, on_sent):
            counts[message.state] += 1
    return counts


def _recover(
    engine: Engine, message: Message, channels: Channels, now: datetime, on_sent: OnSent
) -> bool:
    if message.state is Is.CLAIMED:
        with transaction(engine) as session:
            return messages.move(session, message, Is.QUEUED, reason="its sender died", now=now)
    route, channel = message.route or "", channels.get(message.channel)
    taken = channel.look_up(route, envelope_of(message)) if channel else None
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
