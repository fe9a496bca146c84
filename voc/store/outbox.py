"""Messages as those see them who hand them over, and those who look after that."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, func, update
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import Session, col, select

from voc.columns import UtcDateTime
from voc.errors import NotFoundError
from voc.models import DeliveryChannel, Message, MessageKind, MessageState, TicketEvent
from voc.rules.contact import Why
from voc.rules.messages import GONE, SAME_WORDS_WITHIN
from voc.store.customer_merges import was_written_as_one
from voc.store.events import lock_head
from voc.store.messages import SYSTEM, move, move_all, write_anew

Is = MessageState
ON_ITS_WAY = frozenset({Is.QUEUED, Is.CLAIMED})


def claim(
    session: Session,
    sender_id: str,
    now: datetime,
    *,
    but: Collection[DeliveryChannel] = (),
) -> Message | None:
    """Take the next message that is due, for this sender only; None if there is none.

    Args:
        but: Channels whose messages wait.
    """
    values = {"now": now, "but": list(but), "claimed_by": sender_id}
    return session.scalars(_claim(), values).one_or_none()


@cache
def _claim() -> ReturningUpdate[tuple[Message]]:
    """Built once. What has waited longest goes first.

    So what was put off stands behind all others, and what ruins every try of a provider for
    itself does not ruin it for them.
    """
    now = bindparam("now", type_=UtcDateTime())
    due = (
        select(Message.id)
        .where(
            Message.state == Is.QUEUED,
            col(Message.not_before) <= now,
            col(Message.channel).not_in(bindparam("but", expanding=True)),
        )
        .order_by(col(Message.not_before), col(Message.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return (
        update(Message)
        .where(col(Message.id) == due, col(Message.state) == Is.QUEUED)
        .values(state=Is.CLAIMED, sender_id=bindparam("claimed_by"))
        .returning(Message)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def planned_span(session: Session, now: datetime) -> tuple[int, int, int]:
    """Lowest and highest id, and number, of what is planned and due; zeros if nothing is."""
    ids = col(Message.id)
    low, high, n = session.exec(
        select(func.min(ids), func.max(ids), func.count()).where(
            Message.state == Is.PLANNED, col(Message.not_before) <= now
        )
    ).one()
    return low or 0, high or 0, n


def release_held(session: Session, *, now: datetime) -> int:
    """Queue what the kill switch held. What anything else holds stays held."""
    by_switch = (col(Message.state) == Is.HELD, col(Message.reason) == Why.KILL_SWITCH.value)
    if session.exec(select(Message.id).where(*by_switch).limit(1)).first() is None:
        return 0  # the usual case needs no lock
    return move_all(session, [Is.HELD], Is.QUEUED, by_switch[1], now=now)


def in_flight(session: Session) -> list[Message]:
    """What senders have claimed or are handing over, dead ones' included."""
    return in_states(session, [Is.CLAIMED, Is.SENDING])


def in_states(
    session: Session, states: Collection[MessageState], *, limit: int | None = None
) -> list[Message]:
    """The messages in *states*, in the order in which they were planned."""
    query = select(Message).where(col(Message.state).in_(states)).order_by(col(Message.id))
    return list(session.exec(query.limit(limit) if limit else query))


def in_doubt_since(session: Session, before: datetime) -> list[Message]:
    """What has been UNKNOWN since before that moment, the longest first."""
    query = select(Message).where(Message.state == Is.UNKNOWN, col(Message.settled_at) <= before)
    return list(session.exec(query.order_by(col(Message.settled_at), col(Message.id))))


def says_the_same(session: Session, message: Message, words_hash: str, now: datetime) -> bool:
    """Whether another message to this customer with these words has left lately, or will."""
    at = func.coalesce(Message.settled_at, Message.frozen_at)
    query = select(Message.id).where(
        Message.words_hash == words_hash,
        Message.customer_id == message.customer_id,
        Message.kind == MessageKind.FOLLOW_UP,
        Message.id != message.id,
        col(Message.state).in_(GONE | ON_ITS_WAY),
        at > now - SAME_WORDS_WITHIN,
    )
    return session.exec(query.limit(1)).first() is not None


def needing_a_person(session: Session, *, limit: int) -> list[Message]:
    """In doubt, held for or by a person, or given up as DEAD: the oldest first."""
    reasons = [Why.BY_HAND.value, Why.NEEDS_APPROVAL.value]
    held = (col(Message.state) == Is.HELD) & col(Message.reason).in_(reasons)
    query = select(Message).where(col(Message.state).in_([Is.UNKNOWN, Is.DEAD]) | held)
    return list(session.exec(query.order_by(col(Message.id)).limit(limit)))


def history(session: Session, message_id: int) -> list[TicketEvent]:
    """What the ledger says of a message, in the order in which it happened."""
    query = select(TicketEvent).where(TicketEvent.message_id == message_id)
    return list(session.exec(query.order_by(col(TicketEvent.id))))


def locked(session: Session, message_id: int) -> Message:
    """The message, held until the transaction ends.

    Raises:
        NotFoundError: There is none with this id.
    """
    lock_head(session)
    query = select(Message).where(col(Message.id) == message_id).with_for_update()
    rows = session.exec(query.execution_options(populate_existing=True))
    if (message := rows.one_or_none()) is None:
        raise NotFoundError(f"there is no message {message_id}; `voc outbox list` shows some")
    return message


def say_why(session: Session, message: Message, reason: str) -> None:
    """Another reason for the state that it is in."""
    as_it_was = (col(Message.id) == message.id, col(Message.state) == message.state)
    session.exec(update(Message).where(*as_it_was).values(reason=reason))


def resolve_unknown(
    session: Session,
    message_id: int,
    to: MessageState,
    *,
    reason: str,
    now: datetime,
    actor: str = SYSTEM,
) -> bool:
    """Evidence on a message whose reply was lost; False if it is not in doubt any more.

    Args:
        to: SENT (it arrived; also of one that was given up), QUEUED (send it again: see `let_go`)
            or ABANDONED (leave it).

    Raises:
        IllegalTransitionError: Another state was asked for.
    """
    message = session.get_one(Message, message_id)
    proven = message.state is Is.ABANDONED and to is Is.SENT
    if message.state is not Is.UNKNOWN and not proven:
        return False
    if to is Is.QUEUED:
        return let_go(session, message, reason=reason, now=now, actor=actor)
    return move(session, message, to, now=now, reason=reason, actor=actor, not_before=now)


def let_go(session: Session, message: Message, *, reason: str, now: datetime, actor: str) -> bool:
    """Let a message that waited for a person leave; False if it is elsewhere by now.

    As it is; or, if it was never written, or while its customer was taken for one with somebody
    else, as it is written then.
    """
    if was_written_as_one(session, message):
        return write_anew(
            session,
            message,
            now=now,
            not_before=now,
            planned_at=message.planned_at,
            reason=reason,
            actor=actor,
        )
    to = Is.PLANNED if message.content is None else Is.QUEUED
    return move(session, message, to, now=now, reason=reason, actor=actor, not_before=now)
