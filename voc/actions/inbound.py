"""What mailboxes and providers tell us: kept once for ever, with its effect.

Who reads a mailbox or takes a webhook makes an `Arrived` of each thing that it was told and
calls `take_in`. What cannot be applied at once (it overtook our own knowledge of having sent)
waits for `apply_waiting`, which the close stage calls.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlmodel import Session

from voc.actions import answers, doubt, loops
from voc.actions.contact import start_sms, stop_sms, unsubscribe
from voc.models import (
    AnswerWay,
    DeliveryChannel,
    InboundEvent,
    InboundKind,
    MessageKind,
    MessageState,
    Verdict,
)
from voc.rules.contact import Why
from voc.rules.messages import asked_in
from voc.rules.pseudonym import pseudonym
from voc.store import inbound as store
from voc.store import messages, tickets
from voc.store.contact import lock_contact, suppress
from voc.store.events import lock_head

RETURNS: Mapping[InboundKind, MessageState] = MappingProxyType(
    {
        InboundKind.DELIVERED: MessageState.DELIVERED,
        InboundKind.SOFT_BOUNCED: MessageState.BOUNCED,
        InboundKind.HARD_BOUNCED: MessageState.BOUNCED,
        InboundKind.FAILED: MessageState.BOUNCED,  # handed over, and given up by the provider
        InboundKind.COMPLAINED: MessageState.COMPLAINED,
    }
)
"""What a message is after such an event."""
RANK: Mapping[MessageState, int] = MappingProxyType(
    {
        MessageState.SENT: 0,
        MessageState.DELIVERED: 1,
        MessageState.BOUNCED: 2,
        MessageState.COMPLAINED: 3,
    }
)
"""A message only climbs, so that the order in which we are told does not matter."""
CODE = re.compile(r"[\w.:+-]{0,64}", re.ASCII)
"""What we keep of a provider's code: it stands in the ledger, where no words may be."""
CLEAR = frozenset({Verdict.SOLVED, Verdict.NOT_SOLVED})
IN_DOUBT = frozenset({MessageState.UNKNOWN, MessageState.ABANDONED})
HANDED_OVER = IN_DOUBT | RANK.keys()
PATIENCE = timedelta(days=3)  # how long an event waits for its message
BUSY_TIMES, BUSY_WITHIN = 3, timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One thing that a mailbox or a provider told us, read and masked."""

    provider: str
    """mail, twilio, or the name of a webhook."""
    event_id: str
    """The provider's own id of the event, or a digest of the mail: the same when repeated."""
    kind: InboundKind
    """SOFT_BOUNCED and HARD_BOUNCED are final failures of this mail: a notice that it is only
    delayed is no event at all."""
    occurred_at: datetime
    """As the provider or our mail server dates it, never as the customer's own clock does."""
    message_id: int | None = None
    """Of our `Message`, where it is known."""
    provider_id: str | None = None
    """What the provider calls the message, where we do not know which it is (yet)."""
    customer_id: int | None = None
    address_hash: str | None = None
    """`pseudonym(secret, address)`. Default: that of the message's address."""
    code: str = ""
    """5.1.1, STOP, 30003."""
    words: str | None = field(default=None, repr=False)
    """Of a REPLIED or OPTED_OUT one: what the customer wrote, personal data masked."""
    verdict: Verdict | None = None
    """Of the same: UNCLEAR unless the words say it plainly."""
    rating: int | None = None


def take_in(session: Session, arrived: Arrived, *, secret: bytes, now: datetime) -> bool:
    """Keep what arrived and apply it, in this transaction; False if it was told us before.

    An answer is recorded as such, also one that comes with a wish for silence; an opt-out or a
    complaint silences before this commits. What is about a message that a sender has in hand is
    only kept: see `apply_waiting`.
    """
    lock_head(session)
    event = store.insert(session, _row(arrived, now))
    if event is None:
        return False
    if event.kind is InboundKind.REPLIED:
        _settle(event, _record(session, event, arrived, now=now), now=now)
    else:
        _apply(session, event, secret=secret, now=now, is_new=True)
        if event.kind is InboundKind.OPTED_OUT and arrived.verdict in CLEAR:
            _record(session, event, arrived, now=now)  # "No, and stop writing to me"
    session.flush()
    return True


def apply_waiting(
    session: Session, event_ids: Sequence[int], *, secret: bytes, now: datetime
) -> Counter[str]:
    """Apply those events that can be by now; how many came to which outcome."""
    lock_head(session)
    counts: Counter[str] = Counter()
    for event_id in event_ids:
        event = store.locked(session, event_id)
        if event.applied_at is None:
            _apply(session, event, secret=secret, now=now, is_new=False)
            counts[event.outcome or "waits"] += 1
    return counts


def _row(arrived: Arrived, now: datetime) -> dict[str, Any]:
    return {
        "provider": arrived.provider,
        "event_id": arrived.event_id[:255],
        "kind": arrived.kind,
        "message_id": arrived.message_id,
        "provider_id": arrived.provider_id,
        "customer_id": arrived.customer_id,
        "address_hash": arrived.address_hash,
        "code": arrived.code if CODE.fullmatch(arrived.code) else "",
        "occurred_at": min(arrived.occurred_at, now),
        "received_at": now,
    }


def _settle(event: InboundEvent, outcome: str, *, now: datetime) -> None:
    event.applied_at, event.outcome = now, outcome


