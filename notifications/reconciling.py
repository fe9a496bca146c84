"""After a restore: what of this older copy left since it was made, as the journal knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from notifications.allowlist import Channels
from notifications.delivery import nothing_more
from notifications.mail import sender_of
from notifications.recovery import look_up
from notifications.settling import OnSent, settle_as_sent
from voc.actions.restoring import HANDED_OVER, forgotten, may_have_left
from voc.company.model import Company
from voc.journal import Journal
from voc.models import Message, MessageState
from voc.rules.contact import Why
from voc.rules.tokens import message_id, message_key
from voc.store import messages, outbox
from voc.store.database import transaction

Is = MessageState


@dataclass(slots=True)
class Reconciled:
    """What a restore left in doubt, by the ids of the messages."""

    forgotten: int = 0
    """How many were handed over that this copy cannot know of: some are not planned here yet."""
    sent: list[int] = field(default_factory=list)
    """The way that they took has them for certain."""
    handed_over: list[int] = field(default_factory=list)
    """The journal has them: they may have arrived, and are for a person to decide."""
    not_known: list[int] = field(default_factory=list)
    """In doubt because of the restore, and not in the journal."""


def message_ids(message: Message, company: Company, secret: bytes) -> list[str]:
    """The Message-IDs under which a message may have left, whatever way it took then."""
    domain = sender_of(company.company.sender).domain
    channels = sorted({message.channel.value, *company.follow_up.channels})
    about = (message.subject, message.step)
    return [
        message_id(secret, message_key(*about, channel, message.recipient), domain)
        for channel in channels
    ]


def reconcile(
    engine: Engine,
    journal: Journal,
    channels: Channels,
    *,
    company: Company,
    secret: bytes,
    now: datetime,
    on_sent: OnSent = nothing_more,
) -> Reconciled:
    """Find out what left after this copy was made, and write it down. May be repeated.

    A message that waits or is in doubt, and that the journal has, is SENT if the way it took
    says so, else UNKNOWN. Nothing is sent here, and nothing leaves until somebody says that they
    have looked: `voc.actions.restoring.finish`.
    """
    with transaction(engine) as session:
        lost = forgotten(session, journal)
        waiting = outbox.in_states(session, [Is.PLANNED, Is.UNKNOWN])
    found = Reconciled(forgotten=len(lost))
    for message in waiting:
        ids = message_ids(message, company, secret)
        if may_have_left([*ids, message.message_id or ""], message.words_hash, lost):
            taken = look_up(channels.get(message.channel), message)
            (found.handed_over if taken is None else found.sent).append(message.id or 0)
            _write_down(engine, message, ids, taken, now=now, on_sent=on_sent)
        elif message.reason == Why.RESTORED:
            found.not_known.append(message.id or 0)
    return found


def _write_down(
    engine: Engine,
    message: Message,
    ids: list[str],
    taken: str | None,
    *,
    now: datetime,
    on_sent: OnSent,
) -> None:
    with transaction(engine) as session:
        if taken is not None:
            settle_as_sent(session, message, provider_id=taken, on_sent=on_sent, now=now)
        elif message.state is Is.PLANNED:
            # With an id, although without words: if a person lets it go, it is not doubted again.
            changes = {"reason": HANDED_OVER, "message_id": message.message_id or ids[0]}
            messages.move(session, message, Is.UNKNOWN, now=now, **changes)
        elif message.reason != HANDED_OVER:
            outbox.say_why(session, message, HANDED_OVER)
