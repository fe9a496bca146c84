"""From QUEUED to an outcome, at most once for each message.

Three transactions a message: *claim* it; after everything that can fail harmlessly, take the
*last look* and write down that we are sending; hand over; *settle*. If the process ends in
between, what is written down says how far it can have come (`notifications.recovery`).

A sender does, in this order, and as often as it likes::

    with liveness(engine, settings.locks).hold(new_sender_id()) as sender:
        recover(...)  # what dead senders left behind
        queue_planned(...)  # PLANNED to QUEUED: words and bytes are frozen
        deliver_due(...)  # QUEUED to SENT, or to the reason why not
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from notifications.allowlist import Channels, close_all
from notifications.channel import Capability, Channel, ChannelDownError, Envelope
from notifications.liveness import Held
from notifications.mail import CannotComposeError, wire_address
from notifications.settling import Drain, OnSent, settle_failure, settle_success
from voc.actions.restoring import head_of, is_restored
from voc.company.model import Company
from voc.errors import DeliveryError, NotSentError, RefusedError, TransientError, UnconfirmedError
from voc.journal import Head, Journal, message_digest
from voc.models import DeliveryChannel, Message, MessageState
from voc.rules.contact import Silence, why_not_contact
from voc.store import approval, breakers, contact, events, messages, outbox
from voc.store.database import transaction

Is = MessageState


def nothing_more(session: Session, message: Message, now: datetime) -> None:
    """What happens to the domain when nobody asked for anything to happen."""


def deliver_due(
    engine: Engine,
    channels: Channels,
    *,
    company: Company,
    secret: bytes,
    sender: Held,
    journal: Journal,
    kill_switch: Path,
    clock: Callable[[], datetime],
    rng: Random,
    limit: int = 1000,
    on_sent: OnSent = nothing_more,
) -> Counter[MessageState]:
    """Deliver up to *limit* messages that are due; return how many ended in which state.

    A provider that works for nobody is left alone for a while; what goes by other channels goes
    on. Nothing leaves from an older copy of the database (`voc.actions.restoring`). Senders may
    overlap.

    Args:
        sender: Held meanwhile, or `recover` cannot tell the dead from the busy.
        kill_switch: While this file exists nothing leaves. What it held is queued again when
            it is gone.
        clock: Asked for each message: a long drain is not to send into the quiet hours.
        on_sent: Called in the transaction that settles a message as SENT.

    Raises:
        TransientError: Others no longer see that this sender is alive.
    """
    drain = Drain(
        engine=engine,
        channels=channels,
        company=company,
        secret=secret,
        sender=sender,
        journal=journal,
        kill_switch=kill_switch,
        clock=clock,
        rng=rng,
        on_sent=on_sent,
    )
    counts: Counter[MessageState] = Counter()
    if is_restored(engine, journal, now=clock()):
        return counts
    if not kill_switch.exists():
        with transaction(engine) as session:
            outbox.release_held(session, now=clock())
    try:
        for _ in range(limit):
            if (message := _claim(drain)) is None:
                break
            if message.state is Is.CLAIMED:
                _deliver(drain, message)
            counts[message.state] += 1
    finally:
        close_all(channels)
    return counts


def _claim(drain: Drain) -> Message | None:
    """Take the next message; one that may not leave is moved on before anything is opened."""
    now = drain.clock()
    with transaction(drain.engine) as session:
        message = outbox.claim(session, drain.sender.sender_id, now, but=drain.waiting)
        silence = _ask(drain, session, message, now) if message else None
    if message is not None and silence is not None:
        with transaction(drain.engine) as session:  # a new one: the ledger's head is locked first
            _keep_silent(drain, session, message, silence, now)
    return message


def _deliver(drain: Drain, message: Message) -> None:
    """Take a claimed message as far as it goes."""
    route, capability = "", Capability.NEITHER
    try:
        mail = envelope_of(message)
        channel = _channel_of(drain, message)
        route = channel.route_for(mail.recipient)
        capability = channel.capability_of(route)
        if not _may_try(drain, message, route):
            return
        _prepare(channel, mail)
        if (head := _last_look(drain, message, route)) is None:
            return
        _write_down(drain, message, head)
        provider_id = _hand_over(channel, mail)
    except DeliveryError as exc:
        settle_failure(drain, message, exc, route=route, capability=capability)
    else:
        settle_success(drain, message, route, provider_id)


def _channel_of(drain: Drain, message: Message) -> Channel:
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


def _may_try(drain: Drain, message: Message, route: str) -> bool:
    """Whether *route* is not left alone just now; else the message and its channel wait."""
    if route in drain.usable:
        return True
    now = drain.clock()
    with transaction(drain.engine) as session:
        state = breakers.ask(session, route, now)
        if state.until is not None:
            reason, until = f"waits for {route}", state.until
            messages.move(session, message, Is.QUEUED, reason=reason, now=now, not_before=until)
            drain.leave_alone(message.channel, route)
            return False
    drain.usable.add(route)
    if state.on_trial:
        drain.on_trial.add(route)
    return True


def _prepare(channel: Channel, mail: Envelope) -> None:
    try:
        channel.prepare(mail)
    except DeliveryError:
        raise
    except Exception as exc:  # noqa: BLE001  (its text may hold an address)
        raise NotSentError(f"unexpected {type(exc).__name__} before handing over") from None


def _hand_over(channel: Channel, mail: Envelope) -> str:
    try:
        return channel.hand_over(mail)
    except DeliveryError:
        raise
    except Exception as exc:  # noqa: BLE001  (nobody knows how far it came)
        raise UnconfirmedError(f"unexpected {type(exc).__name__} while handing over") from None


def _last_look(drain: Drain, message: Message, route: str) -> Head | None:
    """Ask once more with the contact locked, and write down that the handing-over begins.

    Raises:
        TransientError: Others may have taken us for dead.
    """
    if not drain.sender.is_held():
        raise TransientError("the session that shows that this sender is alive has ended")
    now = drain.clock()
    with transaction(drain.engine) as session:
        events.lock_head(session)
        contact.lock_contact(session, message.customer_id)
        if silence := _ask(drain, session, message, now):
            _keep_silent(drain, session, message, silence, now)
            return None
        if not messages.move(session, message, Is.SENDING, route=route, sending_at=now, now=now):
            return None
        return head_of(session)


def _write_down(drain: Drain, message: Message, head: Head) -> None:
    """Tell the journal before anybody else.

    Raises:
        ChannelDownError: It cannot be written: then nothing is handed over, to anybody.
    """
    digest = message_digest(message.message_id or "")
    try:
        drain.journal.hand_over(head, digest, message.words_hash or "", drain.clock())
    except OSError as exc:
        raise ChannelDownError(f"the journal cannot be written: {exc.strerror}") from None


def _ask(drain: Drain, session: Session, message: Message, now: datetime) -> Silence | None:
    key = message.id or 0
    facts = contact.facts_for(
        session,
        [key],
        company=drain.company,
        secret=drain.secret,
        kill_switch=drain.kill_switch.exists(),
        now=now,
    )
    return why_not_contact(facts[key], drain.company.follow_up, now)


def _keep_silent(
    drain: Drain, session: Session, message: Message, silence: Silence, now: datetime
) -> None:
    later: dict[str, Any] = {"not_before": silence.until} if silence.until else {}
    moved = messages.move(session, message, silence.state, reason=silence.reason, now=now, **later)
    if moved and approval.is_waiting(message):
        approvers = drain.company.follow_up.approval.approvers
        approval.ask(session, message, approvers, now=now)