def _record(session: Session, event: InboundEvent, arrived: Arrived, *, now: datetime) -> str:
    """Keep the words of a reply as an answer to the message's question; what came of it.

    A reply to a message that asked nothing is for a person to read, whatever its words say.
    """
    message = store.message_of(session, event)
    if message is None or message.loop_id is None or message.kind is not MessageKind.FOLLOW_UP:
        return "unknown"
    loop = tickets.locked_loop(session, message.loop_id)
    asked = asked_in(message.step)
    if not answers.takes_answers(session, loop, asked):
        return "ended"
    verdict = arrived.verdict if arrived.verdict and asked is not None else Verdict.UNCLEAR
    # Only erased words are None: a reply without any, a picture say, is for a person, too.
    nothing = "" if verdict is Verdict.UNCLEAR else None
    answers.record(
        session,
        loop,
        verdict,
        round_asked=answers.UNASKED if asked is None else asked,
        rating=arrived.rating,
        words=arrived.words or nothing,
        way=AnswerWay.SMS if message.channel is DeliveryChannel.SMS else AnswerWay.MAIL,
        at=event.occurred_at,
        now=now,
    )
    return "answered"


def _apply(
    session: Session, event: InboundEvent, *, secret: bytes, now: datetime, is_new: bool
) -> None:
    """Do what an event asks for, unless it has to wait for us to settle its message."""
    if event.kind in RETURNS:
        outcome = _about_a_message(session, event, secret=secret, now=now, is_new=is_new)
    elif event.kind is InboundKind.OPTED_OUT:
        outcome = _silence(session, event, secret=secret, now=now)
    elif event.kind is InboundKind.OPTED_IN:
        outcome = _hear(session, event, now=now)
    else:
        outcome = "noted"
    if outcome is not None:
        _settle(event, outcome, now=now)
    session.add(event)


def _about_a_message(
    session: Session, event: InboundEvent, *, secret: bytes, now: datetime, is_new: bool
) -> str | None:
    """What an event means for its address and its message; None while that is in our hands."""
    message = store.message_of(session, event)
    if message is not None:
        is_new = is_new or event.message_id is None  # it was not known whose it is
        event.message_id = message.id
        event.customer_id = event.customer_id or message.customer_id
        if message.kind is MessageKind.FOLLOW_UP and message.address:
            event.address_hash = event.address_hash or pseudonym(secret, message.address)
    if is_new:
        _mind_the_address(session, event, secret=secret, now=now)
    if message is None or message.state not in HANDED_OVER:
        names_one = event.message_id is not None or event.provider_id is not None
        return None if names_one and now - event.received_at < PATIENCE else "unknown"
    to = RETURNS[event.kind]
    if message.state in IN_DOUBT:
        reason = f"the provider says {event.kind}"
        if to is MessageState.BOUNCED:  # it left us, and told nobody
            messages.move(session, message, MessageState.SENT, reason=reason, now=now)
        else:
            doubt.it_arrived(session, message, reason=reason, now=now)
    if RANK[to] > RANK[message.state]:
        messages.move(session, message, to, reason=event.code or event.kind.value, now=now)
    if to is MessageState.BOUNCED:
        loops.on_returned(session, message, now=now)
    return to.value


def _mind_the_address(
    session: Session, event: InboundEvent, *, secret: bytes, now: datetime
) -> None:
    """Write no more to an address that is gone or was busy too often, or to who complains."""
    if event.kind is InboundKind.COMPLAINED:
        _unsubscribe(session, event, Why.COMPLAINED, secret=secret, now=now)
    if event.address_hash is None:
        return
    session.flush()
    is_gone = event.kind is InboundKind.HARD_BOUNCED or (
        event.kind is InboundKind.SOFT_BOUNCED
        and store.is_often_busy(session, event.address_hash, times=BUSY_TIMES, within=BUSY_WITHIN)
    )
    if is_gone:
        lock_contact(session, event.customer_id)
        suppress(session, event.address_hash, reason=Why.BOUNCED, how=event.provider, now=now)


def _silence(session: Session, event: InboundEvent, *, secret: bytes, now: datetime) -> str:
    """They want nothing more of us: no texts after STOP, nothing at all after a mail says so."""
    if store.overtaken(session, event, InboundKind.OPTED_IN):
        return "outdated"
    if event.provider == store.TWILIO and event.address_hash is not None:
        stop_sms(session, event.address_hash, event.customer_id, now=now)
        return "silenced"
    return _unsubscribe(session, event, Why.OPTED_OUT, secret=secret, now=now)


def _hear(session: Session, event: InboundEvent, *, now: datetime) -> str:
    """They want to hear from us again: only STOP is taken back by START."""
    if event.address_hash is None or store.overtaken(session, event, InboundKind.OPTED_OUT):
        return "outdated"
    started = start_sms(session, event.address_hash, event.customer_id, now=now)
    return "heard" if started else "noted"


def _unsubscribe(
    session: Session, event: InboundEvent, reason: Why, *, secret: bytes, now: datetime
) -> str:
    """Silence the customer; where we do not know whose it is, the address."""
    message = store.message_of(session, event)
    customer_id = event.customer_id or (message.customer_id if message else None)
    if customer_id is not None:
        address = message.address if message else None
        unsubscribe(
            session,
            customer_id,
            secret=secret,
            how=event.provider,
            now=now,
            address=address,
            reason=reason,
        )
    if event.address_hash is not None:
        suppress(session, event.address_hash, reason=reason, how=event.provider, now=now)
    return "silenced" if customer_id or event.address_hash else "unknown"
