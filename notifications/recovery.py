"""Putting right what a dead sender left behind: nothing is sent here, only written down."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from notifications.channel import Channel
from notifications.delivery import OnSent, nothing_more, settle_as_sent
from notifications.senders import is_dead
from voc.models import Message, MessageState
from voc.store import messages
from voc.store.database import transaction

Is = MessageState


def recover(
    engine: Engine,
    locks_dir: Path,
    *,
    channel: Channel,
    now: datetime,
    on_sent: OnSent = nothing_more,
) -> Counter[MessageState]:
    """Move on what senders that have certainly ended had claimed or were handing over.

    CLAIMED goes back to QUEUED: nothing had left. SENDING becomes UNKNOWN, unless the way it
    took can say for certain whether it has the mail: then SENT or QUEUED.
    """
    with transaction(engine) as session:
        waiting = messages.in_flight(session)
    dead = {
        sender: is_dead(locks_dir, sender)
        for sender in {m.sender_id for m in waiting if m.sender_id}
    }
    counts: Counter[MessageState] = Counter()
    for message in waiting:
        if dead.get(message.sender_id or "") and _recover(engine, message, channel, now, on_sent):
            counts[message.state] += 1
    return counts


def _recover(
    engine: Engine, message: Message, channel: Channel, now: datetime, on_sent: OnSent
) -> bool:
    if message.state is Is.CLAIMED:
        with transaction(engine) as session:
            return messages.move(session, message, Is.QUEUED, reason="its sender died", now=now)
    route = message.reason or ""  # written down together with SENDING
    taken = channel.has_taken(route, message.message_id or "")
    with transaction(engine) as session:
        if taken:
            return settle_as_sent(session, message, route=route, on_sent=on_sent, now=now)
        state, reason = (
            (Is.UNKNOWN, f"its sender died while handing it over by {route}")
            if taken is None
            else (Is.QUEUED, "its sender died before it was stored")
        )
        return messages.move(session, message, state, reason=reason, now=now)
